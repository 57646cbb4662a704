//! Loads and stores of words, bits, bytes and cells at computed addresses, and
//! the counted pointer stores.

use super::{Exit, State, handler, native};
use crate::layout::Generation;
use crate::layout::records::types;
use crate::machine::Machine;
use crate::memory::{CodePc, LispPtr, Mem};

/// Offset in words of a stream's buffer size; its buffer offset is word 0.
const STREAM_BUFFER_SIZE: u32 = 1;
/// Offset in words of a stream's buffer pointer cell.
const STREAM_BUFFER: u32 = 2;

/// Shift and mask of a bit field: first bit from the left in the high nibble, size
/// less one in the low nibble.
#[inline(always)]
fn field(descriptor: u8) -> (u32, u16) {
    let (first, size) = (u32::from(descriptor >> 4), u32::from(descriptor & 15) + 1);
    let shift = 16u32.saturating_sub(first + size);
    (shift, ((1u32 << size) - 1) as u16)
}

/// Stores `number` in a bit field of the word at `at`.
#[inline(always)]
pub(super) fn store_field<G: Generation>(
    mem: Mem<'_, G>,
    at: LispPtr,
    descriptor: u8,
    number: u16,
) {
    let (shift, mask) = field(descriptor);
    let rest = mem.word(at) & !(mask << shift);
    mem.set_word(at, rest | (number & mask) << shift);
}

impl<'m, G: Generation> State<'m, G> {
    /// Goes on with the instruction `length` bytes further after a store of `words`
    /// words at `address`, which may have changed code.
    #[inline(always)]
    fn next_behind_store(
        mut self,
        m: &mut Machine<'m, G>,
        length: u32,
        address: LispPtr,
        words: u32,
    ) -> Exit {
        if m.stores_in_code(address, words) {
            self.pc = CodePc(self.pc.0.wrapping_add(length));
            return self.go(m, native::behind_store::<G>);
        }
        self.next(m, length)
    }
}

handler! {
    /// Word at a base.
    getbase(m, s) {
        let at = s.tos.masked::<G>().add(u32::from(s.operand(1)));
        s.tos = LispPtr::smallpos(s.mem.word(at));
        s.next(m, 2)
    }

    /// Pointer at a base.
    getbaseptr(m, s) {
        let at = s.tos.masked::<G>().add(u32::from(s.operand(1)));
        s.tos = s.mem.cell(at).masked::<G>();
        s.next(m, 2)
    }

    /// Bit field of the word at a base.
    getbits(m, s) {
        let at = s.tos.masked::<G>().add(u32::from(s.operand(1)));
        let (shift, mask) = field(s.operand(2));
        s.tos = LispPtr::smallpos(s.mem.word(at) >> shift & mask);
        s.next(m, 3)
    }

    /// Byte at a base and byte offset.
    getbasebyte(m, s) {
        let Some(offset) = m.integer(s.tos) else {
            return s.ufn(m);
        };
        let byte = s.mem.byte(s.below(1).masked::<G>(), offset);
        s.replace(1, LispPtr::smallpos(u16::from(byte)));
        s.next(m, 1)
    }

    /// Store a word at a base.
    putbase(m, s) {
        if s.tos != LispPtr::smallpos(s.tos.lo()) {
            return s.ufn(m);
        }
        let base = s.below(1).masked::<G>();
        let at = base.add(u32::from(s.operand(1)));
        s.mem.set_word(at, s.tos.lo());
        m.written(at);
        s.replace(1, base);
        s.next_behind_store(m, 2, at, 1)
    }

    /// Store a cell at a base, uncounted.
    putbaseptr(m, s) {
        let base = s.below(1).masked::<G>();
        let at = base.add(u32::from(s.operand(1)));
        s.mem.set_cell(at, s.tos);
        m.written(at);
        s.replace(1, base);
        s.next_behind_store(m, 2, at, 2)
    }

    /// Store a bit field of the word at a base.
    putbits(m, s) {
        let base = s.below(1).masked::<G>();
        let at = base.add(u32::from(s.operand(1)));
        if m.put_bits(at, s.operand(2), s.tos).is_none() {
            return s.ufn(m);
        }
        s.replace(1, base);
        s.next_behind_store(m, 3, at, 1)
    }

    /// Store a byte at a base and byte offset.
    putbasebyte(m, s) {
        let (base, offset) = (s.below(2), s.below(1));
        let Some(byte) = m.put_byte(base, offset, s.tos) else {
            return s.ufn(m);
        };
        s.replace(2, byte);
        s.next_behind_store(m, 1, m.address_of_byte(base, offset), 1)
    }

    /// Address at a word offset from a base. The sum is not masked.
    addbase(m, s) {
        let Some(offset) = m.integer(s.tos) else {
            return s.ufn(m);
        };
        let base = s.below(1).masked::<G>().0;
        s.replace(1, LispPtr(base.wrapping_add_signed(offset)));
        s.next(m, 1)
    }

    /// The cell with these halves. It is not masked: Lisp builds bit patterns so.
    vag2(m, s) {
        let cell = s.below(1).0 << 16 | u32::from(s.tos.lo());
        s.replace(1, LispPtr(cell));
        s.next(m, 1)
    }

    /// High half of a cell.
    hiloc(m, s) {
        s.tos = LispPtr::smallpos(s.tos.hi());
        s.next(m, 1)
    }

    /// Low half of a cell.
    loloc(m, s) {
        s.tos = LispPtr::smallpos(s.tos.lo());
        s.next(m, 1)
    }

    /// Copy words, the last first.
    blt(m, s) {
        let (to, from, count) = (s.below(2), s.below(1), s.tos);
        if count != LispPtr::smallpos(count.lo()) {
            return s.ufn(m);
        }
        for word in (0..u32::from(count.lo())).rev() {
            s.mem.set_word(to.add(word), s.mem.word(from.add(word)));
        }
        m.written_words(to, u32::from(count.lo()));
        s.replace(2, count);
        s.next_behind_store(m, 1, to, count.lo().into())
    }

    /// Counted store of a pointer field.
    rplptr(m, s) {
        let base = s.below(1);
        m.store_counted(base.add(u32::from(s.operand(1))), s.tos);
        s.pop();
        s.next(m, 2)
    }

    /// Change a reference count.
    gcref(m, s) {
        s.tos = m.gc_ref(s.operand(1), s.tos);
        s.next(m, 2)
    }

    /// Next count table entry that may be garbage.
    gcscan1(m, s) {
        s.tos = m.gcscan1(s.tos.lo()).map_or(LispPtr::NIL, LispPtr::smallpos);
        s.next(m, 1)
    }

    /// Next count table entry that has been seen on the stack.
    gcscan2(m, s) {
        s.tos = m.gcscan2(s.tos.lo()).map_or(LispPtr::NIL, LispPtr::smallpos);
        s.next(m, 1)
    }

    /// Address of a cell of a symbol.
    atomcell(m, s) {
        match m.cell_of_symbol(s.operand(1), s.tos) {
            Some(cell) => {
                s.tos = cell;
                s.next(m, 2)
            }
            None => s.ufn(m),
        }
    }

    /// Next byte of a stream's buffer.
    bin(m, s) {
        let stream = s.tos.masked::<G>();
        let (offset, size) = (s.mem.word(stream), s.mem.word(stream.add(STREAM_BUFFER_SIZE)));
        let buffer = s.mem.cell(stream.add(STREAM_BUFFER));
        let binable = s.mem.cell(stream.add(G::STREAM_BINABLE)).has_sign();
        if m.type_number(stream) != types::STREAM || !binable || offset >= size {
            return s.ufn(m);
        }
        s.mem.set_word(stream, offset + 1);
        let byte = s.mem.byte(buffer.masked::<G>(), i32::from(offset));
        s.tos = LispPtr::smallpos(u16::from(byte));
        s.next(m, 1)
    }

    /// Store the clock in a box.
    rclk(m, s) {
        let clock = m.raw_clock();
        s.mem.set_cell(s.tos.masked::<G>(), clock);
        s.next(m, 1)
    }
}
