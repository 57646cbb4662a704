//! Object code as text, for people and tests: the disassembler's listing with the
//! names and constants that the linker will fill in. Functions inside follow.

use std::collections::BTreeMap;
use std::fmt::Write;

use geiko_runtime::isa::decode::LocalKind;
use geiko_runtime::isa::disasm::{Listing, Names};

use crate::code::{Code, Target};

/// Lists a function; symbols in code have `atom_bytes` bytes.
pub fn listing(code: &Code, atom_bytes: u32) -> String {
    let mut text = String::new();
    let mut todo = vec![code];
    while let Some(code) = todo.pop() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&header(code));
        text.push_str(&body(code, atom_bytes));
        let inside = code
            .references
            .iter()
            .filter_map(|reference| match &reference.target {
                Target::Code(code) | Target::Closure(code) => Some(&**code),
                _ => None,
            });
        todo.extend(inside.collect::<Vec<_>>().into_iter().rev());
    }
    text
}

fn header(code: &Code) -> String {
    let parameters: Vec<_> = code.parameters.iter().map(ToString::to_string).collect();
    let arguments = match code.arguments {
        Some(count) => format!("na {count}"),
        None => "na -1".to_owned(),
    };
    let mut text = format!(
        "{} ({})\n  {arguments}, nlocals {}, stkmin {}\n",
        code.name,
        parameters.join(" "),
        code.locals,
        code.stack_words
    );
    let published: Vec<_> = code
        .published
        .iter()
        .map(|entry| {
            let kind = if entry.is_argument { "ivar" } else { "pvar" };
            format!("{kind}{} {}", entry.index, entry.name)
        })
        .collect();
    if !published.is_empty() {
        let _ = writeln!(text, "  published {}", published.join(", "));
    }
    text
}

/// What references stand for; the numbers in the code are their indexes.
struct Targets<'c> {
    code: &'c Code,
    texts: BTreeMap<u32, String>,
}

impl Names for Targets<'_> {
    fn atom(&self, atom: u32) -> String {
        self.texts.get(&atom).cloned().unwrap_or_default()
    }

    fn pointer(&self, pointer: u32) -> String {
        self.atom(pointer)
    }

    fn local(&self, kind: LocalKind, index: u16) -> Option<String> {
        let published = |is_argument| {
            let mut entries = self.code.published.iter();
            let entry = entries
                .find(|entry| entry.is_argument == is_argument && u16::from(entry.index) == index);
            entry.map(|entry| entry.name.to_string())
        };
        match kind {
            LocalKind::Free => {
                let number = index.checked_sub(self.code.locals.into())?;
                self.code
                    .free
                    .get(usize::from(number))
                    .map(ToString::to_string)
            }
            LocalKind::Local => published(false),
            LocalKind::Argument => published(true).or_else(|| {
                self.code
                    .parameters
                    .get(usize::from(index))
                    .map(ToString::to_string)
            }),
        }
    }

    fn type_name(&self, number: u16) -> Option<String> {
        self.texts.get(&number.into()).cloned()
    }
}

fn body(code: &Code, atom_bytes: u32) -> String {
    let mut bytes = code.bytes.clone();
    let mut texts = BTreeMap::new();
    let mut set = |offset: u32, size: u32, value: u32| {
        for (index, byte) in value
            .to_be_bytes()
            .iter()
            .rev()
            .take(size as usize)
            .enumerate()
        {
            let at = (offset + size) as usize - 1 - index;
            if let Some(place) = bytes.get_mut(at) {
                *place = *byte;
            }
        }
    };
    for (number, reference) in (1..).zip(&code.references) {
        let (size, value, text) = match &reference.target {
            Target::Symbol(symbol) => (atom_bytes, number, symbol.to_string()),
            Target::Constant(datum) => (atom_bytes, number, datum.to_string()),
            Target::Code(code) => (atom_bytes, number, format!("{{code {}}}", code.name)),
            Target::Closure(code) => (atom_bytes, number, format!("{{closure {}}}", code.name)),
            Target::Resume(offset) => (2, u32::from(*offset), String::new()),
            Target::TypeByte(name) => (1, number, name.to_string()),
            Target::TypeWord(name) => (2, number, name.to_string()),
        };
        set(reference.offset, size, value);
        if !text.is_empty() {
            texts.insert(number, text);
        }
    }
    let names = Targets { code, texts };
    Listing::new(&bytes, 0, atom_bytes, &names).to_string()
}
