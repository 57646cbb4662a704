//! The machine's file services over the devices, on a real directory.

use crate::fixture::Fixture;
use geiko_files::HostFiles;
use geiko_runtime::device::FileError;
use geiko_runtime::layout::records::{file_generator, types};
use geiko_runtime::layout::{Generation, Medley2, Medley3};
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::LispPtr;
use geiko_runtime::subr::{Args, Outcome};
use geiko_runtime::testing::{string, with_machine};

const DSK_DELETE_FILE: u8 = 107;
const DSK_DIRECTORY_NAME_P: u8 = 113;
const DSK_GET_FILE_NAME: u8 = 106;
const DSK_RENAME_FILE: u8 = 108;
const CHANGE_DIR: u8 = 116;
const CLOSE_FILE: u8 = 105;
const FINISH: u8 = 111;
const GENERATE: u8 = 112;
const GET_FILE_INFO: u8 = 114;
const GET_FREE_BLOCK: u8 = 45;
const NEXT_FILE: u8 = 110;
const OPEN_FILE: u8 = 104;
const READ_PAGES: u8 = 37;
const SET_FILE_INFO: u8 = 103;
const TRUNCATE_FILE: u8 = 39;
const UFS_DELETE_FILE: u8 = 35;
const UFS_GET_FILE_NAME: u8 = 34;
const WRITE_PAGES: u8 = 38;

/// Bytes that Lisp has for a name.
const NAME_BYTES: u16 = 256;

const OLD: LispPtr = LispPtr::smallpos(0);
const NEW: LispPtr = LispPtr::smallpos(2);
const INPUT: LispPtr = LispPtr::smallpos(0);
const OUTPUT: LispPtr = LispPtr::smallpos(1);
const LENGTH: LispPtr = LispPtr::smallpos(1);
const WRITE_DATE: LispPtr = LispPtr::smallpos(2);

/// What Lisp does: makes strings and boxes and calls services.
struct Lisp<'a, 'm, G: Generation> {
    machine: &'a mut Machine<'m, G>,
    /// Where the next string goes.
    room: LispPtr,
    error: LispPtr,
}

impl<'a, 'm, G: Generation> Lisp<'a, 'm, G> {
    fn new(machine: &'a mut Machine<'m, G>) -> Self {
        machine.devices.files = Box::new(HostFiles::new(None, false).expect("the whole tree"));
        let error = machine.boxed(types::FIXP, 0);
        Self {
            machine,
            room: LispPtr(0x31_0000),
            error,
        }
    }

    fn room(&mut self) -> LispPtr {
        self.room = self.room.add(0x100);
        self.room
    }

    fn string(&mut self, text: &[u8]) -> LispPtr {
        let room = self.room();
        string(self.machine, room, NAME_BYTES, text)
    }

    fn new_box(&mut self) -> LispPtr {
        self.machine.boxed(types::FIXP, 0)
    }

    fn number(&self, object: LispPtr) -> i32 {
        self.machine.integer(object).expect("a number")
    }

    fn call(&mut self, number: u8, args: &[LispPtr]) -> LispPtr {
        let args = Args::new(args.iter().copied());
        match self.machine.call_subr(number, &args) {
            Outcome::Value(value) => value,
            other => panic!("service {number}: {other:?}"),
        }
    }

    /// What a service stored in a string.
    fn text(&self, string: LispPtr, length: LispPtr) -> Vec<u8> {
        let base = self.machine.mem.cell(string);
        (0..self.number(length))
            .map(|at| self.machine.mem.byte(base, at))
            .collect()
    }

    fn true_name(&mut self, service: u8, name: &[u8], recognition: LispPtr) -> Option<Vec<u8>> {
        let name = self.string(name);
        let result = self.string(b"");
        let length = self.call(service, &[name, recognition, result, self.error]);
        (!length.is_nil()).then(|| self.text(result, length))
    }

    fn write(&mut self, full_name: &[u8], text: &[u8]) {
        let name = self.string(full_name);
        let file = self.call(OPEN_FILE, &[name, NEW, OUTPUT]);
        assert!(!file.is_nil(), "{}", self.number(self.error));
        let buffer = self.room();
        for (page, bytes) in (0..).zip(text.chunks(512)) {
            for (at, &byte) in (0..).zip(bytes) {
                self.machine.mem.set_byte(buffer, at, byte);
            }
            let [page, count] = [page, bytes.len() as u16].map(LispPtr::smallpos);
            let written = self.call(WRITE_PAGES, &[file, page, buffer, count, self.error]);
            assert_eq!(written, LispPtr::T);
        }
        let length = LispPtr::smallpos(text.len() as u16);
        assert_eq!(self.call(TRUNCATE_FILE, &[file, length]), LispPtr::T);
        let date = self.machine.number(1_000_000);
        let closed = self.call(CLOSE_FILE, &[name, file, date, self.error]);
        assert_eq!(closed, LispPtr::T);
    }

    fn read(&mut self, full_name: &[u8]) -> Vec<u8> {
        let name = self.string(full_name);
        let [date, size] = [self.new_box(), self.new_box()];
        let file = self.call(OPEN_FILE, &[name, OLD, INPUT, date, size, self.error]);
        assert_eq!(self.number(date), 1_000_000);
        let buffer = self.room();
        let mut text = Vec::new();
        for page in 0.. {
            let count = self.call(READ_PAGES, &[file, LispPtr::smallpos(page), buffer]);
            let count = self.number(count);
            text.extend((0..count).map(|at| self.machine.mem.byte(buffer, at)));
            if count < 512 {
                break;
            }
        }
        assert_eq!(text.len() as i32, self.number(size));
        let none = LispPtr::smallpos(0);
        assert_eq!(self.call(CLOSE_FILE, &[name, file, none]), LispPtr::T);
        text
    }

    fn list(&mut self, full_pattern: &[u8]) -> Vec<String> {
        let pattern = self.string(full_pattern);
        let id = self.new_box();
        let count = self.call(GENERATE, &[pattern, LispPtr::T, id, self.error]);
        if count == LispPtr::smallpos(0) {
            return Vec::new();
        }
        let record = self.room();
        let [name, author] = [self.string(b""), self.string(b"")];
        for (field, value) in [
            (file_generator::LIST, LispPtr(self.number(id) as u32)),
            (file_generator::FLAGS, LispPtr(file_generator::WITH_INFO)),
            (file_generator::NAME, name),
            (file_generator::AUTHOR, author),
        ] {
            self.machine.mem.set_cell(record.add(field), value);
        }
        let mut names = Vec::new();
        loop {
            let length = self.call(NEXT_FILE, &[record]);
            if self.number(length) < 0 {
                break;
            }
            let text = String::from_utf8(self.text(name, length)).expect("UTF-8");
            let bytes = self.machine.mem.cell(record.add(file_generator::LENGTH));
            names.push(format!("{text} {}", bytes.0));
        }
        assert_eq!(names.len() as i32, self.number(count));
        assert_eq!(self.call(FINISH, &[id]), LispPtr::T);
        assert!(self.call(FINISH, &[id]).is_nil());
        names
    }
}

fn session<G: Generation>() {
    let fixture = Fixture::new();
    with_machine::<G>(|mut machine| {
        let mut lisp = Lisp::new(&mut machine);
        let long: Vec<u8> = (0..1300_u32).map(|n| (n * 7) as u8).collect();
        lisp.write(&fixture.full("DSK", "Some.Text"), b"first");
        lisp.write(&fixture.full("DSK", "some.text"), &long);
        assert_eq!(
            fixture.host_names(),
            ["Some.Text", "Some.Text.~1~", "Some.Text.~2~"]
        );
        assert_eq!(lisp.read(&fixture.full("DSK", "SOME.TEXT;1")), b"first");
        assert_eq!(lisp.read(&fixture.full("DSK", "SOME.TEXT")), long);
        assert_eq!(
            lisp.list(&fixture.full("DSK", "*.*;*")),
            ["Some.Text;2 1300", "Some.Text;1 5"]
        );

        let found = lisp.true_name(DSK_GET_FILE_NAME, &fixture.lisp("SOME.TEXT"), OLD);
        assert_eq!(fixture.local(&found.expect("a name")), "Some.Text;2");
        let found = lisp.true_name(UFS_GET_FILE_NAME, &fixture.lisp("SOME.TEXT"), OLD);
        assert_eq!(found, None);
        assert_eq!(lisp.number(lisp.error), FileError::NOT_FOUND.errno());

        let name = lisp.string(&fixture.full("DSK", "some.text;2"));
        let place = lisp.new_box();
        assert_eq!(lisp.call(GET_FILE_INFO, &[name, LENGTH, place]), LispPtr::T);
        assert_eq!(lisp.number(place), 1300);
        let date = lisp.machine.number(-70_000);
        let set = lisp.call(SET_FILE_INFO, &[name, WRITE_DATE, date]);
        assert_eq!(set, LispPtr::T);
        let asked = lisp.call(GET_FILE_INFO, &[name, WRITE_DATE, place]);
        assert_eq!(asked, LispPtr::T);
        assert_eq!(lisp.number(place), -70_000);
        assert_eq!(lisp.call(GET_FREE_BLOCK, &[name, place]), LispPtr::T);
        assert!(lisp.number(place) > 0);

        let [from, to] = ["some.text;2", "other"].map(|name| lisp.string(&fixture.lisp(name)));
        let renamed = lisp.call(DSK_RENAME_FILE, &[from, to, lisp.error]);
        assert_eq!(renamed, LispPtr::T);
        assert!(lisp.call(DSK_RENAME_FILE, &[from, to, lisp.error]).is_nil());
        let gone = lisp.string(&fixture.lisp("some.text"));
        assert_eq!(lisp.call(DSK_DELETE_FILE, &[gone]), LispPtr::T);
        let gone = lisp.string(&fixture.lisp("other"));
        assert_eq!(lisp.call(UFS_DELETE_FILE, &[gone]), LispPtr::T);
        assert_eq!(lisp.list(&fixture.full("UNIX", "*.*;*")), [""; 0]);
    });
}

#[test]
fn a_session_with_files() {
    session::<Medley2>();
    session::<Medley3>();
}

#[test]
fn directories() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.path("Inner")).expect("a directory");
    with_machine::<Medley2>(|mut machine| {
        let mut lisp = Lisp::new(&mut machine);
        let [name, result] = [lisp.string(&fixture.lisp("INNER")), lisp.string(b"")];
        let length = lisp.call(DSK_DIRECTORY_NAME_P, &[name, result, lisp.error]);
        let found = lisp.text(result, length);
        assert_eq!(fixture.local(&found), "Inner>");

        let inner = lisp.string(&fixture.full("DSK", "inner"));
        assert_eq!(lisp.call(CHANGE_DIR, &[inner]), LispPtr::T);
        let found = lisp.true_name(DSK_GET_FILE_NAME, b".>new", NEW);
        assert_eq!(fixture.local(&found.expect("a name")), "Inner>new.;1");
        let nowhere = lisp.string(&fixture.full("DSK", "nowhere"));
        assert!(lisp.call(CHANGE_DIR, &[nowhere]).is_nil());
    });
}

#[test]
fn names_longer_than_lisp_has_room_for() {
    let fixture = Fixture::new();
    // Each quoted character takes two, so that 150 become 300.
    std::fs::write(fixture.path(&";".repeat(150)), "").expect("a file");
    std::fs::write(fixture.path("short"), "").expect("a file");
    with_machine::<Medley2>(|mut machine| {
        let mut lisp = Lisp::new(&mut machine);
        let pattern = lisp.string(&fixture.full("UNIX", "*.*;*"));
        let id = lisp.new_box();
        let count = lisp.call(GENERATE, &[pattern, LispPtr::NIL, id]);
        assert_eq!(lisp.number(count), 2);
        let [record, name] = [lisp.room(), lisp.string(b"")];
        let mem = lisp.machine.mem;
        mem.set_cell(record.add(file_generator::NAME), name);
        mem.set_cell(record.add(file_generator::LIST), mem.cell(id));
        let length = lisp.call(NEXT_FILE, &[record]);
        assert_eq!(lisp.text(name, length), b"short.");
        let none = lisp.call(NEXT_FILE, &[record]);
        assert_eq!(lisp.number(none), -1);
    });
}
