//! Operations that native code leaves to the machine: one list, from which come
//! their doors and their addresses.
//!
//! An operation takes up to three cells and answers one, or says that the
//! instruction is not so simple; then the interpreter executes it.

use geiko_runtime::isa::Opcode;
use geiko_runtime::layout::Generation;
use geiko_runtime::memory::{LispPtr, StackOffset};

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

        impl Operations {
            /// Those of generation `G`.
            pub fn of<G: Generation>() -> Self {
                Self { $( $name: doors::$name::<G> as *const () as i64, )* }
            }
        }

        mod doors {
            use super::*;

            $(
                /// # Safety
                ///
                /// Called by native code only, whose context is `context`, so that
                /// the machine in it is there and no reference to it is in use.
                pub unsafe extern "sysv64" fn $name<G: Generation>(
                    context: *const Context<G>,
                    a: u64,
                    b: u64,
                    c: u64,
                ) -> u64 {
                    // SAFETY: see above.
                    let $machine = unsafe { &mut *(*context).machine.get() };
                    let mut cells = [a, b, c].map(|cell| LispPtr(cell as u32)).into_iter();
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
fn opcode(cell: LispPtr) -> Opcode {
    Opcode::from(cell.0 as u8)
}

operations! {
    /// A list cell.
    cons(machine, car, cdr) { Some(machine.cons(car, cdr)) }
    /// RPLACA, RPLACD.
    replace(machine, code, list, value) { machine.replace(opcode(code), list, value) }
    /// CREATECELL.
    create(machine, number) { machine.create(number) }
    /// A counted store.
    store_counted(machine, address, value) {
        machine.store_counted(address, value);
        Some(value)
    }
    /// A store in a free variable.
    store_free(machine, address, value) {
        machine.store_free(address, value);
        Some(value)
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
    /// The value of a free variable that was not looked up before.
    free_variable(machine, frame, slot) {
        machine.free_variable(StackOffset(frame.lo()), slot.0 as u8)
    }
    /// AREF2.
    matrix_element(machine, array, row, column) { machine.matrix_element(array, row, column) }
}
