//! The display as the machine knows it.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use geiko_runtime::device::Display;

use super::{Notice, ScreenSize};
use crate::script::Point;

/// The display device. What Lisp draws and what the cursor looks like is found in
/// memory; the rest is kept for the session. The console is standard output.
#[derive(Clone, Debug)]
pub struct Panel {
    size: ScreenSize,
    notices: Rc<RefCell<Vec<Notice>>>,
}

impl Panel {
    /// A display with a screen of that size.
    pub fn new(size: ScreenSize) -> Self {
        Self {
            size,
            notices: Rc::default(),
        }
    }

    /// What Lisp did to its display, besides drawing, since the last question.
    pub fn take_notices(&self) -> Vec<Notice> {
        self.notices.take()
    }

    /// Of two notices of a kind the later one counts.
    fn note(&self, notice: Notice) {
        let mut notices = self.notices.borrow_mut();
        let kind = std::mem::discriminant(&notice);
        notices.retain(|known| std::mem::discriminant(known) != kind);
        notices.push(notice);
    }
}

impl Display for Panel {
    fn size(&self) -> (u16, u16) {
        (self.size.width, self.size.height)
    }

    fn show(&mut self, _: bool) {}

    fn invert(&mut self, _: bool) {}

    fn cursor_changed(&mut self) {}

    fn warp_pointer(&mut self, x: u16, y: u16) {
        self.note(Notice::Warp(Point { x, y }));
    }

    fn beep(&mut self, on: bool, _: u32) {
        if on {
            self.note(Notice::Bell);
        }
    }

    fn console(&mut self, character: u8) {
        let character = if character == b'\r' { b'\n' } else { character };
        let mut out = std::io::stdout().lock();
        // A console that is gone is no reason to stop Lisp.
        let _ = out.write_all(&[character]);
        if character == b'\n' {
            let _ = out.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_notice_of_a_kind_is_kept() {
        let mut panel = Panel::new(ScreenSize::DEFAULT);
        let session = panel.clone();
        panel.warp_pointer(1, 2);
        panel.beep(true, 440);
        panel.beep(false, 0);
        panel.warp_pointer(3, 4);
        let warp = Notice::Warp(Point { x: 3, y: 4 });
        assert_eq!(session.take_notices(), [Notice::Bell, warp]);
        assert_eq!(session.take_notices(), []);
    }
}
