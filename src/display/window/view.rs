//! Where the screen lies in a window, and how large its pixels are.

use crate::script::Point;

/// What happens when the window has another size than the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Fit {
    /// As large as fits in whole pixels, with a margin around it
    #[default]
    Letterbox,
    /// As large as fits, with pixels in between where needed
    Scale,
    /// Always of the size that --scale says; the pointer at an edge moves the view
    Scroll,
}

/// The size that a screen pixel has, in pixels of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Scale {
    /// What the monitor says
    #[default]
    Auto,
    /// So many pixels.
    Fixed(f64),
}

/// Smallest and largest scale.
pub const SCALES: std::ops::RangeInclusive<f64> = 0.25..=16.0;

impl Scale {
    /// Reads `auto` or a number.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        match text.parse() {
            Ok(scale) if SCALES.contains(&scale) => Ok(Self::Fixed(scale)),
            _ => Err(format!(
                "expected auto or a number between {} and {}",
                SCALES.start(),
                SCALES.end()
            )),
        }
    }

    /// The scale on a monitor that says that things should be so many times as large.
    pub fn on_monitor(self, factor: f64) -> f64 {
        match self {
            Self::Auto => factor.round().clamp(1.0, *SCALES.end()),
            Self::Fixed(scale) => scale,
        }
    }
}

/// A view of a screen in a window. Pixels of the window count from the upper left
/// corner of its inside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Screen pixels.
    pub screen: (u16, u16),
    /// Window pixels.
    pub window: (u32, u32),
    /// Window pixels that a screen pixel is wide and high.
    pub scale: f64,
    /// The window pixel where the upper left corner of the screen is; negative if it
    /// is outside.
    pub origin: (i32, i32),
}

impl View {
    /// The view of a screen in a window; `scale` is what the user chose.
    pub fn new(screen: (u16, u16), window: (u32, u32), fit: Fit, scale: f64) -> Self {
        let fitting = (f64::from(window.0) / f64::from(screen.0.max(1)))
            .min(f64::from(window.1) / f64::from(screen.1.max(1)));
        let scale = match fit {
            Fit::Scroll => scale,
            // A window that is just as large as it should be.
            _ if size(screen, scale) == window => scale,
            Fit::Letterbox if fitting >= 1.0 => fitting.floor(),
            _ => fitting,
        };
        let scale = scale.clamp(*SCALES.start(), *SCALES.end());
        let (width, height) = size(screen, scale);
        let middle = |window: u32, picture: u32| (window as i32 - picture as i32).max(0) / 2;
        Self {
            screen,
            window,
            scale,
            origin: (middle(window.0, width), middle(window.1, height)),
        }
    }

    /// Window pixels of the whole screen.
    pub fn size(&self) -> (u32, u32) {
        size(self.screen, self.scale)
    }

    /// The screen pixel at a place in the window, or the nearest one.
    pub fn screen_point(&self, (x, y): (f64, f64)) -> Point {
        let pixel = |at: f64, origin: i32, pixels: u16| {
            let pixel = ((at - f64::from(origin)) / self.scale).floor();
            pixel.clamp(0.0, f64::from(pixels.saturating_sub(1))) as u16
        };
        Point {
            x: pixel(x, self.origin.0, self.screen.0),
            y: pixel(y, self.origin.1, self.screen.1),
        }
    }

    /// The middle of a screen pixel in the window.
    pub fn window_point(&self, point: Point) -> (f64, f64) {
        let middle = |at: u16, origin: i32| f64::from(origin) + (f64::from(at) + 0.5) * self.scale;
        (
            middle(point.x, self.origin.0),
            middle(point.y, self.origin.1),
        )
    }

    /// Moves the view so that the surroundings of a place in the window can be seen;
    /// true if it moved. Only a screen that is larger than the window moves.
    pub fn follow(&mut self, (x, y): (f64, f64)) -> bool {
        let before = self.origin;
        let picture = self.size();
        let follow = |at: f64, origin: &mut i32, window: u32, picture: u32| {
            let hidden = picture.saturating_sub(window) as i32;
            if hidden == 0 {
                return;
            }
            // The nearer to the edge, the faster.
            let border = (f64::from(window) / 12.0).clamp(8.0, 64.0);
            let far = (border - at).max(0.0) - (at - (f64::from(window) - border)).max(0.0);
            *origin = (*origin + far.round() as i32).clamp(-hidden, 0);
        };
        follow(x, &mut self.origin.0, self.window.0, picture.0);
        follow(y, &mut self.origin.1, self.window.1, picture.1);
        self.origin != before
    }
}

/// Window pixels of a screen.
pub fn size((width, height): (u16, u16), scale: f64) -> (u32, u32) {
    let pixels = |pixels: u16| ((f64::from(pixels) * scale).round() as u32).max(1);
    (pixels(width), pixels(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: (u16, u16) = (1024, 768);

    #[test]
    fn screens_fit_in_windows() {
        for (window, fit, scale, expected, origin) in [
            ((1024, 768), Fit::Letterbox, 1.0, 1.0, (0, 0)),
            ((1536, 1152), Fit::Letterbox, 1.5, 1.5, (0, 0)),
            ((1600, 1200), Fit::Letterbox, 1.5, 1.0, (288, 216)),
            ((2100, 1700), Fit::Letterbox, 1.0, 2.0, (26, 82)),
            ((512, 768), Fit::Letterbox, 1.0, 0.5, (0, 192)),
            ((1280, 1200), Fit::Scale, 1.0, 1.25, (0, 120)),
            ((1280, 600), Fit::Scroll, 1.0, 1.0, (128, 0)),
            ((1280, 600), Fit::Scroll, 2.0, 2.0, (0, 0)),
            ((1, 1), Fit::Scale, 1.0, 0.25, (0, 0)),
        ] {
            let view = View::new(SCREEN, window, fit, scale);
            assert_eq!((view.scale, view.origin), (expected, origin), "{window:?}");
        }
    }

    #[test]
    fn points_go_to_the_window_and_back() {
        for scale in [0.5, 1.0, 1.5, 2.0, 3.7] {
            let view = View::new(SCREEN, (3000, 2000), Fit::Scroll, scale);
            for (x, y) in [(0, 0), (1023, 767), (17, 400)] {
                let point = Point { x, y };
                assert_eq!(view.screen_point(view.window_point(point)), point);
            }
            let corner = view.screen_point((-50.0, 99_999.0));
            assert_eq!(corner, Point { x: 0, y: 767 });
        }
    }

    #[test]
    fn a_view_follows_the_pointer_to_the_edge_and_not_beyond() {
        let mut view = View::new(SCREEN, (800, 768), Fit::Scroll, 1.0);
        assert!(!view.follow((400.0, 760.0)));
        while view.follow((795.0, 300.0)) {}
        assert_eq!(view.origin, (-224, 0));
        while view.follow((0.0, 300.0)) {}
        assert_eq!(view.origin, (0, 0));
    }

    #[test]
    fn scales() {
        assert_eq!(Scale::parse("auto"), Ok(Scale::Auto));
        assert_eq!(Scale::parse("1.5"), Ok(Scale::Fixed(1.5)));
        for wrong in ["", "x", "0", "-1", "NaN", "inf", "99"] {
            assert!(Scale::parse(wrong).is_err(), "{wrong}");
        }
        for (factor, scale) in [(0.8, 1.0), (1.25, 1.0), (1.5, 2.0), (2.0, 2.0)] {
            assert_eq!(Scale::Auto.on_monitor(factor), scale);
        }
        assert_eq!(Scale::Fixed(1.25).on_monitor(2.0), 1.25);
    }
}
