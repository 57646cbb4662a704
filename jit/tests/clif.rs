//! What the translator writes for small functions, one for each thing that it does in a way
//! of its own. A change of these texts should be one that was wanted.

mod common;

use common::Item::{I, S};
use common::{HELPER, PLAIN, Program, SPECIAL, assemble, list};
use geiko_runtime::isa::Opcode;
use geiko_runtime::isa::disasm::{Listing, NoNames};
use geiko_runtime::layout::{Generation, Medley3};
use geiko_runtime::testing::function::Function;

/// The byte code of `program` with the intermediate language of each instruction.
fn clif(program: &Program) -> String {
    let native = list::<Medley3>(program);
    let start = *native.parts.keys().next().expect("an instruction");
    let code = assemble::<Medley3>(&(program.code)(Medley3::OPERAND_BYTES as u8));
    let notes = |offset: Option<u32>| {
        let part = offset.and_then(|offset| native.parts.get(&offset));
        let lines = part.map_or(&[][..], |part| &part.clif);
        lines
            .iter()
            .map(|line| format!("        {line}\n"))
            .collect()
    };
    // Without the zero that ends the code.
    let code = &code[..code.len() - 1];
    Listing::new(code, start, Medley3::OPERAND_BYTES, &NoNames)
        .with_notes(&notes)
        .to_string()
}

macro_rules! snapshots {
    ($( $(#[$doc:meta])* $name:ident: $program:expr; )*) => { $(
        $(#[$doc])*
        #[test]
        fn $name() {
            insta::with_settings!({ omit_expression => true }, {
                insta::assert_snapshot!(stringify!($name), clif(&$program));
            });
        }
    )* };
}

snapshots! {
    /// ADDREF and DELREF: a pointer goes into a variable of all.
    counted_store: Program {
        code: |_| vec![I(Opcode::Ivar0, &[]), S(Opcode::GvarSet, SPECIAL), I(Opcode::Return, &[])],
        ..PLAIN
    };
    /// A small integer needs no count.
    store_of_a_number: Program {
        code: |_| vec![I(Opcode::One, &[]), S(Opcode::GvarSet, SPECIAL), I(Opcode::Return, &[])],
        ..PLAIN
    };
    car: Program {
        code: |_| vec![I(Opcode::Ivar0, &[]), I(Opcode::Car, &[]), I(Opcode::Return, &[])],
        ..PLAIN
    };
    /// The end of a list, a cell of the same page, or the machine.
    cdr: Program {
        code: |_| vec![I(Opcode::Ivar0, &[]), I(Opcode::Cdr, &[]), I(Opcode::Return, &[])],
        ..PLAIN
    };
    cons: Program {
        code: |_| vec![
            I(Opcode::Ivar0, &[]),
            I(Opcode::Nil, &[]),
            I(Opcode::Cons, &[]),
            I(Opcode::Return, &[]),
        ],
        ..PLAIN
    };
    /// The type of the operand and the range of the sum are guesses.
    sum: Program {
        code: |_| vec![
            I(Opcode::Ivar0, &[]),
            I(Opcode::Ivar0, &[]),
            I(Opcode::IPlus2, &[]),
            I(Opcode::Return, &[]),
        ],
        ..PLAIN
    };
    /// A float stays out of its box until it is returned.
    float_variable: Program {
        code: |_| vec![
            I(Opcode::Ivar0, &[]),
            I(Opcode::One, &[]),
            I(Opcode::FPlus2, &[]),
            I(Opcode::PvarSetPop0, &[]),
            I(Opcode::Pvar0, &[]),
            I(Opcode::Pvar0, &[]),
            I(Opcode::FTimes2, &[]),
            I(Opcode::Return, &[]),
        ],
        ..PLAIN
    };
    /// The definition cell holds what it held when this was compiled, and that has native
    /// code.
    call: Program {
        code: |_| vec![I(Opcode::Ivar0, &[]), S(Opcode::Fn1, HELPER), I(Opcode::Return, &[])],
        helper: Some(|| Function { stack_min: 60, arguments: 1, ..Function::default() }),
        helper_code: &[I(Opcode::Ivar0, &[]), I(Opcode::Return, &[])],
        ..PLAIN
    };
    /// At the jump back attention may be wanted.
    turn_of_a_loop: Program {
        code: |_| vec![
            I(Opcode::Ivar0, &[]),
            I(Opcode::IDifferenceN, &[1]),
            I(Opcode::IvarXSet, &[0]),
            I(Opcode::Zero, &[]),
            I(Opcode::GreaterP, &[]),
            I(Opcode::TJumpX, &[0xF9]),
            I(Opcode::Ivar0, &[]),
            I(Opcode::Return, &[]),
        ],
        ..PLAIN
    };
    element_of_a_vector: Program {
        code: |_| vec![
            I(Opcode::Ivar0, &[]),
            I(Opcode::One, &[]),
            I(Opcode::Aref1, &[]),
            I(Opcode::Return, &[]),
        ],
        ..PLAIN
    };
    free_variable: Program {
        quads: 1,
        locals: 0,
        names: &[(SPECIAL, 0xC000_0000)],
        code: |_| vec![I(Opcode::Fvar0, &[]), I(Opcode::Return, &[])],
        ..PLAIN
    };
    /// One jump, and no T or NIL is made.
    comparison_and_jump: Program {
        code: |_| vec![
            I(Opcode::Ivar0, &[]),
            I(Opcode::Nil, &[]),
            I(Opcode::Eq, &[]),
            I(Opcode::FJump2, &[]),
            I(Opcode::One, &[]),
            I(Opcode::Return, &[]),
            I(Opcode::Zero, &[]),
            I(Opcode::Return, &[]),
        ],
        ..PLAIN
    };
    type_test: Program {
        code: |_| vec![I(Opcode::Ivar0, &[]), I(Opcode::Listp, &[]), I(Opcode::Return, &[])],
        ..PLAIN
    };
}
