//! Native code for people: what becomes of each instruction of a function, in
//! Cranelift's intermediate language and in machine code.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write as _};

use cranelift_codegen::CompiledCode;
use cranelift_codegen::ir::{Block, Function, Inst, InstructionData, Opcode, SourceLoc};
use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter, OpKind};

use crate::maps::{CELL, Maps};

/// Width of the column of intermediate language.
const CLIF_WIDTH: usize = 72;

/// Where code comes from that no instruction wants: the frame, the ways into loops. No
/// instruction has this offset.
pub(crate) const NO_INSTRUCTION: u32 = 0;

/// Addresses of this process that code refers to, and what is there.
pub type Known = BTreeMap<i64, String>;

/// What a byte code instruction became.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Intermediate language, as the translator wrote it: a line for each instruction that
    /// is no constant, and for each block that begins.
    pub clif: Vec<String>,
    /// Machine code after all optimisation: offset and instruction.
    pub machine: Vec<String>,
}

/// Both columns, side by side.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in 0..self.clif.len().max(self.machine.len()) {
            let clif = self.clif.get(line).map_or("", String::as_str);
            let machine = self.machine.get(line).map_or("", String::as_str);
            let text = format!("        {clif:<CLIF_WIDTH$} {machine}");
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

/// The native code of a function.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// What no instruction wants: the call's frame, and the ways into loops.
    pub frame: Part,
    /// What the instructions became, by their offsets. Where one instruction becomes part
    /// of the next one, it has nothing of its own.
    pub parts: BTreeMap<u32, Part>,
    /// Bytes of machine code.
    pub bytes: usize,
}

impl Listing {
    /// The intermediate language of `function`, which is not compiled yet.
    pub(crate) fn new(function: &Function, known: &Known) -> Self {
        let mut listing = Self::default();
        let constants = constants(function, known);
        for block in function.layout.blocks() {
            let mut head = Some(head(function, block));
            for inst in function.layout.block_insts(block) {
                let part = listing.part(function.srcloc(inst));
                part.clif.extend(head.take());
                part.clif.extend(instruction(function, inst, &constants));
            }
        }
        listing
    }

    /// Adds the machine code that was made of it.
    pub(crate) fn add_machine_code(&mut self, code: &CompiledCode, known: &Known) {
        let bytes = code.code_buffer();
        self.bytes = bytes.len();
        let mut formatter = IntelFormatter::new();
        let options = formatter.options_mut();
        options.set_hex_prefix("0x");
        options.set_hex_suffix("");
        options.set_branch_leading_zeros(false);
        let maps = Maps::of(code);
        let ranges = code.buffer.get_srclocs_sorted();
        // What the register allocator adds belongs to what is in front of it.
        let mut place = SourceLoc::default();
        let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
        while decoder.can_decode() {
            let instruction = decoder.decode();
            let offset = instruction.ip() as u32;
            let mut line = format!("{offset:5x}  ");
            formatter.format(&instruction, &mut line);
            if instruction.op1_kind() == OpKind::Immediate64
                && let Some(name) = known.get(&(instruction.immediate64() as i64))
            {
                let _ = write!(line, "  ; {name}");
            }
            for &below in maps.at(decoder.ip() as u32) {
                let bytes = CELL * u32::from(below);
                let _ = write!(line, "  ; holds [rbp-{bytes:#x}]");
            }
            let after = ranges.partition_point(|range| range.start <= offset);
            if let Some(range) = ranges[..after].last() {
                place = range.loc;
            }
            self.part(place).machine.push(line);
        }
    }

    fn part(&mut self, place: SourceLoc) -> &mut Part {
        if place.is_default() || place.bits() == NO_INSTRUCTION {
            return &mut self.frame;
        }
        self.parts.entry(place.bits()).or_default()
    }
}

/// The line with which a block begins.
fn head(function: &Function, block: Block) -> String {
    let mut text = block.to_string();
    let params: Vec<_> = (function.dfg.block_params(block).iter())
        .map(|&value| format!("{value}: {}", function.dfg.value_type(value)))
        .collect();
    if !params.is_empty() {
        let _ = write!(text, "({})", params.join(", "));
    }
    text.push(':');
    if function.layout.is_cold(block) {
        text.push_str(" ; cold");
    }
    text
}

/// All constants, under the names of their values; known addresses have names.
fn constants(function: &Function, known: &Known) -> HashMap<String, String> {
    let blocks = function.layout.blocks();
    let instructions = blocks.flat_map(|block| function.layout.block_insts(block));
    let constants = instructions.filter_map(|inst| match function.dfg.insts[inst] {
        InstructionData::UnaryImm {
            opcode: Opcode::Iconst,
            imm,
        } => {
            let text = (known.get(&imm.bits())).map_or_else(|| imm.to_string(), Clone::clone);
            Some((function.dfg.first_result(inst).to_string(), text))
        }
        _ => None,
    });
    constants.collect()
}

/// An instruction, with constants in the place of the values that are constant. These
/// have no line of their own.
fn instruction(
    function: &Function,
    inst: Inst,
    constants: &HashMap<String, String>,
) -> Option<String> {
    let text = function.dfg.display_inst(inst).to_string();
    // Remarks repeat the constants.
    let text = text.split("  ; ").next().unwrap_or_default();
    let (results, operation) = text.rsplit_once(" = ").unwrap_or(("", text));
    if constants.contains_key(results) {
        return None;
    }
    let mut line = format!("    {results}");
    if !results.is_empty() {
        line.push_str(" = ");
    }
    let is_name = |a: char, b: char| a.is_alphanumeric() == b.is_alphanumeric();
    let characters: Vec<_> = operation.trim_end().chars().collect();
    for word in characters.chunk_by(|a, b| is_name(*a, *b)) {
        let word: String = word.iter().collect();
        line.push_str(constants.get(&word).unwrap_or(&word));
    }
    Some(line)
}
