//! What a session and a viewer in another process say to each other: messages of a
//! length, a kind and what belongs to it. Numbers have their low bytes first.
//!
//! Who reads believes nothing: what is no message is an error, whatever it looks like.

use std::io::{self, Read, Write};

use geiko_runtime::traps::keyboard::Button;

use super::{Answer, Cursor, Frame, Input, Notice};
use crate::keys::Key;
use crate::script::Point;

/// A longer message is none: a screen has not more pixels.
pub const LONGEST: usize = 1 << 20;

const BUTTONS: [Button; 7] = [
    Button::Left,
    Button::Middle,
    Button::Right,
    Button::WheelUp,
    Button::WheelDown,
    Button::WheelLeft,
    Button::WheelRight,
];
const ANSWERS: [Answer; 3] = [Answer::Save, Answer::Discard, Answer::Cancel];

/// What a session tells its viewer.
#[derive(Debug, PartialEq, Eq)]
pub enum News<'a> {
    /// What changed in the picture, for [`take_frame`].
    Frame(&'a [u8]),
    /// Something else.
    Notice(Notice),
}

/// Writes the length of a message and the message.
pub fn write(to: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).map_err(io::Error::other)?;
    to.write_all(&[&length.to_le_bytes(), message].concat())
}

/// Reads a message into `message`; false at the end.
pub fn read(from: &mut impl Read, message: &mut Vec<u8>) -> io::Result<bool> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        result => result?,
    }
    message.resize(self::length(length)?, 0);
    from.read_exact(message)?;
    Ok(true)
}

/// The length that stands in front of a message.
pub fn length(bytes: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(bytes) as usize;
    match length {
        0..=LONGEST => Ok(length),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "too long")),
    }
}

/// The message for something that the user did.
pub fn input(input: &Input) -> Vec<u8> {
    match input {
        Input::Key(Key(number), down) => vec![b'k', *number, u8::from(*down)],
        Input::Text(text) => [b"t", text.as_bytes()].concat(),
        Input::Button(button, down) => vec![b'b', place(&BUTTONS, button), u8::from(*down)],
        Input::Pointer(to) => [&b"p"[..], &to.x.to_le_bytes(), &to.y.to_le_bytes()].concat(),
        Input::Break => vec![b'i'],
        Input::Copy => vec![b's'],
        Input::Close => vec![b'c'],
        Input::Answer(answer) => vec![b'a', place(&ANSWERS, answer)],
    }
}

/// What the user did.
pub fn read_input(message: &[u8]) -> Option<Input> {
    let mut bytes = Bytes(message);
    let input = match bytes.byte()? {
        b'k' => Input::Key(Key(bytes.byte()?), bytes.truth()?),
        b't' => Input::Text(bytes.text()?),
        b'b' => Input::Button(bytes.one_of(&BUTTONS)?, bytes.truth()?),
        b'p' => Input::Pointer(bytes.point()?),
        b'i' => Input::Break,
        b's' => Input::Copy,
        b'c' => Input::Close,
        b'a' => Input::Answer(bytes.one_of(&ANSWERS)?),
        _ => return None,
    };
    bytes.0.is_empty().then_some(input)
}

/// The message for a notice.
pub fn notice(notice: &Notice) -> Vec<u8> {
    match notice {
        Notice::Warp(to) => [&b"w"[..], &to.x.to_le_bytes(), &to.y.to_le_bytes()].concat(),
        Notice::Bell => vec![b'b'],
        Notice::Copy(text) => [b"x", text.as_bytes()].concat(),
        Notice::AskToClose(None) => vec![b'q'],
        Notice::AskToClose(Some(problem)) => [b"Q", problem.as_bytes()].concat(),
    }
}

/// The message for what changed in `frame`.
pub fn frame(frame: &Frame) -> Vec<u8> {
    let mut message = vec![b'f'];
    message.extend(frame.width().to_le_bytes());
    message.extend(frame.height().to_le_bytes());
    match frame.new_cursor() {
        None => message.push(0),
        Some(cursor) => {
            message.push(if cursor.inverse { 3 } else { 1 });
            let (x, y) = cursor.hot_spot;
            for word in cursor.lines.into_iter().chain([x, y]) {
                message.extend(word.to_le_bytes());
            }
        }
    }
    for run in frame.changed() {
        message.extend(run.start.to_le_bytes());
        message.extend(run.end.to_le_bytes());
        for y in run {
            message.extend(frame.line(y));
        }
    }
    message
}

/// What a session tells.
pub fn read_news(message: &[u8]) -> Option<News<'_>> {
    let mut bytes = Bytes(message);
    let notice = match bytes.byte()? {
        b'f' => return Some(News::Frame(bytes.0)),
        b'w' => Notice::Warp(bytes.point()?),
        b'b' => Notice::Bell,
        b'x' => Notice::Copy(bytes.text()?),
        b'q' => Notice::AskToClose(None),
        b'Q' => Notice::AskToClose(Some(bytes.text()?)),
        _ => return None,
    };
    bytes.0.is_empty().then_some(News::Notice(notice))
}

/// Takes over into `frame` what changed.
pub fn take_frame(news: &[u8], frame: &mut Frame) -> Option<()> {
    let mut bytes = Bytes(news);
    let size = (bytes.word()?, bytes.word()?);
    if usize::from(size.0 / 8) * usize::from(size.1) > LONGEST {
        return None;
    }
    if (frame.width(), frame.height()) != size {
        *frame = Frame::new(size);
    }
    let flags = bytes.byte()?;
    if flags != 0 {
        let mut lines = [0; 16];
        for line in &mut lines {
            *line = bytes.word()?;
        }
        frame.set_cursor(Cursor {
            lines,
            hot_spot: (bytes.word()?, bytes.word()?),
            inverse: flags & 2 != 0,
        });
    }
    while !bytes.0.is_empty() {
        let (start, end) = (bytes.word()?, bytes.word()?);
        if end > size.1 {
            return None;
        }
        for y in start..end {
            frame.set_line(y, bytes.take(usize::from(size.0 / 8))?);
        }
    }
    Some(())
}

fn place<T: PartialEq>(list: &[T], wanted: &T) -> u8 {
    let place = list.iter().position(|known| known == wanted);
    place.map_or(u8::MAX, |place| place as u8)
}

/// What is left of a message.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn truth(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn word(&mut self) -> Option<u16> {
        let bytes = self.take(2)?.try_into().ok()?;
        Some(u16::from_le_bytes(bytes))
    }

    fn point(&mut self) -> Option<Point> {
        Some(Point {
            x: self.word()?,
            y: self.word()?,
        })
    }

    fn one_of<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        list.get(usize::from(self.byte()?)).copied()
    }

    /// The rest as text.
    fn text(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.0);
        String::from_utf8(rest.into()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_said_arrives() {
        let point = Point { x: 3, y: 700 };
        let text = Input::Text("(é)\n".into());
        let mut inputs = vec![
            Input::Break,
            Input::Copy,
            Input::Close,
            text,
            Input::Pointer(point),
        ];
        for down in [true, false] {
            inputs.push(Input::Key(Key(41), down));
            inputs.extend(BUTTONS.map(|button| Input::Button(button, down)));
        }
        inputs.extend(ANSWERS.map(Input::Answer));
        let mut stream = Vec::new();
        for said in &inputs {
            write(&mut stream, &input(said)).unwrap();
        }
        let (mut stream, mut message) = (stream.as_slice(), Vec::new());
        for said in &inputs {
            assert!(read(&mut stream, &mut message).unwrap());
            assert_eq!(read_input(&message).as_ref(), Some(said));
        }
        assert!(!read(&mut stream, &mut message).unwrap());
        for told in [
            Notice::Warp(point),
            Notice::Bell,
            Notice::Copy("ä\n".into()),
            Notice::AskToClose(None),
            Notice::AskToClose(Some("the disk is full".into())),
        ] {
            assert_eq!(read_news(&notice(&told)), Some(News::Notice(told)));
        }
    }

    #[test]
    fn pictures_arrive_as_far_as_they_changed() {
        let mut sent = Frame::new((64, 9));
        sent.set_cursor(Cursor {
            lines: [0x8001; 16],
            hot_spot: (3, 15),
            inverse: true,
        });
        let mut seen = Frame::default();
        let mut send = |sent: &mut Frame| {
            let message = frame(sent);
            let Some(News::Frame(news)) = read_news(&message) else {
                panic!("no frame");
            };
            take_frame(news, &mut seen).unwrap();
            sent.set_shown();
            assert!((0..9).all(|y| seen.line(y) == sent.line(y)));
            assert_eq!(seen.cursor(), sent.cursor());
            message.len()
        };
        let whole = send(&mut sent);
        for y in [2, 3, 8] {
            sent.set_line(y, &[y as u8; 8]);
        }
        assert!(send(&mut sent) < whole);
    }

    proptest! {
        #[test]
        fn what_is_no_message_is_none(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            read_input(&bytes);
            read_news(&bytes);
            let mut frame = Frame::new((32, 4));
            take_frame(&bytes, &mut frame);
            let mut tall = vec![32, 0, 4, 0, 0];
            tall.extend(&bytes);
            take_frame(&tall, &mut frame);
            let mut message = Vec::new();
            prop_assert!(read(&mut bytes.as_slice(), &mut message).is_ok() || message.len() <= LONGEST);
        }
    }
}
