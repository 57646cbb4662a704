//! Everything can be compiled for AArch64: no assumption of x86-64 has crept into the
//! translator. Cranelift's verifier looks at all of it in builds with debug assertions.

use std::path::Path;

use geiko_forge::build::build;
use geiko_jit::{CrossCompiler, Jit, Pace};
use geiko_runtime::device::Devices;
use geiko_runtime::image::ImageFile;
use geiko_runtime::image::functions::{Definition, definitions};
use geiko_runtime::layout::{Generation, Medley2, Medley3, Release};
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::LispPtr;
use geiko_runtime::testing::programs;

/// Compiles the functions at `blocks`; answers how many of them and how many bytes.
fn compile<G: Generation>(
    machine: &Machine<'_, G>,
    blocks: impl Iterator<Item = LispPtr>,
) -> (usize, usize) {
    let triple = "aarch64-unknown-linux-gnu".parse().expect("a triple");
    let mut compiler = CrossCompiler::new(&triple).expect("Cranelift knows it");
    let jit = Jit::new(machine.mem, 1 << 16, Pace::Now).expect("a host that is known");
    blocks.fold((0, 0), |(count, bytes), code| {
        let made = compiler.compile(&jit, machine, code);
        assert!(made > 0, "{code}: no code");
        (count + 1, bytes + made)
    })
}

#[test]
fn the_built_in_lisp() {
    let image = build(&[], Release::Medley3, false).expect("the built-in Lisp is right");
    let image = ImageFile::from_bytes(Path::new("built-in"), image).expect("an image");
    let size = image.memory_size(None).expect("a size");
    let space = image.load::<Medley3>(size).expect("it fits");
    let (machine, _) = Machine::of_image(space.view(), Devices::absent());
    let blocks = definitions(space.view()).map(|definition| definition.code);
    let (count, bytes) = compile(&machine, blocks);
    assert!(count > 1000 && bytes > 1000 * count / 2, "{count}, {bytes}");
}

#[test]
fn random_byte_code() {
    fn of<G: Generation>() {
        let mut random = 1u32;
        for _ in 0..40 {
            let bytes: Vec<u8> = (0..600)
                .map(|_| {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (random >> 24) as u8
                })
                .collect();
            programs::show::<G>(&bytes, |machine, symbols| {
                let definitions = symbols
                    .iter()
                    .filter_map(|&symbol| Definition::of(machine.mem, symbol));
                let (count, _) = compile(machine, definitions.map(|definition| definition.code));
                assert!(count > 0);
            });
        }
    }
    of::<Medley2>();
    of::<Medley3>();
}
