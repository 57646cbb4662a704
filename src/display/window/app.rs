//! The window's life: what the desktop tells and what Lisp's thread tells.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use winit::application::ApplicationHandler;
use winit::dpi::{PhysicalPosition, PhysicalSize};
use winit::event::{ElementState, KeyEvent, MouseButton, MouseScrollDelta, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow};
use winit::keyboard::ModifiersState;
use winit::window::{CustomCursor, Fullscreen, UserAttentionType, Window, WindowId};

use geiko_runtime::traps::keyboard::Button;

use super::keys;
use super::memory::{self, Geometry};
use super::palette::Palette;
use super::picture::Picture;
use super::question::Question;
use super::view::{self, SCALES};
use super::{WindowError, WindowOptions};
use crate::display::keyboard::{Action, Command, HostKey, Keyboard};
use crate::display::link::Viewer;
use crate::display::pointer::{Mouse, Wheel};
use crate::display::{Answer, Cursor, Frame, Input, Notice};

/// What Lisp's thread tells.
#[derive(Clone, Copy, Debug)]
pub enum Wake {
    /// There is something to take.
    News,
    /// It has ended.
    Ended,
}

/// Lines and columns of a pointer's shape.
const CURSOR_SIDE: usize = 16;
/// Shapes of pointers that are kept.
const MOST_CURSORS: usize = 64;
/// Time between two moves of a view that follows the pointer.
const FOLLOW_TIME: Duration = Duration::from_millis(16);
/// Windows are not larger than this part of the monitor at first.
const MOST_OF_MONITOR: f64 = 0.95;

/// One window.
pub struct App {
    options: WindowOptions,
    viewer: Viewer,
    shown: Option<Shown>,
    frame: Frame,
    keyboard: Keyboard,
    mouse: Mouse,
    wheel: Wheel,
    modifiers: ModifiersState,
    cursors: HashMap<(Cursor, usize), CustomCursor>,
    question: Option<Question>,
    /// The clipboard, once something was put there: X11 wants its owner to stay.
    clipboard: Option<arboard::Clipboard>,
    failure: Option<WindowError>,
}

/// What there is once the window is open.
struct Shown {
    window: Rc<Window>,
    picture: Picture,
    /// The scale at the start.
    usual_scale: f64,
    scale: f64,
    pointer: (f64, f64),
    /// When the view moves on.
    follow_at: Option<Instant>,
    /// Where the window is when it does not fill the monitor.
    geometry: Geometry,
}

impl App {
    /// A window to be, for what `viewer` brings.
    pub fn new(options: WindowOptions, viewer: Viewer) -> Self {
        Self {
            mouse: Mouse::new(options.buttons),
            options,
            viewer,
            shown: None,
            frame: Frame::default(),
            keyboard: Keyboard::default(),
            wheel: Wheel::default(),
            modifiers: ModifiersState::empty(),
            cursors: HashMap::new(),
            question: None,
            clipboard: None,
            failure: None,
        }
    }

    /// Why there is no window any more, if something went wrong.
    pub fn failure(self) -> Option<WindowError> {
        self.failure
    }

    /// There is no window any more: as if the user had closed it.
    pub fn fail(&mut self, error: WindowError) {
        self.failure.get_or_insert(error);
        self.viewer.send(Input::Close);
    }

    fn take_news(&mut self, event_loop: &ActiveEventLoop) {
        let notices = self.viewer.take(&mut self.frame);
        if self.failure.is_some() || self.frame.height() == 0 {
            return;
        }
        if self.shown.is_none() {
            match Shown::open(event_loop, &self.options, &self.frame) {
                Ok(shown) => {
                    tracing::debug!(size = ?shown.geometry.size, scale = shown.scale, "window");
                    self.shown = Some(shown);
                }
                Err(error) => return self.fail(error),
            }
        }
        if let Some(cursor) = self.frame.new_cursor() {
            self.set_cursor(event_loop, cursor);
        }
        for notice in notices {
            let Some(shown) = &self.shown else {
                return;
            };
            match notice {
                Notice::Warp(to) => {
                    let (x, y) = shown.picture.view().window_point(to);
                    // Not every desktop lets windows move the pointer.
                    let _ = shown
                        .window
                        .set_cursor_position(PhysicalPosition::new(x, y));
                }
                Notice::Bell if !shown.window.has_focus() => shown
                    .window
                    .request_user_attention(Some(UserAttentionType::Informational)),
                Notice::Bell => {}
                Notice::Copy(text) => copy(&mut self.clipboard, text),
                Notice::AskToClose(problem) => {
                    self.question = Some(Question::new(problem.as_deref()));
                    let actions = self.keyboard.leave();
                    self.act(actions);
                }
            }
        }
        self.request_redraw();
    }

    fn request_redraw(&self) {
        if let Some(shown) = &self.shown {
            shown.window.request_redraw();
        }
    }

    fn answer(&mut self, answer: Answer) {
        self.question = None;
        self.frame.set_new();
        self.request_redraw();
        self.viewer.send(Input::Answer(answer));
    }

    fn set_cursor(&mut self, event_loop: &ActiveEventLoop, cursor: Cursor) {
        let Some(shown) = &self.shown else {
            return;
        };
        let side = shown.picture.view().scale.round().max(1.0) as usize;
        if self.cursors.len() >= MOST_CURSORS {
            self.cursors.clear();
        }
        let cursors = &mut self.cursors;
        let shape = cursors.entry((cursor, side)).or_insert_with(|| {
            let palette = self.options.palette;
            event_loop.create_custom_cursor(shape(cursor, side, palette))
        });
        shown.window.set_cursor(shape.clone());
    }

    fn key(&mut self, event: &KeyEvent) {
        let (code, key) = keys::names(event, self.modifiers.control_key());
        let down = event.state == ElementState::Pressed;
        if let Some(question) = &self.question {
            if let (Some(answer), true) = (question.answer_of_key(&key), down) {
                self.answer(answer);
            }
            return;
        }
        tracing::trace!(code, key, down, "key");
        let key = HostKey {
            code: &code,
            key: &key,
            down,
        };
        let actions = self.keyboard.transition(key);
        self.act(actions);
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Lisp(input) => self.viewer.send(input),
                Action::Host(command) => self.obey(command),
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Break => self.viewer.send(Input::Break),
            Command::Copy => self.viewer.send(Input::Copy),
            Command::Close => self.viewer.send(Input::Close),
            Command::Paste => self.paste(),
            _ => {
                if let Some(shown) = &mut self.shown {
                    shown.obey(command);
                }
            }
        }
    }

    fn paste(&self) {
        let text = arboard::Clipboard::new().and_then(|mut clipboard| clipboard.get_text());
        // An empty clipboard is one without text, or none.
        if let Ok(text) = text {
            let text = text.replace("\r\n", "\n");
            self.viewer.send(Input::Text(text));
        }
    }

    fn mouse_button(&mut self, button: MouseButton, down: bool) {
        if let (Some(question), Some(shown)) = (&self.question, &self.shown) {
            let at = shown.picture.view().screen_point(shown.pointer);
            if let (Some(answer), true) = (question.answer_at(&self.frame, at), down) {
                self.answer(answer);
            }
            return;
        }
        let button = match button {
            MouseButton::Left => Button::Left,
            MouseButton::Middle => Button::Middle,
            MouseButton::Right => Button::Right,
            _ => return,
        };
        let actions = self.mouse.button(button, down, &mut self.keyboard);
        self.act(actions);
    }

    fn pointer_moved(&mut self, to: PhysicalPosition<f64>) {
        let Some(shown) = &mut self.shown else {
            return;
        };
        shown.pointer = (to.x, to.y);
        let point = shown.picture.view().screen_point(shown.pointer);
        self.viewer.send(Input::Pointer(point));
        if shown.picture.follow(shown.pointer) {
            shown.follow_at = Some(Instant::now() + FOLLOW_TIME);
            shown.window.request_redraw();
        }
    }

    fn redraw(&mut self) {
        let Some(shown) = &mut self.shown else {
            return;
        };
        let painted = match &self.question {
            None => shown.picture.paint(&mut self.frame),
            Some(question) => {
                let mut frame = self.frame.clone();
                question.draw(&mut frame);
                self.frame.set_shown();
                shown.picture.paint(&mut frame)
            }
        };
        tracing::trace!("painted");
        if let Err(error) = painted {
            self.fail(WindowError::new(error));
        }
    }
}

impl ApplicationHandler<Wake> for App {
    fn resumed(&mut self, _: &ActiveEventLoop) {}

    fn user_event(&mut self, event_loop: &ActiveEventLoop, wake: Wake) {
        match wake {
            Wake::News => self.take_news(event_loop),
            Wake::Ended => {
                if let Some(shown) = &self.shown {
                    memory::remember(shown.picture.view().screen, shown.geometry);
                }
                event_loop.exit();
            }
        }
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match event {
            WindowEvent::RedrawRequested => self.redraw(),
            WindowEvent::KeyboardInput {
                event,
                is_synthetic: false,
                ..
            } => self.key(&event),
            WindowEvent::ModifiersChanged(modifiers) => self.modifiers = modifiers.state(),
            WindowEvent::CursorMoved { position, .. } => self.pointer_moved(position),
            WindowEvent::MouseInput { state, button, .. } => {
                self.mouse_button(button, state == ElementState::Pressed);
            }
            WindowEvent::MouseWheel { delta, .. } => {
                let inputs = match delta {
                    MouseScrollDelta::LineDelta(right, up) => {
                        self.wheel.turn((right.into(), up.into()))
                    }
                    MouseScrollDelta::PixelDelta(pixels) => {
                        self.wheel.turn_pixels((pixels.x, pixels.y))
                    }
                };
                for input in inputs {
                    self.viewer.send(input);
                }
            }
            WindowEvent::Focused(false) => {
                let actions = self.keyboard.leave();
                self.act(actions);
            }
            WindowEvent::Resized(size) => {
                if let Some(shown) = &mut self.shown {
                    shown.resized(size);
                }
                // Pixels of another size want a pointer of another size.
                self.set_cursor(event_loop, self.frame.cursor());
            }
            WindowEvent::Moved(position) => {
                if let Some(shown) = &mut self.shown {
                    shown.moved(position);
                }
            }
            WindowEvent::CloseRequested => self.viewer.send(Input::Close),
            _ => {}
        }
    }

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        let Some(shown) = &mut self.shown else {
            return;
        };
        if shown.follow_at.is_some_and(|at| at <= Instant::now()) {
            shown.follow_at = None;
            let (x, y) = shown.pointer;
            self.pointer_moved(PhysicalPosition::new(x, y));
        }
        let follow_at = self.shown.as_ref().and_then(|shown| shown.follow_at);
        event_loop.set_control_flow(follow_at.map_or(ControlFlow::Wait, ControlFlow::WaitUntil));
    }
}

impl Shown {
    /// Opens the window for screens such as the one in `frame`.
    fn open(
        event_loop: &ActiveEventLoop,
        options: &WindowOptions,
        frame: &Frame,
    ) -> Result<Self, WindowError> {
        let screen = (frame.width(), frame.height());
        let monitor = event_loop
            .primary_monitor()
            .or_else(|| event_loop.available_monitors().next());
        let factor = monitor
            .as_ref()
            .map_or(1.0, |monitor| monitor.scale_factor());
        let mut scale = options.scale.on_monitor(factor);
        let known = memory::recall(screen);
        let mut size = view::size(screen, scale);
        if let Some(monitor) = monitor {
            let room = monitor.size();
            let most = |pixels: u32| (f64::from(pixels) * MOST_OF_MONITOR) as u32;
            while scale > 1.0 && (size.0 > most(room.width) || size.1 > most(room.height)) {
                scale = (scale - 1.0).max(1.0).floor();
                size = view::size(screen, scale);
            }
        }
        let size = known.map_or(size, |known| known.size);
        let mut attributes = Window::default_attributes()
            .with_title(&options.title)
            .with_inner_size(PhysicalSize::new(size.0, size.1));
        if let Some((x, y)) = known.and_then(|known| known.position) {
            attributes = attributes.with_position(PhysicalPosition::new(x, y));
        }
        if options.full_screen {
            attributes = attributes.with_fullscreen(Some(Fullscreen::Borderless(None)));
        }
        let window = event_loop.create_window(attributes);
        let window = Rc::new(window.map_err(WindowError::new)?);
        let fit = (options.fit, scale);
        let picture = Picture::new(event_loop, &window, screen, options.palette, fit)?;
        Ok(Self {
            window,
            picture,
            usual_scale: scale,
            scale,
            pointer: (0.0, 0.0),
            follow_at: None,
            geometry: Geometry {
                size,
                position: known.and_then(|known| known.position),
            },
        })
    }

    fn resized(&mut self, size: PhysicalSize<u32>) {
        self.picture.resize(size);
        self.window.request_redraw();
        if self.window.fullscreen().is_none() && size.width > 0 && size.height > 0 {
            self.geometry.size = (size.width, size.height);
        }
    }

    fn moved(&mut self, position: PhysicalPosition<i32>) {
        if self.window.fullscreen().is_none() {
            self.geometry.position = Some((position.x, position.y));
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::FullScreen => {
                let fills = self.window.fullscreen().is_some();
                let full = (!fills).then_some(Fullscreen::Borderless(None));
                self.window.set_fullscreen(full);
            }
            Command::Larger => self.zoom(self.scale.floor() + 1.0),
            Command::Smaller if self.scale > 1.0 => self.zoom(self.scale.ceil() - 1.0),
            Command::Smaller => self.zoom(self.scale / 2.0),
            Command::UsualSize => self.zoom(self.usual_scale),
            Command::Break | Command::Copy | Command::Close | Command::Paste => {}
        }
    }

    /// Shows the screen at another scale, in a window of that size.
    fn zoom(&mut self, scale: f64) {
        self.scale = scale.clamp(*SCALES.start(), *SCALES.end());
        self.picture.set_scale(self.scale);
        if self.window.fullscreen().is_none() {
            let (width, height) = view::size(self.picture.view().screen, self.scale);
            let size = PhysicalSize::new(width, height);
            if let Some(size) = self.window.request_inner_size(size) {
                self.resized(size);
            }
        }
        self.window.request_redraw();
    }
}

/// Puts a text on the desktop's clipboard.
fn copy(clipboard: &mut Option<arboard::Clipboard>, text: String) {
    if clipboard.is_none() {
        *clipboard = arboard::Clipboard::new().ok();
    }
    if let Some(clipboard) = clipboard
        && let Err(error) = clipboard.set_text(text)
    {
        tracing::warn!(%error, "the clipboard takes no text");
    }
}

/// The shape of a pointer, each of its pixels `side` window pixels wide and high.
fn shape(cursor: Cursor, side: usize, palette: Palette) -> winit::window::CustomCursorSource {
    let width = CURSOR_SIDE * side;
    let colour = if cursor.inverse {
        palette.paper
    } else {
        palette.ink
    };
    let [_, red, green, blue] = colour.to_be_bytes();
    let mut rgba = Vec::with_capacity(width * width * 4);
    for y in 0..width {
        for x in 0..width {
            let bit = cursor.lines[y / side] & 0x8000 >> (x / side) != 0;
            rgba.extend([red, green, blue, if bit { 0xFF } else { 0 }]);
        }
    }
    let inside = |at: u16| (usize::from(at) * side + side / 2).min(width - 1) as u16;
    let (x, y) = cursor.hot_spot;
    let side = width as u16;
    winit::window::CustomCursor::from_rgba(rgba, side, side, inside(x), inside(y))
        .expect("a square with its pixels and a place in it is a cursor")
}
