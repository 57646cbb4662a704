//! The devices on a real directory.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant};

use crate::fixture::Fixture;
use geiko_files::{WOULD_BLOCK, lisp_seconds};
use geiko_runtime::device::{
    Access, FILE_PAGE_BYTES, FileChange, FileError, FileHost, Recognition, SPECIAL_SIZE,
};

#[test]
fn recognition_on_dsk() {
    let fixture = Fixture::new();
    for name in ["Read.Me", "plain", "a.b.c", "x;y"] {
        fs::write(fixture.path(name), "").expect("a file");
    }
    fs::create_dir(fixture.path("Sub")).expect("a directory");
    let cases = [
        ("READ.ME", Recognition::Old, "Read.Me;1"),
        ("READ.ME;1", Recognition::Old, "Read.Me;1"),
        ("READ.ME;2", Recognition::Old, "-"),
        ("READ.ME", Recognition::New, "Read.Me;2"),
        ("plain.", Recognition::Old, "plain.;1"),
        ("A.B.C", Recognition::Old, "a.b.c;1"),
        ("A'.B.C", Recognition::Old, "a'.b.c;1"),
        ("x';y", Recognition::Old, "x';y.;1"),
        ("Sub", Recognition::Old, "-"),
        ("SUB>", Recognition::OldNew, "-"),
        ("sub", Recognition::New, "-"),
        ("SUB", Recognition::Non, "Sub>"),
        ("SUB>New.File", Recognition::New, "Sub>New.File;1"),
        ("none>New.File", Recognition::New, "none>New.File;1"),
        ("none>New.File;7", Recognition::OldNew, "none>New.File;7"),
        ("none>New.File", Recognition::Old, "-"),
        ("none>New.File", Recognition::Non, "-"),
        ("lisp.sysout", Recognition::Non, "lisp.sysout"),
        ("read.me;9", Recognition::Non, "read.me"),
    ];
    for (name, recognition, answer) in cases {
        assert_eq!(fixture.recognise(name, recognition), answer, "{name}");
    }
}

#[test]
fn names_on_unix() {
    let mut fixture = Fixture::new();
    fs::write(fixture.path("foo.txt.~3~"), "").expect("a file");
    let ask = |fixture: &Fixture, name: &str, recognition| {
        fixture
            .files
            .get_filename(FileHost::Unix, &fixture.lisp(name), recognition)
            .map(|found| fixture.local(&found))
    };
    assert_eq!(
        ask(&fixture, "foo.txt.~3~", Recognition::Old),
        Ok("foo.txt.~3~".to_owned())
    );
    assert_eq!(
        ask(&fixture, "FOO.TXT.~3~", Recognition::Old),
        Err(FileError::NOT_FOUND)
    );
    assert_eq!(
        ask(&fixture, "new", Recognition::New),
        Ok("new.".to_owned())
    );
    assert_eq!(fixture.list("UNIX", "*.*;*"), ["foo.txt.~3~"]);

    let (from, to) = (fixture.lisp("foo.txt.~3~"), fixture.lisp("bar."));
    assert_eq!(fixture.files.rename(FileHost::Unix, &from, &to), Ok(()));
    assert_eq!(fixture.host_names(), ["bar"]);
    assert_eq!(fixture.files.delete(FileHost::Unix, &to), Ok(()));
    fs::create_dir(fixture.path("dir")).expect("a directory");
    let dir = fixture.lisp("dir");
    assert_eq!(fixture.files.delete(FileHost::Unix, &dir), Ok(()));
    assert!(fixture.host_names().is_empty());
}

#[test]
fn directories() {
    let mut fixture = Fixture::new();
    fs::create_dir_all(fixture.path("Sub/deep")).expect("directories");
    fs::write(fixture.path("file"), "").expect("a file");
    let ask = |fixture: &Fixture, host, name: &str| {
        fixture
            .files
            .directory_name(host, &fixture.lisp(name))
            .map(|found| fixture.local(&found))
    };
    let deep = Ok("Sub>deep>".to_owned());
    assert_eq!(ask(&fixture, FileHost::Dsk, "SUB>DEEP"), deep);
    assert_eq!(ask(&fixture, FileHost::Unix, "Sub>deep>"), deep);
    for (host, name) in [
        (FileHost::Unix, "SUB"),
        (FileHost::Unix, "file"),
        (FileHost::Dsk, "file"),
    ] {
        assert_eq!(ask(&fixture, host, name), Err(FileError::NOT_FOUND));
    }
    assert_eq!(
        fixture.files.directory_name(FileHost::Dsk, b"<"),
        Ok(b"<".to_vec())
    );

    let sub = fixture.full("DSK", "SUB>");
    assert_eq!(fixture.files.change_dir(&sub), Ok(()));
    let here = fixture.files.directory_name(FileHost::Dsk, b".>DEEP");
    assert_eq!(here.map(|found| fixture.local(&found)), deep);
    let file = fixture.full("DSK", "file");
    assert_eq!(fixture.files.change_dir(&file), Err(FileError::NOT_FOUND));
    let path = fixture.files.host_path(b"{DSK}.>x.sysout").expect("a path");
    assert_eq!(path, fixture.path("Sub/x.sysout"));
}

#[test]
fn versions_are_made_in_new_directories() {
    let mut fixture = Fixture::new();
    fixture.write("new>dir>a.txt", Recognition::New, "one");
    fixture.write("NEW>DIR>A.TXT", Recognition::New, "two");
    fixture.write("new>dir>a.txt", Recognition::OldNew, "three");
    let inode = |name: &str| fs::metadata(fixture.path(name)).expect("a file").ino();
    assert_eq!(inode("new/dir/a.txt"), inode("new/dir/a.txt.~2~"));
    assert_ne!(inode("new/dir/a.txt"), inode("new/dir/a.txt.~1~"));
    assert_eq!(
        fixture.read("new>dir>a.txt;1", Recognition::Old).as_deref(),
        Some("one")
    );
    assert_eq!(
        fixture.read("new>dir>a.txt", Recognition::Old).as_deref(),
        Some("three")
    );
}

#[test]
fn modes_of_opening() {
    let mut fixture = Fixture::new();
    let full = fixture.full("DSK", "a.b");
    let mut open = |recognition, access| fixture.files.open(&full, recognition, access);
    for (recognition, access) in [
        (Recognition::New, Access::Input),
        (Recognition::Old, Access::Both),
        (Recognition::OldNew, Access::Input),
        (Recognition::Non, Access::Output),
    ] {
        assert_eq!(open(recognition, access), Err(FileError::NOT_FOUND));
    }
    let first = open(Recognition::OldNew, Access::Append).expect("opened");
    assert_eq!((first.descriptor, first.size), (3, 0));
    let second = open(Recognition::Old, Access::Input).expect("opened");
    assert_eq!(second.descriptor, 4);

    fs::create_dir(fixture.path("dir")).expect("a directory");
    let dir = fixture.full("DSK", "dir");
    let opened = fixture.files.open(&dir, Recognition::Old, Access::Input);
    assert_eq!(opened, Err(FileError::NOT_REGULAR));
    let dir = fixture.full("UNIX", "dir");
    let opened = fixture.files.open(&dir, Recognition::Old, Access::Input);
    assert!(opened.expect("opened").size >= 0);
}

#[test]
fn pages() {
    let mut fixture = Fixture::new();
    let full = fixture.full("UNIX", "a.bin");
    let opened = fixture
        .files
        .open(&full, Recognition::New, Access::Both)
        .expect("opened");
    let fd = opened.descriptor;
    let files = &mut fixture.files;
    assert_eq!(files.write_page(fd, 0, &[1; FILE_PAGE_BYTES]), Ok(()));
    assert_eq!(files.write_page(fd, 1, &[2; 10]), Ok(()));
    let mut page = [9; FILE_PAGE_BYTES];
    assert_eq!(files.read_page(fd, 0, &mut page), Ok(FILE_PAGE_BYTES));
    assert_eq!(page, [1; FILE_PAGE_BYTES]);
    assert_eq!(files.read_page(fd, 1, &mut page), Ok(10));
    assert_eq!(page[..11], [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0]);
    assert_eq!(files.read_page(fd, 2, &mut page), Ok(0));
    assert_eq!(page, [0; FILE_PAGE_BYTES]);
    assert_eq!(files.truncate(fd, 3), Ok(()));
    assert_eq!(files.read_page(fd, 0, &mut page), Ok(3));

    let date = lisp_seconds(1_000_000_000);
    assert_eq!(files.close(fd, Some(date)), Ok(()));
    assert_eq!(files.close(fd, None), Err(FileError::BAD_DESCRIPTOR));
    assert_eq!(
        files.read_page(fd, 0, &mut page),
        Err(FileError::BAD_DESCRIPTOR)
    );
    let info = files.get_file_info(&full).expect("attributes");
    assert_eq!((info.length, info.write_date), (3, date));
}

#[test]
fn attributes() {
    let mut fixture = Fixture::new();
    fixture.write("a.txt", Recognition::New, "one");
    fixture.write("a.txt", Recognition::New, "second");
    let (newest, first) = (fixture.full("DSK", "A.TXT"), fixture.full("DSK", "A.TXT;1"));
    let length = |name: &[u8]| fixture.files.get_file_info(name).map(|info| info.length);
    assert_eq!(length(&newest), Ok(6));
    assert_eq!(length(&first), Ok(3));
    assert_eq!(
        length(&fixture.full("DSK", "a.txt;3")),
        Err(FileError::NOT_FOUND)
    );

    let before = fixture.files.get_file_info(&first).expect("attributes");
    let files = &fixture.files;
    for change in [FileChange::WriteDate(77), FileChange::Protection(0o600)] {
        assert_eq!(files.set_file_info(&first, change), Ok(()));
    }
    let after = files.get_file_info(&first).expect("attributes");
    assert_eq!((after.write_date, after.read_date), (77, before.read_date));
    let mode = fs::metadata(fixture.path("a.txt.~1~")).expect("a file");
    assert_eq!(mode.permissions().mode(), after.protection);
    assert_eq!(after.protection & 0o7777, 0o600);
    assert_eq!(after.author, geiko_files::host::user_name());

    assert!(files.free_blocks(&newest).expect("a number") > 0);
    let dir = fixture.full("DSK", "");
    let info = files.get_file_info(&dir).expect("attributes");
    assert_eq!(info.protection & 0o170_000, 0o040_000);
}

#[test]
fn enumeration() {
    let mut fixture = Fixture::new();
    for name in [
        "foo.txt.~1~",
        "Foo.txt.~3~",
        "loose",
        "loose.~4~",
        "bare",
        "b.c.d",
    ] {
        fs::write(fixture.path(name), "12345").expect("a file");
    }
    fs::hard_link(fixture.path("Foo.txt.~3~"), fixture.path("Foo.txt")).expect("a link");
    fs::create_dir(fixture.path("Dir.x")).expect("a directory");
    std::os::unix::fs::symlink("nowhere", fixture.path("dangling")).expect("a link");

    let cases = [
        (
            "*.*;*",
            &[
                "b.c.d;1",
                "bare.;1",
                "dangling.;1",
                "Dir.x>",
                "Foo.txt;3",
                "foo.txt;1",
                "loose.;5",
                "loose.;4",
            ][..],
        ),
        (
            "*.*;",
            &[
                "b.c.d;1",
                "bare.;1",
                "dangling.;1",
                "Dir.x>",
                "Foo.txt;3",
                "loose.;5",
            ],
        ),
        ("*.*;1", &["b.c.d;1", "bare.;1", "dangling.;1", "foo.txt;1"]),
        ("LOOSE.;5", &["loose.;5"]),
        ("LOOSE.;6", &[]),
        ("F*.T*;*", &["Foo.txt;3", "foo.txt;1"]),
        ("f*.txt", &["Foo.txt;1"]),
        ("none.*;*", &[]),
    ];
    for (pattern, names) in cases {
        assert_eq!(fixture.list("DSK", pattern), names, "{pattern}");
    }
    assert_eq!(
        fixture.list("UNIX", "*.*;*"),
        [
            "Dir.x>",
            "Foo.txt",
            "Foo.txt.~3~",
            "b.c.d",
            "bare.",
            "dangling.",
            "foo.txt.~1~",
            "loose.",
            "loose.~4~"
        ]
    );

    let pattern = fixture.full("DSK", "foo.txt;1");
    let list = fixture.files.generate(&pattern, true).expect("a list");
    let list = list.expect("files");
    let file = fixture.files.next_file(list.id).expect("a file");
    let info = file.info.expect("attributes");
    assert_eq!(info.length, 5);
    assert_eq!(fixture.files.next_file(list.id), None);
    let missing = fixture.full("DSK", "none>*.*;*");
    assert_eq!(
        fixture.files.generate(&missing, false),
        Err(FileError::NOT_FOUND)
    );
}

#[test]
fn renaming_what_is_not_there_changes_nothing() {
    let mut fixture = Fixture::new();
    fixture.write("target", Recognition::New, "x");
    let (from, to) = (fixture.lisp("none"), fixture.lisp("new>target"));
    let renamed = fixture.files.rename(FileHost::Dsk, &from, &to);
    assert_eq!(renamed, Err(FileError::NOT_FOUND));
    let to = fixture.lisp("target;5");
    let renamed = fixture.files.rename(FileHost::Dsk, &from, &to);
    assert_eq!(renamed, Err(FileError::NOT_FOUND));
    assert_eq!(fixture.host_names(), ["target"]);
}

#[test]
fn too_long_names() {
    let fixture = Fixture::new();
    let name = vec![b'a'; 5000];
    for host in [FileHost::Dsk, FileHost::Unix] {
        let found = fixture.files.get_filename(host, &name, Recognition::Old);
        assert_eq!(found, Err(FileError::NAME_TOO_LONG));
    }
    let part = [fixture.lisp(""), vec![b'a'; 300]].concat();
    assert!(fixture.files.delete(FileHost::Dsk, &part).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn devices_do_not_hang() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::io::Write;

    let start = Instant::now();
    let mut fixture = Fixture::new();
    let fifo = fixture.path("pipe");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).expect("a fifo");
    let full = fixture.full("UNIX", "pipe");
    let opened = fixture
        .files
        .open(&full, Recognition::Old, Access::Input)
        .expect("opened");
    assert_eq!(opened.size, SPECIAL_SIZE);
    let fd = opened.descriptor;
    let mut page = [1; FILE_PAGE_BYTES];
    let read = fixture.files.read_page(fd, 0, &mut page);
    assert_eq!(read, Err(FileError::TIMEOUT));

    let mut writer = fs::OpenOptions::new()
        .write(true)
        .open(&fifo)
        .expect("opened");
    writer.write_all(b"hello").expect("written");
    assert_eq!(fixture.files.read_page(fd, 7, &mut page), Ok(5));
    assert_eq!(page[..6], *b"hello\0");
    drop(writer);
    assert_eq!(fixture.files.read_page(fd, 8, &mut page), Ok(0));
    assert_eq!(fixture.files.truncate(fd, 0), Ok(()));
    assert_eq!(fixture.files.close(fd, None), Ok(()));
    assert!(start.elapsed() < Duration::from_secs(5));

    let null = fixture
        .files
        .open(b"{UNIX}<dev>null", Recognition::Old, Access::Both)
        .expect("opened");
    assert_eq!(
        fixture.files.write_page(null.descriptor, 3, b"gone"),
        Ok(())
    );
}

#[test]
fn character_devices() {
    let mut fixture = Fixture::new();
    let path = fixture.path("chars").into_os_string().into_encoded_bytes();
    let files = &mut fixture.files;
    let fd = files.char_open(&path, Access::Both).expect("opened");
    assert_eq!(files.char_write(fd, b"ab"), Ok(2));
    let mut byte = [0];
    assert_eq!(files.char_read(fd, &mut byte), Err(WOULD_BLOCK));
    assert_eq!(files.close(fd, None), Ok(()));
    let fd = files.char_open(&path, Access::Input).expect("opened");
    assert_eq!(files.char_read(fd, &mut byte), Ok(1));
    assert_eq!(byte, *b"a");
}
