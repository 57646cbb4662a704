//! Loading an image file into memory.
//!
//! A file is a sequence of pages of 512 bytes, each the content of one page of
//! memory. Which one, a table says that is itself a part of memory and
//! lies in consecutive pages of the file (`reference/image-format.md` section 5).
//! Entry *n* of the table belongs to file page *n*, counted from 1.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::{ImageError, Problem};
use super::header::{HEADER_BYTES, ImageHeader, MemorySize, file_offset};
use crate::layout::records::{block, frame, interface};
use crate::layout::{Generation, Medley2, Medley3, Release};
use crate::memory::{AddressSpace, BYTES_PER_PAGE, LispPtr, StackOffset, WORDS_PER_PAGE};

/// An image file, read and with a header that makes sense.
#[derive(Clone, Debug)]
pub struct ImageFile {
    path: PathBuf,
    bytes: Vec<u8>,
    header: ImageHeader,
}

impl ImageFile {
    /// Reads the image file at `path`.
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        let problem = |problem| ImageError {
            path: path.into(),
            problem,
        };
        let (header, bytes) = read(path).map_err(problem)?;
        Ok(Self {
            path: path.into(),
            bytes,
            header,
        })
    }

    /// An image file whose content is `bytes`; `path` is for messages.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, ImageError> {
        match ImageHeader::parse(&bytes, bytes.len() as u64) {
            Ok(header) => Ok(Self {
                path: path.into(),
                bytes,
                header,
            }),
            Err(problem) => Err(ImageError {
                path: path.into(),
                problem,
            }),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the interface page says.
    pub fn header(&self) -> &ImageHeader {
        &self.header
    }

    /// The memory size to run the image with: the one `asked` for, if any.
    pub fn memory_size(&self, asked: Option<u32>) -> Result<MemorySize, ImageError> {
        self.with_path(self.header.memory_size(asked))
    }

    /// The memory of the image, as it was when the image was saved.
    pub fn load<G: Generation>(&self, size: MemorySize) -> Result<AddressSpace<G>, ImageError> {
        self.with_path(self.try_load(size))
    }

    /// Writes the memory of the image to an empty file, for [`load_shared`](Self::load_shared).
    pub fn write_memory<G: Generation>(&self, size: MemorySize, file: &File) -> io::Result<()> {
        let space = self.try_load::<G>(size).map_err(io::Error::other)?;
        space.write_pages(self.table::<G>().pages().flatten(), file)
    }

    /// The memory of the image, as [`write_memory`](Self::write_memory) wrote it to `file`, which
    /// nobody must change from then on. Machines share what they do not write to.
    pub fn load_shared<G: Generation>(
        &self,
        size: MemorySize,
        file: &File,
    ) -> Result<AddressSpace<G>, ImageError> {
        let load = || {
            self.check(size)?;
            Ok(AddressSpace::share(file)?)
        };
        self.with_path(load())
    }

    /// What the file holds.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn with_path<T>(&self, result: Result<T, Problem>) -> Result<T, ImageError> {
        result.map_err(|problem| ImageError {
            path: self.path.clone(),
            problem,
        })
    }

    /// Makes sure that the image can be loaded with memory of `size`.
    pub(super) fn check(&self, size: MemorySize) -> Result<(), Problem> {
        match self.header.release {
            Release::Medley2 => self.table::<Medley2>().check(size),
            Release::Medley3 => self.table::<Medley3>().check(size),
        }
    }

    fn table<G: Generation>(&self) -> PageTable<'_, G> {
        PageTable::new(&self.bytes, &self.header)
    }

    fn try_load<G: Generation>(&self, size: MemorySize) -> Result<AddressSpace<G>, Problem> {
        if self.header.release != G::RELEASE {
            return Err(Problem::Generation {
                found: self.header.release,
                expected: G::RELEASE,
            });
        }
        let table = self.table::<G>();
        table.check(size)?;
        let space = AddressSpace::reserve()?;
        let mem = space.view();
        let (file_pages, _) = self.bytes.as_chunks::<BYTES_PER_PAGE>();
        for (page, content) in table.pages().zip(file_pages) {
            if let Some(page) = page {
                mem.write_page(page, content);
            }
        }
        Ok(space)
    }
}

/// Reads a file, but no more of it than its start unless that is an image's.
fn read(path: &Path) -> Result<(ImageHeader, Vec<u8>), Problem> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(Problem::NotAFile {
            kind: "a directory",
        });
    }
    if !metadata.is_file() {
        return Err(Problem::NotAFile {
            kind: "a device or pipe",
        });
    }
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    read_up_to(&mut file, HEADER_BYTES, &mut bytes)?;
    let header = ImageHeader::parse(&bytes, length)?;
    let wanted = header.file_pages as usize * BYTES_PER_PAGE;
    read_up_to(&mut file, wanted, &mut bytes)?;
    if bytes.len() < wanted {
        let error = io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "it becomes shorter while it is read",
        );
        return Err(error.into());
    }
    Ok((header, bytes))
}

/// Reads on until `bytes` are `length` bytes or the file ends.
fn read_up_to(file: &mut File, length: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    let missing = length - bytes.len();
    bytes.reserve_exact(missing);
    file.take(missing as u64).read_to_end(bytes)?;
    Ok(())
}

/// The table of pages of an image file, in the file.
struct PageTable<'a, G> {
    bytes: &'a [u8],
    header: &'a ImageHeader,
    /// Where entry 0, which is not used, is in the file.
    offset: usize,
    generation: std::marker::PhantomData<G>,
}

impl<'a, G: Generation> PageTable<'a, G> {
    const ENTRY_BYTES: usize = G::FPTOVP_ENTRY_WORDS as usize * 2;

    /// The table of a file whose header has been parsed.
    fn new(bytes: &'a [u8], header: &'a ImageHeader) -> Self {
        Self {
            bytes,
            header,
            offset: (header.page_table_start as usize - 1) * BYTES_PER_PAGE,
            generation: std::marker::PhantomData,
        }
    }

    /// The place in the file of entry `file_page`.
    fn entry_offset(&self, file_page: u32) -> u64 {
        (self.offset + file_page as usize * Self::ENTRY_BYTES) as u64
    }

    /// The pages in file pages 1, 2, ... None for file pages that hold nothing.
    fn pages(&self) -> impl DoubleEndedIterator<Item = Option<u32>> + ExactSizeIterator {
        let first = self.offset + Self::ENTRY_BYTES;
        let bytes = self.header.file_pages as usize * Self::ENTRY_BYTES;
        self.bytes[first..first + bytes]
            .chunks_exact(Self::ENTRY_BYTES)
            .map(|entry| match *entry {
                [0xFF, 0xFF, ..] => None,
                [a, b] => Some(u32::from(u16::from_be_bytes([a, b]))),
                [a, b, c, d] => Some(u32::from_be_bytes([a, b, c, d])),
                _ => None,
            })
    }

    /// The place in the file of the word at `address`: of its last copy, which is
    /// the one that stays in memory.
    fn place_of(&self, address: LispPtr) -> Option<u64> {
        let index = self
            .pages()
            .rposition(|page| page == Some(address.page()))?;
        let word = address.0 % WORDS_PER_PAGE;
        Some(index as u64 * BYTES_PER_PAGE as u64 + u64::from(word) * 2)
    }

    /// The word at `address`, and its place in the file.
    fn word(&self, address: LispPtr) -> Option<(u64, u16)> {
        let place = self.place_of(address)?;
        let bytes = self.bytes.get(place as usize..)?.first_chunk()?;
        Some((place, u16::from_be_bytes(*bytes)))
    }

    /// Everything that must be right with an image that shall be loaded into
    /// memory of `size`.
    fn check(&self, size: MemorySize) -> Result<(), Problem> {
        self.check_own_pages()?;
        self.check_places(size)?;
        self.check_interface_page()?;
        self.check_resumable()
    }

    /// The table's own pages are where the header says.
    fn check_own_pages(&self) -> Result<(), Problem> {
        let start = self.header.page_table_start;
        let table_pages = self.header.table_pages(G::FPTOVP_ENTRY_WORDS);
        let own = self.pages().skip(start as usize - 1);
        for (n, page) in (0..table_pages).zip(own) {
            let expected = G::FPTOVP.page() + n;
            if page != Some(expected) {
                return Err(Problem::TablePage {
                    offset: self.entry_offset(start + n),
                    found: page.unwrap_or(0xFFFF),
                    expected,
                });
            }
        }
        Ok(())
    }

    /// Every page lies in memory of `size`.
    fn check_places(&self, size: MemorySize) -> Result<(), Problem> {
        let last_page = size.last_page();
        match (1..)
            .zip(self.pages())
            .find(|(_, page)| page.is_some_and(|page| page > last_page))
        {
            Some((file_page, page)) => Err(Problem::PageOutside {
                offset: self.entry_offset(file_page),
                found: page.unwrap_or(0),
                expected: last_page,
                megabytes: size.megabytes,
            }),
            None => Ok(()),
        }
    }

    /// The interface page is there, and agrees with its copy, from which the header
    /// comes, in what decides how the image is saved again.
    fn check_interface_page(&self) -> Result<(), Problem> {
        let fields = G::INTERFACE_FIELDS;
        let count = self.header.file_pages;
        let low = u32::from(fields.wide);
        for (offset, expected) in [
            (fields.active_pages + low, count as u16),
            (fields.active_pages, (count >> (16 * low)) as u16),
            (interface::FPTOVP_START, self.header.page_table_start as u16),
        ] {
            let Some((place, found)) = self.word(G::INTERFACE_PAGE.add(offset)) else {
                return Err(Problem::NoInterfacePage {
                    offset: self.offset as u64,
                    expected: G::INTERFACE_PAGE.page(),
                });
            };
            if found != expected {
                return Err(Problem::InterfaceCopy {
                    offset: place,
                    found,
                    copy_offset: file_offset(offset),
                    expected,
                });
            }
        }
        Ok(())
    }

    /// There is a frame to resume, with free space behind it.
    fn check_resumable(&self) -> Result<(), Problem> {
        let frame = self.header.current_frame;
        let stack_word = |missing: StackOffset| {
            self.word(missing.address()).ok_or(Problem::NoStackPage {
                offset: file_offset(interface::CURRENT_FRAME),
                frame,
                missing,
            })
        };
        let (offset, found) = stack_word(frame)?;
        if found & block::KIND != block::FRAME {
            return Err(Problem::NoFrame {
                offset,
                found,
                frame,
            });
        }
        let (_, next) = stack_word(frame.add(frame::NEXT_BLOCK))?;
        let (offset, found) = stack_word(StackOffset(next))?;
        if found & block::KIND != block::FREE {
            return Err(Problem::NoFreeBlock {
                offset,
                found,
                frame,
            });
        }
        Ok(())
    }
}

/// Opens `bytes` as an image file, for a fuzzer: whatever they are, this returns.
pub fn fuzz_header(bytes: &[u8]) {
    let Ok(image) = ImageFile::from_bytes(Path::new("fuzz"), bytes.to_vec()) else {
        return;
    };
    for asked in [None, Some(image.header.megabytes), Some(32)] {
        let Ok(size) = image.memory_size(asked) else {
            continue;
        };
        match image.header.release {
            Release::Medley2 => drop(image.load::<Medley2>(size)),
            Release::Medley3 => drop(image.load::<Medley3>(size)),
        }
    }
}
