//! Reading scripts.

use std::iter::Peekable;
use std::path::PathBuf;
use std::str::Chars;
use std::time::Duration;

use geiko_runtime::traps::keyboard::Button;

use super::{DEFAULT_LIMIT, Event, Held, Line, Point, Problem, Script, ScriptError, Step};
use crate::keys::{self, Chord};

const STEPS: [&str; 11] = [
    "type",
    "key",
    "press",
    "release",
    "move",
    "click",
    "drag",
    "wait",
    "screenshot",
    "save",
    "quit",
];

impl Script {
    /// Reads the script `text` that came from `name`.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScriptError> {
        let mut lines = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let step = words(line).and_then(step).map_err(|problem| ScriptError {
                script: name.into(),
                line: index + 1,
                problem,
            })?;
            lines.extend(step.map(|step| Line {
                number: index + 1,
                step,
            }));
        }
        Ok(Self {
            name: name.into(),
            lines,
        })
    }
}

/// A word of a line.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    Bare(String),
    Text(String),
}

impl Word {
    fn into_string(self) -> String {
        match self {
            Self::Bare(word) | Self::Text(word) => word,
        }
    }
}

/// The words of a line, without its comment.
fn words(line: &str) -> Result<Words, Problem> {
    let mut words = Vec::new();
    let mut characters = line.chars().peekable();
    while let Some(&next) = characters.peek() {
        match next {
            '#' => break,
            '"' => {
                characters.next();
                words.push(Word::Text(text(&mut characters)?));
            }
            _ if next.is_whitespace() => {
                characters.next();
            }
            _ => {
                let mut word = String::new();
                while let Some(c) = characters.next_if(|c| !c.is_whitespace()) {
                    word.push(c);
                }
                words.push(Word::Bare(word));
            }
        }
    }
    Ok(Words(words.into_iter().peekable()))
}

/// The rest of a quoted text.
fn text(characters: &mut Peekable<Chars<'_>>) -> Result<String, Problem> {
    let mut text = String::new();
    while let Some(c) = characters.next() {
        match c {
            '"' => return Ok(text),
            '\\' => text.push(match characters.next().ok_or(Problem::OpenText)? {
                'n' => '\n',
                't' => '\t',
                'e' => '\x1B',
                same @ ('\\' | '"') => same,
                found => return Err(Problem::BadEscape { found }),
            }),
            _ => text.push(c),
        }
    }
    Err(Problem::OpenText)
}

/// The words of a line that are still to be read.
struct Words(Peekable<std::vec::IntoIter<Word>>);

impl Words {
    fn next(&mut self, expected: &'static str) -> Result<Word, Problem> {
        self.0.next().ok_or(Problem::Missing { expected })
    }

    /// A word that `read` understands.
    fn read<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Problem> {
        let found = self.next(expected)?.into_string();
        read(&found).ok_or(Problem::Unexpected { expected, found })
    }

    /// A word that `read` understands, or `default` at the end of the line.
    fn read_or<T>(
        &mut self,
        default: T,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Problem> {
        if self.0.peek().is_none() {
            return Ok(default);
        }
        self.read(expected, read)
    }

    fn coordinate(&mut self) -> Result<u16, Problem> {
        self.read("a number of pixels", |word| word.parse().ok())
    }

    fn point(&mut self) -> Result<Point, Problem> {
        Ok(Point {
            x: self.coordinate()?,
            y: self.coordinate()?,
        })
    }

    fn button(&mut self) -> Result<Button, Problem> {
        self.read_or(Button::Left, "left, middle or right", button)
    }

    fn path(&mut self) -> Result<PathBuf, Problem> {
        Ok(self.next("a file name")?.into_string().into())
    }

    fn duration(&mut self) -> Result<Duration, Problem> {
        self.read(DURATION, duration)
    }

    fn limit(&mut self) -> Result<Duration, Problem> {
        self.read_or(DEFAULT_LIMIT, DURATION, duration)
    }
}

const DURATION: &str = "a time such as 500ms, 2s or 1.5m";

fn button(word: &str) -> Option<Button> {
    match word.to_ascii_lowercase().as_str() {
        "left" => Some(Button::Left),
        "middle" => Some(Button::Middle),
        "right" => Some(Button::Right),
        _ => None,
    }
}

/// Reads `500ms`, `2s`, `1.5m`, `1h`.
pub fn duration(word: &str) -> Option<Duration> {
    let unit_at = word.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = word.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

/// The step that a line asks for; `None` for an empty line.
fn step(mut words: Words) -> Result<Option<Step>, Problem> {
    let Some(name) = words.0.next() else {
        return Ok(None);
    };
    let name = name.into_string();
    let step = match name.as_str() {
        "type" => Step::Type(typed(&mut words)?),
        "key" => Step::Keys(chords(&mut words)?),
        "press" => Step::Hold(held(&mut words)?, true),
        "release" => Step::Hold(held(&mut words)?, false),
        "move" => Step::Move(words.point()?),
        "click" => Step::Click(words.point()?, words.button()?),
        "drag" => Step::Drag(words.point()?, words.point()?, words.button()?),
        "wait" => wait(&mut words)?,
        "screenshot" => Step::Screenshot(words.path()?),
        "save" => Step::Save(words.path()?, words.limit()?),
        "quit" => Step::Quit(words.read_or(0, "a status from 0 to 255", |word| {
            word.parse::<u8>().ok().map(i32::from)
        })?),
        _ => {
            return Err(Problem::UnknownStep {
                like: similar(&name),
                found: name,
            });
        }
    };
    match words.0.next() {
        None => Ok(Some(step)),
        Some(word) => Err(Problem::Excess {
            found: word.into_string(),
        }),
    }
}

fn typed(words: &mut Words) -> Result<Vec<keys::Stroke>, Problem> {
    const TEXT: &str = "a text in double quotes";
    match words.next(TEXT)? {
        Word::Text(text) => text
            .chars()
            .map(|c| keys::stroke(c).ok_or(Problem::NoKey { found: c }))
            .collect(),
        Word::Bare(found) => Err(Problem::Unexpected {
            expected: TEXT,
            found,
        }),
    }
}

const KEY: &str = "a key such as Return, Ctrl-E or x";

fn chords(words: &mut Words) -> Result<Vec<Chord>, Problem> {
    let mut chords = vec![words.read(KEY, Chord::parse)?];
    while words.0.peek().is_some() {
        chords.push(words.read(KEY, Chord::parse)?);
    }
    Ok(chords)
}

fn held(words: &mut Words) -> Result<Held, Problem> {
    words.read("left, middle, right or a key", |word| {
        // The arrow keys go by their longer names here.
        button(word)
            .map(Held::Button)
            .or_else(|| keys::named(word).map(Held::Key))
            .or_else(|| {
                Chord::parse(word)
                    .filter(|chord| chord.modifiers.is_empty())
                    .map(|chord| Held::Key(chord.key))
            })
    })
}

fn wait(words: &mut Words) -> Result<Step, Problem> {
    const EXPECTED: &str = "a time, `idle`, `file` or `end`";
    let event = match words.next(EXPECTED)?.into_string().as_str() {
        "idle" => Event::Idle(words.duration()?),
        "file" => Event::File(words.path()?),
        "end" => Event::End,
        other => {
            return duration(other)
                .map(Step::Pause)
                .ok_or_else(|| Problem::Unexpected {
                    expected: EXPECTED,
                    found: other.into(),
                });
        }
    };
    Ok(Step::Wait(event, words.limit()?))
}

/// The step whose name is most like `found`.
fn similar(found: &str) -> Option<&'static str> {
    STEPS
        .into_iter()
        .map(|step| (strsim::jaro_winkler(step, &found.to_lowercase()), step))
        .filter(|&(likeness, _)| likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, step)| step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    fn only_step(line: &str) -> Step {
        let script = Script::parse("t", line).unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(script.lines.len(), 1, "{line}");
        script.lines.into_iter().next().unwrap().step
    }

    #[test]
    fn steps() {
        let at = |x, y| Point { x, y };
        let second = Duration::from_secs(1);
        let key = |name| keys::named(name).unwrap();
        for (line, step) in [
            ("move 3 4", Step::Move(at(3, 4))),
            ("click 3 4", Step::Click(at(3, 4), Button::Left)),
            (
                "  click 3 4 right # menu",
                Step::Click(at(3, 4), Button::Right),
            ),
            (
                "drag 1 2 3 4 middle",
                Step::Drag(at(1, 2), at(3, 4), Button::Middle),
            ),
            ("press left", Step::Hold(Held::Button(Button::Left), true)),
            ("release Shift", Step::Hold(Held::Key(key("shift")), false)),
            ("press ArrowLeft", Step::Hold(Held::Key(key("left")), true)),
            ("wait 500ms", Step::Pause(second / 2)),
            ("wait 1.5m", Step::Pause(second * 90)),
            (
                "wait idle 2s",
                Step::Wait(Event::Idle(second * 2), second * 60),
            ),
            (
                "wait idle 2s 2m",
                Step::Wait(Event::Idle(second * 2), second * 120),
            ),
            (
                "wait file /tmp/a 1s",
                Step::Wait(Event::File("/tmp/a".into()), second),
            ),
            (
                r#"wait file "/tmp/a b""#,
                Step::Wait(Event::File("/tmp/a b".into()), second * 60),
            ),
            ("wait end 1h", Step::Wait(Event::End, second * 3600)),
            ("screenshot a#1.png", Step::Screenshot("a#1.png".into())),
            ("save a.sysout", Step::Save("a.sysout".into(), second * 60)),
            ("quit", Step::Quit(0)),
            ("quit 3", Step::Quit(3)),
        ] {
            assert_eq!(only_step(line), step, "{line}");
        }
    }

    #[test]
    fn texts() {
        let strokes = |text: &str| text.chars().map(|c| keys::stroke(c).unwrap()).collect();
        for (line, text) in [
            (r#"type "(+ 3 4)""#, "(+ 3 4)"),
            (r#"type "a # b" # c"#, "a # b"),
            (r#"type "say \"hi\" \\ \n""#, "say \"hi\" \\ \n"),
            (r#"type """#, ""),
        ] {
            assert_eq!(only_step(line), Step::Type(strokes(text)), "{line}");
        }
    }

    #[test]
    fn lines_are_numbered_and_empty_ones_skipped() {
        let script = Script::parse("t", "# nothing\n\nquit\n  \nquit 1\n").unwrap();
        let numbers: Vec<_> = script.lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [3, 5]);
    }

    #[test]
    fn error_messages() {
        let mut messages = String::new();
        for line in [
            "clik 3 4",
            "frobnicate",
            "type hello",
            "type",
            r#"type "hello"#,
            r#"type "a\q""#,
            r#"type "né""#,
            "key",
            "key Retrun",
            "key Hyper-x",
            "press",
            "press Ctrl-x",
            "click 3",
            "click 3 -4",
            "click 3 4 top",
            "click 3 4 left 5",
            "wait",
            "wait 5",
            "wait 1.2.3s",
            "wait idle",
            "wait idle soon",
            "wait file",
            "wait file /tmp/a 99999999999999999999h",
            "screenshot",
            "quit 256",
        ] {
            let error = Script::parse("s.geiko", &format!("# a\n{line}\n")).unwrap_err();
            writeln!(messages, "{line}\n  {error}").unwrap();
        }
        insta::assert_snapshot!(messages);
    }
}
