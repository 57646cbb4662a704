//! Tests of opening tiny images and broken ones.

use std::fmt::Write as _;
use std::path::Path;

use super::testing::{Builder, FRAME};
use super::*;
use crate::layout::records::frame;
use crate::layout::records::interface;
use crate::layout::{Generation, Medley2, Medley3};
use crate::memory::{AddressSpace, LispPtr};

fn open_sized<G: Generation>(
    bytes: Vec<u8>,
    megabytes: Option<u32>,
) -> Result<AddressSpace<G>, ImageError> {
    let image = ImageFile::from_bytes(Path::new("x.sysout"), bytes)?;
    image.load(image.memory_size(megabytes)?)
}

/// The message of the error that opening `bytes` must give.
fn message<G: Generation>(bytes: Vec<u8>) -> String {
    message_sized::<G>(bytes, None)
}

fn message_sized<G: Generation>(bytes: Vec<u8>, megabytes: Option<u32>) -> String {
    match open_sized::<G>(bytes, megabytes) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    }
}

fn tiny<G: Generation>() {
    let builder = Builder::<G>::new();
    builder.mem().set_cell(
        LispPtr::from_page(builder.pages[4]).add(6),
        LispPtr(0x1234_5678),
    );
    let image = ImageFile::from_bytes(Path::new("x.sysout"), builder.build()).unwrap();
    let header = image.header();
    assert_eq!(header.release, G::RELEASE);
    assert_eq!(header.file_pages, 5);
    assert_eq!(header.page_table_start, 4);
    assert_eq!(header.current_frame, FRAME);
    assert_eq!(
        image.memory_size(None).unwrap().megabytes,
        G::DEFAULT_MEGABYTES
    );
    assert_eq!(image.memory_size(Some(16)).unwrap().last_page(), 0x7FFF);
    let space = image.load::<G>(image.memory_size(None).unwrap()).unwrap();
    for &page in builder.pages.iter().filter(|&&page| page != 0x101) {
        for word in (0..256).step_by(2) {
            let at = LispPtr::from_page(page).add(word);
            assert_eq!(space.view().cell(at), builder.mem().cell(at));
        }
    }
}

#[test]
fn a_tiny_image_is_loaded() {
    tiny::<Medley2>();
    tiny::<Medley3>();
}

/// Messages about broken images, under headings.
#[derive(Default)]
struct Messages(String);

impl Messages {
    fn add(&mut self, heading: &str, message: String) {
        assert!(!message.contains('\n'), "one sentence");
        let _ = writeln!(self.0, "{heading}\n    {message}");
    }

    /// Breaks a tiny image of each generation before it is built and its file
    /// after that.
    fn broken(
        &mut self,
        heading: &str,
        break2: impl FnOnce(&mut Builder<Medley2>),
        break3: impl FnOnce(&mut Builder<Medley3>),
        break_file: impl Fn(&mut Vec<u8>),
    ) {
        let mut builder = Builder::new();
        break2(&mut builder);
        let mut file = builder.build();
        break_file(&mut file);
        self.add(&format!("{heading}, Medley 2"), message::<Medley2>(file));
        let mut builder = Builder::new();
        break3(&mut builder);
        let mut file = builder.build();
        break_file(&mut file);
        self.add(&format!("{heading}, Medley 3"), message::<Medley3>(file));
    }

    fn broken_file(&mut self, heading: &str, break_file: impl Fn(&mut Vec<u8>)) {
        self.broken(heading, |_| {}, |_| {}, break_file);
    }
}

macro_rules! broken {
    ($messages:ident, $heading:literal, $change:expr) => {
        $messages.broken($heading, $change, $change, |_| {})
    };
}

#[test]
fn messages_about_broken_headers() {
    let mut messages = Messages::default();
    let m = &mut messages;
    m.add("empty", message::<Medley2>(Vec::new()));
    m.add("short", message::<Medley2>(vec![0; 1023]));
    m.add("zeros", message::<Medley2>(vec![0; 1024]));
    broken!(m, "invalid key", |b| b.key = 0xEA1C);
    m.broken_file("cut", |file| file.truncate(2047));
    m.broken_file("a page more", |file| file.extend([0; 512]));
    for (heading, offset, version) in [
        ("old Lisp", interface::LISP_VERSION, 35009),
        ("late Lisp", interface::MIN_BVERSION, 35011),
    ] {
        let mut builder = Builder::<Medley3>::new();
        builder.interface(offset, version);
        m.add(heading, message::<Medley3>(builder.build()));
    }
    broken!(m, "no page table", |b| b.table_start = 0);
    broken!(m, "page table outside", |b| b.table_start = 6);
    broken!(m, "page table elsewhere", |b| b.table_start = 3);
    let open = |path: &str| ImageFile::open(Path::new(path)).unwrap_err().to_string();
    m.add("directory", open("/"));
    m.add("device", open("/dev/null"));
    m.add("no file", open("/no/such.sysout"));
    insta::assert_snapshot!(messages.0);
}

#[test]
fn messages_about_broken_pages() {
    let mut messages = Messages::default();
    let m = &mut messages;
    broken!(m, "page outside memory", |b| {
        b.interface_field(b.process_size(), 8);
        b.pages[4] = 0x4000;
    });
    broken!(m, "no interface page", |b| b.pages[2] = 0x130);
    m.broken_file("interface page and copy disagree", |file| {
        let wide = file[1024 + 40..][..2] != [0, 5];
        file[if wide { 1024 + 167 } else { 1024 + 41 }] = 6;
    });
    broken!(m, "no stack page", |b| b.pages[0] = 0x130);
    broken!(m, "no stack page behind the frame", |b| {
        b.mem().set_stack_word(FRAME.add(frame::NEXT_BLOCK), 0x400);
    });
    broken!(m, "no frame", |b| b.mem().set_stack_word(FRAME, 0x8000));
    broken!(m, "no free block", |b| {
        b.mem().set_stack_word(FRAME.add(0x10), 0xE000);
    });
    let file = Builder::<Medley2>::new().build();
    m.add("the other generation", message::<Medley3>(file));
    insta::assert_snapshot!(messages.0);
}

/// An image in a state of storage, last run with 16 MB.
fn in_state<G: Generation>(state: u16) -> Vec<u8> {
    let mut builder = Builder::<G>::new();
    builder.interface(interface::STORAGE_FULL_STATE, state);
    builder.interface_field(G::INTERFACE_FIELDS.process_size, 16);
    builder.interface_field(G::INTERFACE_FIELDS.last_vmem_page, 0x7FFF);
    builder.build()
}

#[test]
fn messages_about_memory_sizes() {
    fn asked<G: Generation>(asked: u32) -> String {
        message_sized::<G>(Builder::<G>::new().build(), Some(asked))
    }
    let mut messages = Messages::default();
    let m = &mut messages;
    m.add("much, Medley 2", asked::<Medley2>(33));
    m.add("much, Medley 3", asked::<Medley3>(257));
    m.add("little", asked::<Medley3>(7));
    broken!(m, "impossible", |b| {
        b.interface_field(b.process_size(), 300);
    });
    let message = message_sized::<Medley2>(in_state::<Medley2>(3), Some(32));
    m.add("fixed, Medley 2", message);
    let message = message_sized::<Medley3>(in_state::<Medley3>(4), Some(64));
    m.add("fixed, Medley 3", message);
    broken!(m, "fixed, but with another last page", |b| {
        b.interface(interface::STORAGE_FULL_STATE, 3);
        b.interface_field(b.process_size(), 16);
    });
    insta::assert_snapshot!(messages.0);
}

#[test]
fn memory_can_grow_while_the_second_region_is_empty() {
    for state in 0..=2 {
        assert!(open_sized::<Medley2>(in_state::<Medley2>(state), Some(32)).is_ok());
        assert!(open_sized::<Medley3>(in_state::<Medley3>(state), Some(256)).is_ok());
    }
    for state in 3..=4 {
        assert!(open_sized::<Medley2>(in_state::<Medley2>(state), None).is_ok());
        assert!(open_sized::<Medley3>(in_state::<Medley3>(state), Some(16)).is_ok());
    }
}

#[test]
fn a_few_bytes_more_do_no_harm() {
    let mut file = Builder::<Medley2>::new().build();
    file.extend([0; 511]);
    let image = ImageFile::from_bytes(Path::new("x.sysout"), file).unwrap();
    assert_eq!(image.header().trailing_bytes, 511);
}

fn cut_at_every_page<G: Generation>() {
    let file = Builder::<G>::new().build();
    for length in (0..file.len()).step_by(512).chain([1, 513, file.len() - 1]) {
        assert!(open_sized::<G>(file[..length].to_vec(), None).is_err());
    }
}

#[test]
fn cut_files_are_never_opened() {
    cut_at_every_page::<Medley2>();
    cut_at_every_page::<Medley3>();
}

proptest::proptest! {
    #[test]
    fn damaged_files_are_opened_or_refused(
        medley3: bool,
        damage in proptest::collection::vec((0_usize..2560, proptest::prelude::any::<u8>()), 0..8),
    ) {
        let mut file = if medley3 {
            Builder::<Medley3>::new().build()
        } else {
            Builder::<Medley2>::new().build()
        };
        for (at, byte) in damage {
            file[at] = byte;
        }
        super::load::fuzz_header(&file);
    }
}

/// Looks at a memory that holds nothing sensible.
fn look_at_noise<G: Generation>(mut seed: u64) {
    let space = AddressSpace::<G>::reserve().unwrap();
    let mem = space.view();
    for cell in 0..0x18_0000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // Many zeros and small numbers lead further than noise alone.
        let value = (seed >> 32) as u32 >> (seed >> 59);
        mem.set_cell(LispPtr(2 * cell), LispPtr(value));
    }
    let builder = Builder::<G>::new();
    let image = ImageFile::from_bytes(Path::new("x.sysout"), builder.build()).unwrap();
    let info = ImageInfo::read(mem, image.header());
    assert_eq!(info.header.file_pages, 5);
    for definition in functions::definitions(mem).take(100) {
        let block = functions::CodeBlock::at(mem, definition.code);
        assert!(block.variables().len() < 0x1_0000);
        assert!(block.code().len() <= 0x1_0000);
    }
}

#[test]
fn any_memory_can_be_described() {
    look_at_noise::<Medley2>(1);
    look_at_noise::<Medley3>(2);
}
