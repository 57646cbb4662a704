//! Memory for native code, mapped twice: once to write, once to execute, never
//! both at one address. Functions lie close together, and the place of one that is
//! no longer needed is used again.
//!
//! x86-64 keeps what it has fetched in step with such writes; a host that does not
//! would have to be told of them here.

mod mapping;

use std::ops::Range;

use mapping::Mapping;
use range_alloc::RangeAllocator;

/// Bytes to which functions are aligned.
const ALIGNMENT: usize = 32;

/// The code cache.
pub struct Cache {
    /// To be written.
    write: Mapping,
    /// The same memory, to be executed.
    execute: Mapping,
    /// What is free, in units of [`ALIGNMENT`].
    free: RangeAllocator<usize>,
    used: usize,
}

/// Where a function is in the cache.
#[derive(Debug)]
pub struct Place {
    units: Range<usize>,
    /// Where it is executed.
    pub address: usize,
}

impl Place {
    /// Bytes that are kept for it.
    pub fn bytes(&self) -> usize {
        ALIGNMENT * self.units.len()
    }
}

impl Cache {
    /// A cache of `bytes` bytes, of which only what is used takes memory.
    pub fn new(bytes: usize) -> std::io::Result<Self> {
        let bytes = bytes.max(ALIGNMENT).next_multiple_of(ALIGNMENT);
        let (write, execute) = Mapping::twice(bytes)?;
        Ok(Self {
            write,
            execute,
            free: RangeAllocator::new(0..bytes / ALIGNMENT),
            used: 0,
        })
    }

    /// Copies `code`, which is not empty, in. `None` if there is no room.
    pub fn publish(&mut self, code: &[u8]) -> Option<Place> {
        let units = code.len().div_ceil(ALIGNMENT);
        let units = self.free.allocate_range(units).ok()?;
        self.used += ALIGNMENT * units.len();
        let at = ALIGNMENT * units.start;
        self.write.write(at, code);
        let address = self.execute.address() + at;
        Some(Place { units, address })
    }

    /// Takes back a place where no code runs and to which no control returns.
    pub fn free(&mut self, place: Place) {
        self.used -= place.bytes();
        self.free.free_range(place.units);
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Bytes there are.
    pub fn capacity(&self) -> usize {
        self.write.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_used_again() {
        let mut cache = Cache::new(4 * ALIGNMENT).unwrap();
        let first = cache.publish(&[1; 2 * ALIGNMENT]).unwrap();
        let second = cache.publish(&[2; ALIGNMENT + 1]).unwrap();
        assert_eq!(second.address - first.address, 2 * ALIGNMENT);
        assert!(cache.publish(&[3]).is_none(), "it is full");
        assert_eq!(cache.used(), cache.capacity());
        let address = first.address;
        cache.free(first);
        assert_eq!(cache.used(), 2 * ALIGNMENT);
        assert_eq!(cache.publish(&[4]).unwrap().address, address);
    }
}
