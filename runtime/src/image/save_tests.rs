//! Tests of saving.

use std::fs;
use std::path::Path;

use super::testing::{Builder, FRAME, medley_path};
use super::{ImageFile, Problem};
use crate::layout::records::{block, interface};
use crate::layout::{Generation, Medley2, Medley3};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::testing::devices;

/// Loads `bytes`, lets `test` work on a machine over them.
fn with_image<G: Generation>(bytes: Vec<u8>, test: impl FnOnce(Machine<'_, G>)) {
    let image = ImageFile::from_bytes(Path::new("x.sysout"), bytes).unwrap();
    let space = image.load(image.memory_size(None).unwrap()).unwrap();
    let (machine, _) = Machine::of_image(space.view(), devices());
    test(machine);
}

fn builder<G: Generation>() -> Builder<G> {
    let mut builder = Builder::new();
    builder.interface(interface::MACHINE_TYPE, 3);
    builder
}

fn round_trip<G: Generation>() {
    let mut builder = builder::<G>();
    // A page that is twice in the file, and many more pages.
    builder.pages.extend(0x1000..0x1200);
    builder.pages.push(0x1005);
    for page in 0x1000..0x1200 {
        for word in 0..256 {
            let at = LispPtr::from_page(page).add(word);
            builder.mem().set_word(at, (page * 7 + word) as u16);
        }
    }
    builder.pages.splice(
        4..4,
        [
            G::FPTOVP.page() + 1,
            G::FPTOVP.page() + 2,
            G::FPTOVP.page() + 3,
            G::FPTOVP.page() + 4,
        ],
    );
    let bytes = builder.build();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.sysout");
    with_image::<G>(bytes.clone(), |m| {
        for _ in 0..2 {
            m.save(&path).unwrap();
            assert!(fs::read(&path).unwrap() == bytes);
        }
    });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_saved_image_is_the_loaded_one() {
    round_trip::<Medley2>();
    round_trip::<Medley3>();
}

#[test]
fn the_real_image_is_saved_as_it_was() {
    let Some(medley) = medley_path() else { return };
    let bytes = fs::read(medley).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.sysout");
    with_image::<Medley2>(bytes.clone(), |m| m.save(&path).unwrap());
    assert!(fs::read(&path).unwrap() == bytes);
}

#[test]
fn file_pages_that_hold_nothing_stay_so() {
    let mut builder = builder::<Medley3>();
    builder.pages.push(0xFFFF_0000);
    let mut bytes = builder.build();
    bytes[5 * 512..].fill(0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.sysout");
    with_image::<Medley3>(bytes.clone(), |m| m.save(&path).unwrap());
    assert!(fs::read(&path).unwrap() == bytes);
}

/// The word of the interface page in a saved file, and in its copy.
fn saved_words(path: &Path, offset: u32) -> [u16; 2] {
    let bytes = fs::read(path).unwrap();
    [512, 1024].map(|page| {
        let at = page + 2 * offset as usize;
        u16::from_be_bytes([bytes[at], bytes[at + 1]])
    })
}

fn storage_states<G: Generation>() {
    let mut builder = builder::<G>();
    builder.pages.push(2); // where symbols that the image lacks have their values
    builder.interface(interface::MACHINE_TYPE, 0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.sysout");
    with_image::<G>(builder.build(), |m| {
        let state = m.symbols.storage_full_state;
        for (value, saved) in [(0, 0), (1, 0), (2, 2)] {
            m.mem.set_cell(state, LispPtr::smallpos(value));
            let before = m.mem.cell(state);
            m.save(&path).unwrap();
            assert_eq!(
                saved_words(&path, interface::STORAGE_FULL_STATE),
                [saved; 2]
            );
            assert_eq!(saved_words(&path, interface::MACHINE_TYPE), [3; 2]);
            assert_eq!(m.mem.cell(state), before, "memory is as it was");
            assert_eq!(m.interface_word(interface::MACHINE_TYPE), 0);
            let again = ImageFile::open(&path).unwrap();
            let space = again.load::<G>(again.memory_size(None).unwrap()).unwrap();
            let expected = if saved == 0 && value != 0 {
                LispPtr::NIL
            } else {
                before
            };
            assert_eq!(space.view().cell(state), expected);
        }
    });
}

#[test]
fn the_state_of_storage_is_saved() {
    storage_states::<Medley2>();
    storage_states::<Medley3>();
}

#[test]
fn a_damaged_image_does_not_replace_a_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.sysout");
    fs::write(&path, "a good one").unwrap();
    with_image::<Medley2>(builder::<Medley2>().build(), |m| {
        m.mem.set_stack_word(FRAME, block::GUARD);
        let error = m.save(&path).unwrap_err();
        assert_eq!(error.lisp_code(), 5);
        assert!(matches!(
            error.cause,
            super::save::SaveFailure::Damaged(Problem::NoFrame { .. })
        ));
    });
    assert_eq!(fs::read(&path).unwrap(), b"a good one");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn places_where_nothing_can_be_saved() {
    let folder = tempfile::tempdir().unwrap();
    with_image::<Medley2>(builder::<Medley2>().build(), |m| {
        for (path, code) in [
            (folder.path().to_path_buf(), 3),
            (folder.path().join("no/such/folder.sysout"), 3),
            (Path::new("/").to_path_buf(), 1),
            (Path::new("/dev/null").to_path_buf(), 3),
        ] {
            assert_eq!(m.save(&path).unwrap_err().lisp_code(), code, "{path:?}");
        }
    });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn links_and_modes_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("real.sysout");
    let link = folder.path().join("link.sysout");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.sysout", &link).unwrap();
    let bytes = builder::<Medley3>().build();
    with_image::<Medley3>(bytes.clone(), |m| m.save(&link).unwrap());
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read(&file).unwrap() == bytes);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}
