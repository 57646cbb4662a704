//! Any bytes as an image file: opened, looked into, started and run for a while.

use std::path::Path;

use super::devices;
use crate::image::testing::Builder;
use crate::image::{ImageFile, ImageInfo, MemorySize, Names};
use crate::interp::Exit;
use crate::layout::{Generation, Medley2, Medley3, Release};
use crate::machine::Machine;

/// How far an image came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It cannot be opened.
    Refused,
    /// Its first frame cannot be resumed.
    NotStarted,
    /// It executed so many instructions.
    Ran(u32),
}

/// Opens `bytes` as an image file and runs at most `limit` instructions.
pub fn open_and_run(bytes: &[u8], limit: u32) -> Outcome {
    let Ok(image) = ImageFile::from_bytes(Path::new("fuzz"), bytes.to_vec()) else {
        return Outcome::Refused;
    };
    for asked in [Some(8), Some(image.header().megabytes), Some(u32::MAX)] {
        if let Err(error) = image.memory_size(asked) {
            assert_ne!(error.to_string(), "");
        }
    }
    let Ok(size) = image.memory_size(None) else {
        return Outcome::Refused;
    };
    match image.header().release {
        Release::Medley2 => load_and_run::<Medley2>(&image, size, limit),
        Release::Medley3 => load_and_run::<Medley3>(&image, size, limit),
    }
}

fn load_and_run<G: Generation>(image: &ImageFile, size: MemorySize, limit: u32) -> Outcome {
    let space = match image.load::<G>(size) {
        Ok(space) => space,
        Err(error) => {
            assert_ne!(error.to_string(), "");
            return Outcome::Refused;
        }
    };
    ImageInfo::read(space.view(), image.header());
    let (mut m, _) = Machine::of_image(space.view(), devices());
    m.prepare(size);
    // An image without symbols has no page variables to prepare. It can run.
    m.fault = None;
    if m.start().is_err() {
        return Outcome::NotStarted;
    }
    let mut instructions = 0;
    while instructions < limit && m.step() != Exit::Fault {
        instructions += 1;
    }
    let names = Names::new(m.mem);
    for activation in m.backtrace(200) {
        names.object(activation.function);
    }
    m.audit();
    Outcome::Ran(instructions)
}

/// Small images that can be started.
pub fn seeds() -> Vec<Vec<u8>> {
    vec![
        Builder::<Medley2>::new().build(),
        Builder::<Medley3>::new().build(),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn seeds_run() {
        for seed in seeds() {
            assert!(matches!(open_and_run(&seed, 100), Outcome::Ran(_)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 60,
            failure_persistence: None,
            ..Default::default()
        })]

        #[test]
        fn damaged_seeds_are_survived(
            seed in prop::sample::select(seeds()),
            damage in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..6),
            length in any::<prop::sample::Index>(),
        ) {
            let mut damaged = seed;
            for (at, byte) in damage {
                *at.get_mut(&mut damaged) = byte;
            }
            open_and_run(&damaged, 100);
            open_and_run(&damaged[..length.index(damaged.len())], 100);
        }
    }
}
