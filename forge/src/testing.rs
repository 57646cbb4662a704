//! For tests: programs run to their end.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use geiko_runtime::device::{Devices, Display};
use geiko_runtime::image::ImageFile;
use geiko_runtime::interp::Exit;
use geiko_runtime::layout::{Generation, Medley2, Medley3, Release};
use geiko_runtime::machine::Machine;

use crate::build::{build, with_stack};
use crate::code::{Code, Definition};
use crate::{Source, listing, program};

/// Both generations.
pub(crate) const RELEASES: [Release; 2] = [Release::Medley2, Release::Medley3];

/// A display that remembers what was written to the console.
struct Console(Rc<RefCell<String>>);

impl Display for Console {
    fn size(&self) -> (u16, u16) {
        (1024, 768)
    }
    fn show(&mut self, _: bool) {}
    fn invert(&mut self, _: bool) {}
    fn cursor_changed(&mut self) {}
    fn warp_pointer(&mut self, _: u16, _: u16) {}
    fn beep(&mut self, _: bool, _: u32) {}
    fn console(&mut self, character: u8) {
        self.0.borrow_mut().push(char::from(character));
    }
}

/// Runs an image to its end: what it wrote, and the status.
pub(crate) fn run_image<G: Generation>(bytes: Vec<u8>) -> (String, i32) {
    let image = ImageFile::from_bytes(Path::new("linked"), bytes).unwrap();
    let size = image.memory_size(None).unwrap();
    let space = image.load::<G>(size).unwrap();
    let text = Rc::new(RefCell::new(String::new()));
    let devices = Devices {
        display: Box::new(Console(Rc::clone(&text))),
        ..Devices::absent()
    };
    let (mut m, absent) = Machine::of_image(space.view(), devices);
    assert_eq!(absent, [""; 0], "names the machine looks up");
    m.prepare(size);
    m.start().unwrap();
    loop {
        match m.run() {
            Exit::Finished => break,
            Exit::Fault => panic!("{:?}", m.fault),
            _ => {}
        }
    }
    let text = text.borrow().clone();
    (text, m.exit_status)
}

/// What programs in tests may call: `(tell object)` writes a line to the console of
/// the machine, `(check form datum)` tells when the value of a form is another one.
const PRELUDE: &str = r#"
(defun tell (object)
  (let ((text (prin1-to-string object)))
    (dotimes (index (length text))
      (opcodes (subrcall 9 1) (char-code (char text index))))
    (opcodes (subrcall 9 1) 10)))

(defvar *checks* 0)

(defun compare (form value expected)
  (setq *checks* (+ *checks* 1))
  (unless (equalp value expected)
    (tell (list form value expected))))

(defmacro check (form expected)
  `(compare ',form
            (handler-case ,form
              (error (condition) (princ-to-string condition)))
            ',expected))

(defmacro check-change (form expected)
  `(check ,form ,expected))
"#;

/// Runs a program on the built-in Lisp and [`PRELUDE`]: what it told, a line each.
pub(crate) fn run(text: &str, release: Release) -> String {
    let prelude = Source {
        name: "prelude",
        text: PRELUDE,
    };
    let (told, status) = run_sources(&[prelude, Source { name: "f", text }], release);
    assert_eq!(status, 0, "{told}");
    told
}

/// Runs a program on the built-in Lisp: what it wrote to the console of the machine,
/// and the status.
pub(crate) fn run_sources(sources: &[Source<'_>], release: Release) -> (String, i32) {
    let bytes = build(sources, release, false).unwrap_or_else(|error| panic!("{error}"));
    match release {
        Release::Medley2 => run_image::<Medley2>(bytes),
        Release::Medley3 => run_image::<Medley3>(bytes),
    }
}

/// What a program without the built-in Lisp defines.
pub(crate) fn definitions(text: &str, release: Release) -> Vec<Definition> {
    let source = Source { name: "f", text };
    program::definitions(&[source], release).unwrap_or_else(|errors| panic!("{}", message(&errors)))
}

/// What expansions of macros call.
const DECLARATIONS: Source<'static> = Source {
    name: "declarations",
    text: "(declaim (ftype function append copy-structure error si:check-list))",
};

/// All errors of a program without the built-in Lisp, a line each.
pub(crate) fn errors(text: &str) -> String {
    let source = Source { name: "f", text };
    let sources = [DECLARATIONS, source];
    with_stack(|| match program::definitions(&sources, Release::Medley2) {
        Ok(_) => String::new(),
        Err(errors) => message(&errors),
    })
}

fn message(errors: &[crate::Error]) -> String {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The code in definitions.
pub(crate) fn code(definitions: &[Definition]) -> impl Iterator<Item = &Code> {
    definitions
        .iter()
        .filter_map(|definition| match definition {
            Definition::Function(_, code)
            | Definition::Macro(_, code)
            | Definition::Initial(code) => Some(code),
            _ => None,
        })
}

/// The listings of all functions of a program without the built-in Lisp.
pub(crate) fn listings(text: &str, release: Release) -> String {
    let width = program::operand_bytes(release);
    let definitions = definitions(text, release);
    let listings: Vec<_> = code(&definitions)
        .map(|code| listing::listing(code, width))
        .collect();
    listings.join("\n")
}
