//! Reports of guest faults: what the image did, where, and how it got there.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use geiko_runtime::image::Names;
use geiko_runtime::interp::StrayAccess;
use geiko_runtime::isa::decode::Instruction;
use geiko_runtime::isa::disasm::instruction_text;
use geiko_runtime::layout::Generation;
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::CodePc;
use geiko_runtime::stack::Activation;

use crate::image_names::ImageNames;

/// Callers that the short form shows.
const SHORT_CALLERS: usize = 4;
/// Callers that the full form shows.
const CALLERS: usize = 200;
/// Stack elements that the full form shows.
const STACK_ELEMENTS: u16 = 16;
/// No instruction has more bytes.
const LONGEST_INSTRUCTION: u32 = 6;

/// All that is known about a guest fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The image.
    pub image: PathBuf,
    /// Its generation.
    pub generation: &'static str,
    /// What is wrong.
    pub fault: String,
    /// The instruction.
    pub at: Place,
    /// The instruction, disassembled.
    pub instruction: String,
    /// Registers by name.
    pub registers: Vec<(&'static str, String)>,
    /// The topmost stack elements, top first.
    pub stack: Vec<String>,
    /// The running function and its callers, innermost first.
    pub frames: Vec<Place>,
    /// How long the session lasted.
    pub elapsed: Duration,
    /// Where the report was written.
    pub file: Option<PathBuf>,
}

/// A place in a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the function.
    pub function: String,
    /// Byte offset from the start of its code block.
    pub offset: u16,
    /// Offset of its frame in the stack.
    pub frame: u16,
}

impl Place {
    fn new<G: Generation>(names: &Names<'_, G>, activation: &Activation) -> Self {
        Self {
            function: names.object(activation.name),
            offset: activation.pc,
            frame: activation.frame.0,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.function, self.offset)
    }
}

/// The short form: one sentence, the nearest callers, the file.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "guest fault in {}: {} ({})",
            self.at, self.fault, self.instruction
        )?;
        let callers: Vec<_> = self
            .frames
            .iter()
            .skip(1)
            .take(SHORT_CALLERS)
            .map(|place| place.function.as_str())
            .collect();
        if !callers.is_empty() {
            write!(f, "\n  called from {}", callers.join(" < "))?;
        }
        if let Some(file) = &self.file {
            write!(f, "\n  report: {}", file.display())?;
        }
        Ok(())
    }
}

impl Report {
    /// The report on the fault that stopped `machine`, which runs the image file
    /// `image` since `elapsed`.
    pub fn new<G: Generation>(machine: &Machine<'_, G>, image: &Path, elapsed: Duration) -> Self {
        let names = Names::new(machine.mem);
        let frames: Vec<_> = machine
            .backtrace(CALLERS)
            .iter()
            .map(|activation| Place::new(&names, activation))
            .collect();
        let mut at = frames.first().cloned().unwrap_or(Place {
            function: "no function".into(),
            offset: 0,
            frame: 0,
        });
        let (function, offset) = match machine.fault_place {
            Some((function, offset)) => {
                at.function = names.object(machine.function_name(function));
                at.offset = offset;
                (function, offset)
            }
            None => (machine.func, machine.regs.pc.offset_in(machine.func)),
        };
        let fault = machine.fault.as_ref();
        Self {
            image: image.into(),
            generation: G::NAME,
            fault: fault.map_or_else(|| "unknown".into(), ToString::to_string),
            at,
            instruction: instruction(machine, &names, CodePc::new(function, offset), offset),
            registers: registers(machine),
            stack: stack(machine, &names),
            frames,
            elapsed,
            file: None,
        }
    }

    /// Writes the full report into `folder`, under a name of its own, and
    /// remembers where.
    pub fn save(&mut self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let seconds = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let name = format!("geiko-fault-{seconds}-{}.txt", std::process::id());
        let path = folder.join(name);
        let mut file = File::create_new(&path)?;
        file.write_all(self.full().as_bytes())?;
        self.file = Some(path);
        Ok(())
    }

    /// The full report.
    pub fn full(&self) -> String {
        Full(self).to_string()
    }
}

/// One sentence on an access to an address where nothing is.
pub fn stray_access<G: Generation>(machine: &Machine<'_, G>, stray: &StrayAccess) -> String {
    let names = Names::new(machine.mem);
    let what = match stray.stores {
        Some(true) => "a store",
        Some(false) => "a load",
        None => "an access",
    };
    format!(
        "{what} at {}, where nothing is, in {} at byte {} ({})",
        stray.address,
        names.object(stray.name),
        stray.pc,
        decoded(&stray.code, stray.pc, &names),
    )
}

/// The instruction at `pc`, `offset` bytes behind the header of its function.
fn instruction<G: Generation>(
    machine: &Machine<'_, G>,
    names: &Names<'_, G>,
    pc: CodePc,
    offset: u16,
) -> String {
    let bytes: Vec<_> = (0..LONGEST_INSTRUCTION)
        .map(|n| machine.mem.code(pc, n))
        .collect();
    decoded(&bytes, offset, names)
}

/// The instruction that these bytes begin with.
fn decoded<G: Generation>(bytes: &[u8], offset: u16, names: &Names<'_, G>) -> String {
    match Instruction::decode(bytes, offset.into(), G::OPERAND_BYTES) {
        Some(Ok(instruction)) => {
            let text = instruction_text(&instruction, &ImageNames(names));
            // One line, whatever columns a listing has.
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        }
        _ => format!("{bytes:02x?}"),
    }
}

fn registers<G: Generation>(machine: &Machine<'_, G>) -> Vec<(&'static str, String)> {
    let regs = machine.regs;
    vec![
        ("pc", format!("{:#x} (byte)", regs.pc.0)),
        ("function", machine.func.to_string()),
        ("top", regs.tos.to_string()),
        ("sp", format!("{:?}", regs.sp)),
        ("pvar", format!("{:?}", regs.pvar)),
        ("ivar", format!("{:?}", machine.ivar)),
        ("end", format!("{:?}", machine.end)),
    ]
}

/// The topmost stack elements, with the names of those that are symbols.
fn stack<G: Generation>(machine: &Machine<'_, G>, names: &Names<'_, G>) -> Vec<String> {
    let below = (1..STACK_ELEMENTS).map(|n| machine.mem.stack(machine.regs.sp.sub(2 * n)));
    std::iter::once(machine.regs.tos)
        .chain(below)
        .map(|element| {
            // Words of a frame have bits that no pointer has.
            let pointer = (element.masked::<G>() == element).then_some(element);
            match pointer.and_then(|pointer| names.print_name(pointer)) {
                Some(name) => format!("{element}  {name}"),
                None => element.to_string(),
            }
        })
        .collect()
}

struct Full<'a>(&'a Report);

impl fmt::Display for Full<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        writeln!(f, "geiko {} guest fault", env!("CARGO_PKG_VERSION"))?;
        writeln!(f)?;
        let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
        for (name, value) in [
            ("fault", report.fault.clone()),
            ("function", report.at.function.clone()),
            ("byte offset", report.at.offset.to_string()),
            ("instruction", report.instruction.clone()),
            ("image", report.image.display().to_string()),
            ("generation", report.generation.into()),
            ("system", system),
            ("after", format!("{:.3} s", report.elapsed.as_secs_f64())),
        ] {
            writeln!(f, "{name:12} {value}")?;
        }
        writeln!(f, "\nregisters")?;
        for (name, value) in &report.registers {
            writeln!(f, "  {name:10} {value}")?;
        }
        writeln!(f, "\nstack, top first")?;
        for (index, value) in report.stack.iter().enumerate() {
            writeln!(f, "  {index:2}  {value}")?;
        }
        writeln!(f, "\nbacktrace")?;
        for (index, place) in report.frames.iter().enumerate() {
            writeln!(f, "  {index:3}  frame {:#06x}  {place}", place.frame)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let place = |function: &str, offset, frame| Place {
            function: function.into(),
            offset,
            frame,
        };
        Report {
            image: "lisp.sysout".into(),
            generation: "Medley 2",
            fault: "the stack is full: a hard reset is needed".into(),
            at: place("FOO", 30, 0x1900),
            instruction: "FN1 BAR".into(),
            registers: vec![("pc", "0x1234".into()), ("tos", "e,5".into())],
            stack: vec!["e,5".into(), "0,0".into()],
            frames: vec![
                place("FOO", 30, 0x1900),
                place("\\EVALFORM", 12, 0x1880),
                place("T", 4, 0x1800),
            ],
            elapsed: Duration::from_millis(1500),
            file: None,
        }
    }

    #[test]
    fn short_form() {
        insta::assert_snapshot!(report(), @r"
        guest fault in FOO at byte 30: the stack is full: a hard reset is needed (FN1 BAR)
          called from \EVALFORM < T
        ");
    }

    #[test]
    fn full_form() {
        let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
        let full = report().full().replace(&system, "SYSTEM");
        insta::assert_snapshot!(full);
    }

    #[test]
    fn a_report_gets_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut report = report();
        report.save(folder.path()).unwrap();
        let path = report.file.clone().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), report.full());
        assert!(
            report
                .to_string()
                .ends_with(&format!("report: {}", path.display()))
        );
    }
}
