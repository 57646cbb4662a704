use super::harness::{Ended, execute, for_both, read, table, with_interpreter};
use crate::isa::Opcode;
use crate::layout::Generation;
use crate::memory::LispPtr;

/// A bitmap of 32 by 4 pixels.
const BITS: LispPtr = LispPtr(0x21_0000);

#[test]
fn single_pixels() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let code = [Opcode::Misc7 as u8, 1];
            let (invert, clear, test, set) = (0, 1, 2, 3);
            for (x, y, operation, old, row, word, content) in [
                (0, 3, set, 0, 0, 0, 0x8000),
                (0, 3, test, 1, 0, 0, 0x8000),
                (15, 3, invert, 0, 0, 0, 0x8001),
                (0, 3, clear, 1, 0, 0, 0x0001),
                (0, 3, clear, 0, 0, 0, 0x0001),
                (17, 0, 7, 0, 3, 1, 0x4000),
                (17, 0, invert, 1, 3, 1, 0),
            ] {
                let operands = read(m, &format!("{x} {y} {operation} 3 2 NIL"));
                let stack = [&[BITS][..], &operands].concat();
                let ended = execute(m, &code, &stack);
                assert_eq!(ended, Ended::Done(vec![LispPtr::smallpos(old)]));
                assert_eq!(m.mem.word(BITS.add(2 * row + word)), content);
            }
        });
    }
    for_both!(run);
    table(Opcode::Misc7, &[0], &[("0x210000 0 0 0 0 1 0", "trap")]);
    for bad in 1..6 {
        let mut operands = ["0x210000", "0", "0", "0", "0", "1", "0"];
        operands[bad] = "NIL";
        table(Opcode::Misc7, &[1], &[(&operands.join(" "), "trap")]);
    }
}

#[test]
fn lines() {
    fn run<G: Generation>() {
        with_interpreter::<G>(|m| {
            let code = [Opcode::DrawLine as u8];
            // Five pixels from bit 14 of the first row, two words a row, two to the
            // right for each one down; operation 0 sets.
            let operands = read(m, "14 4 2 2 0 0 5 5");
            let stack = [&[BITS][..], &operands].concat();
            assert_eq!(execute(m, &code, &stack), Ended::Done(vec![LispPtr::NIL]));
            let rows = [0, 1, 2].map(|row| m.mem.cell(BITS.add(2 * row)));
            let lit: u32 = rows.iter().map(|row| row.0.count_ones()).sum();
            assert_eq!(lit, 5, "{rows:?}");
            assert_eq!(rows[0].0 >> 17 & 1, 1, "the first one");
        });
    }
    for_both!(run);
    table(
        Opcode::DrawLine,
        &[],
        &[
            ("0x210000 0 4 70000 2 0 0 5 5", "trap"),
            ("0x210000 0 4 NIL 2 0 0 5 5", "trap"),
            // Nothing to draw.
            ("0x210000 0 4 2 2 0 0 0 0", "NIL"),
        ],
    );
}

#[test]
fn transfers() {
    // An empty record: no pixels.
    table(Opcode::PilotBitBlt, &[], &[("0x210100 5", "0x210100")]);
}
