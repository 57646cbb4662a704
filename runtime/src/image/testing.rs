//! Images for tests: tiny ones that are built here, and the real one where there
//! is one.

use std::path::{Path, PathBuf};

use super::load::ImageFile;
use crate::layout::records::{block, frame, interface};
use crate::layout::{Generation, Release, STACK};
use crate::memory::{AddressSpace, BYTES_PER_PAGE, LispPtr, Mem, StackOffset};

/// Where a real image of Medley 2.01 may be.
const MEDLEY: &str = "../../shared/images/medley-2.01/lisp.sysout";

/// A real image; says so and answers `None` where there is none.
pub(crate) fn medley_path() -> Option<PathBuf> {
    let path = match std::env::var_os("GEIKO_MEDLEY_IMAGE") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join(MEDLEY),
    };
    if path.is_file() {
        return Some(path);
    }
    eprintln!("skipped: no Medley image");
    None
}

/// Runs `test` on the memory of the real image, if there is one.
pub(crate) fn with_medley(test: impl FnOnce(Mem<'_, crate::layout::Medley2>, &ImageFile)) {
    let Some(path) = medley_path() else { return };
    let image = ImageFile::open(&path).unwrap();
    let space = image.load(image.memory_size(None).unwrap()).unwrap();
    test(space.view(), &image);
}

/// The frame to resume in a built image.
pub(crate) const FRAME: StackOffset = StackOffset(0x20);

/// A tiny image in the making: a memory, and the pages that shall be in the file.
pub(crate) struct Builder<G: Generation> {
    space: AddressSpace<G>,
    /// The pages of file pages 1, 2, ...
    pub pages: Vec<u32>,
    /// Where the page table starts, counted from 1.
    pub table_start: u16,
    /// The key.
    pub key: u16,
}

impl<G: Generation> Builder<G> {
    /// An image with a frame to resume, and nothing else.
    pub fn new() -> Self {
        let space = AddressSpace::reserve().unwrap();
        let mem: Mem<'_, G> = space.view();
        let stack = |offset: u16, word| mem.set_stack_word(StackOffset(offset), word);
        stack(FRAME.0, block::FRAME);
        stack(FRAME.0 + frame::NEXT_BLOCK, FRAME.0 + 0x10);
        stack(FRAME.0 + 0x10, block::FREE);
        stack(FRAME.0 + 0x11, 0x80);
        let word = |offset, value| mem.set_word(G::INTERFACE_PAGE.add(offset), value);
        word(interface::CURRENT_FRAME, FRAME.0);
        if G::RELEASE == Release::Medley3 {
            word(interface::LISP_VERSION, 35010);
            word(interface::MIN_BVERSION, 35010);
        }
        let first = STACK.page();
        Self {
            space,
            pages: vec![
                first,
                first + 1,
                G::INTERFACE_PAGE.page(),
                G::FPTOVP.page(),
                first + 2,
            ],
            table_start: 4,
            key: interface::VALID_KEY,
        }
    }

    /// The memory.
    pub fn mem(&self) -> Mem<'_, G> {
        self.space.view()
    }

    /// Stores a word of the interface page.
    pub fn interface(&mut self, offset: u32, word: u16) -> &mut Self {
        self.mem().set_word(G::INTERFACE_PAGE.add(offset), word);
        self
    }

    /// Stores a field of the interface page that has the width of the
    /// generation.
    pub fn interface_field(&mut self, offset: u32, value: u32) {
        self.store(G::INTERFACE_PAGE.add(offset), value);
    }

    /// Where the memory size is in the interface page.
    pub fn process_size(&self) -> u32 {
        G::INTERFACE_FIELDS.process_size
    }

    fn store(&self, address: LispPtr, value: u32) {
        if G::INTERFACE_FIELDS.wide {
            self.mem().set_cell(address, LispPtr(value));
        } else {
            self.mem().set_word(address, value as u16);
        }
    }

    /// The file.
    pub fn build(&self) -> Vec<u8> {
        let mem = self.mem();
        let count = self.pages.len() as u32;
        let fields = G::INTERFACE_FIELDS;
        let active_pages = G::INTERFACE_PAGE.add(fields.active_pages);
        let entry = |n: u32| G::FPTOVP.add(n * G::FPTOVP_ENTRY_WORDS);
        self.store(active_pages, count);
        self.store(entry(0), 0xFFFF_FFFF);
        for (n, &page) in (1..).zip(&self.pages) {
            self.store(entry(n), page);
        }
        let word = |offset, value| mem.set_word(G::INTERFACE_PAGE.add(offset), value);
        word(interface::FPTOVP_START, self.table_start);
        word(interface::KEY, self.key);
        let mut file = Vec::new();
        let mut content = [0; BYTES_PER_PAGE];
        for &page in &self.pages {
            mem.read_page(page, &mut content);
            file.extend_from_slice(&content);
        }
        mem.read_page(G::INTERFACE_PAGE.page(), &mut content);
        file[BYTES_PER_PAGE..2 * BYTES_PER_PAGE].copy_from_slice(&content);
        file
    }
}
