//! Frames, and what changed from one to the next.

use std::ops::Range;
use std::time::{Duration, Instant};

use geiko_runtime::accounts::Account;
use geiko_runtime::display::DisplayState;
use geiko_runtime::display::screen::Screen;
use geiko_runtime::layout::Generation;

use super::{Cursor, FrontEnd};

/// More frames than that in a second nobody sees.
pub const FRAMES_PER_SECOND: u32 = 60;

const FRAME_TIME: Duration = Duration::from_nanos(1_000_000_000 / FRAMES_PER_SECOND as u64);

/// A picture and which of its lines changed, and the shape of the pointer, which is
/// not part of the picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    width: u16,
    height: u16,
    /// Lines of `width / 8` bytes, 1 = black, the most significant bit leftmost.
    pixels: Vec<u8>,
    changed: Vec<bool>,
    cursor: Cursor,
    cursor_changed: bool,
}

impl Frame {
    /// A white picture of `width` (a multiple of 32) by `height` pixels that is
    /// new altogether.
    pub fn new((width, height): (u16, u16)) -> Self {
        let _account = Account::Display.open();
        Self {
            width,
            height,
            pixels: vec![0; usize::from(width / 8) * usize::from(height)],
            changed: vec![true; height.into()],
            cursor: Cursor::default(),
            cursor_changed: true,
        }
    }

    /// Pixels in a line, a multiple of 32.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Lines.
    pub fn height(&self) -> u16 {
        self.height
    }

    /// Line `y`: 8 pixels a byte, the most significant bit leftmost, 1 = black.
    pub fn line(&self, y: u16) -> &[u8] {
        let bytes = usize::from(self.width / 8);
        &self.pixels[usize::from(y) * bytes..][..bytes]
    }

    /// Stores another line `y`, which has changed then.
    pub(super) fn set_line(&mut self, y: u16, line: &[u8]) {
        let bytes = usize::from(self.width / 8);
        self.pixels[usize::from(y) * bytes..][..bytes].copy_from_slice(line);
        self.changed[usize::from(y)] = true;
    }

    /// The lines that changed, in runs from the top down.
    pub fn changed(&self) -> impl Iterator<Item = Range<u16>> + '_ {
        let mut y = 0;
        std::iter::from_fn(move || {
            let rest = &self.changed[usize::from(y)..];
            let start = y + rest.iter().position(|&changed| changed)? as u16;
            let run = self.changed[usize::from(start)..].iter();
            y = start + run.take_while(|&&changed| changed).count() as u16;
            Some(start..y)
        })
    }

    /// The shape of the pointer.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The shape of the pointer if it changed.
    pub fn new_cursor(&self) -> Option<Cursor> {
        self.cursor_changed.then_some(self.cursor)
    }

    fn has_changed(&self) -> bool {
        self.cursor_changed || self.changed.contains(&true)
    }

    /// Everything has been shown.
    pub fn set_shown(&mut self) {
        self.changed.fill(false);
        self.cursor_changed = false;
    }

    /// Nothing has been shown.
    pub fn set_new(&mut self) {
        self.changed.fill(true);
        self.cursor_changed = true;
    }

    /// Takes over what changed in `newer`.
    pub fn take_over(&mut self, newer: &Self) {
        if (self.width, self.height) != (newer.width, newer.height) {
            let _account = Account::Display.open();
            *self = newer.clone();
            return;
        }
        for y in newer.changed().flatten() {
            self.set_line(y, newer.line(y));
        }
        if let Some(cursor) = newer.new_cursor() {
            self.set_cursor(cursor);
        }
    }

    /// Another shape of the pointer, which has changed then.
    pub(super) fn set_cursor(&mut self, cursor: Cursor) {
        self.cursor_changed |= self.cursor != cursor;
        self.cursor = cursor;
    }

    /// Compares with the screen and takes over what differs; a screen that is not
    /// `shown` is white.
    fn compare<G: Generation>(&mut self, screen: &Screen<'_, G>, shown: bool) {
        let mut line = vec![0; usize::from(self.width / 8)];
        for y in 0..self.height {
            if shown {
                screen.read_line(y, &mut line);
            }
            if self.line(y) != line {
                self.set_line(y, &line);
            }
        }
    }
}

/// The picture as it was presented last, and when the next is due.
#[derive(Debug)]
pub struct Canvas {
    frame: Frame,
    due: Instant,
}

impl Default for Canvas {
    fn default() -> Self {
        Self {
            frame: Frame::default(),
            due: Instant::now(),
        }
    }
}

impl Canvas {
    /// Presents to `front` what changed on the screen, if a frame is due. `state`
    /// tells whether there is anything to see and where the cursor points.
    pub fn refresh<G: Generation>(
        &mut self,
        screen: &Screen<'_, G>,
        state: DisplayState,
        front: &mut dyn FrontEnd,
    ) {
        let now = Instant::now();
        if now < self.due || !front.is_ready() {
            return;
        }
        // The session looks at the time only now and then; what it is late is not
        // lost, unless it is much.
        self.due = (self.due + FRAME_TIME).max(now - FRAME_TIME / 2);
        let size = (screen.width(), screen.height());
        if (self.frame.width, self.frame.height) != size {
            self.frame = Frame::new(size);
        }
        self.frame.compare(screen, state.shown);
        self.frame.set_cursor(Cursor {
            lines: screen.cursor(),
            hot_spot: state.hot_spot,
            inverse: state.inverse,
        });
        if self.frame.has_changed() {
            front.present(&self.frame);
            self.frame.set_shown();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::{Input, Notice};
    use geiko_runtime::layout::{DISPLAY, Medley2};
    use geiko_runtime::memory::AddressSpace;
    use proptest::prelude::*;

    /// A front end that keeps what it was shown.
    #[derive(Default)]
    struct Keeper {
        busy: bool,
        frame: Frame,
        presented: Vec<Vec<u16>>,
    }

    impl FrontEnd for Keeper {
        fn is_ready(&self) -> bool {
            !self.busy
        }
        fn present(&mut self, frame: &Frame) {
            self.frame.take_over(frame);
            self.presented.push(frame.changed().flatten().collect());
        }
        fn tell(&mut self, _: Notice) {}
        fn next_input(&mut self) -> Option<Input> {
            None
        }
    }

    #[test]
    fn only_changed_lines_are_presented_and_none_is_lost() {
        let space = AddressSpace::<Medley2>::reserve().unwrap();
        let mem = space.view();
        let screen = || Screen::new(mem, (64, 5), false);
        let (mut canvas, mut keeper) = (Canvas::default(), Keeper::default());
        let mut look = |keeper: &mut Keeper, shown| {
            let state = DisplayState {
                shown,
                ..DisplayState::default()
            };
            canvas.due = Instant::now();
            canvas.refresh(&screen(), state, keeper);
        };
        look(&mut keeper, true);
        look(&mut keeper, true);
        assert_eq!(keeper.presented, [[0, 1, 2, 3, 4]]);
        // A line is 4 words long.
        mem.set_word(DISPLAY.add(4), 1);
        mem.set_word(DISPLAY.add(15), 2);
        mem.set_word(DISPLAY.add(16), 3);
        keeper.busy = true;
        look(&mut keeper, true);
        keeper.busy = false;
        look(&mut keeper, true);
        look(&mut keeper, true);
        assert_eq!(keeper.presented[1..], [[1, 3, 4]]);
        assert_eq!(keeper.frame.pixels, screen().picture(false));
        look(&mut keeper, false);
        assert_eq!(keeper.presented[2..], [[1, 3, 4]]);
        assert_eq!(keeper.frame.pixels, [0; 40]);
    }

    #[test]
    fn frames_come_at_their_rate() {
        let space = AddressSpace::<Medley2>::reserve().unwrap();
        let mem = space.view();
        let (mut canvas, mut keeper) = (Canvas::default(), Keeper::default());
        let start = Instant::now();
        let mut value = 0u16;
        while start.elapsed() < FRAME_TIME * 10 {
            value = value.wrapping_add(1);
            mem.set_word(DISPLAY, value);
            let screen = Screen::new(mem, (32, 1), false);
            canvas.refresh(&screen, DisplayState::default(), &mut keeper);
        }
        // Lateness may have been made up for, once.
        let most = (start.elapsed().as_nanos() / FRAME_TIME.as_nanos()) as usize + 3;
        let frames = keeper.presented.len();
        assert!((2..=most).contains(&frames), "{frames} of {most}");
    }

    proptest! {
        #[test]
        fn frames_taken_over_in_any_rhythm_show_the_screen(
            steps in prop::collection::vec((0u32..2 * 8, any::<u16>(), any::<bool>()), 1..40)
        ) {
            let mut screen = Frame::new((32, 8));
            let mut between = screen.clone();
            let mut shown = Frame::new((32, 8));
            for (word, value, look) in steps {
                let y = (word / 2) as u16;
                let mut line = screen.line(y).to_vec();
                line[word as usize % 2 * 2..][..2].copy_from_slice(&value.to_be_bytes());
                screen.set_line(y, &line);
                between.take_over(&screen);
                screen.set_shown();
                if look {
                    shown.take_over(&between);
                    between.set_shown();
                    prop_assert_eq!(&shown.pixels, &screen.pixels);
                }
            }
        }
    }
}
