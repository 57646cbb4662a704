//! A window of the host's desktop.
//!
//! The window has the main thread, as desktops want it, and Lisp another one. Nothing
//! happens here unless the user does something or a frame comes: an idle window costs
//! no time. The libraries of X11 and Wayland are loaded when a window is wanted, so the
//! same program runs where there are none.

mod app;
mod keys;
mod memory;
mod paint;
mod palette;
mod picture;
mod question;
mod view;

use std::thread;

use winit::event_loop::EventLoop;

use super::link::{LinkFront, link};
use app::{App, Wake};

pub use super::pointer::Buttons;
pub use palette::Palette;
pub use view::{Fit, Scale};

/// Host stack for Lisp, of which only what is used becomes memory.
const LISP_STACK: usize = 64 << 20;

/// How a window is to be.
#[derive(Clone, Debug)]
pub struct WindowOptions {
    /// What stands above it.
    pub title: String,
    /// Its colours.
    pub palette: Palette,
    /// The size of pixels.
    pub scale: Scale,
    /// What happens when it has another size than the screen.
    pub fit: Fit,
    /// It fills the monitor.
    pub full_screen: bool,
    /// Buttons of the mouse.
    pub buttons: Buttons,
}

/// There is no window.
#[derive(Debug, thiserror::Error)]
#[error("cannot open a window: {0}")]
pub struct WindowError(String);

impl WindowError {
    /// What the desktop, or something on the way to it, said.
    pub fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// A place where windows can be.
pub struct Desktop(EventLoop<Wake>);

impl Desktop {
    /// The desktop of this host, if there is one.
    pub fn connect() -> Result<Self, WindowError> {
        let event_loop = EventLoop::with_user_event().build();
        event_loop.map(Self).map_err(WindowError::new)
    }

    /// Does `work` in a thread of its own, and shows what it presents to the front end
    /// that it gets in a window. There is no window before the first frame. Returns when
    /// the work is done.
    pub fn show<T: Send>(
        self,
        options: WindowOptions,
        work: impl FnOnce(LinkFront) -> T + Send,
    ) -> Result<T, WindowError> {
        let proxy = self.0.create_proxy();
        let wake = move |wake| {
            // A desktop that is gone need not be woken.
            let _ = proxy.send_event(wake);
        };
        let (front, viewer) = link({
            let wake = wake.clone();
            move || wake(Wake::News)
        });
        thread::scope(|scope| {
            let lisp = thread::Builder::new().name("lisp".into());
            let lisp = lisp.stack_size(LISP_STACK).spawn_scoped(scope, move || {
                let _end = AtEnd(|| wake(Wake::Ended));
                work(front)
            });
            let lisp = lisp.map_err(WindowError::new)?;
            let mut app = App::new(options, viewer);
            if let Err(error) = self.0.run_app(&mut app) {
                app.fail(WindowError::new(error));
            }
            let result = lisp.join();
            let result = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            app.failure().map_or(Ok(result), Err)
        })
    }
}

/// Does something when it goes, whatever the reason.
struct AtEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
