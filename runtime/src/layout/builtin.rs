//! The types with fixed numbers (`reference/memory-map.md` section 13): what an
//! image must declare so that the machine and Lisp agree on them.

use super::records::{type_entry, types};
use super::{Generation, Release};

/// A type with a fixed number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltinType {
    /// Its number.
    pub number: u16,
    /// Its name in package INTERLISP or, for the few that Common Lisp names, LISP.
    pub name: String,
    /// Words of an instance; 0 if there are none.
    pub words: u16,
    /// Entry in the type table.
    pub entry: u16,
    /// Word offsets of the counted pointers.
    pub pointers: Vec<u16>,
    /// Number of the supertype, 0 for none.
    pub supertype: u16,
    /// What the collector does with the content of a hunk, bits 1-0, and whether it
    /// is one, bit 2, as in the flags of a type descriptor.
    pub hunk: u16,
}

/// Cells of the hunks of pointers; the first has type
/// [`types::POINTER_HUNK_FIRST`].
pub const POINTER_HUNKS: [u16; 13] = [2, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 42, 64];
/// Cells of the hunks without pointers; the first has type
/// [`types::RAW_HUNK_FIRST`].
pub const RAW_HUNKS: [u16; 20] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64,
];
/// Cells of the hunks of code; the first has type [`types::CODE_HUNK_FIRST`].
pub const CODE_HUNKS: [u16; 10] = [12, 16, 20, 24, 28, 32, 36, 42, 50, 64];

/// Bit of [`BuiltinType::hunk`].
const HUNK: u16 = 4;

/// All types with a fixed number, in order from 1.
pub fn builtin_types<G: Generation>() -> Vec<BuiltinType> {
    use type_entry::{ATOM, INTEGER, NO_REF, NUMBER_P, SYMBOL};
    let wide = G::RELEASE == Release::Medley3;
    let by_width = |narrow, wide_words| if wide { wide_words } else { narrow };
    let mut all: Vec<BuiltinType> = Vec::new();
    let mut declare = |name: &str, words, flags, pointers: &[u16], supertype, hunk| {
        let number = all.len() as u16 + 1;
        all.push(BuiltinType {
            number,
            name: name.into(),
            words,
            entry: flags | number,
            pointers: pointers.into(),
            supertype,
            hunk,
        });
    };
    declare("SMALLP", 0, NO_REF | INTEGER | NUMBER_P | ATOM, &[], 0, 0);
    declare("FIXP", 2, INTEGER | NUMBER_P | ATOM, &[], 0, 0);
    declare("FLOATP", 2, NUMBER_P | ATOM, &[], 0, 0);
    declare("LITATOM", 0, NO_REF | SYMBOL | ATOM, &[], 0, 0);
    declare("LISTP", 4, 0, &[], 0, 0);
    declare("ARRAYP", by_width(4, 6), 0, &[0], 0, 0);
    declare("STRINGP", by_width(4, 6), 0, &[0], 0, 0);
    declare("STACKP", 2, 0, &[], 0, 0);
    declare("CHARACTER", 0, NO_REF, &[], 0, 0);
    declare("VMEMPAGEP", 256, 0, &[], 0, 0);
    declare("STREAM", 56, 0, &[], 0, 0);
    declare("BITMAP", 6, 0, &[0], 0, 0);
    declare("COMPILED-CLOSURE", 4, 0, &[0, 2], 0, 0);
    declare("ONED-ARRAY", by_width(6, 8), 0, &[0], 0, 0);
    declare("TWOD-ARRAY", by_width(6, 10), 0, &[0], 0, 0);
    let dimensions = by_width(6, 8);
    let words = by_width(8, 10);
    declare("GENERAL-ARRAY", words, 0, &[0, dimensions], 0, 0);
    declare("BIGNUM", 2, INTEGER | NUMBER_P | ATOM, &[0], 0, 0);
    declare("RATIO", 4, NUMBER_P | ATOM, &[0, 2], 0, 0);
    declare("COMPLEX", 4, NUMBER_P | ATOM, &[0, 2], 0, 0);
    declare("PATHNAME", 12, 0, &[0, 2, 4, 6, 8, 10], 0, 0);
    let symbol = NO_REF | SYMBOL | ATOM;
    let cells = [0, 2, 4, 6];
    let counted = if wide { &cells[1..] } else { &cells[..] };
    declare(
        "NEW-ATOM",
        by_width(8, 10),
        symbol,
        counted,
        types::LITATOM,
        0,
    );
    for number in types::NEW_ATOM + 1..types::POINTER_HUNK_FIRST {
        declare(&format!("FILLER{number}"), 0, NO_REF, &[], 0, 0);
    }
    for cells in POINTER_HUNKS {
        let pointers: Vec<u16> = (0..cells).map(|cell| 2 * cell).collect();
        let name = format!("\\PTRHUNK{cells}");
        declare(&name, 2 * cells, 0, &pointers, 0, HUNK | 1);
    }
    for cells in RAW_HUNKS {
        let name = format!("\\UNBOXEDHUNK{cells}");
        declare(&name, 2 * cells, 0, &[], 0, HUNK);
    }
    for cells in CODE_HUNKS {
        let name = format!("\\CODEHUNK{cells}");
        declare(&name, 2 * cells, 0, &[], 0, HUNK | 2);
    }
    all
}

/// The type of the smallest hunk with room for `cells`, if there is one: of
/// pointers, or without.
pub fn hunk_type(cells: u32, pointers: bool) -> Option<u16> {
    let (sizes, first) = if pointers {
        (&POINTER_HUNKS[..], types::POINTER_HUNK_FIRST)
    } else {
        (&RAW_HUNKS[..], types::RAW_HUNK_FIRST)
    };
    let index = sizes.iter().position(|&size| u32::from(size) >= cells)?;
    Some(first + index as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley3};

    #[test]
    fn numbers_are_those_of_the_machine() {
        for types in [builtin_types::<Medley2>(), builtin_types::<Medley3>()] {
            let name = |number: u16| &types[usize::from(number) - 1].name;
            assert_eq!(name(types::LISTP), "LISTP");
            assert_eq!(name(types::ONED_ARRAY), "ONED-ARRAY");
            assert_eq!(name(types::NEW_ATOM), "NEW-ATOM");
            assert_eq!(name(types::POINTER_HUNK_FIRST), "\\PTRHUNK2");
            assert_eq!(name(types::RAW_HUNK_FIRST), "\\UNBOXEDHUNK1");
            assert_eq!(name(types::CODE_HUNK_FIRST), "\\CODEHUNK12");
            assert_eq!(types.len(), usize::from(types::CODE_HUNK_LAST));
            for (number, entry) in [(1, 0xB801), (2, 0x3802), (4, 0xC804), (21, 0xC815)] {
                assert_eq!(types[number - 1].entry, entry);
            }
        }
    }

    #[test]
    fn hunks_fit() {
        assert_eq!(hunk_type(1, true), Some(31));
        assert_eq!(hunk_type(3, true), Some(32));
        assert_eq!(hunk_type(64, false), Some(63));
        assert_eq!(hunk_type(65, false), None);
    }
}
