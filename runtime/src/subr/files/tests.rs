//! Services with arguments that make no sense, on devices that pretend.

use proptest::prelude::*;

use crate::device::{
    Access, FILE_PAGE_BYTES, FileChange, FileError, FileHost, FileInfo, FileResult, Files,
    Generated, ListedFile, OpenedFile, Recognition,
};
use crate::layout::records::{file_generator, types};
use crate::layout::{Generation, Medley2, Medley3};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::subr::{Args, Outcome};
use crate::testing::{string, with_machine};

/// The services of this folder.
const SERVICES: [u8; 28] = [
    34, 35, 36, 37, 38, 39, 41, 45, 103, 104, 105, 106, 107, 108, 110, 111, 112, 113, 114, 116,
    200, 201, 202, 203, 204, 207, 208, 117,
];

/// Free memory of a blank machine.
const ROOM: LispPtr = LispPtr(0x31_0000);

/// Devices on which everything succeeds, with an answer of this many bytes.
struct Agreeable(usize);

impl Agreeable {
    fn text(&self) -> Vec<u8> {
        (0..self.0).map(|n| b'a' + (n % 26) as u8).collect()
    }

    fn info(&self) -> FileInfo {
        FileInfo {
            length: 0x12345,
            write_date: -2,
            read_date: 3,
            protection: 0o100_644,
            author: Some(self.text()),
            inode: 0x1_2345_6789,
        }
    }
}

impl Files for Agreeable {
    fn current_directory(&self) -> FileResult<std::path::PathBuf> {
        Ok("/".into())
    }
    fn host_path(&self, _: &[u8]) -> FileResult<std::path::PathBuf> {
        Ok("/".into())
    }
    fn get_filename(&self, _: FileHost, _: &[u8], _: Recognition) -> FileResult<Vec<u8>> {
        Ok(self.text())
    }
    fn directory_name(&self, _: FileHost, _: &[u8]) -> FileResult<Vec<u8>> {
        Ok(self.text())
    }
    fn delete(&self, _: FileHost, _: &[u8]) -> FileResult<()> {
        Ok(())
    }
    fn rename(&self, _: FileHost, _: &[u8], _: &[u8]) -> FileResult<()> {
        Ok(())
    }
    fn change_dir(&mut self, _: &[u8]) -> FileResult<()> {
        Ok(())
    }
    fn open(&mut self, _: &[u8], _: Recognition, _: Access) -> FileResult<OpenedFile> {
        Ok(OpenedFile {
            descriptor: 7,
            write_date: -5,
            size: 70_000,
        })
    }
    fn close(&mut self, _: u16, _: Option<i32>) -> FileResult<()> {
        Ok(())
    }
    fn read_page(&self, _: u16, _: u32, buffer: &mut [u8; FILE_PAGE_BYTES]) -> FileResult<usize> {
        for (n, byte) in buffer.iter_mut().enumerate() {
            *byte = n as u8;
        }
        Ok(self.0)
    }
    fn write_page(&self, _: u16, _: u32, bytes: &[u8]) -> FileResult<()> {
        assert!(bytes.len() <= FILE_PAGE_BYTES);
        Ok(())
    }
    fn truncate(&self, _: u16, _: u32) -> FileResult<()> {
        Ok(())
    }
    fn get_file_info(&self, _: &[u8]) -> FileResult<FileInfo> {
        Ok(self.info())
    }
    fn set_file_info(&self, _: &[u8], _: FileChange) -> FileResult<()> {
        Ok(())
    }
    fn free_blocks(&self, _: &[u8]) -> FileResult<i32> {
        Ok(i32::MAX)
    }
    fn generate(&mut self, _: &[u8], _: bool) -> FileResult<Option<Generated>> {
        Ok(Some(Generated {
            id: 3,
            count: 70_000,
        }))
    }
    fn next_file(&mut self, id: u16) -> Option<ListedFile> {
        // One name after the other, each shorter, until there is none.
        self.0 = self.0.checked_sub(1)?;
        (id == 3).then(|| ListedFile {
            name: self.text(),
            info: Some(self.info()),
        })
    }
    fn finish(&mut self, id: u16) -> bool {
        id == 3
    }
    fn char_open(&mut self, _: &[u8], _: Access) -> FileResult<u16> {
        Ok(9)
    }
    fn char_read(&self, _: u16, buffer: &mut [u8]) -> FileResult<usize> {
        buffer.fill(0xEE);
        Ok(buffer.len())
    }
    fn char_write(&self, _: u16, bytes: &[u8]) -> FileResult<usize> {
        Ok(bytes.len())
    }
}

fn call<G: Generation>(m: &mut Machine<'_, G>, number: u8, args: &[LispPtr]) -> LispPtr {
    match m.call_subr(number, &Args::new(args.iter().copied())) {
        Outcome::Value(value) => value,
        other => panic!("service {number}: {other:?}"),
    }
}

fn failed(number: u8, value: LispPtr) -> bool {
    match number {
        110 | 112 => value == LispPtr(0xF_FFFF),
        _ => value.is_nil(),
    }
}

fn both(test2: impl FnOnce(Machine<'_, Medley2>), test3: impl FnOnce(Machine<'_, Medley3>)) {
    with_machine(test2);
    with_machine(test3);
}

fn missing<G: Generation>(mut m: Machine<'_, G>) {
    m.devices.files = Box::new(Agreeable(5));
    let before = m.mem.cell(LispPtr::NIL);
    for number in SERVICES {
        // CHAR-IOCTL fails anyway; all others need an argument.
        assert!(failed(number, call(&mut m, number, &[])), "{number}");
        for object in [
            LispPtr::T,
            LispPtr::smallpos(0xFFFF),
            LispPtr(0xF_FFFF),
            LispPtr::UNBOUND,
        ] {
            // A descriptor alone closes a character device.
            if number != 204 && number != 201 && number != 111 {
                assert!(failed(number, call(&mut m, number, &[object])), "{number}");
            }
        }
    }
    assert_eq!(m.mem.cell(LispPtr::NIL), before);
    assert_eq!(m.fault, None);
}

#[test]
fn missing_and_wrong_arguments_fail() {
    both(missing, missing);
}

fn names<G: Generation>(mut m: Machine<'_, G>) {
    let name = string(&mut m, ROOM, 8, b"name");
    let result = string(&mut m, ROOM.add(0x100), 256, b"");
    let cell = m.boxed(types::FIXP, 0);
    let old = LispPtr::smallpos(0);

    m.devices.files = Box::new(Agreeable(256));
    for number in [34, 106] {
        let length = call(&mut m, number, &[name, old, result, cell]);
        assert_eq!(length, LispPtr::smallpos(256));
    }
    assert_eq!(m.mem.byte(ROOM.add(0x100), 255), b'a' + 255 % 26);
    assert_eq!(m.mem.byte(ROOM.add(0x100), 256), 0, "no byte behind");
    assert_eq!(m.mem.cell(cell), LispPtr(0));

    m.devices.files = Box::new(Agreeable(257));
    for (number, args) in [
        (34, [name, old, result, cell]),
        (106, [name, old, result, cell]),
        (41, [name, result, cell, LispPtr::NIL]),
        (113, [name, result, cell, LispPtr::NIL]),
    ] {
        m.mem.set_cell(cell, LispPtr(0));
        assert!(call(&mut m, number, &args).is_nil());
        let errno = m.integer(cell);
        assert_eq!(errno, Some(FileError::NAME_TOO_LONG.errno()));
    }
    let bad_recognition = LispPtr::smallpos(4);
    assert!(call(&mut m, 106, &[name, bad_recognition, result, cell]).is_nil());
    assert_eq!(m.integer(cell), Some(FileError::INVALID.errno()));
}

#[test]
fn names_fill_the_room_that_there_is() {
    both(names, names);
}

fn pages<G: Generation>(mut m: Machine<'_, G>) {
    m.devices.files = Box::new(Agreeable(100));
    let [date, size] = [(); 2].map(|()| m.boxed(types::FIXP, 0));
    let name = string(&mut m, ROOM, 8, b"name");
    let [old, input] = [LispPtr::smallpos(0); 2];
    let opened = call(&mut m, 104, &[name, old, input, date, size]);
    assert_eq!(opened, LispPtr::smallpos(7));
    assert_eq!(m.integer(date), Some(-5));
    assert_eq!(m.integer(size), Some(70_000));

    let page = LispPtr::smallpos(2);
    for buffer in [ROOM.add(0x400), ROOM.add(0x601)] {
        // Without an error cell, as Lisp does at times.
        let count = call(&mut m, 37, &[opened, page, buffer]);
        assert_eq!(count, LispPtr::smallpos(100));
        for n in 0..FILE_PAGE_BYTES as i32 {
            assert_eq!(m.mem.byte(buffer, n), n as u8);
        }
        for (count, expected) in [(0, LispPtr::T), (512, LispPtr::T), (513, LispPtr::NIL)] {
            let count = LispPtr::smallpos(count);
            assert_eq!(call(&mut m, 38, &[opened, page, buffer, count]), expected);
        }
    }
    let minus = LispPtr(0xF_FFFF);
    assert!(call(&mut m, 37, &[minus, page, ROOM]).is_nil());
    assert!(call(&mut m, 37, &[opened, minus, ROOM]).is_nil());
    assert!(call(&mut m, 39, &[opened, minus]).is_nil());
    assert_eq!(call(&mut m, 39, &[opened, page]), LispPtr::T);
    let zero = LispPtr::smallpos(0);
    assert_eq!(call(&mut m, 105, &[name, opened, zero]), LispPtr::T);
}

#[test]
fn pages_go_to_any_address() {
    both(pages, pages);
}

fn attributes<G: Generation>(mut m: Machine<'_, G>) {
    m.devices.files = Box::new(Agreeable(6));
    let name = string(&mut m, ROOM, 8, b"name");
    let author = string(&mut m, ROOM.add(0x100), 512, b"");
    let place = m.boxed(types::FIXP, 0);
    for (code, expected) in [
        (1, 0x12345),
        (2, -2),
        (3, 3),
        (6, 0o100_644),
        (9, 0x2345_6789),
        (10, 1),
    ] {
        let code = LispPtr::smallpos(code);
        assert_eq!(call(&mut m, 114, &[name, code, place]), LispPtr::T);
        assert_eq!(m.integer(place), Some(expected));
    }
    let [author_code, all_code] = [5, 8].map(LispPtr::smallpos);
    let length = call(&mut m, 114, &[name, author_code, author]);
    assert_eq!(length, LispPtr::smallpos(6));

    let boxes = [(); 4].map(|()| m.boxed(types::FIXP, 0));
    let mut list = LispPtr::NIL;
    for value in [&boxes[..], &[author]].concat().into_iter().rev() {
        let pair = m.cons(LispPtr::T, value);
        list = m.cons(pair, list);
    }
    let length = call(&mut m, 114, &[name, all_code, list]);
    assert_eq!(length, LispPtr::smallpos(6));
    let stored = boxes.map(|place| m.integer(place).unwrap());
    assert_eq!(stored, [0x12345, -2, 3, 0o100_644]);

    for bad in [LispPtr::NIL, LispPtr::T, name, m.cdr(list)] {
        assert!(call(&mut m, 114, &[name, all_code, bad]).is_nil());
    }
    let value = LispPtr::smallpos(1);
    for (code, expected) in [(2, true), (6, true), (1, false), (8, false)] {
        let code = LispPtr::smallpos(code);
        let set = call(&mut m, 103, &[name, code, value]);
        assert_eq!(set, LispPtr::from_bool(expected));
    }
    assert_eq!(call(&mut m, 45, &[name, place]), LispPtr::T);
    assert_eq!(m.integer(place), Some(i32::MAX));
}

#[test]
fn attributes_one_by_one_and_together() {
    both(attributes, attributes);
}

fn lists<G: Generation>(mut m: Machine<'_, G>) {
    m.devices.files = Box::new(Agreeable(6));
    let pattern = string(&mut m, ROOM, 8, b"*");
    let id = m.boxed(types::FIXP, 0);
    let count = call(&mut m, 112, &[pattern, LispPtr::T, id]);
    assert_eq!(m.integer(count), Some(70_000));
    assert_eq!(m.integer(id), Some(3));
    // No box: Lisp could never ask for the list.
    let lost = call(&mut m, 112, &[pattern, LispPtr::T, LispPtr::NIL]);
    assert_eq!(m.integer(lost), Some(-1));

    // Names of 5 and 4 bytes do not fit.
    let name = string(&mut m, ROOM.add(0x100), 3, b"");
    let author = string(&mut m, ROOM.add(0x200), 3, b"");
    let record = ROOM.add(0x300);
    for (offset, value) in [
        (file_generator::LIST, LispPtr(3)),
        (file_generator::FLAGS, LispPtr(file_generator::WITH_INFO)),
        (file_generator::NAME, name),
        (file_generator::AUTHOR, author),
    ] {
        m.mem.set_cell(record.add(offset), value);
    }
    for length in [3, 2, 1, 0] {
        let answer = call(&mut m, 110, &[record]);
        assert_eq!(answer, LispPtr::smallpos(length));
        let field = |offset| m.mem.cell(record.add(offset)).0;
        assert_eq!(field(file_generator::AUTHOR_LENGTH), u32::from(length));
        assert_eq!(field(file_generator::WRITE_DATE), -2_i32 as u32);
    }
    let none = call(&mut m, 110, &[record]);
    assert_eq!(m.integer(none), Some(-1));
    assert_eq!(call(&mut m, 111, &[id]), LispPtr::T);
    assert!(call(&mut m, 111, &[LispPtr::smallpos(4)]).is_nil());
}

#[test]
fn lists_of_files() {
    both(lists, lists);
}

fn characters<G: Generation>(mut m: Machine<'_, G>) {
    m.devices.files = Box::new(Agreeable(1));
    let name = string(&mut m, ROOM, 8, b"/dev/x");
    let both_ways = LispPtr::smallpos(2);
    let device = call(&mut m, 200, &[name, both_ways]);
    assert_eq!(device, LispPtr::smallpos(9));
    assert_eq!(call(&mut m, 201, &[device]), LispPtr::smallpos(0xEE));
    assert_eq!(call(&mut m, 202, &[device, device]), LispPtr::T);
    let cell = m.boxed(types::FIXP, 0);
    assert!(call(&mut m, 203, &[device, device, LispPtr::NIL, cell]).is_nil());
    let errno = m.integer(cell);
    assert_eq!(errno, Some(FileError::NO_SUCH_OPERATION.errno()));
    let [offset, count] = [3, 5].map(LispPtr::smallpos);
    let buffer = ROOM.add(0x100);
    for number in [207, 208] {
        assert_eq!(
            call(&mut m, number, &[device, buffer, offset, count]),
            count
        );
    }
    let bytes: Vec<u8> = (0..10).map(|n| m.mem.byte(buffer, n)).collect();
    assert_eq!(bytes, [0, 0, 0, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0, 0]);
    assert_eq!(call(&mut m, 204, &[device]), LispPtr::T);
}

#[test]
fn character_devices() {
    both(characters, characters);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_arguments_stop_the_machine(calls in prop::collection::vec(
        (prop::sample::select(&SERVICES[..]), prop::collection::vec(any_argument(), 0..6)),
        1..40,
    )) {
        with_machine::<Medley2>(|mut m| {
            m.devices.files = Box::new(Agreeable(600));
            let objects = [
                string(&mut m, ROOM, 8, b"name"),
                string(&mut m, ROOM.add(0x100), 256, b""),
                m.boxed(types::FIXP, 0),
                m.cons(LispPtr::NIL, LispPtr::NIL),
            ];
            for (number, args) in calls {
                let args: Vec<LispPtr> = args
                    .into_iter()
                    .map(|arg| match arg {
                        Ok(object) => objects[object],
                        Err(bits) => LispPtr(bits),
                    })
                    .collect();
                call(&mut m, number, &args);
            }
        });
    }
}

/// One of the test's objects, or any cell.
fn any_argument() -> impl Strategy<Value = Result<usize, u32>> {
    prop_oneof![
        (0..4_usize).prop_map(Ok),
        (0..20_u32).prop_map(|n| Err(0xE_0000 | n)),
        any::<u32>().prop_map(Err),
    ]
}
