//! How often functions are called and their loops go round.
//!
//! The counts are in a table outside Lisp memory. Functions that share an entry of the table
//! take it from each other until one is compiled.

use crate::accounts::Account;
use crate::memory::LispPtr;

/// Entries of the table, a power of two.
const COUNTS: usize = 1 << 13;

/// A function, and how many calls and turns of loops until it is looked at.
#[derive(Clone, Copy)]
struct Count {
    code: LispPtr,
    left: i32,
}

/// Counts of calls and turns of loops.
pub(crate) struct Profile {
    counts: Box<[Count; COUNTS]>,
    /// Functions whose every call is looked at.
    pinned: Vec<LispPtr>,
}

impl Default for Profile {
    /// Counts that nobody looks at.
    fn default() -> Self {
        let _account = Account::Profiles.open();
        let none = Count {
            code: LispPtr::NIL,
            left: i32::MAX,
        };
        Self {
            counts: Box::new([none; COUNTS]),
            pinned: Vec::new(),
        }
    }
}

impl Profile {
    /// Every function is looked at when it is called next.
    pub fn begin(&mut self) {
        for count in self.counts.iter_mut() {
            count.left = 0;
        }
    }

    #[inline(always)]
    fn count_of(&mut self, code: LispPtr) -> &mut Count {
        &mut self.counts[(code.0 >> 1) as usize & (COUNTS - 1)]
    }

    /// Counts a call or a turn of a loop of the function at `code`; true when it
    /// is time to look at it.
    #[inline(always)]
    pub fn is_due(&mut self, code: LispPtr) -> bool {
        let count = self.count_of(code);
        count.left = count.left.wrapping_sub(1);
        count.left < 0
    }

    /// True if the function at `code` is being counted.
    pub fn is_known(&mut self, code: LispPtr) -> bool {
        self.count_of(code).code == code
    }

    /// From now on the function at `code` is due at every call, as are those that share its
    /// entry.
    pub fn pin(&mut self, code: LispPtr) {
        self.pinned.push(code);
        *self.count_of(code) = Count { code, left: 0 };
    }

    /// The function at `code` is like any other again.
    pub fn unpin(&mut self, code: LispPtr) {
        self.pinned.retain(|&pinned| pinned != code);
    }

    pub fn is_pinned(&self, code: LispPtr) -> bool {
        self.pinned.contains(&code)
    }

    /// The function at `code` is due after `left` more calls and turns; false if it always is,
    /// since it shares the entry of a function that is pinned.
    pub fn look_again(&mut self, code: LispPtr, left: i32) -> bool {
        let owner = self.count_of(code).code;
        let is_pinned = self.is_pinned(owner);
        *self.count_of(code) = if is_pinned {
            Count {
                code: owner,
                left: 0,
            }
        } else {
            Count { code, left }
        };
        !is_pinned
    }
}
