//! Objects of the image: data of the program, array blocks.
//!
//! Array space begins with a static part that is not counted: print names, and
//! tables to which the machine keeps pointers. Everything behind it is counted and
//! can be freed. Small arrays are hunks, as Lisp makes them.

use std::collections::HashMap;
use std::rc::Rc;

use geiko_runtime::layout::builtin::hunk_type;
use geiko_runtime::layout::records::{
    array_block, array_flag, array_header, element, type_entry, types,
};
use geiko_runtime::layout::{Generation, SymbolCell};
use geiko_runtime::memory::{LispPtr, WORDS_PER_PAGE};
use num_bigint::{BigInt, BigUint, Sign};

use super::atoms::{code, codes};
use super::{LinkError, Linker, Result, packages};
use crate::datum::{Cons, Datum, Package};

/// Words that a type table entry is for.
const UNIT_WORDS: u32 = 2 * WORDS_PER_PAGE;
/// Bits of a digit of a large integer.
const DIGIT_BITS: u64 = 14;
/// Most elements of an array.
const MAX_ELEMENTS: usize = 0xFFFF;

/// What an array block holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Raw,
    Pointers,
    Code,
}

impl Content {
    const fn flags(self) -> u16 {
        let content = match self {
            Self::Raw => 0,
            Self::Pointers => array_block::POINTERS,
            Self::Code => array_block::CODE,
        };
        array_block::FREE | array_block::IN_USE | content
    }
}

/// What is known of the heap.
#[derive(Default)]
pub(super) struct Heap {
    /// Where the next array block goes.
    pub next: LispPtr,
    /// End of the units that exist.
    pub end: LispPtr,
    /// Objects by the data they were made from, so that what is shared stays so.
    conses: HashMap<*const Cons, LispPtr>,
    strings: HashMap<*const u8, LispPtr>,
    vectors: HashMap<*const Datum, LispPtr>,
    /// Numbers without an identity.
    boxes: HashMap<(u16, u32), LispPtr>,
    large: HashMap<BigInt, LispPtr>,
}

impl<G: Generation> Linker<'_, G> {
    /// Makes units of array space until `words` more words fit; `entry` is what
    /// the type table shall say of them.
    fn grow_array_space(&mut self, words: u32, entry: u16) {
        while self.heap.next.0 + words > self.heap.end.0 {
            let unit = self.heap.end;
            self.m.new_page(unit);
            self.m.new_page(unit.add(WORDS_PER_PAGE));
            let at = G::TYPE_TABLE.add(unit.0 / UNIT_WORDS);
            self.m.mem.set_word(at, entry);
            self.heap.end = unit.add(UNIT_WORDS);
        }
    }

    /// Writes header and trailer of a block of `cells` cells of content; answers the
    /// content.
    fn place_block(&mut self, cells: u32, content: Content) -> LispPtr {
        let mem = self.m.mem;
        let (header, cells) = (self.heap.next, cells + 2);
        let trailer = header.add(2 * (cells - 1));
        let in_use = Content::Raw.flags();
        for (at, flags) in [(header, content.flags()), (trailer, in_use)] {
            mem.set_word(at, flags);
            mem.set_word(at.add(array_block::LENGTH), cells as u16);
        }
        self.heap.next = header.add(2 * cells);
        header.add(array_block::HEADER_WORDS)
    }

    /// A block of the static part: not counted.
    pub(super) fn static_block(&mut self, cells: u32) -> LispPtr {
        self.grow_array_space(2 * (cells + 2), type_entry::NO_REF);
        self.place_block(cells, Content::Raw)
    }

    /// Ends the static part.
    pub(super) fn end_static_part(&mut self) {
        if self.heap.end.0 - self.heap.next.0 < 4 {
            self.grow_array_space(UNIT_WORDS, type_entry::NO_REF);
        }
        let cells = (self.heap.end.0 - self.heap.next.0) / 2;
        if cells > 0 {
            self.place_block(cells - 2, Content::Raw);
        }
    }

    /// A new array block with room for `cells` cells.
    pub(super) fn block(&mut self, cells: u32, content: Content) -> Result<LispPtr> {
        if cells + 2 > array_block::MAX_CELLS {
            return Err(LinkError::new(format!(
                "an array or function of {cells} cells is too large"
            )));
        }
        let cells = cells.max(array_block::MIN_CELLS - 2);
        let least_mds = self.m.page_variable(self.m.symbols.next_mds_page);
        if self.heap.next.0 + 2 * (cells + 2) + UNIT_WORDS >= LispPtr::from_page(least_mds).0 {
            return Err(LinkError::new("the program does not fit into memory"));
        }
        self.grow_array_space(2 * (cells + 2), types::ARRAY_BLOCK);
        let data = self.place_block(cells, content);
        self.m.note_new(data);
        Ok(data)
    }

    /// Room for the elements of an array: a hunk or an array block.
    fn elements(&mut self, cells: u32, pointers: bool) -> Result<LispPtr> {
        match hunk_type(cells, pointers) {
            Some(hunk) => self.create(hunk),
            None if pointers => self.block(cells, Content::Pointers),
            None => self.block(cells, Content::Raw),
        }
    }

    /// A new object of a type.
    pub(super) fn create(&mut self, type_number: u16) -> Result<LispPtr> {
        match self.m.create_cell(type_number) {
            Some(object) if !object.is_nil() => Ok(object),
            _ => Err(LinkError::new("the program does not fit into memory")),
        }
    }

    /// A one-dimensional array with elements at `base`.
    fn array(&mut self, base: LispPtr, kind: u16, count: usize) -> Result<LispPtr> {
        if count > MAX_ELEMENTS {
            return Err(LinkError::new(format!(
                "a string or vector of {count} elements is too large"
            )));
        }
        let header = self.create(types::ONED_ARRAY)?;
        let mem = self.m.mem;
        self.store(header.add(array_header::BASE), base);
        mem.set_word(header.add(array_header::TYPE), kind);
        let fields = G::ARRAY_FIELDS;
        for offset in [fields.fill_pointer, fields.total_size] {
            if fields.wide {
                mem.set_cell(header.add(offset), LispPtr(count as u32));
            } else {
                mem.set_word(header.add(offset), count as u16);
            }
        }
        Ok(header)
    }

    /// A new string.
    pub(super) fn string(&mut self, text: &str) -> Result<LispPtr> {
        let codes = codes(text)?;
        let fat = codes.iter().any(|&code| code > 0xFF);
        let per_cell = if fat { 2 } else { 4 };
        let cells = codes.len().div_ceil(per_cell).max(1);
        let base = self.elements(cells.min(MAX_ELEMENTS) as u32, false)?;
        let kind = if fat {
            element::CHARACTER_16
        } else {
            element::CHARACTER_8
        };
        let string = self.array(base, array_flag::STRING | kind, codes.len())?;
        for (index, &code) in codes.iter().enumerate() {
            if fat {
                self.m.mem.set_word(base.add(index as u32), code);
            } else {
                self.m.mem.set_byte(base, index as i32, code as u8);
            }
        }
        Ok(string)
    }

    /// A new vector of bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<LispPtr> {
        let cells = bytes.len().div_ceil(4).max(1);
        let base = self.elements(cells as u32, false)?;
        for (index, &byte) in bytes.iter().enumerate() {
            self.m.mem.set_byte(base, index as i32, byte);
        }
        self.array(base, element::UNSIGNED_8, bytes.len())
    }

    /// A new vector.
    pub(super) fn vector(&mut self, objects: &[LispPtr]) -> Result<LispPtr> {
        let cells = objects.len().clamp(1, MAX_ELEMENTS) as u32;
        let base = self.elements(cells, true)?;
        let vector = self.array(base, element::POINTER, objects.len())?;
        for (index, &object) in objects.iter().enumerate() {
            self.store(base.add(2 * index as u32), object);
        }
        Ok(vector)
    }

    /// A new list.
    pub(super) fn list(&mut self, objects: &[LispPtr]) -> LispPtr {
        let cons = |list, &object| self.m.cons(object, list);
        objects.iter().rev().fold(LispPtr::NIL, cons)
    }

    /// The object that a datum is.
    pub(super) fn datum(&mut self, datum: &Datum) -> Result<LispPtr> {
        match datum {
            Datum::Symbol(symbol) => self.symbol(symbol),
            Datum::Integer(n) => self.integer(n),
            Datum::Float(x) => Ok(self.number_box(types::FLOATP, x.to_bits())),
            Datum::Character(c) => Ok(LispPtr::character(code(*c)?)),
            Datum::String(text) => {
                // Empty texts may all be at one place.
                let key = Rc::as_ptr(text).cast::<u8>();
                if let Some(&string) = self.heap.strings.get(&key) {
                    return Ok(string);
                }
                let string = self.string(text)?;
                self.heap.strings.insert(key, string);
                Ok(string)
            }
            Datum::Cons(cons) => self.conses(cons),
            Datum::Vector(elements) => {
                let key = Rc::as_ptr(elements).cast::<Datum>();
                if let Some(&vector) = self.heap.vectors.get(&key) {
                    return Ok(vector);
                }
                let objects: Vec<_> = elements
                    .iter()
                    .map(|element| self.datum(element))
                    .collect::<Result<_>>()?;
                let vector = self.vector(&objects)?;
                self.heap.vectors.insert(key, vector);
                Ok(vector)
            }
            Datum::Function(_) => Err(LinkError::new(
                "a function of a macro is in a constant".to_string(),
            )),
        }
    }

    /// A list or dotted list. Its cells are made from the end, so that they can lie
    /// side by side.
    fn conses(&mut self, first: &Rc<Cons>) -> Result<LispPtr> {
        let mut cells = Vec::new();
        let mut cons = first;
        let mut rest = loop {
            let key = Rc::as_ptr(cons);
            if let Some(&list) = self.heap.conses.get(&key) {
                break list;
            }
            cells.push((key, self.datum(&cons.car)?));
            match &cons.cdr {
                Datum::Cons(next) => cons = next,
                end => break self.datum(end)?,
            }
        };
        for (key, car) in cells.into_iter().rev() {
            rest = self.m.cons(car, rest);
            self.heap.conses.insert(key, rest);
        }
        Ok(rest)
    }

    fn integer(&mut self, n: &BigInt) -> Result<LispPtr> {
        match i32::try_from(n) {
            Ok(n) => {
                Ok(LispPtr::small(n).unwrap_or_else(|| self.number_box(types::FIXP, n as u32)))
            }
            Err(_) => self.large_integer(n),
        }
    }

    fn number_box(&mut self, type_number: u16, bits: u32) -> LispPtr {
        if let Some(&object) = self.heap.boxes.get(&(type_number, bits)) {
            return object;
        }
        let object = self.m.boxed(type_number, bits);
        self.heap.boxes.insert((type_number, bits), object);
        object
    }

    /// A large integer: a list of digits of 14 bits, the least significant one
    /// first, all negative in a negative number.
    fn large_integer(&mut self, n: &BigInt) -> Result<LispPtr> {
        if let Some(&object) = self.heap.large.get(n) {
            return Ok(object);
        }
        let mask = (BigUint::from(1u32) << DIGIT_BITS) - 1u32;
        let mut rest = n.magnitude().clone();
        let mut digits = Vec::new();
        while rest.bits() > 0 {
            let digit = u16::try_from(&rest & &mask).unwrap_or(0);
            let digit = i32::from(digit);
            let signed = if n.sign() == Sign::Minus {
                -digit
            } else {
                digit
            };
            digits.push(LispPtr::small(signed).unwrap_or(LispPtr::NIL));
            rest >>= DIGIT_BITS;
        }
        let digits = self.list(&digits);
        let object = self.create(types::BIGNUM)?;
        self.store(object, digits);
        self.heap.large.insert(n.clone(), object);
        Ok(object)
    }

    /// Makes the static part of array space: print names, and tables for the
    /// machine. No symbol may turn up afterwards.
    pub(super) fn make_static_part(&mut self) -> Result<()> {
        let (start, _) = G::REGIONS.last().copied().unwrap_or_default();
        self.heap.next = start;
        self.heap.end = start;
        self.m.mem.set_cell(self.m.symbols.array_space, start);
        self.atoms.close();
        let symbols: Vec<_> = self.atoms.all().to_vec();
        let mut names: HashMap<&str, LispPtr> = HashMap::new();
        let mut text = Vec::new();
        for (_, symbol) in &symbols {
            let name = &*symbol.name;
            if !names.contains_key(name) {
                // Places within the block, until it has one.
                names.insert(name, LispPtr(text.len() as u32));
                text.extend(print_name(name)?);
            }
        }
        const BLOCK_WORDS: usize = 2 * (array_block::MAX_CELLS as usize - 2);
        if text.len() > BLOCK_WORDS {
            return Err(LinkError::new("the names of all symbols are too long"));
        }
        let block = self.static_block(text.len().div_ceil(2) as u32);
        for (at, &word) in (0..).zip(&text) {
            self.m.mem.set_word(block.add(at), word);
        }
        for (index, (number, symbol)) in symbols.iter().enumerate() {
            let name = block.add(names[&*symbol.name].0);
            let at = G::symbol_cell(*number, SymbolCell::PrintName);
            self.m.mem.set_cell(at, name);
            if symbol.name.chars().any(|c| c > '\u{FF}') {
                self.set_symbol_bits(*number, SymbolCell::NameKind, G::FAT_NAME);
            }
            let package = u32::from(packages::number(symbol.package)) << 24;
            self.set_symbol_bits(*number, SymbolCell::Package, package);
            let value = match symbol.package {
                Package::Keyword => *number,
                Package::Lisp if matches!(&*symbol.name, "NIL" | "T") => *number,
                _ if self.atoms.is_variable(index) => continue,
                _ => LispPtr::NOBIND,
            };
            let at = G::symbol_cell(*number, SymbolCell::Value);
            self.m.mem.set_cell(at, value);
        }
        self.make_static_tables();
        self.end_static_part();
        Ok(())
    }

    fn set_symbol_bits(&mut self, symbol: LispPtr, cell: SymbolCell, bits: u32) {
        let at = G::symbol_cell(symbol, cell);
        let old = self.m.mem.cell(at).0;
        self.m.mem.set_cell(at, LispPtr(old | bits));
    }

    /// Tells Lisp where array space ends.
    pub(super) fn finish_array_space(&mut self) {
        let (next, end) = (self.heap.next, self.heap.end);
        self.m.mem.set_cell(self.m.symbols.array_free_list, next);
        let variable = self.m.symbols.next_array_page;
        self.m.set_page_variable(variable, end.page());
    }
}

/// A print name: a length byte, then bytes, or from the next word on words.
fn print_name(name: &str) -> Result<Vec<u16>> {
    let codes = codes(name)?;
    let length = codes.len() as u16;
    if codes.iter().any(|&code| code > 0xFF) {
        return Ok([&[length << 8], &codes[..]].concat());
    }
    let bytes: Vec<u16> = [&[length], &codes[..]].concat();
    Ok(bytes
        .chunks(2)
        .map(|pair| pair[0] << 8 | pair.get(1).copied().unwrap_or(0))
        .collect())
}
