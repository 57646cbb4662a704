//! The interface page of an image file, read before anything is loaded.
//!
//! Nothing in a file says of which generation it is. But the number of file pages
//! must be right, and the generations keep it in different places: Medley 2 in
//! word 20, Medley 3, whose files can have more pages, in the cell at word 82,
//! where Medley 2 has zeros (`reference/image-format.md` section 6).

use super::error::Problem;
use crate::layout::records::{InterfaceFields, interface};
use crate::layout::{Generation, MIN_MEGABYTES, Medley2, Medley3, PAGES_PER_MEGABYTE, Release};
use crate::memory::{BYTES_PER_PAGE, StackOffset, WORDS_PER_PAGE};

/// Where the copy of the interface page is in a file.
pub const INTERFACE_OFFSET: u64 = 512;
/// The file page that the copy of the interface page replaces.
pub(crate) const INTERFACE_FILE_PAGE: u32 = (INTERFACE_OFFSET / BYTES_PER_PAGE as u64) as u32 + 1;
/// Bytes of a file that [`ImageHeader::parse`] wants to see.
pub const HEADER_BYTES: usize = 1024;
/// The version that images ask for (`LVersion` at least, `MinBVersion` at most)
/// is this one in Medley 3.51; Medley 2 images say nothing useful.
pub const MEDLEY3_VERSION: u16 = 35010;
/// States of storage in which the second region is in use, so that the memory
/// size cannot change (`reference/storage.md` section 6).
const SECOND_REGION_IN_USE: [u16; 2] = [3, 4];

/// What the interface page says about an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageHeader {
    /// The generation.
    pub release: Release,
    /// Pages of 512 bytes in the file.
    pub file_pages: u32,
    /// Bytes behind the last whole page; no part of the image.
    pub trailing_bytes: u32,
    /// Content of the key word.
    pub key: u16,
    /// Version of the Lisp system.
    pub lisp_version: u16,
    /// Least microcode version that the Lisp system wants.
    pub min_microcode_version: u16,
    /// Least emulator version that the Lisp system wants.
    pub min_emulator_version: u16,
    /// Build day of the emulator that ran the image last, counted from 13
    /// October 1987.
    pub emulator_day: u16,
    /// Kind of machine that ran the image last.
    pub machine_type: u16,
    /// Memory size at the last save in megabytes, 0 in an image that never ran.
    pub megabytes: u32,
    /// Last page of the memory at the last save.
    pub last_page: u32,
    /// State of storage at the last save.
    pub storage_full_state: u16,
    /// File page (counted from 1) with which the page table starts.
    pub page_table_start: u32,
    /// The frame with which Lisp goes on.
    pub current_frame: StackOffset,
    /// Start of the user stack.
    pub stack_base: StackOffset,
    /// The last guard block of the stack.
    pub end_of_stack: StackOffset,
}

/// A memory size that is right for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySize {
    /// The size.
    pub megabytes: u32,
}

impl MemorySize {
    /// The last page of memory.
    pub const fn last_page(self) -> u32 {
        self.megabytes * PAGES_PER_MEGABYTE - 1
    }
}

/// Where and how a generation keeps what the header needs.
struct Layout {
    fields: InterfaceFields,
    max_megabytes: u32,
    default_megabytes: u32,
    table_capacity: u32,
    table_entry_words: u32,
}

fn layout_of<G: Generation>() -> Layout {
    Layout {
        fields: G::INTERFACE_FIELDS,
        max_megabytes: G::MAX_MEGABYTES,
        default_megabytes: G::DEFAULT_MEGABYTES,
        table_capacity: G::FPTOVP_CAPACITY,
        table_entry_words: G::FPTOVP_ENTRY_WORDS,
    }
}

impl Layout {
    fn of(release: Release) -> Self {
        match release {
            Release::Medley2 => layout_of::<Medley2>(),
            Release::Medley3 => layout_of::<Medley3>(),
        }
    }
}

/// The interface page, as bytes.
struct Page<'a>(&'a [u8]);

impl Page<'_> {
    fn word(&self, offset: u32) -> u16 {
        let at = offset as usize * 2;
        u16::from_be_bytes([self.0[at], self.0[at + 1]])
    }

    fn cell(&self, offset: u32) -> u32 {
        u32::from(self.word(offset)) << 16 | u32::from(self.word(offset + 1))
    }

    /// A field that is a cell if `wide`, else a word.
    fn field(&self, offset: u32, wide: bool) -> u32 {
        if wide {
            self.cell(offset)
        } else {
            u32::from(self.word(offset))
        }
    }
}

/// The place in the file of word `offset` of the interface page.
pub(super) const fn file_offset(offset: u32) -> u64 {
    INTERFACE_OFFSET + 2 * offset as u64
}

impl ImageHeader {
    /// Reads the header of a file of `length` bytes that starts with `start`, at
    /// least [`HEADER_BYTES`] of them unless the file is shorter.
    pub fn parse(start: &[u8], length: u64) -> Result<Self, Problem> {
        let Some(page) = start.get(INTERFACE_OFFSET as usize..HEADER_BYTES) else {
            return Err(Problem::TooShort {
                length,
                minimum: HEADER_BYTES as u64,
            });
        };
        let page = Page(page);
        let key = page.word(interface::KEY);
        if key != interface::VALID_KEY {
            return Err(Problem::Key {
                offset: file_offset(interface::KEY),
                found: key,
            });
        }
        let pages_in_file = length / BYTES_PER_PAGE as u64;
        let release = Self::release(&page, pages_in_file);
        let layout = Layout::of(release);
        let fields = layout.fields;
        let field = |offset| page.field(offset, fields.wide);
        let header = Self {
            release,
            file_pages: field(fields.active_pages),
            trailing_bytes: (length % BYTES_PER_PAGE as u64) as u32,
            key,
            lisp_version: page.word(interface::LISP_VERSION),
            min_microcode_version: page.word(interface::MIN_RVERSION),
            min_emulator_version: page.word(interface::MIN_BVERSION),
            emulator_day: page.word(interface::RVERSION),
            machine_type: page.word(interface::MACHINE_TYPE),
            megabytes: field(fields.process_size),
            last_page: field(fields.last_vmem_page),
            storage_full_state: page.word(interface::STORAGE_FULL_STATE),
            page_table_start: u32::from(page.word(interface::FPTOVP_START)),
            current_frame: StackOffset(page.word(interface::CURRENT_FRAME)),
            stack_base: StackOffset(page.word(interface::STACK_BASE)),
            end_of_stack: StackOffset(page.word(interface::END_OF_STACK)),
        };
        header.check_versions()?;
        if u64::from(header.file_pages) != pages_in_file {
            return Err(Problem::PageCount {
                offset: file_offset(fields.active_pages),
                found: header.file_pages,
                expected: pages_in_file,
                length,
            });
        }
        header.check_page_table(&layout)?;
        Ok(header)
    }

    /// The generation of a file with so many pages.
    fn release(page: &Page, pages_in_file: u64) -> Release {
        let narrow = page.field(Medley2::INTERFACE_FIELDS.active_pages, false);
        let wide = page.field(Medley3::INTERFACE_FIELDS.active_pages, true);
        let late = page.word(interface::LISP_VERSION) >= MEDLEY3_VERSION;
        let fits = |count: u32| u64::from(count) == pages_in_file;
        let is_wide = match (fits(narrow), fits(wide)) {
            (false, true) => true,
            (true, false) => false,
            // Truncated, or the unused word of Medley 3 happens to fit too.
            _ => wide != 0 && (late || !fits(narrow)),
        };
        if is_wide {
            Release::Medley3
        } else {
            Release::Medley2
        }
    }

    fn check_versions(&self) -> Result<(), Problem> {
        if self.release == Release::Medley2 {
            return Ok(());
        }
        if self.lisp_version < MEDLEY3_VERSION {
            return Err(Problem::LispVersion {
                offset: file_offset(interface::LISP_VERSION),
                found: self.lisp_version,
                expected: MEDLEY3_VERSION,
            });
        }
        if self.min_emulator_version > MEDLEY3_VERSION {
            return Err(Problem::EmulatorVersion {
                offset: file_offset(interface::MIN_BVERSION),
                found: self.min_emulator_version,
                expected: MEDLEY3_VERSION,
            });
        }
        Ok(())
    }

    /// The page table fits in its part of memory and lies inside the file.
    fn check_page_table(&self, layout: &Layout) -> Result<(), Problem> {
        if self.file_pages >= layout.table_capacity {
            return Err(Problem::TableCapacity {
                offset: file_offset(layout.fields.active_pages),
                found: self.file_pages,
                expected: layout.table_capacity - 1,
                release: self.release,
            });
        }
        let table_pages = i64::from(self.table_pages(layout.table_entry_words));
        let last = i64::from(self.file_pages) - table_pages + 1;
        let start = self.page_table_start;
        if start < 1 || i64::from(start) > last {
            return Err(Problem::TableStart {
                offset: file_offset(interface::FPTOVP_START),
                found: start as u16,
                last,
            });
        }
        Ok(())
    }

    /// Pages of the page table, whose entries have `entry_words` words.
    pub(super) fn table_pages(&self, entry_words: u32) -> u32 {
        self.file_pages * entry_words / WORDS_PER_PAGE + 1
    }

    /// True if memory may have another size than at the last save.
    pub fn is_resizable(&self) -> bool {
        !SECOND_REGION_IN_USE.contains(&self.storage_full_state)
    }

    /// The memory size to run the image with: the one `asked` for, if any.
    pub fn memory_size(&self, asked: Option<u32>) -> Result<MemorySize, Problem> {
        let layout = Layout::of(self.release);
        let fields = layout.fields;
        let most = layout.max_megabytes;
        let release = self.release;
        let possible = MIN_MEGABYTES..=most;
        let megabytes = match asked {
            Some(asked) if !possible.contains(&asked) => {
                return Err(Problem::MemorySize {
                    asked,
                    most,
                    release,
                });
            }
            Some(asked) => asked,
            None if self.megabytes == 0 => layout.default_megabytes,
            None if !possible.contains(&self.megabytes) => {
                return Err(Problem::ImageMemorySize {
                    offset: file_offset(fields.process_size),
                    found: self.megabytes,
                    most,
                    release,
                });
            }
            None => self.megabytes,
        };
        let size = MemorySize { megabytes };
        if self.is_resizable() {
            return Ok(size);
        }
        if megabytes != self.megabytes {
            return Err(Problem::FixedMemorySize {
                asked: megabytes,
                offset: file_offset(fields.process_size),
                found: self.megabytes,
                state_offset: file_offset(interface::STORAGE_FULL_STATE),
            });
        }
        if size.last_page() != self.last_page {
            return Err(Problem::FixedLastPage {
                offset: file_offset(fields.last_vmem_page),
                found: self.last_page,
                expected: size.last_page(),
                megabytes,
            });
        }
        Ok(size)
    }
}
