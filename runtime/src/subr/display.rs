//! Services for the screen, the pointer and the bell (`reference/subrs.md`
//! section 2).

use super::{Args, Outcome};
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;

/// The value of a service that returns nothing: its last argument.
pub(super) fn last(args: &Args) -> Outcome {
    Outcome::Value(match args.count() {
        0 => LispPtr::NIL,
        count => args.get(count - 1),
    })
}

impl<G: Generation> Machine<'_, G> {
    /// The low 16 bits of an integer; 0 for anything else.
    fn word_argument(&self, args: &Args, n: usize) -> u16 {
        self.integer(args.get(n)).unwrap_or(0) as u16
    }

    /// DSPBOUT: one character to the console, with CR as end of line.
    pub(super) fn subr_dsp_bout(&mut self, args: &Args) -> Outcome {
        let character = (self.word_argument(args, 0) & 0x7F) as u8;
        self.devices.display.console(match character {
            b'\r' => b'\n',
            other => other,
        });
        last(args)
    }

    /// SHOWDISPLAY: NIL in the place of a bitmap blanks the screen.
    pub(super) fn subr_show_display(&mut self, args: &Args) -> Outcome {
        self.show_display(!args.get(0).is_nil());
        last(args)
    }

    /// DSPCURSOR: the cursor picture has changed. Medley 2 passes no hot spot.
    pub(super) fn subr_dsp_cursor(&mut self, args: &Args) -> Outcome {
        let hot_spot =
            (args.count() >= 2).then(|| (self.word_argument(args, 0), self.word_argument(args, 1)));
        self.set_cursor(hot_spot);
        last(args)
    }

    /// SETMOUSEXY: Lisp moves the pointer.
    pub(super) fn subr_set_mouse_xy(&mut self, args: &Args) -> Outcome {
        self.warp_mouse(self.word_argument(args, 0), self.word_argument(args, 1));
        last(args)
    }

    /// DSP-VIDEOCOLOR: inverse video; T if it is on now.
    pub(super) fn subr_video_color(&mut self, args: &Args) -> Outcome {
        let inverse = self.word_argument(args, 0) != 0;
        self.set_inverse_video(inverse);
        Outcome::Value(LispPtr::from_bool(inverse))
    }

    /// DSP-SCREENWIDTH.
    pub(super) fn subr_screen_width(&mut self) -> Outcome {
        Outcome::Value(LispPtr::smallpos(self.screen().width()))
    }

    /// DSP-SCREENHEIGHT.
    pub(super) fn subr_screen_height(&mut self) -> Outcome {
        Outcome::Value(LispPtr::smallpos(self.screen().height()))
    }

    /// BITBLTSUB.
    pub(super) fn subr_bitblt_sub(&mut self, args: &Args) -> Outcome {
        self.bitblt_sub(args);
        last(args)
    }

    /// BLTCHAR.
    pub(super) fn subr_blt_char(&mut self, args: &Args) -> Outcome {
        self.blt_char(args);
        last(args)
    }

    /// TEDIT.BLTCHAR.
    pub(super) fn subr_tedit_blt_char(&mut self, args: &Args) -> Outcome {
        self.tedit_blt_char(args)
    }

    /// BITBLT.BITMAP.
    pub(super) fn subr_bitblt_bitmap(&mut self, args: &Args) -> Outcome {
        self.bitblt_bitmap(args)
    }

    /// BLTSHADE.BITMAP.
    pub(super) fn subr_bltshade_bitmap(&mut self, args: &Args) -> Outcome {
        self.bltshade_bitmap(args)
    }

    /// NEW-BLTCHAR.
    pub(super) fn subr_new_blt_char(&mut self, args: &Args) -> Outcome {
        self.new_blt_char(args)
    }

    /// KEYBOARDBEEP: T sounds the bell at a frequency, NIL silences it.
    pub(super) fn subr_keyboard_beep(&mut self, args: &Args) -> Outcome {
        let frequency = self.integer(args.get(1)).unwrap_or(0).max(0) as u32;
        self.devices
            .display
            .beep(args.get(0) == LispPtr::T, frequency);
        last(args)
    }

    /// KEYBOARDMAP: a code for a maintenance panel that no host has.
    pub(super) fn subr_keyboard_map(&mut self, args: &Args) -> Outcome {
        last(args)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::device::Display;
    use crate::layout::{Medley2, Medley3};
    use crate::testing::with_machine;

    /// A display that writes down what it is told.
    #[derive(Clone, Default)]
    struct Recorder(Rc<RefCell<Vec<String>>>);

    impl Recorder {
        fn note(&self, what: String) {
            self.0.borrow_mut().push(what);
        }
    }

    impl Display for Recorder {
        fn size(&self) -> (u16, u16) {
            (1152, 900)
        }
        fn show(&mut self, on: bool) {
            self.note(format!("show {on}"));
        }
        fn invert(&mut self, inverse: bool) {
            self.note(format!("invert {inverse}"));
        }
        fn cursor_changed(&mut self) {
            self.note("cursor".into());
        }
        fn warp_pointer(&mut self, x: u16, y: u16) {
            self.note(format!("pointer {x} {y}"));
        }
        fn beep(&mut self, on: bool, frequency: u32) {
            self.note(format!("beep {on} {frequency}"));
        }
        fn console(&mut self, character: u8) {
            self.note(format!("console {character}"));
        }
    }

    fn services<G: Generation>() {
        with_machine::<G>(|mut m| {
            let recorder = Recorder::default();
            m.devices.display = Box::new(recorder.clone());
            let number = LispPtr::smallpos;
            let (nil, t) = (LispPtr::NIL, LispPtr::T);
            for (service, args, value, told) in [
                (9, vec![number(0x8D)], number(0x8D), Some("console 10")),
                (19, vec![nil, number(9)], number(9), Some("show false")),
                (19, vec![t, number(9)], number(9), Some("show true")),
                (64, vec![number(3), number(12)], number(12), Some("cursor")),
                (
                    65,
                    vec![number(7), number(8)],
                    number(8),
                    Some("pointer 10 11"),
                ),
                (64, vec![], nil, Some("cursor")),
                (
                    65,
                    vec![number(7), number(8)],
                    number(8),
                    Some("pointer 7 8"),
                ),
                (66, vec![number(1)], t, Some("invert true")),
                (66, vec![number(0)], nil, Some("invert false")),
                (67, vec![], number(1152), None),
                (68, vec![], number(900), None),
                (80, vec![t, number(440)], number(440), Some("beep true 440")),
                (80, vec![nil], nil, Some("beep false 0")),
                (81, vec![number(9005)], number(9005), None),
            ] {
                let outcome = m.call_subr(service, &Args::new(args));
                assert_eq!(outcome, Outcome::Value(value), "service {service}");
                let told: Vec<String> = told.into_iter().map(String::from).collect();
                assert_eq!(recorder.0.take(), told, "service {service}");
            }
            assert!(m.display.shown);
            assert_eq!(m.mouse_position(), (7, 8));
        });
    }

    #[test]
    fn services_reach_the_display() {
        services::<Medley2>();
        services::<Medley3>();
    }

    #[test]
    fn any_arguments_are_survived() {
        with_machine::<Medley3>(|mut m| {
            for service in [9, 19, 64, 65, 66, 69, 70, 71, 72, 73, 80, 81, 135] {
                for value in [LispPtr::NIL, LispPtr(!0), LispPtr(0x1234_5678)] {
                    for count in [0, 1, 16] {
                        m.call_subr(service, &Args::new(vec![value; count]));
                    }
                }
            }
        });
    }
}
