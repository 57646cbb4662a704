//! One browser tab that looks at a session, through a WebSocket.
//!
//! It says what its user does, as JSON; it is sent rectangles to draw, as
//! [`Patches`] makes them, and everything else as JSON. It confirms each rectangle; a tab
//! that is behind gets fewer frames, not older ones.

use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::patch::Patches;
use super::session::{Seat, Told};
use crate::display::keyboard::{Action, Command, HostKey, Keyboard};
use crate::display::pointer::{Buttons, Mouse, Wheel};
use crate::display::window::Palette;
use crate::display::{Answer, Cursor, Input, Notice};
use crate::script::Point;
use geiko_runtime::traps::keyboard::Button;

/// A longer message is refused; what is pasted comes in parts.
pub const LONGEST_MESSAGE: usize = 64 << 10;
/// Rectangles that a tab has not confirmed.
const MOST_UNCONFIRMED: u32 = 4;
/// Messages a second, for long and at once. Nobody types so fast.
const MESSAGES_PER_SECOND: f64 = 500.0;
const MOST_AT_ONCE: f64 = 2000.0;
/// A tab that takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(20);
/// Buttons of a mouse as browsers number them.
const BUTTONS: [Button; 3] = [Button::Left, Button::Middle, Button::Right];

/// What a tab says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Said {
    /// A key with its `code` and `key` goes down or up.
    Key(String, String, bool),
    /// A button goes down or up.
    Button(usize, bool),
    /// The pointer is at a pixel.
    At(u16, u16),
    /// The wheel turned by notches to the right and up.
    Wheel(f64, f64),
    /// Text was entered that is not of keys.
    Text(String),
    /// The keyboard is somebody else's.
    Away,
    /// A command was chosen with the mouse.
    Do(Wanted),
    /// The question was answered.
    Answer(Wanted),
    /// A rectangle was drawn.
    Drawn,
    /// The tab is being closed.
    Bye,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Wanted {
    Break,
    Copy,
    Close,
    Save,
    Discard,
    Cancel,
}

/// What a tab is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Tell<'a> {
    Cursor(Shape<'a>),
    Bell,
    Copy(&'a str),
    Ask(Option<&'a str>),
    Answered,
    Do(&'static str),
    End(&'a str),
}

#[derive(Debug, Serialize)]
struct Shape<'a> {
    lines: &'a [u16; 16],
    spot: (u16, u16),
    colour: String,
}

/// Why a tab is not talked with any more.
#[derive(Debug)]
enum Parting {
    Gone,
    Strange,
    Ended(String),
}

/// What is the same for all tabs.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Colours of the screen.
    pub palette: Palette,
    /// Buttons of the mouse.
    pub buttons: Buttons,
}

/// Shows the session to a tab until one of them ends.
pub async fn show(mut socket: WebSocket, seat: Seat, manner: Manner) {
    let Manner { palette, buttons } = manner;
    let mut tab = Tab {
        seat,
        palette,
        patches: Patches::new(palette),
        unconfirmed: 0,
        has_news: true,
        keyboard: Keyboard::default(),
        mouse: Mouse::new(buttons),
        wheel: Wheel::default(),
        allowance: MOST_AT_ONCE,
        counted: Instant::now(),
    };
    let parting = tab.talk(&mut socket).await;
    tab.let_go();
    let (code, reason) = match parting {
        Parting::Gone => return,
        Parting::Strange => (
            close_code::POLICY,
            "that is not what a page of this server says",
        ),
        Parting::Ended(text) => {
            let _ = send(&mut socket, &Tell::End(&text)).await;
            (close_code::NORMAL, "the session has ended")
        }
    };
    let reason = reason.into();
    // Whether a tab hears why it is left alone does not matter.
    let _ = timeout(
        PATIENCE,
        socket.send(Message::Close(Some(CloseFrame { code, reason }))),
    )
    .await;
}

struct Tab {
    seat: Seat,
    palette: Palette,
    patches: Patches,
    unconfirmed: u32,
    has_news: bool,
    keyboard: Keyboard,
    mouse: Mouse,
    wheel: Wheel,
    allowance: f64,
    counted: Instant,
}

impl Tab {
    async fn talk(&mut self, socket: &mut WebSocket) -> Parting {
        let mut end = self.seat.live().end();
        let mut heard = Instant::now();
        let mut pulse = tokio::time::interval(PATIENCE / 2);
        loop {
            tokio::select! {
                message = socket.recv() => {
                    heard = Instant::now();
                    let text = match message {
                        Some(Ok(Message::Text(text))) => text,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                        Some(Ok(Message::Binary(_))) => return Parting::Strange,
                        Some(Err(_)) | Some(Ok(Message::Close(_))) | None => return Parting::Gone,
                    };
                    if !self.may_say_more() {
                        return Parting::Strange;
                    }
                    let Ok(said) = serde_json::from_str(&text) else {
                        return Parting::Strange;
                    };
                    for command in self.hear(said) {
                        if send(socket, &Tell::Do(command)).await.is_err() {
                            return Parting::Gone;
                        }
                    }
                }
                () = self.seat.wait() => self.has_news = true,
                _ = pulse.tick() => {
                    if heard.elapsed() > PATIENCE * 3
                        || timeout(PATIENCE, socket.send(Message::Ping(Default::default()))).await.is_err()
                    {
                        return Parting::Gone;
                    }
                }
                _ = end.changed() => {}
            }
            if self.tell(socket).await.is_err() {
                return Parting::Gone;
            }
            if let Some(text) = &*end.borrow() {
                return Parting::Ended(text.clone());
            }
        }
    }

    /// Whether the tab says no more than people can.
    fn may_say_more(&mut self) -> bool {
        let elapsed = self.counted.elapsed().as_secs_f64();
        self.counted = Instant::now();
        self.allowance = (self.allowance + elapsed * MESSAGES_PER_SECOND).min(MOST_AT_ONCE) - 1.0;
        self.allowance >= 0.0
    }

    /// Gives the session what the tab says; returns what the tab itself has to do.
    fn hear(&mut self, said: Said) -> Vec<&'static str> {
        let live = self.seat.live();
        match said {
            Said::Key(code, key, down) => {
                let (code, key) = (code.as_str(), key.as_str());
                let actions = self.keyboard.transition(HostKey { code, key, down });
                return self.act(actions);
            }
            Said::Away => {
                let actions = self.keyboard.leave();
                return self.act(actions);
            }
            Said::Button(number, down) => {
                if let Some(button) = BUTTONS.get(number) {
                    let actions = self.mouse.button(*button, down, &mut self.keyboard);
                    return self.act(actions);
                }
            }
            Said::At(x, y) => live.send(&Input::Pointer(Point { x, y })),
            Said::Wheel(right, up) if right.is_finite() && up.is_finite() => {
                for input in self.wheel.turn((right, up)) {
                    live.send(&input);
                }
            }
            Said::Wheel(..) => {}
            Said::Text(text) => live.send(&Input::Text(text.replace("\r\n", "\n"))),
            Said::Do(wanted) | Said::Answer(wanted) => live.send(&match wanted {
                Wanted::Break => Input::Break,
                Wanted::Copy => Input::Copy,
                Wanted::Close => Input::Close,
                Wanted::Save => Input::Answer(Answer::Save),
                Wanted::Discard => Input::Answer(Answer::Discard),
                Wanted::Cancel => Input::Answer(Answer::Cancel),
            }),
            Said::Drawn => self.unconfirmed = self.unconfirmed.saturating_sub(1),
            Said::Bye => self.seat.is_leaving = true,
        }
        Vec::new()
    }

    fn act(&mut self, actions: Vec<Action>) -> Vec<&'static str> {
        let live = self.seat.live();
        let mut own = Vec::new();
        for action in actions {
            match action {
                Action::Lisp(input) => live.send(&input),
                Action::Host(Command::Break) => live.send(&Input::Break),
                Action::Host(Command::Copy) => live.send(&Input::Copy),
                Action::Host(Command::Close) => live.send(&Input::Close),
                Action::Host(Command::Paste) => own.push("paste"),
                Action::Host(Command::FullScreen) => own.push("full"),
                Action::Host(Command::Larger) => own.push("larger"),
                Action::Host(Command::Smaller) => own.push("smaller"),
                Action::Host(Command::UsualSize) => own.push("usual"),
            }
        }
        own
    }

    /// Tells the tab what is new, as far as it keeps up.
    async fn tell(&mut self, socket: &mut WebSocket) -> Result<(), Parting> {
        for told in self.seat.take_told() {
            let tell = match &told {
                Told::Notice(Notice::Bell) => Tell::Bell,
                Told::Notice(Notice::Copy(text)) => Tell::Copy(text),
                Told::Notice(Notice::AskToClose(problem)) => Tell::Ask(problem.as_deref()),
                // Pages cannot move the pointer.
                Told::Notice(Notice::Warp(_)) => continue,
                Told::Answered => Tell::Answered,
            };
            send(socket, &tell).await?;
        }
        if !self.has_news || self.unconfirmed >= MOST_UNCONFIRMED {
            return Ok(());
        }
        self.has_news = false;
        let patches = &mut self.patches;
        let new = self
            .seat
            .show(|frame| (patches.take(frame), frame.new_cursor()));
        let (rectangles, cursor) = new.unwrap_or_default();
        if let Some(cursor) = cursor {
            send(socket, &Tell::Cursor(shape(&cursor, self.palette))).await?;
        }
        for rectangle in rectangles {
            self.unconfirmed += 1;
            send_message(socket, Message::Binary(rectangle.into())).await?;
        }
        Ok(())
    }

    /// What the tab held down goes up.
    fn let_go(&mut self) {
        let keys = self.keyboard.leave();
        self.act(keys);
        let buttons = self.mouse.leave();
        self.act(buttons);
    }
}

fn shape(cursor: &Cursor, palette: Palette) -> Shape<'_> {
    let colour = if cursor.inverse {
        palette.paper
    } else {
        palette.ink
    };
    Shape {
        lines: &cursor.lines,
        spot: cursor.hot_spot,
        colour: format!("#{colour:06x}"),
    }
}

async fn send(socket: &mut WebSocket, tell: &Tell<'_>) -> Result<(), Parting> {
    let text = serde_json::to_string(tell).unwrap_or_default();
    send_message(socket, Message::Text(text.into())).await
}

async fn send_message(socket: &mut WebSocket, message: Message) -> Result<(), Parting> {
    match timeout(PATIENCE, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Parting::Gone),
    }
}
