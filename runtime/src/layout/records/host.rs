//! What the machine and Lisp tell each other.

/// The interface page, fields that are the same in both generations
/// (`reference/boot-and-traps.md` section 4).
pub mod interface {
    /// Frame to resume when the image starts.
    pub const CURRENT_FRAME: u32 = 0;
    /// Context of a hard reset.
    pub const RESET_FRAME: u32 = 1;
    /// Stack offset of the last guard block.
    pub const END_OF_STACK: u32 = 7;
    /// Version of the Lisp system.
    pub const LISP_VERSION: u32 = 8;
    /// Least microcode version.
    pub const MIN_RVERSION: u32 = 9;
    /// Least emulator version.
    pub const MIN_BVERSION: u32 = 10;
    /// Build day of the emulator.
    pub const RVERSION: u32 = 11;
    /// Kind of machine; 3 for emulators like this one.
    pub const MACHINE_TYPE: u32 = 13;
    /// Context of `\MISCAPPLY*`.
    pub const MISC_FRAME: u32 = 14;
    /// [`VALID_KEY`] in a valid image.
    pub const KEY: u32 = 15;
    /// Low half of a host identification.
    pub const SERIAL_NUMBER: u32 = 16;
    /// Address in segment 0 of the login name, 0 if unknown.
    pub const USER_NAME: u32 = 28;
    /// Start of the user stack.
    pub const STACK_BASE: u32 = 30;
    /// Keyboard (bits 2..0) and display (bits 6..3) type.
    pub const DEVICE_CONFIG: u32 = 33;
    /// Storage state at the last save.
    pub const STORAGE_FULL_STATE: u32 = 46;
    /// Result of a call through the Misc context (a cell).
    pub const MISC_RESULT: u32 = 54;
    /// File page of the FPTOVP table, counted from 1.
    pub const FPTOVP_START: u32 = 59;
    /// Mirror of the mouse buttons.
    pub const FAKE_MOUSE_BITS: u32 = 60;
    /// 0 in an 8 MB machine, else 0xFFFF.
    pub const DL24_BIT_ADDRESSABLE: u32 = 61;
    /// 0xFFFF once the second storage region is in use.
    pub const FULL_SPACE_USED: u32 = 65;

    /// Content of [`KEY`].
    pub const VALID_KEY: u16 = 0x15E3;
}

/// Cells of the MISCSTATS block (`reference/boot-and-traps.md` section 7):
/// offsets in words.
pub mod misc_stats {
    /// Milliseconds at the start.
    pub const START_TIME: u32 = 0;
    /// User CPU milliseconds.
    pub const TOTAL_TIME: u32 = 2;
    /// System CPU milliseconds.
    pub const SWAP_WAIT_TIME: u32 = 4;
    /// Page faults.
    pub const PAGE_FAULTS: u32 = 6;
    /// Page faults that read from a disk.
    pub const SWAP_WRITES: u32 = 8;
    /// Time spent on disk operations.
    pub const DISK_IO_TIME: u32 = 10;
    /// Disk operations.
    pub const DISK_OPERATIONS: u32 = 12;
    /// Milliseconds in the collector.
    pub const GC_TIME: u32 = 16;
    /// Seconds clock.
    pub const SECONDS_CLOCK: u32 = 28;
    /// Copy of the seconds clock that user actions are stamped with.
    pub const SECONDS_TMP: u32 = 36;
    /// Time of the last user action.
    pub const LAST_USER_ACTION: u32 = 56;
    /// Cells that SUBR COPYTIMESTATS copies.
    pub const CELLS: u32 = 31;
}

/// The ring of keyboard events (`reference/boot-and-traps.md` section 14).
pub mod key_queue {
    /// The word that holds the offset of the oldest event, 0 if none.
    pub const OLDEST: u32 = 0;
    /// The word that holds the offset of the next event.
    pub const NEXT: u32 = 1;
    /// Offset of the first event.
    pub const FIRST: u16 = 2;
    /// Words of an event.
    pub const EVENT_WORDS: u16 = 14;
    /// Events the ring has room for.
    pub const EVENTS: u16 = 384;
    /// Words of the ring.
    pub const WORDS: u32 = FIRST as u32 + EVENT_WORDS as u32 * EVENTS as u32;
}

/// The I/O page (`reference/memory-map.md` section 3).
pub mod io_page {
    /// Mouse position.
    pub const MOUSE_X: u32 = 59;
    /// Mouse position, from the top.
    pub const MOUSE_Y: u32 = 60;
    /// Mouse buttons and keyset.
    pub const UTIL_IN: u32 = 61;
    /// First of six key state words.
    pub const KEYBOARD: u32 = 62;
    /// Cursor position.
    pub const CURSOR_X: u32 = 238;
    /// Cursor position, from the top.
    pub const CURSOR_Y: u32 = 239;
    /// Sixteen rows of the cursor.
    pub const CURSOR_BITMAP: u32 = 240;
}

/// Bits of the cell at `\INTERRUPTSTATE` (`reference/memory-map.md` section 12).
pub mod interrupt {
    /// The collector has given up.
    pub const GC_DISABLED: u32 = 1 << 28;
    /// The image file is nearly full.
    pub const VMEM_FULL: u32 = 1 << 27;
    /// The stack is nearly full.
    pub const STACK_OVERFLOW: u32 = 1 << 26;
    /// Storage is nearly full.
    pub const STORAGE_FULL: u32 = 1 << 25;
    /// An interrupt waits.
    pub const WAITING: u32 = 1 << 24;
}

/// Offsets in the interface page of fields that are words in Medley 2 and cells
/// in Medley 3.
#[derive(Clone, Copy, Debug)]
pub struct InterfaceFields {
    /// Last page of the configured memory.
    pub last_vmem_page: u32,
    /// Number of file pages.
    pub active_pages: u32,
    /// Memory size in megabytes.
    pub process_size: u32,
    /// The fields are cells.
    pub wide: bool,
}

/// Lisp's record of an enumeration of files, type UFSGFS (`reference/devices.md`
/// section 6.4). The fields named here are cells; numbers are not boxed.
pub mod file_generator {
    /// Number of the list.
    pub const LIST: u32 = 0;
    /// A pointer, with the flag above it.
    pub const FLAGS: u32 = 8;
    /// Flag: the attributes are wanted too.
    pub const WITH_INFO: u32 = 1 << 31;
    /// String for the name.
    pub const NAME: u32 = 14;
    /// Length in bytes.
    pub const LENGTH: u32 = 16;
    /// Time of the last change.
    pub const WRITE_DATE: u32 = 18;
    /// Time of the last read.
    pub const READ_DATE: u32 = 20;
    /// Mode bits.
    pub const PROTECTION: u32 = 22;
    /// String for the author.
    pub const AUTHOR: u32 = 24;
    /// Length of the author's name.
    pub const AUTHOR_LENGTH: u32 = 26;
}
