//! Reports of guest faults: what the image did, where, and how it got there.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Callers that the one-line form shows.
const SHORT_CALLERS: usize = 4;

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
