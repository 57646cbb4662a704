//! What the translator writes for small functions, one for each thing that it does in a way
//! of its own. A change of these texts should be one that was wanted.

use geiko_runtime::isa::disasm::{Listing, NoNames};
use geiko_runtime::layout::{Generation, Medley3};

use crate::programs::{PLAIN, Program, SPECIAL, list};

/// The byte code of `program` with the intermediate language of each instruction.
fn clif(program: &Program<'_>) -> String {
    let native = list::<Medley3>(program);
    let start = *native.parts.keys().next().expect("an instruction");
    let code = program.bytes::<Medley3>();
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
    counted_store: Program { code: "IVAR0; GVAR_ SPECIAL; RETURN", ..PLAIN };
    /// A small integer needs no count.
    store_of_a_number: Program { code: "'1; GVAR_ SPECIAL; RETURN", ..PLAIN };
    car: Program { code: "IVAR0; CAR; RETURN", ..PLAIN };
    /// The end of a list, a cell of the same page, or the machine.
    cdr: Program { code: "IVAR0; CDR; RETURN", ..PLAIN };
    cons: Program { code: "IVAR0; 'NIL; CONS; RETURN", ..PLAIN };
    /// The type of the operand and the range of the sum are guesses.
    sum: Program { code: "IVAR0; IVAR0; IPLUS2; RETURN", ..PLAIN };
    /// A float stays out of its box until it is returned.
    float_variable: Program {
        code: "IVAR0; '1; FPLUS2; PVAR_^0; PVAR0; PVAR0; FTIMES2; RETURN",
        ..PLAIN
    };
    /// The definition cell holds what it held when this was compiled, and that has native
    /// code.
    call: Program {
        code: "IVAR0; FN1 HELPER; RETURN",
        helper: Some(&Program { quads: 0, locals: 0, code: "IVAR0; RETURN", ..PLAIN }),
        ..PLAIN
    };
    /// At the jump back attention may be wanted.
    turn_of_a_loop: Program {
        code: "next: IVAR0; IDIFFERENCE.N 1; IVARX_ 0; '0; GREATERP; TJUMPX next; IVAR0; RETURN",
        ..PLAIN
    };
    element_of_a_vector: Program { code: "IVAR0; '1; AREF1; RETURN", ..PLAIN };
    free_variable: Program {
        quads: 1,
        locals: 0,
        names: &[(SPECIAL, 0xC000_0000)],
        code: "FVAR0; RETURN",
        ..PLAIN
    };
    /// One jump, and no T or NIL is made.
    comparison_and_jump: Program {
        code: "IVAR0; 'NIL; EQ; FJUMP no; '1; RETURN; no: '0; RETURN",
        ..PLAIN
    };
    type_test: Program { code: "IVAR0; LISTP; RETURN", ..PLAIN };
}
