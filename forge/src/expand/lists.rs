//! Functions on lists and sequences. Data do not change, so the destructive ones
//! make new data too.

use crate::datum::Datum;

use super::analyse::Brief;
use super::node::{Flow, Primitive, error};
use super::sequences::{reduce, sort};
use super::{ANY, Expander, primitive};

pub(super) static PRIMITIVES: &[Primitive] = &[
    primitive("CONS", 2, 2, |_, a| {
        Ok(Datum::cons(a[0].clone(), a[1].clone()))
    }),
    primitive("CAR", 1, 1, |_, a| path(&a[0], "A")),
    primitive("CDR", 1, 1, |_, a| path(&a[0], "D")),
    primitive("CAAR", 1, 1, |_, a| path(&a[0], "AA")),
    primitive("CADR", 1, 1, |_, a| path(&a[0], "AD")),
    primitive("CDAR", 1, 1, |_, a| path(&a[0], "DA")),
    primitive("CDDR", 1, 1, |_, a| path(&a[0], "DD")),
    primitive("CAADR", 1, 1, |_, a| path(&a[0], "AAD")),
    primitive("CADAR", 1, 1, |_, a| path(&a[0], "ADA")),
    primitive("CADDR", 1, 1, |_, a| path(&a[0], "ADD")),
    primitive("CDADR", 1, 1, |_, a| path(&a[0], "DAD")),
    primitive("CDDAR", 1, 1, |_, a| path(&a[0], "DDA")),
    primitive("CDDDR", 1, 1, |_, a| path(&a[0], "DDD")),
    primitive("CADDAR", 1, 1, |_, a| path(&a[0], "ADDA")),
    primitive("CADDDR", 1, 1, |_, a| path(&a[0], "ADDD")),
    primitive("CDDDDR", 1, 1, |_, a| path(&a[0], "DDDD")),
    primitive("FIRST", 1, 1, |_, a| path(&a[0], "A")),
    primitive("SECOND", 1, 1, |_, a| path(&a[0], "AD")),
    primitive("THIRD", 1, 1, |_, a| path(&a[0], "ADD")),
    primitive("FOURTH", 1, 1, |_, a| path(&a[0], "ADDD")),
    primitive("FIFTH", 1, 1, |_, a| path(&a[0], "ADDDD")),
    primitive("REST", 1, 1, |_, a| path(&a[0], "D")),
    primitive("LIST", 0, ANY, |_, a| Ok(Datum::list(a.iter().cloned()))),
    primitive("LIST*", 1, ANY, |_, a| {
        let (tail, rest) = (&a[a.len() - 1], &a[..a.len() - 1]);
        Ok(Datum::list_with_tail(rest.iter().cloned(), tail.clone()))
    }),
    primitive("APPEND", 0, ANY, append),
    primitive("NCONC", 0, ANY, append),
    primitive("REVERSE", 1, 1, reverse),
    primitive("NREVERSE", 1, 1, reverse),
    primitive("REVAPPEND", 2, 2, |this, a| {
        let mut elements = this.sequence(&a[0])?;
        elements.reverse();
        Ok(Datum::list_with_tail(elements, a[1].clone()))
    }),
    primitive("LENGTH", 1, 1, |this, a| {
        Ok(Datum::integer(this.sequence(&a[0])?.len()))
    }),
    primitive("LIST-LENGTH", 1, 1, |this, a| {
        Ok(Datum::integer(this.sequence(&a[0])?.len()))
    }),
    primitive("NTH", 2, 2, |_, a| {
        path(&nthcdr(&a[1], index(&a[0])?)?, "A")
    }),
    primitive("NTHCDR", 2, 2, |_, a| nthcdr(&a[1], index(&a[0])?)),
    primitive("ELT", 2, 2, element),
    primitive("SVREF", 2, 2, element),
    primitive("AREF", 2, 2, element),
    primitive("VECTOR", 0, ANY, |this, a| this.vector(a.to_vec())),
    primitive("MAKE-LIST", 1, 1, |this, a| {
        let count = index(&a[0])?;
        this.charge(count)?;
        Ok(Datum::list(vec![Datum::nil(); count]))
    }),
    primitive("COERCE", 2, 2, coerce),
    primitive("LAST", 1, 2, |_, a| {
        let keep = a.get(1).map_or(Ok(1), index)?;
        let cells = a[0].elements().count();
        nthcdr(&a[0], cells.saturating_sub(keep))
    }),
    primitive("BUTLAST", 1, 2, |this, a| {
        let drop = a.get(1).map_or(Ok(1), index)?;
        let elements = this.sequence(&a[0])?;
        let keep = elements.len().saturating_sub(drop);
        Ok(Datum::list(elements[..keep].iter().cloned()))
    }),
    primitive("COPY-LIST", 1, 1, |_, a| Ok(a[0].clone())),
    primitive("COPY-TREE", 1, 1, |_, a| Ok(a[0].clone())),
    primitive("COPY-SEQ", 1, 1, |_, a| Ok(a[0].clone())),
    primitive("SUBST", 3, 3, |this, a| this.subst(&a[0], &a[1], &a[2])),
    primitive("SUBSEQ", 2, 3, |this, a| {
        let elements = this.sequence(&a[0])?;
        let start = index(&a[1])?;
        let end = match a.get(2) {
            Some(end) if !end.is_nil() => index(end)?,
            _ => elements.len(),
        };
        match elements.get(start..end) {
            Some(part) => this.like(&a[0], part.to_vec()),
            None => error(format!("SUBSEQ from {start} to {end} of {}", Brief(&a[0]))),
        }
    }),
    primitive("MEMBER", 2, 6, |this, a| {
        let options = this.options(&a[2..])?;
        this.tail(&a[1], |this, element| options.matches(this, &a[0], element))
    }),
    primitive("MEMBER-IF", 2, 2, |this, a| {
        let predicate = this.as_function(&a[0])?;
        this.tail(&a[1], |this, element| this.test(&predicate, element))
    }),
    primitive("ASSOC", 2, 6, |this, a| {
        let options = this.options(&a[2..])?;
        let found = this.tail(&a[1], |this, entry| {
            Ok(!entry.is_nil() && options.matches(this, &a[0], &path(entry, "A")?)?)
        })?;
        path(&found, "A")
    }),
    primitive("RASSOC", 2, 6, |this, a| {
        let options = this.options(&a[2..])?;
        let found = this.tail(&a[1], |this, entry| {
            Ok(!entry.is_nil() && options.matches(this, &a[0], &path(entry, "D")?)?)
        })?;
        path(&found, "A")
    }),
    primitive("FIND", 2, 6, |this, a| {
        Ok(match this.position(a)? {
            Some((_, element)) => element,
            None => Datum::nil(),
        })
    }),
    primitive("POSITION", 2, 6, |this, a| {
        Ok(match this.position(a)? {
            Some((position, _)) => Datum::integer(position),
            None => Datum::nil(),
        })
    }),
    primitive("FIND-IF", 2, 2, |this, a| {
        let elements = this.select(a, true)?;
        Ok(elements.into_iter().next().unwrap_or_else(Datum::nil))
    }),
    primitive("POSITION-IF", 2, 2, |this, a| {
        let predicate = this.as_function(&a[0])?;
        for (position, element) in this.sequence(&a[1])?.iter().enumerate() {
            if this.test(&predicate, element)? {
                return Ok(Datum::integer(position));
            }
        }
        Ok(Datum::nil())
    }),
    primitive("COUNT-IF", 2, 2, |this, a| {
        Ok(Datum::integer(this.select(a, true)?.len()))
    }),
    primitive("COUNT", 2, 6, |this, a| {
        let options = this.options(&a[2..])?;
        let mut count = 0;
        for element in this.sequence(&a[1])? {
            count += usize::from(options.matches(this, &a[0], &element)?);
        }
        Ok(Datum::integer(count))
    }),
    primitive("REMOVE", 2, 6, remove),
    primitive("DELETE", 2, 6, remove),
    primitive("REMOVE-IF", 2, 2, |this, a| {
        let elements = this.select(a, false)?;
        this.like(&a[1], elements)
    }),
    primitive("DELETE-IF", 2, 2, |this, a| {
        let elements = this.select(a, false)?;
        this.like(&a[1], elements)
    }),
    primitive("REMOVE-IF-NOT", 2, 2, |this, a| {
        let elements = this.select(a, true)?;
        this.like(&a[1], elements)
    }),
    primitive("REMOVE-DUPLICATES", 1, 5, |this, a| {
        let options = this.options(&a[1..])?;
        let elements = this.sequence(&a[0])?;
        let mut kept = Vec::new();
        for (position, element) in elements.iter().enumerate() {
            let key = options.key_of(this, element)?;
            if !options.among(this, &key, &elements[position + 1..])? {
                kept.push(element.clone());
            }
        }
        this.like(&a[0], kept)
    }),
    primitive("ADJOIN", 2, 6, |this, a| {
        let options = this.options(&a[2..])?;
        let elements = this.sequence(&a[1])?;
        let key = options.key_of(this, &a[0])?;
        if options.among(this, &key, &elements)? {
            return Ok(a[1].clone());
        }
        Ok(Datum::cons(a[0].clone(), a[1].clone()))
    }),
    primitive("UNION", 2, 6, |this, a| {
        let mut kept = this.filter(a, false)?;
        kept.extend(this.sequence(&a[1])?);
        Ok(Datum::list(kept))
    }),
    primitive("INTERSECTION", 2, 6, |this, a| {
        Ok(Datum::list(this.filter(a, true)?))
    }),
    primitive("SET-DIFFERENCE", 2, 6, |this, a| {
        Ok(Datum::list(this.filter(a, false)?))
    }),
    primitive("GETF", 2, 3, |this, a| {
        let elements = this.sequence(&a[0])?;
        let mut pairs = elements.chunks_exact(2);
        Ok(match pairs.find(|pair| pair[0].is_same(&a[1])) {
            Some(pair) => pair[1].clone(),
            None => a.get(2).cloned().unwrap_or_else(Datum::nil),
        })
    }),
    primitive("MAPCAR", 2, ANY, |this, a| {
        Ok(Datum::list(this.map(a, "A")?))
    }),
    primitive("MAPC", 2, ANY, |this, a| {
        this.map(a, "A")?;
        Ok(a[1].clone())
    }),
    primitive("MAPCAN", 2, ANY, |this, a| {
        let lists = this.map(a, "A")?;
        append(this, &lists)
    }),
    primitive("MAPLIST", 2, ANY, |this, a| {
        Ok(Datum::list(this.map(a, "")?))
    }),
    primitive("MAPL", 2, ANY, |this, a| {
        this.map(a, "")?;
        Ok(a[1].clone())
    }),
    primitive("MAPCON", 2, ANY, |this, a| {
        let lists = this.map(a, "")?;
        append(this, &lists)
    }),
    primitive("SOME", 2, ANY, |this, a| this.scan(a, false)),
    primitive("EVERY", 2, ANY, |this, a| this.scan(a, true)),
    primitive("NOTANY", 2, ANY, |this, a| {
        Ok(Datum::boolean(this.scan(a, false)?.is_nil()))
    }),
    primitive("NOTEVERY", 2, ANY, |this, a| {
        Ok(Datum::boolean(this.scan(a, true)?.is_nil()))
    }),
    primitive("REDUCE", 2, 6, reduce),
    primitive("SORT", 2, 4, sort),
    primitive("STABLE-SORT", 2, 4, sort),
    primitive("NULL", 1, 1, |_, a| Ok(Datum::boolean(a[0].is_nil()))),
    primitive("ENDP", 1, 1, |_, a| Ok(Datum::boolean(a[0].is_nil()))),
    primitive("NOT", 1, 1, |_, a| Ok(Datum::boolean(a[0].is_nil()))),
    primitive("LISTP", 1, 1, |_, a| Ok(Datum::boolean(a[0].is_list()))),
    primitive("CONSP", 1, 1, |_, a| {
        Ok(Datum::boolean(a[0].as_cons().is_some()))
    }),
    primitive("ATOM", 1, 1, |_, a| {
        Ok(Datum::boolean(a[0].as_cons().is_none()))
    }),
    primitive("VECTORP", 1, 1, |_, a| {
        Ok(Datum::boolean(matches!(
            a[0],
            Datum::Vector(_) | Datum::String(_)
        )))
    }),
    primitive("SIMPLE-VECTOR-P", 1, 1, |_, a| {
        Ok(Datum::boolean(matches!(a[0], Datum::Vector(_))))
    }),
];

/// Goes down a list, the last letter of `steps` first: `AD` is CADR.
pub(super) fn path(datum: &Datum, steps: &str) -> Flow<Datum> {
    let mut datum = datum;
    for step in steps.bytes().rev() {
        datum = match datum {
            Datum::Cons(cell) if step == b'A' => &cell.car,
            Datum::Cons(cell) => &cell.cdr,
            _ if datum.is_nil() => datum,
            _ => {
                return error(format!(
                    "C{steps}R of {}, which is not a list",
                    Brief(datum)
                ));
            }
        };
    }
    Ok(datum.clone())
}

/// A number that counts something.
pub(super) fn index(datum: &Datum) -> Flow<usize> {
    match datum {
        Datum::Integer(n) => usize::try_from(n).ok(),
        _ => None,
    }
    .map_or_else(|| error(format!("{} is not an index", Brief(datum))), Ok)
}

fn nthcdr(list: &Datum, count: usize) -> Flow<Datum> {
    let mut rest = list;
    for _ in 0..count {
        match rest {
            Datum::Cons(cell) => rest = &cell.cdr,
            _ if rest.is_nil() => break,
            _ => return error(format!("{} is not a list", Brief(list))),
        }
    }
    Ok(rest.clone())
}

fn append(this: &mut Expander, lists: &[Datum]) -> Flow<Datum> {
    let Some((last, lists)) = lists.split_last() else {
        return Ok(Datum::nil());
    };
    let mut elements = Vec::new();
    for list in lists {
        let Some(part) = list.proper_list() else {
            return error(format!("APPEND of {}, which is not a list", Brief(list)));
        };
        this.charge(part.len())?;
        elements.extend(part);
    }
    Ok(Datum::list_with_tail(elements, last.clone()))
}

fn reverse(this: &mut Expander, a: &[Datum]) -> Flow<Datum> {
    let mut elements = this.sequence(&a[0])?;
    elements.reverse();
    this.like(&a[0], elements)
}

fn element(this: &mut Expander, a: &[Datum]) -> Flow<Datum> {
    let position = index(&a[1])?;
    let element = match &a[0] {
        Datum::Vector(elements) => elements.get(position).cloned(),
        sequence => this.sequence(sequence)?.get(position).cloned(),
    };
    element.map_or_else(
        || error(format!("{} has no element {position}", Brief(&a[0]))),
        Ok,
    )
}

fn coerce(this: &mut Expander, a: &[Datum]) -> Flow<Datum> {
    let name = a[1].as_symbol().map_or("", |name| &*name.name);
    match name {
        "LIST" => Ok(Datum::list(this.sequence(&a[0])?)),
        "VECTOR" | "SIMPLE-VECTOR" => {
            let elements = this.sequence(&a[0])?;
            this.vector(elements)
        }
        "STRING" | "SIMPLE-STRING" => {
            let elements = this.sequence(&a[0])?;
            this.like(&Datum::string(""), elements)
        }
        "FLOAT" | "SINGLE-FLOAT" => super::numbers::float(&a[0]).map(Datum::Float),
        _ => error(format!("COERCE to {} is not possible", Brief(&a[1]))),
    }
}

fn remove(this: &mut Expander, a: &[Datum]) -> Flow<Datum> {
    let options = this.options(&a[2..])?;
    let mut kept = Vec::new();
    for element in this.sequence(&a[1])? {
        if !options.matches(this, &a[0], &element)? {
            kept.push(element);
        }
    }
    this.like(&a[1], kept)
}
