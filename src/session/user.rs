//! The user in front of a display: what is typed goes to Lisp, what changed on the
//! screen goes to the user.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use geiko_runtime::layout::Generation;
use geiko_runtime::machine::Machine;
use geiko_runtime::traps::keyboard::Button;

use super::{TYPED_AHEAD, Time};
use crate::display::{Answer, Canvas, FrontEnd, Input, Notice, Panel};
use crate::keys::Key;
use crate::xccs;

/// Transitions that Lisp has not taken, beyond which input waits. Lisp's ring has
/// room for 384.
const RING: usize = 300;
/// Input that Lisp has not got, beyond which more is dropped.
const MOST_INPUT: usize = 4096;
/// Lisp looks at the mouse now and then. A button that goes up sooner, as a tap on a
/// touchpad does, might never be seen.
const SHORTEST_CLICK: Duration = Duration::from_millis(60);

/// What the user wants of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Lisp is to be interrupted.
    Break,
    /// The session is to end, somehow.
    Close,
    /// It is to be saved and to end.
    Save,
    /// It is to end.
    Discard,
    /// A text is for the user's clipboard.
    Copy(String),
    /// What is selected is for it.
    CopySelection,
}

/// A display and the user in front of it.
pub struct User {
    front: Box<dyn FrontEnd>,
    panel: Panel,
    canvas: Canvas,
    /// Input that Lisp has not got: the first has to wait, and the rest behind it.
    queue: VecDeque<Input>,
    /// Text that Lisp has no room for.
    text: VecDeque<char>,
    /// Transitions since Lisp's ring was seen empty.
    in_ring: usize,
    wishes: VecDeque<Wish>,
    /// When the button that went down last did so.
    pressed: Option<(Button, Instant)>,
}

impl User {
    /// The user who sits at `front`; `panel` is the machine's display.
    pub fn new(front: Box<dyn FrontEnd>, panel: Panel) -> Self {
        Self {
            front,
            panel,
            canvas: Canvas::default(),
            queue: VecDeque::new(),
            text: VecDeque::new(),
            in_ring: 0,
            wishes: VecDeque::new(),
            pressed: None,
        }
    }

    /// The user sits somewhere else now.
    pub fn sit_at(&mut self, front: Box<dyn FrontEnd>) {
        self.front = front;
        self.canvas = Canvas::default();
    }

    /// Gives Lisp what the user did since the last time.
    pub(super) fn act<G: Generation>(&mut self, machine: &mut Machine<'_, G>, time: &mut Time) {
        while let Some(input) = self.front.next_input() {
            self.take(input);
        }
        if !machine.input_waiting() {
            self.in_ring = 0;
        }
        self.type_text(machine, time);
        while let Some(input) = self.queue.pop_front() {
            if self.must_wait(&input) {
                self.queue.push_front(input);
                return;
            }
            time.disturb();
            match input {
                Input::Key(Key(number), down) => {
                    machine.key(number, down);
                    self.in_ring += 1;
                }
                Input::Button(button, down) => {
                    self.pressed = down.then(|| (button, Instant::now()));
                    machine.button(button, down);
                    self.in_ring += 1;
                }
                Input::Text(text) => self.text.extend(text.chars()),
                Input::Pointer(to) => machine.move_pointer(to.x, to.y),
                Input::Break | Input::Close | Input::Copy | Input::Answer(_) => {}
            }
        }
        self.type_text(machine, time);
    }

    /// Puts what is for Lisp behind what Lisp has not taken; of positions of the pointer
    /// only the latest matters. Wishes do not wait for Lisp.
    fn take(&mut self, input: Input) {
        let wish = match input {
            Input::Break => Wish::Break,
            Input::Close => Wish::Close,
            Input::Copy => Wish::CopySelection,
            Input::Answer(Answer::Save) => Wish::Save,
            Input::Answer(Answer::Discard) => Wish::Discard,
            Input::Answer(Answer::Cancel) => return,
            _ => {
                if let (Some(Input::Pointer(_)), Input::Pointer(_)) = (self.queue.back(), &input) {
                    self.queue.pop_back();
                }
                if self.queue.len() < MOST_INPUT {
                    self.queue.push_back(input);
                }
                return;
            }
        };
        self.wishes.push_back(wish);
    }

    /// The next wish.
    pub(super) fn next_wish(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    /// Asks what is to become of the session.
    pub(super) fn ask_to_close(&mut self, problem: Option<String>) {
        self.front.tell(Notice::AskToClose(problem));
    }

    /// Puts a text on the user's clipboard; if there is none the bell tells.
    pub(super) fn copy(&mut self, text: Option<String>) {
        self.front.tell(text.map_or(Notice::Bell, Notice::Copy));
    }

    fn must_wait(&self, input: &Input) -> bool {
        match (input, self.pressed) {
            (Input::Button(button, false), Some((pressed, at))) if *button == pressed => {
                at.elapsed() < SHORTEST_CLICK
            }
            // Keys that Lisp has not taken come before the text.
            (Input::Text(_), _) => self.in_ring > 0,
            _ => self.in_ring >= RING,
        }
    }

    /// Has Lisp's buffer take as much of the text as it wants.
    fn type_text<G: Generation>(&mut self, machine: &mut Machine<'_, G>, time: &mut Time) {
        while machine.typed_ahead() < TYPED_AHEAD
            && let Some(character) = self.text.pop_front()
        {
            time.disturb();
            if let Some(code) = xccs::code(character) {
                // A Lisp without a buffer reads no text.
                machine.type_character(code);
            }
        }
    }

    /// Shows the user what is new.
    pub(super) fn show<G: Generation>(&mut self, machine: &Machine<'_, G>) {
        for notice in self.panel.take_notices() {
            self.front.tell(notice);
        }
        let front = self.front.as_mut();
        self.canvas
            .refresh(&machine.screen(), machine.display, front);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::{Frame, ScreenSize};
    use crate::script::Point;
    use crate::session::ClockKind;
    use geiko_runtime::layout::records::io_page;
    use geiko_runtime::layout::{IO_PAGE, Medley2};
    use geiko_runtime::memory::AddressSpace;
    use geiko_runtime::testing::with_machine;

    /// A front end of a user who does these things.
    struct Script(VecDeque<Input>);

    impl FrontEnd for Script {
        fn is_ready(&self) -> bool {
            false
        }
        fn present(&mut self, _: &Frame) {}
        fn tell(&mut self, _: Notice) {}
        fn next_input(&mut self) -> Option<Input> {
            self.0.pop_front()
        }
    }

    #[test]
    fn a_click_is_long_enough_to_be_seen_where_it_was_made() {
        with_machine::<Medley2>(|mut m| {
            m.release_all_keys();
            let pointer = |x| Input::Pointer(Point { x, y: 7 });
            let button = |down| Input::Button(Button::Left, down);
            let inputs = [pointer(5), button(true), button(false), pointer(9)];
            let front = Box::new(Script(inputs.into()));
            let mut user = User::new(front, Panel::new(ScreenSize::DEFAULT));
            let space = AddressSpace::<Medley2>::reserve().unwrap();
            let (mut time, _) = Time::new(ClockKind::Real, space.attention());
            let is_down =
                |m: &Machine<'_, Medley2>| m.mem.word(IO_PAGE.add(io_page::UTIL_IN)) != 0xFFFF;
            let start = Instant::now();
            user.act(&mut m, &mut time);
            assert!(is_down(&m));
            while is_down(&m) {
                assert_eq!(m.mouse_position(), (5, 7));
                std::thread::sleep(Duration::from_millis(1));
                user.act(&mut m, &mut time);
            }
            assert!(start.elapsed() >= SHORTEST_CLICK);
            assert_eq!(m.mouse_position(), (9, 7));
        });
    }
}
