//! Frame maps: where native code that waits at a safepoint holds references.
//!
//! A poll that wants a collector only does not leave native code. What this has on
//! its evaluation stack, and did not store in the Lisp frame, it puts in cells of its
//! host frame just before the call that serves the poll, in the block that only such polls
//! enter, and tells Cranelift that they hold references. From that Cranelift makes a map for
//! the place behind the call. Here the maps of all functions are, by the address of their
//! native code, published with it and forgotten with it.
//!
//! A host frame is found by following frame pointers from the door out of native code to
//! the door into it ([`crate::entry::walk`]). Its return address says which map it has; where it
//! waits in any other call it has none, for there all references are in its Lisp frame.
//! Nothing moves, so the maps say where to look and nothing is written there.

use std::cell::RefCell;
use std::collections::BTreeMap;

use cranelift_codegen::CompiledCode;
use cranelift_codegen::ir::Type;

/// Bytes of a cell.
pub const CELL: u32 = 4;

/// The maps of a function, by the places they are for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Maps {
    /// Bytes from the start of the native code to where a call returns, ascending, and
    /// where in `cells` what belongs to it ends.
    places: Box<[(u32, u32)]>,
    /// How many cells below the frame pointer the references are.
    cells: Box<[u16]>,
}

impl Maps {
    /// Those that Cranelift made.
    pub fn of(code: &CompiledCode) -> Self {
        let maps = code.buffer.user_stack_maps().iter();
        Self::new(maps.map(|(place, span, map)| {
            let below = |(_, at): (Type, u32)| (span - at).div_ceil(CELL) as u16;
            (*place, map.entries().map(below).collect())
        }))
    }

    fn new(maps: impl Iterator<Item = (u32, Vec<u16>)>) -> Self {
        let mut cells = Vec::new();
        let mut places = Vec::new();
        for (place, below) in maps {
            cells.extend(below);
            places.push((place, cells.len() as u32));
        }
        Self {
            places: places.into(),
            cells: cells.into(),
        }
    }

    /// How many cells below the frame pointer the references are of a frame that waits in the
    /// call that returns to `place`.
    pub fn at(&self, place: u32) -> &[u16] {
        let found = self
            .places
            .binary_search_by_key(&place, |&(place, _)| place);
        let Ok(index) = found else {
            return &[];
        };
        let from = index
            .checked_sub(1)
            .map_or(0, |before| self.places[before].1);
        &self.cells[from as usize..self.places[index].1 as usize]
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.places) + size_of_val(&*self.cells)
    }
}

/// The maps of all native code.
#[derive(Debug, Default)]
pub struct FrameMaps {
    functions: RefCell<BTreeMap<usize, Maps>>,
}

impl FrameMaps {
    /// Native code was put at `address`.
    pub fn publish(&self, address: usize, maps: Maps) {
        if !maps.places.is_empty() {
            self.functions.borrow_mut().insert(address, maps);
        }
    }

    /// There is other code at `address` from now on, or none.
    pub fn forget(&self, address: usize) {
        self.functions.borrow_mut().remove(&address);
    }

    /// Calls `see` with the addresses of the references in the frame with frame pointer
    /// `frame` that waits in the call that returns to `place`.
    pub fn references(&self, place: usize, frame: usize, mut see: impl FnMut(usize)) {
        let functions = self.functions.borrow();
        if let Some((start, maps)) = functions.range(..=place).next_back()
            && let Ok(at) = u32::try_from(place - start)
        {
            for &below in maps.at(at) {
                see(frame - CELL as usize * usize::from(below));
            }
        }
    }

    /// Bytes of all maps.
    pub fn bytes(&self) -> usize {
        self.functions.borrow().values().map(Maps::bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(maps: &FrameMaps, place: usize) -> Vec<usize> {
        let mut found = Vec::new();
        maps.references(place, 1000, |at| found.push(at));
        found
    }

    #[test]
    fn each_place_has_the_map_of_its_function() {
        let maps = FrameMaps::default();
        let of = |places: &[(u32, &[u16])]| {
            Maps::new(places.iter().map(|(at, cells)| (*at, cells.to_vec())))
        };
        maps.publish(0x1000, of(&[(8, &[1, 3]), (40, &[2])]));
        maps.publish(0x2000, of(&[(8, &[5])]));
        maps.publish(0x3000, of(&[]));
        assert_eq!(found(&maps, 0x1008), [996, 988]);
        assert_eq!(found(&maps, 0x1028), [992]);
        assert_eq!(found(&maps, 0x2008), [980]);
        // Not behind such a call, and where nobody has maps.
        for place in [0xFFF, 0x1000, 0x1009, 0x2028, 0x3008] {
            assert_eq!(found(&maps, place), [], "{place:x}");
        }
        let bytes = maps.bytes();
        maps.forget(0x1000);
        assert_eq!(found(&maps, 0x1008), []);
        assert_eq!(found(&maps, 0x2008), [980]);
        assert_eq!(bytes - maps.bytes(), 2 * 8 + 3 * 2);
    }
}
