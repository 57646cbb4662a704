//! For tests: programs run to their end.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use geiko_runtime::device::{Devices, Display};
use geiko_runtime::image::ImageFile;
use geiko_runtime::interp::Exit;
use geiko_runtime::layout::{Generation, Release};
use geiko_runtime::machine::Machine;

use crate::build::with_stack;
use crate::code::{Code, Definition};
use crate::{Source, listing, program};

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
