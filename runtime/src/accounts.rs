//! Whom the program's own memory is for: the accounts of a program whose allocator is
//! [`ProgramMemory`]. With another allocator they are nothing but names.

use geiko_region::{ProgramMemory, Tag};

/// Who has memory outside Lisp's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Account {
    /// Everybody else.
    Others,
    /// What the collectors and the allocator of Lisp objects know of them.
    Collectors,
    /// How often functions are called, what was met in them, and where their code is.
    Profiles,
    /// Whoever makes native code, while it is made.
    Compiler,
    /// Pictures of the screen, for those who look at it.
    Display,
}

impl Account {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Others,
        Self::Collectors,
        Self::Profiles,
        Self::Compiler,
        Self::Display,
    ];

    /// What the memory is for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Others => "others",
            Self::Collectors => "collectors",
            Self::Profiles => "profiles",
            Self::Compiler => "compiler",
            Self::Display => "pictures",
        }
    }

    /// What this thread allocates is on this account until the answer is dropped.
    pub fn open(self) -> geiko_region::Account {
        ProgramMemory::account_to(Tag::new(self as u8))
    }
}

/// The part of a limit that is kept for lists of the collectors.
const LISTS_PART: u64 = 8;

/// Bytes that lists of a collector may take: the same at any time, so that what is collected does not
/// depend on who else needs memory.
pub fn bytes_for_lists() -> u64 {
    ProgramMemory::limit().map_or(u64::MAX, |limit| limit / LISTS_PART)
}

/// Gives the host back what is free of the program's memory, until it is used again.
pub fn give_back() {
    ProgramMemory::forget_contents_of_free();
}

/// False if so many bytes more would make memory short, or leave the collectors less than their part,
/// where there is a limit.
pub fn is_room_for(bytes: u64) -> bool {
    missing_for(bytes) == 0
}

/// How many bytes too little there are for that.
pub fn missing_for(bytes: u64) -> u64 {
    let kept = ProgramMemory::limit().map_or(0, |limit| limit / LISTS_PART);
    bytes
        .saturating_add(kept)
        .saturating_sub(ProgramMemory::room())
}
