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

/// False if a limit leaves less than so many bytes to the program.
pub fn is_room_for(bytes: u64) -> bool {
    ProgramMemory::left() >= bytes
}
