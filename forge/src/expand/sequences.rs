//! Sequences: going through them, testing, sorting, and making new ones.

use std::cmp::Ordering;

use crate::datum::{Datum, Symbol};

use super::Expander;
use super::analyse::Brief;
use super::lists::path;
use super::node::{Exit, Flow, Function, error};

pub(super) fn reduce(this: &mut Expander, a: &[Datum]) -> Flow<Datum> {
    let function = this.as_function(&a[0])?;
    let mut elements = this.sequence(&a[1])?;
    let (mut initial, mut from_end) = (None, false);
    for pair in a[2..].chunks(2) {
        match (pair[0].as_symbol().map(|key| &*key.name), pair.get(1)) {
            (Some("INITIAL-VALUE"), Some(value)) => initial = Some(value.clone()),
            (Some("FROM-END"), Some(value)) => from_end = !value.is_nil(),
            _ => return error(format!("REDUCE with {}", Brief(&pair[0]))),
        }
    }
    if from_end {
        elements.reverse();
    }
    let mut elements = elements.into_iter();
    let Some(mut value) = initial.or_else(|| elements.next()) else {
        return this.apply(&function, Vec::new());
    };
    for element in elements {
        let arguments = if from_end {
            vec![element, value]
        } else {
            vec![value, element]
        };
        value = this.apply(&function, arguments)?;
    }
    Ok(value)
}

pub(super) fn sort(this: &mut Expander, a: &[Datum]) -> Flow<Datum> {
    let before = this.as_function(&a[1])?;
    let options = this.options(&a[2..])?;
    let mut pairs = Vec::new();
    for element in this.sequence(&a[0])? {
        pairs.push((options.key_of(this, &element)?, element));
    }
    // The order may be none at all; merging does not mind.
    let mut failure: Option<Box<Exit>> = None;
    merge_sort(&mut pairs, &mut |x, y| {
        if failure.is_some() {
            return Ordering::Equal;
        }
        match this.apply(&before, vec![y.0.clone(), x.0.clone()]) {
            Ok(value) if !value.is_nil() => Ordering::Greater,
            Ok(_) => Ordering::Equal,
            Err(exit) => {
                failure = Some(exit);
                Ordering::Equal
            }
        }
    });
    match failure {
        Some(exit) => Err(exit),
        None => {
            let elements = pairs.into_iter().map(|(_, element)| element).collect();
            this.like(&a[0], elements)
        }
    }
}

/// Sorts by merging: stable, and content with any comparison.
fn merge_sort<T: Clone>(items: &mut [T], compare: &mut impl FnMut(&T, &T) -> Ordering) {
    let middle = items.len() / 2;
    if middle == 0 {
        return;
    }
    merge_sort(&mut items[..middle], compare);
    merge_sort(&mut items[middle..], compare);
    let (left, right) = (items[..middle].to_vec(), items[middle..].to_vec());
    let (mut i, mut j) = (0, 0);
    for item in items {
        let from_left = j == right.len()
            || (i < left.len() && compare(&left[i], &right[j]) != Ordering::Greater);
        if from_left {
            item.clone_from(&left[i]);
            i += 1;
        } else {
            item.clone_from(&right[j]);
            j += 1;
        }
    }
}

/// `:test`, `:test-not` and `:key`.
pub(super) struct Options {
    test: Option<Function>,
    inverted: bool,
    key: Option<Function>,
}

impl Options {
    pub(super) fn key_of(&self, this: &mut Expander, element: &Datum) -> Flow<Datum> {
        match &self.key {
            Some(key) => this.apply(key, vec![element.clone()]),
            None => Ok(element.clone()),
        }
    }

    pub(super) fn matches(&self, this: &mut Expander, item: &Datum, element: &Datum) -> Flow<bool> {
        this.charge(1)?;
        let element = self.key_of(this, element)?;
        let same = match &self.test {
            Some(test) => !this.apply(test, vec![item.clone(), element])?.is_nil(),
            None => item.is_same(&element),
        };
        Ok(same != self.inverted)
    }

    pub(super) fn among(
        &self,
        this: &mut Expander,
        item: &Datum,
        elements: &[Datum],
    ) -> Flow<bool> {
        for element in elements {
            if self.matches(this, item, element)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Expander {
    pub(super) fn options(&mut self, arguments: &[Datum]) -> Flow<Options> {
        let mut options = Options {
            test: None,
            inverted: false,
            key: None,
        };
        for pair in arguments.chunks(2) {
            let (Some(name), Some(value)) = (pair[0].as_symbol(), pair.get(1)) else {
                return error(format!("{} is not a keyword argument", Brief(&pair[0])));
            };
            match &*name.name {
                "KEY" if value.is_nil() => {}
                "KEY" => options.key = Some(self.as_function(value)?),
                "TEST" => options.test = Some(self.as_function(value)?),
                "TEST-NOT" => {
                    options.test = Some(self.as_function(value)?);
                    options.inverted = true;
                }
                _ => {
                    return error(format!(
                        "{} is not supported at compile time",
                        Brief(&pair[0])
                    ));
                }
            }
        }
        Ok(options)
    }

    /// The elements of a list, vector or string.
    pub(super) fn sequence(&mut self, sequence: &Datum) -> Flow<Vec<Datum>> {
        let elements = match sequence {
            Datum::Vector(elements) => Some(elements.to_vec()),
            Datum::String(text) => Some(text.chars().map(Datum::Character).collect()),
            list => list.proper_list(),
        };
        match elements {
            Some(elements) => {
                self.charge(elements.len())?;
                Ok(elements)
            }
            None => error(format!("{} is not a sequence", Brief(sequence))),
        }
    }

    /// A sequence of the same kind as another one.
    pub(super) fn like(&mut self, model: &Datum, elements: Vec<Datum>) -> Flow<Datum> {
        match model {
            Datum::Vector(_) => self.vector(elements),
            Datum::String(_) => {
                let characters = elements.iter().map(|element| match element {
                    Datum::Character(c) => Ok(*c),
                    other => error(format!("{} is not a character", Brief(other))),
                });
                Ok(Datum::string(&characters.collect::<Flow<String>>()?))
            }
            _ => Ok(Datum::list(elements)),
        }
    }

    /// A vector. Vectors in vectors can only be as deep as Rust can follow.
    pub(super) fn vector(&mut self, elements: Vec<Datum>) -> Flow<Datum> {
        let mut level = elements.clone();
        for _ in 0..100 {
            let mut deeper = Vec::new();
            for element in level {
                match element {
                    Datum::Vector(elements) => deeper.extend(elements.iter().cloned()),
                    Datum::Cons(cell) => {
                        deeper.push(cell.car.clone());
                        deeper.push(cell.cdr.clone());
                    }
                    _ => {}
                }
            }
            self.charge(deeper.len())?;
            if deeper.is_empty() {
                return Ok(Datum::Vector(elements.into()));
            }
            level = deeper;
        }
        error("a vector of data that are nested too deeply")
    }

    /// A tree with other leaves.
    pub(super) fn subst(&mut self, new: &Datum, old: &Datum, tree: &Datum) -> Flow<Datum> {
        self.step()?;
        if tree.is_same(old) {
            return Ok(new.clone());
        }
        let mut elements = Vec::new();
        let mut rest = tree;
        while let Datum::Cons(cell) = rest {
            elements.push(self.subst(new, old, &cell.car)?);
            rest = &cell.cdr;
        }
        if elements.is_empty() {
            return Ok(tree.clone());
        }
        let end = if rest.is_same(old) { new } else { rest };
        Ok(Datum::list_with_tail(elements, end.clone()))
    }

    pub(super) fn test(&mut self, predicate: &Function, element: &Datum) -> Flow<bool> {
        Ok(!self.apply(predicate, vec![element.clone()])?.is_nil())
    }

    /// The rest of a list that begins with an element that is wanted.
    pub(super) fn tail(
        &mut self,
        list: &Datum,
        mut wanted: impl FnMut(&mut Self, &Datum) -> Flow<bool>,
    ) -> Flow<Datum> {
        let mut rest = list;
        while let Datum::Cons(cell) = rest {
            self.charge(1)?;
            if wanted(self, &cell.car)? {
                return Ok(rest.clone());
            }
            rest = &cell.cdr;
        }
        if rest.is_nil() {
            return Ok(Datum::nil());
        }
        error(format!("{} is not a list", Brief(list)))
    }

    pub(super) fn position(&mut self, a: &[Datum]) -> Flow<Option<(usize, Datum)>> {
        let options = self.options(&a[2..])?;
        for (position, element) in self.sequence(&a[1])?.into_iter().enumerate() {
            if options.matches(self, &a[0], &element)? {
                return Ok(Some((position, element)));
            }
        }
        Ok(None)
    }

    /// The elements for which the predicate says `wanted`.
    pub(super) fn select(&mut self, a: &[Datum], wanted: bool) -> Flow<Vec<Datum>> {
        let predicate = self.as_function(&a[0])?;
        let mut kept = Vec::new();
        for element in self.sequence(&a[1])? {
            if self.test(&predicate, &element)? == wanted {
                kept.push(element);
            }
        }
        Ok(kept)
    }

    /// The elements of one list that are, or are not, in another.
    pub(super) fn filter(&mut self, a: &[Datum], wanted: bool) -> Flow<Vec<Datum>> {
        let options = self.options(&a[2..])?;
        let others = self.sequence(&a[1])?;
        let mut kept = Vec::new();
        for element in self.sequence(&a[0])? {
            let key = options.key_of(self, &element)?;
            if options.among(self, &key, &others)? == wanted {
                kept.push(element);
            }
        }
        Ok(kept)
    }

    /// Calls a function with the elements of lists, or with their tails.
    pub(super) fn map(&mut self, a: &[Datum], step: &str) -> Flow<Vec<Datum>> {
        let function = self.as_function(&a[0])?;
        let mut lists = a[1..].to_vec();
        let mut values = Vec::new();
        while lists.iter().all(|list| list.as_cons().is_some()) {
            let arguments = lists.iter().map(|list| path(list, step));
            let arguments = arguments.collect::<Flow<_>>()?;
            values.push(self.apply(&function, arguments)?);
            for list in &mut lists {
                *list = path(list, "D")?;
            }
        }
        self.more_values = None;
        Ok(values)
    }

    /// SOME, or EVERY.
    pub(super) fn scan(&mut self, a: &[Datum], every: bool) -> Flow<Datum> {
        let function = self.as_function(&a[0])?;
        let mut sequences = Vec::new();
        for sequence in &a[1..] {
            sequences.push(self.sequence(sequence)?);
        }
        let count = sequences.iter().map(Vec::len).min().unwrap_or(0);
        for position in 0..count {
            let arguments = sequences.iter().map(|elements| elements[position].clone());
            let value = self.apply(&function, arguments.collect())?;
            if value.is_nil() == every {
                return Ok(value);
            }
        }
        Ok(Datum::boolean(every))
    }

    /// The name that a symbol or string is.
    pub(super) fn name_of<'a>(&self, designator: &'a Datum) -> Option<&'a str> {
        match designator {
            Datum::Symbol(Symbol { name, .. }) | Datum::String(name) => Some(name),
            _ => None,
        }
    }
}
