//! The question that is asked before a session ends, drawn over the picture.

use font8x8::UnicodeFonts;

use crate::display::{Answer, Frame};
use crate::script::Point;

/// Columns and lines of a character.
const CELL: usize = 8;
/// Lines from one line of text to the next.
const LINE: usize = 14;
/// Space around the text.
const MARGIN: usize = 12;

/// The possible answers: key, text.
const ANSWERS: [(char, &str, Answer); 3] = [
    ('s', "S   save it, then end", Answer::Save),
    ('d', "D   end without saving", Answer::Discard),
    ('c', "C   go on", Answer::Cancel),
];

/// A question to the user.
#[derive(Debug)]
pub struct Question {
    lines: Vec<String>,
}

/// Where it is in a picture: the corner of the first byte, bytes, and lines.
struct Place {
    left: usize,
    top: usize,
    bytes: usize,
    height: usize,
}

impl Question {
    /// What is to become of the session, which perhaps could not be saved.
    pub fn new(problem: Option<&str>) -> Self {
        let mut lines = vec!["What is to become of this session?".to_owned()];
        lines.extend(problem.map(|problem| format!("It was not saved: {problem}")));
        lines.push(String::new());
        lines.extend(ANSWERS.iter().map(|(_, text, _)| text.to_string()));
        Self { lines }
    }

    /// The answer that a key gives.
    pub fn answer_of_key(&self, key: &str) -> Option<Answer> {
        if key == "Escape" {
            return Some(Answer::Cancel);
        }
        let mut answers = ANSWERS.iter();
        let answer = answers.find(|(letter, ..)| key.eq_ignore_ascii_case(&letter.to_string()));
        answer.map(|answer| answer.2)
    }

    /// The answer that a click on a picture gives.
    pub fn answer_at(&self, frame: &Frame, at: Point) -> Option<Answer> {
        let place = self.place(frame);
        let x = usize::from(at.x).checked_sub(place.left * 8)?;
        let y = usize::from(at.y).checked_sub(place.top + MARGIN)?;
        let first = self.lines.len() - ANSWERS.len();
        let answer = ANSWERS.get((y / LINE).checked_sub(first)?)?;
        (x < place.bytes * 8).then_some(answer.2)
    }

    fn place(&self, frame: &Frame) -> Place {
        let (width, height) = (usize::from(frame.width() / 8), usize::from(frame.height()));
        let longest = self.lines.iter().map(|line| line.chars().count()).max();
        let bytes = (longest.unwrap_or_default() + 2 * MARGIN / CELL + 1).min(width);
        let lines = (self.lines.len() * LINE + 2 * MARGIN).min(height);
        Place {
            left: (width - bytes) / 2,
            top: (height - lines) / 3,
            bytes,
            height: lines,
        }
    }

    /// Draws it over a picture.
    pub fn draw(&self, frame: &mut Frame) {
        let place = self.place(frame);
        for y in 0..place.height {
            let mut line = frame.line((place.top + y) as u16).to_vec();
            let target = &mut line[place.left..][..place.bytes];
            let is_edge = y < 2 || y + 2 >= place.height;
            target.fill(if is_edge { 0xFF } else { 0 });
            if let (Some(first), true) = (target.first_mut(), !is_edge) {
                *first = 0xC0;
            }
            if let (Some(last), true) = (target.last_mut(), !is_edge) {
                *last = 0x03;
            }
            self.draw_text(y, target);
            frame.set_line((place.top + y) as u16, &line);
        }
    }

    /// Draws what line `y` has of the characters.
    fn draw_text(&self, y: usize, target: &mut [u8]) {
        let Some(inside) = y.checked_sub(MARGIN) else {
            return;
        };
        let (text, row) = (self.lines.get(inside / LINE), inside % LINE);
        let (Some(text), true) = (text, row < CELL) else {
            return;
        };
        let room = target.len().saturating_sub(2 * (MARGIN / CELL + 1));
        let start = MARGIN / CELL + 1;
        for (byte, character) in target[start.min(room)..]
            .iter_mut()
            .zip(text.chars().take(room))
        {
            let shape = font8x8::BASIC_FONTS.get(character).unwrap_or_default();
            // Its least significant bit is leftmost.
            *byte = shape[row].reverse_bits();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_clicks_answer() {
        let frame = Frame::new((1024, 768));
        let question = Question::new(Some("the disk is full"));
        for (key, answer) in [
            ("s", Some(Answer::Save)),
            ("D", Some(Answer::Discard)),
            ("Escape", Some(Answer::Cancel)),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(question.answer_of_key(key), answer, "{key}");
        }
        let place = question.place(&frame);
        let at = |line: usize| Point {
            x: 512,
            y: (place.top + MARGIN + line * LINE + 4) as u16,
        };
        let answers: Vec<_> = (0..7)
            .map(|line| question.answer_at(&frame, at(line)))
            .collect();
        let [save, discard, cancel] = ANSWERS.map(|answer| Some(answer.2));
        assert_eq!(answers, [None, None, None, save, discard, cancel, None]);
        assert_eq!(question.answer_at(&frame, Point { x: 0, y: at(3).y }), None);
    }

    #[test]
    fn any_picture_has_room() {
        let question = Question::new(Some(&"very ".repeat(100)));
        for size in [(32, 1), (160, 100), (1024, 768), (32, 2000)] {
            let mut frame = Frame::new(size);
            question.draw(&mut frame);
            question.answer_at(&frame, Point { x: 0, y: 0 });
            assert!(frame.line(0).len() == usize::from(size.0 / 8));
        }
    }

    #[test]
    fn the_text_can_be_read() {
        let mut frame = Frame::new((512, 200));
        Question::new(None).draw(&mut frame);
        let picture: String = (0..200)
            .flat_map(|y| {
                let line = frame.line(y)[..44].to_vec();
                let dots = line
                    .into_iter()
                    .flat_map(|byte| (0..8).map(move |bit| byte << bit & 0x80 != 0));
                let dots: String = dots.map(|dot| if dot { '#' } else { '.' }).collect();
                [dots, "\n".into()]
            })
            .collect();
        // The foot of the W of the first word.
        assert!(picture.contains("##...##"), "{picture}");
    }
}
