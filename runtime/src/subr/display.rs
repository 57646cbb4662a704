//! Services for the screen, the pointer and the bell (`reference/subrs.md`
//! section 2).

use super::{Args, Outcome};
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::LispPtr;

/// The value of a service that returns nothing: its last argument.
fn last(args: &Args) -> Outcome {
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
