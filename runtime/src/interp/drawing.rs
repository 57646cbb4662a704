//! Instructions that draw.

use super::handler;
use crate::layout::Generation;
use crate::memory::LispPtr;

handler! {
    /// Bit-block transfer described by the record under the top of stack.
    pilotbitblt(m, s) {
        s.pop();
        m.pilot_bitblt(s.tos.masked::<G>());
        s.next(m, 1)
    }

    /// Inner loop of drawing a line.
    drawline(m, s) {
        if !s.below(5).is_small::<G>() {
            return s.ufn(m);
        }
        let raster = s.below(5).small_value::<G>().unwrap_or(0);
        let word = |n: u16| if n == 0 { s.tos.lo() } else { s.below(n).lo() };
        m.draw_line(
            s.below(8).masked::<G>(),
            word(7),
            word(6),
            raster,
            word(4),
            word(3),
            word(2),
            word(1),
            word(0),
        );
        s.replace(8, LispPtr::NIL);
        s.next(m, 1)
    }

    /// Read and change one pixel.
    misc7(m, s) {
        if s.operand(1) != 1 {
            return s.ufn(m);
        }
        let argument = |n: u16| m.integer(s.below(n));
        let (Some(x), Some(y), Some(operation), Some(height), Some(raster)) =
            (argument(5), argument(4), argument(3), argument(2), argument(1))
        else {
            return s.ufn(m);
        };
        let base = s.below(6).masked::<G>();
        let old = m.bitmap_bit(base, x, y, operation, height, raster);
        s.replace(6, LispPtr::smallpos(u16::from(old)));
        s.next(m, 2)
    }
}
