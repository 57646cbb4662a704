//! Where the screen is shown and where a user's hands come from.
//!
//! The picture is Lisp memory. Nobody tells what was drawn: at most
//! [`FRAMES_PER_SECOND`] times a second the session has a [`Canvas`] compare the
//! picture with the one that was presented last, line by line, and hands the lines
//! that differ to a [`FrontEnd`]. Lisp stands still for that, some microseconds.
//!
//! A front end lives in the machine's thread. Those that show something do that in
//! another one: a [`link`] is the part of them that both threads know. So a slow
//! window or a slow browser never makes Lisp wait, it gets fewer frames.
//!
//! - `canvas`: frames and what changed in them;
//! - `panel`: the machine's side, what Lisp tells its display;
//! - `keyboard`: from any host's keyboard to Lisp's;
//! - `link`: frames to another thread, input from it;
//! - `pointer`: from any host's mouse to Lisp's;
//! - `remote`: a viewer in another process, and `wire`, what is said between the two;
//! - `size`: the sizes that a screen can have;
//! - `window`: a window of the host's desktop.

mod canvas;
pub mod keyboard;
pub mod link;
mod panel;
pub mod pointer;
pub mod remote;
mod size;
pub mod window;
pub mod wire;

use geiko_runtime::traps::keyboard::Button;

use crate::keys::Key;
use crate::script::Point;

pub use canvas::{Canvas, FRAMES_PER_SECOND, Frame};
pub use panel::Panel;
pub use size::ScreenSize;

/// What a user did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key of Lisp's keyboard goes down or up.
    Key(Key, bool),
    /// Text that was not typed on Lisp's keyboard.
    Text(String),
    /// A mouse button goes down or up.
    Button(Button, bool),
    /// The pointer is at this pixel.
    Pointer(Point),
    /// Lisp is to be interrupted.
    Break,
    /// What is selected is for the clipboard.
    Copy,
    /// The user closed the display.
    Close,
    /// The answer to [`Notice::AskToClose`].
    Answer(Answer),
}

/// What is to become of a session whose display was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is saved, then it ends.
    Save,
    /// It ends.
    Discard,
    /// It goes on.
    Cancel,
}

/// What a front end is told beside frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Lisp moved the pointer to this pixel.
    Warp(Point),
    /// Lisp rings the bell.
    Bell,
    /// A text is for the user's clipboard.
    Copy(String),
    /// The user is to be asked what becomes of the session; perhaps because it could not
    /// be saved, for that reason.
    AskToClose(Option<String>),
}

/// The shape of the pointer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Its lines; the most significant bit is leftmost, 1 is black, 0 transparent.
    pub lines: [u16; 16],
    /// The pixel that points: from the left, from the top.
    pub hot_spot: (u16, u16),
    /// Black and white are exchanged.
    pub inverse: bool,
}

/// One way to show the screen to a user.
pub trait FrontEnd {
    /// Whether it can show a frame now. What changes until then comes with a later one.
    fn is_ready(&self) -> bool;

    /// Shows `frame`, which tells what is new in it.
    fn present(&mut self, frame: &Frame);

    /// Takes note of `notice`.
    fn tell(&mut self, notice: Notice);

    /// The next thing that the user did.
    fn next_input(&mut self) -> Option<Input>;
}

/// Nobody looks; scripts and screenshots still see the screen.
#[derive(Clone, Copy, Debug)]
pub struct Headless;

impl FrontEnd for Headless {
    fn is_ready(&self) -> bool {
        false
    }

    fn present(&mut self, _: &Frame) {}

    fn tell(&mut self, _: Notice) {}

    fn next_input(&mut self) -> Option<Input> {
        None
    }
}
