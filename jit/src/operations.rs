//! Operations that native code leaves to the machine: one list, from which come
//! their doors and their addresses.
//!
//! An operation takes up to four cells and answers one, or says that the
//! instruction is not so simple; then the interpreter executes it.

use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::Generation;
use geiko_runtime::memory::{LispPtr, StackOffset};

use crate::exits::Exit;
use crate::shims::Context;

/// What says that the instruction was not done, in the answer's upper half.
const NOT_DONE: u64 = 1 << 32;

macro_rules! operations {
    ($( $(#[$doc:meta])* $name:ident($machine:ident $(, $argument:ident)*) $body:block )*) => {
        /// Addresses of the doors.
        #[derive(Clone, Copy, Debug)]
        pub struct Operations {
            $( $(#[$doc])* pub $name: i64, )*
        }

        /// Their numbers.
        #[derive(Clone, Copy)]
        #[repr(u8)]
        #[allow(non_camel_case_types)] // The names of the operations.
        enum Number { $( $name, )* }

        impl Operations {
            /// Their names, by number.
            pub const NAMES: &[&'static str] = &[$( stringify!($name), )*];

            /// Those of generation `G`.
            pub fn of<G: Generation>() -> Self {
                Self { $( $name: doors::$name::<G> as *const () as i64, )* }
            }

            /// Their addresses and names.
            pub fn names(&self) -> impl Iterator<Item = (i64, &'static str)> {
                [$( (self.$name, stringify!($name)), )*].into_iter()
            }
        }

        mod doors {
            use super::*;

            $(
                /// # Safety
                ///
                /// Called by native code only, whose context is `context`, so that
                /// the machine in it is there and no reference to it is in use.
                pub unsafe extern "C" fn $name<G: Generation>(
                    context: *const Context<G>,
                    a: u64,
                    b: u64,
                    c: u64,
                    d: u64,
                ) -> u64 {
                    // SAFETY: see above.
                    let (context, $machine) = unsafe { (&*context, &mut *(*context).machine.get()) };
                    context.exits.count(Exit::Operation, Number::$name as u8);
                    let mut cells = [a, b, c, d].map(|cell| LispPtr(cell as u32)).into_iter();
                    $( let $argument = cells.next().unwrap_or_default(); )*
                    let _ = cells;
                    let answer: Option<LispPtr> = $body;
                    answer.map_or(NOT_DONE, |cell| u64::from(cell.0))
                }
            )*
        }
    };
}

/// The instruction whose number is in a cell.
#[inline]
fn opcode(cell: LispPtr) -> Opcode {
    Opcode::from(cell.0 as u8)
}

operations! {
    /// ADDREF.
    addref(machine, object) {
        machine.add_ref(object.masked::<G>());
        Some(object)
    }
    /// DELREF.
    delref(machine, object) {
        machine.del_ref(object.masked::<G>());
        Some(object)
    }
    /// GCREF.
    gcref(machine, code, object) { Some(machine.gc_ref(code.0 as u8, object)) }
    /// A list cell.
    cons(machine, car, cdr) { Some(machine.cons(car, cdr)) }
    /// RPLACA, RPLACD.
    replace(machine, code, list, value) { machine.replace(opcode(code), list, value) }
    /// CREATECELL.
    create(machine, number) { machine.create(number) }
    /// VALUES: the first value, if nobody wants the others.
    single_value(machine, frame, pc, first) {
        machine.single_value(StackOffset(frame.lo()), pc.lo(), first)
    }
    /// VALUES: the list of all values, for the one who wants them.
    several_values(machine, frame, pc, first, count) {
        machine.several_values(StackOffset(frame.lo()), pc.lo(), first.lo(), count.lo())
    }
    /// Arithmetic on numbers of any kind.
    arithmetic(machine, code, a, b) { machine.arithmetic(opcode(code), a, b) }
    /// Comparison of numbers of any kind.
    comparison(machine, code, a, b) { machine.comparison(opcode(code), a, b) }
    /// AREF1.
    vector_element(machine, array, index) { machine.vector_element(array, index) }
    /// ASET1.
    set_vector_element(machine, value, array, index) {
        machine.set_vector_element(value, array, index)
    }
    /// LISTGET.
    property(machine, list, property) { machine.property(list, property) }
    /// DTEST.
    checked(machine, object, name) { machine.checked(object, name) }
    /// INSTANCEP.
    instance(machine, object, name) { Some(machine.instance(object, name)) }
    /// RPLCONS.
    append(machine, list, item) { machine.append(list, item) }
    /// An integer that may need a box.
    integer(machine, bits) { Some(machine.number(bits.0 as i32)) }
    /// A box for a float.
    float(machine, bits) { Some(machine.float(f32::from_bits(bits.0))) }
    /// ADDBASE.
    offset_base(machine, base, offset) { machine.offset_base(base, offset) }
    /// Lisp wrote near an address.
    written(machine, at) {
        // What it wrote is at most so far behind the base.
        machine.written_words(at, 0x101);
        Some(at)
    }
    /// MISCN of one object: its hash.
    hash(machine, number, object) { machine.hash(number.0 as u8, object) }
    /// CAR, CDR.
    part(machine, code, list) { machine.part(opcode(code), list) }
    /// ASSOC, FMEMB and the like.
    found(machine, code, key, list) { machine.found(opcode(code), key, list) }
    /// EQUAL, CMLEQUAL.
    equality(machine, code, a, b) { machine.equality(opcode(code), a, b) }
    /// ATOMCELL.N.
    cell_of_symbol(machine, which, symbol) { machine.cell_of_symbol(which.0 as u8, symbol) }
    /// CHECKAPPLY*.
    callable(machine, function) { machine.callable(function) }
    /// FINDKEY.
    keyword_argument(machine, frame, first, key) {
        Some(machine.keyword_argument(StackOffset(frame.lo()), first.lo(), key))
    }
    /// RESTLIST.
    rest_arguments(machine, frame, skip, tail, last) {
        Some(machine.rest_arguments(StackOffset(frame.lo()), skip.lo(), tail, last))
    }
    /// MAKENUMBER.
    number_of_halves(machine, high, low) { machine.number_of_halves(high, low) }
    /// PUTBASEBYTE.
    put_byte(machine, base, offset, byte) {
        let is_code = machine.is_watched(machine.address_of_byte(base, offset));
        (!is_code)
            .then(|| machine.unless_strayed(|machine| machine.put_byte(base, offset, byte)))
            .flatten()
    }
    /// UBFLOAT1.
    raw_float(machine, number, a) {
        machine.unless_strayed(|machine| machine.raw_float(number.0 as u8, a))
    }
    /// MISC3, ARRAYREAD.
    raw_element(machine, base, kind, index) {
        machine.unless_strayed(|machine| machine.raw_element_of(base, kind, index))
    }
    /// MISC4, ARRAYWRITE.
    set_raw_element(machine, value, base, kind, index) {
        machine.unless_strayed(|machine| machine.set_raw_element(value, base, kind, index))
    }
    /// ASET2.
    set_matrix_element(machine, value, array, row, column) {
        machine.set_matrix_element(value, array, row, column)
    }
    /// AREF2.
    matrix_element(machine, array, row, column) { machine.matrix_element(array, row, column) }
}
