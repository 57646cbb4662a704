//! What is in a window: the screen, as large as the window lets it be.

use std::num::NonZeroU32;
use std::rc::Rc;

use softbuffer::{Context, Rect, SoftBufferError, Surface};
use winit::dpi::PhysicalSize;
use winit::event_loop::{ActiveEventLoop, OwnedDisplayHandle};
use winit::window::Window;

use super::WindowError;
use super::paint::Painter;
use super::palette::Palette;
use super::view::{Fit, View};
use crate::display::Frame;

/// The content of a window.
pub struct Picture {
    surface: Surface<OwnedDisplayHandle, Rc<Window>>,
    painter: Painter,
    fit: Fit,
    /// The scale that the user chose.
    scale: f64,
    view: View,
    /// The margin must be painted, too.
    is_new: bool,
}

impl Picture {
    /// A picture of a screen of that size.
    pub fn new(
        event_loop: &ActiveEventLoop,
        window: &Rc<Window>,
        screen: (u16, u16),
        palette: Palette,
        (fit, scale): (Fit, f64),
    ) -> Result<Self, WindowError> {
        let context = Context::new(event_loop.owned_display_handle()).map_err(WindowError::new)?;
        let surface = Surface::new(&context, Rc::clone(window)).map_err(WindowError::new)?;
        let size = window.inner_size();
        Ok(Self {
            surface,
            painter: Painter::new(palette),
            fit,
            scale,
            view: View::new(screen, (size.width, size.height), fit, scale),
            is_new: true,
        })
    }

    /// Where the screen is in the window.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The window has another size.
    pub fn resize(&mut self, size: PhysicalSize<u32>) {
        let size = (size.width, size.height);
        if size != self.view.window {
            self.view = View::new(self.view.screen, size, self.fit, self.scale);
            self.is_new = true;
        }
    }

    /// The user chose another scale.
    pub fn set_scale(&mut self, scale: f64) {
        self.scale = scale;
        self.view = View::new(self.view.screen, self.view.window, self.fit, scale);
        self.is_new = true;
    }

    /// The view moves so that the pointer's surroundings can be seen; true if it did.
    pub fn follow(&mut self, pointer: (f64, f64)) -> bool {
        let moved = self.fit == Fit::Scroll && self.view.follow(pointer);
        self.is_new |= moved;
        moved
    }

    /// Brings what changed in `frame` into the window.
    pub fn paint(&mut self, frame: &mut Frame) -> Result<(), SoftBufferError> {
        let (width, height) = self.view.window;
        let (Some(columns), Some(rows)) = (NonZeroU32::new(width), NonZeroU32::new(height)) else {
            return Ok(());
        };
        self.surface.resize(columns, rows)?;
        let mut pixels = self.surface.buffer_mut()?;
        let keeps_old_picture = pixels.age() == 1;
        if self.is_new || !keeps_old_picture {
            self.is_new = false;
            frame.set_new();
            self.painter.paint_margin(&self.view, &mut pixels);
            self.painter.paint(frame, &self.view, &mut pixels);
            pixels.present()?;
        } else {
            let painted = self.painter.paint(frame, &self.view, &mut pixels);
            let damage = painted.into_iter().filter_map(|rows| {
                Some(Rect {
                    x: 0,
                    y: rows.start,
                    width: columns,
                    height: NonZeroU32::new(rows.end - rows.start)?,
                })
            });
            let damage: Vec<Rect> = damage.collect();
            if !damage.is_empty() {
                pixels.present_with_damage(&damage)?;
            }
        }
        frame.set_shown();
        Ok(())
    }
}
