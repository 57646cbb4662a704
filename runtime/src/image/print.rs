//! Objects as text for people: short, and safe whatever memory holds.

use super::functions::CodeBlock;
use super::objects::{car_cdr, character, string, type_number};
use super::symbols::Names;
use crate::layout::Generation;
use crate::layout::records::{array_block, types};
use crate::memory::LispPtr;

/// Elements of a list that are shown.
const LIST_ELEMENTS: usize = 8;
/// Depth to which objects in objects are shown.
const DEPTH: u32 = 3;
/// Characters of a string that are shown.
const STRING_CHARACTERS: usize = 60;

impl<G: Generation> Names<'_, G> {
    /// `object` as Lisp would print it, more or less: symbols, numbers,
    /// characters, strings, lists and code; anything else by type and address.
    pub fn object(&self, object: LispPtr) -> String {
        self.object_at_depth(object.masked::<G>(), 0)
    }

    /// The name of a type.
    pub fn type_name(&self, number: u16) -> Option<String> {
        let known = u32::from(number) < G::DTD_CAPACITY;
        let name = known.then(|| G::dtd_name(self.mem(), G::dtd(number.into())))?;
        self.print_name(name).filter(|_| !name.is_nil())
    }

    fn object_at_depth(&self, object: LispPtr, depth: u32) -> String {
        let mem = self.mem();
        if let Some(number) = object.small_value::<G>() {
            return number.to_string();
        }
        let number = type_number(mem, object);
        match number {
            types::LITATOM | types::NEW_ATOM => printable(&self.name(object)),
            types::FIXP => (mem.cell(object).0 as i32).to_string(),
            types::FLOATP => format!("{:?}", f32::from_bits(mem.cell(object).0)),
            types::CHARACTER => printable(&format!("#\\{}", character(object.lo()))),
            _ if depth >= DEPTH => format!("#{object}"),
            types::LISTP => self.list(object, depth),
            types::CODE_HUNK_FIRST..=types::CODE_HUNK_LAST => self.code(object, depth),
            types::ARRAY_BLOCK if self.is_code_block(object) => self.code(object, depth),
            _ => match string(mem, object) {
                Some(text) => quoted(&text),
                None => match self.type_name(number) {
                    Some(name) => format!("{{{name}}}#{object}"),
                    None => format!("#{object}"),
                },
            },
        }
    }

    fn list(&self, list: LispPtr, depth: u32) -> String {
        let mut text = String::from("(");
        let mut rest = list;
        for n in 0..LIST_ELEMENTS {
            let Some((car, cdr)) = car_cdr(self.mem(), rest) else {
                break;
            };
            if n > 0 {
                text.push(' ');
            }
            text += &self.object_at_depth(car, depth + 1);
            rest = cdr;
        }
        if car_cdr(self.mem(), rest).is_some() {
            text += " ...";
        } else if !rest.is_nil() {
            text += " . ";
            text += &self.object_at_depth(rest, depth + 1);
        }
        text.push(')');
        text
    }

    fn is_code_block(&self, object: LispPtr) -> bool {
        let header = LispPtr(object.0.wrapping_sub(array_block::HEADER_WORDS));
        let flags = self.mem().word(header);
        flags & array_block::PASSWORD_MASK == array_block::FREE
            && flags & (array_block::CONTENT | array_block::IN_USE)
                == array_block::CODE | array_block::IN_USE
    }

    fn code(&self, code: LispPtr, depth: u32) -> String {
        let name = CodeBlock::at(self.mem(), code).header().frame_name;
        format!("{{code {}}}#{code}", self.object_at_depth(name, depth + 1))
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for (n, c) in text.chars().enumerate() {
        if n == STRING_CHARACTERS {
            quoted += "...";
            break;
        }
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // Lisp's line end.
            '\r' => quoted += "\\n",
            c => push_printable(&mut quoted, c),
        }
    }
    quoted.push('"');
    quoted
}

/// `text` without characters that would upset a terminal.
fn printable(text: &str) -> String {
    let mut printable = String::new();
    for c in text.chars() {
        push_printable(&mut printable, c);
    }
    printable
}

fn push_printable(text: &mut String, c: char) {
    if c.is_control() {
        text.extend(c.escape_default());
    } else {
        text.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley3};
    use crate::testing::with_machine;

    fn objects_print<G: Generation>() {
        with_machine::<G>(|mut m| {
            let one = LispPtr::smallpos(1);
            let minus = LispPtr::small(-2).unwrap_or_default();
            let boxed = m.number(100_000);
            let inner = m.cons(minus, boxed);
            let list = m.cons(inner, LispPtr::NIL);
            let list = m.cons(one, list);
            let mut circle = LispPtr::NIL;
            for _ in 0..20 {
                circle = m.cons(one, circle);
            }
            let names = Names::new(m.mem);
            assert_eq!(names.object(list), "(1 (-2 . 100000))");
            assert_eq!(names.object(circle), "(1 1 1 1 1 1 1 1 ...)");
            assert_eq!(names.object(LispPtr::character(65)), "#\\A");
        });
    }

    #[test]
    fn objects_print_in_both_generations() {
        objects_print::<Medley2>();
        objects_print::<Medley3>();
    }

    #[test]
    fn strings_are_quoted_and_cut() {
        assert_eq!(quoted("a\"b\\c\rd\x01"), "\"a\\\"b\\\\c\\nd\\u{1}\"");
        let long = quoted(&"x".repeat(100));
        assert_eq!(long.len(), STRING_CHARACTERS + 5);
        assert!(long.ends_with("x...\""));
    }
}
