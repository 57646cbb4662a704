//! What is read, what is refused and where, and that printing goes back.

use std::rc::Rc;

use proptest::prelude::*;

use super::{MAX_DEPTH, Reader, read_all};
use crate::datum::{Cons, Datum, Package, Symbol};

fn read(text: &str) -> String {
    match read_all("f", text) {
        Ok(forms) => {
            let forms: Vec<_> = forms.iter().map(ToString::to_string).collect();
            forms.join(" ")
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn data_are_read() {
    let cases = [
        ("", ""),
        ("foo Foo |Foo| f\\oo", "FOO FOO |Foo| |FoO|"),
        ("|a b\\|c| a|B c|d ||", "|a b\\|c| |AB cD| ||"),
        ("cl:car lisp::car common-lisp:car", "CAR CAR CAR"),
        (":key :|Key| keyword:a", ":KEY :|Key| :A"),
        (
            "il:\\\\doreclaim il:|\\\\NxtMDSPage|",
            "IL:|\\\\DORECLAIM| IL:|\\\\NxtMDSPage|",
        ),
        ("si::*x* xcl:y system:z", "SI:*X* XCL:Y SI:Z"),
        ("il:nil il:t nil t ()", "NIL T NIL T NIL"),
        ("#:g12", "#:G12"),
        ("1 -1 +1 1. -0 007", "1 -1 1 1 0 7"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        ("#xFF #o17 #b-101 #36rZz", "255 15 -5 1295"),
        (
            "1.5 .5 -.5 1e3 1.5f0 1.5d0 1s-2 1.e2 0.0",
            "1.5 0.5 -0.5 1000.0 1.5 1.5 0.01 100.0 0.0",
        ),
        (
            "1+ 1- + - .a a. -a 1a +.+ 1e 1.5x",
            "1+ 1- + - .A A. -A 1A +.+ 1E 1.5X",
        ),
        ("\\1 |1.5| 1\\e3", "|1| |1.5| |1e3|"),
        (
            "#\\a #\\A #\\( #\\space #\\NEWLINE #\\u+e9 #\\λ #\\u",
            "#\\a #\\A #\\( #\\Space #\\Newline #\\é #\\λ #\\u",
        ),
        ("\"a\\\"b\\\\c\nd\"", "\"a\\\"b\\\\c\nd\""),
        (
            "(a b . c) (a . (b . (c))) ( ) (a .b)",
            "(A B . C) (A B C) NIL (A .B)",
        ),
        ("#(1 (2) #()) 'a #'b '()", "#(1 (2) #()) 'A #'B 'NIL"),
        (
            "`(a ,b ,@c ,.d . ,e) ``(,,a ,',b)",
            "`(A ,B ,@C ,@D SI:UNQUOTE E) ``(,,A ,',B)",
        ),
        (
            "(quote a) (quote a b) (quote . a)",
            "'A (QUOTE A B) (QUOTE . A)",
        ),
        ("a ; b\nc #| d #| e |# f |# g", "A C G"),
        ("#!/usr/bin/env geiko\na", "A"),
        ("\u{FEFF}a", "A"),
        ("(#+geiko a #-geiko b c)", "(A C)"),
        ("#+sbcl (a #.x foo:bar #\\nosuch #<x>) b", "B"),
        (
            "#+(and geiko (not sbcl)) a #-(or sbcl geiko) b #+(or) c #+(and) d",
            "A D",
        ),
        ("(a #+sbcl b) #+sbcl #+geiko a b", "(A) B"),
        ("(a #+sbcl b . #-sbcl c)", "(A . C)"),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn mistakes_have_places() {
    let long = format!("\n {}", "x".repeat(300));
    let deep = "(".repeat(MAX_DEPTH + 1);
    let string = format!("(a\n \"{}\")", "x".repeat(70_000));
    let vector = format!("(a #({}))", "1 ".repeat(70_000));
    let cases = [
        (
            "(a\n  (b\n (c)",
            "f:2:3: this parenthesis is not closed before the end of the file",
        ),
        (
            "(a))",
            "f:1:4: there is no open parenthesis for this closing one",
        ),
        ("(a ')", "f:1:5: a form is expected after '"),
        (
            "(a #-geiko)",
            "f:1:11: a form is expected after the condition",
        ),
        ("(a #+)", "f:1:6: a form is expected after #+"),
        ("a '", "f:1:3: the file ends after '"),
        ("#.", "f:1:1: the file ends after #."),
        ("#", "f:1:1: the file ends after #"),
        ("\n \"abc", "f:2:2: this string does not end"),
        ("a #| b", "f:1:3: this comment does not end"),
        ("|ab", "f:1:1: a | of this symbol is not closed"),
        ("a\\", "f:1:2: nothing follows the backslash"),
        ("(. a)", "f:1:2: a dot cannot stand here"),
        ("(a . b c)", "f:1:8: more than one form follows the dot"),
        ("(a . b . c)", "f:1:8: a dot cannot stand here"),
        ("(a .)", "f:1:4: nothing follows the dot"),
        (". a", "f:1:1: a dot cannot stand here"),
        ("#(a . b)", "f:1:5: a dot cannot stand here"),
        ("...", "f:1:1: a name cannot consist of dots only"),
        (",a", "f:1:1: a comma outside a backquote"),
        ("`(a ,(b ,c))", "f:1:9: a comma outside a backquote"),
        ("`,@a", "f:1:2: ,@ directly after a backquote"),
        ("`(a . ,@b)", "f:1:7: ,@ after a dot"),
        ("(x\n foo:bar)", "f:2:2: there is no package FOO"),
        ("il:", "f:1:1: a name is missing after the colon"),
        ("a:b:c", "f:1:1: a colon cannot stand here"),
        ("::a", "f:1:1: a colon cannot stand here"),
        ("#:a:b", "f:1:1: a colon cannot stand here"),
        (
            "#\\nosuch",
            "f:1:1: there is no character with the name nosuch",
        ),
        (
            "#\\😀",
            "f:1:1: the character '😀' has a code above FFFF, which Lisp does not have",
        ),
        (
            "\"a😀\"",
            "f:1:3: the character '😀' has a code above FFFF, which Lisp does not have",
        ),
        ("#xFG", "f:1:1: FG is not an integer in base 16"),
        ("#b", "f:1:1:  is not an integer in base 2"),
        ("#99r1", "f:1:1: this # syntax is unknown"),
        ("#1=(a)", "f:1:1: this # syntax is unknown"),
        ("#<x>", "f:1:1: the syntax #< is unknown"),
        ("1/2", "f:1:1: there are no ratios"),
        (
            "1e99",
            "f:1:1: the float 1E99 is outside the range of single floats",
        ),
        (
            "1e-99",
            "f:1:1: the float 1E-99 is outside the range of single floats",
        ),
        (
            "#+3 a",
            "f:1:3: a condition is the name of a feature or a list of AND, OR or NOT and conditions",
        ),
        ("a #.(b)", "f:1:5: nothing can be evaluated here"),
        (
            &long,
            "f:2:2: a symbol of 300 characters; 255 are the most there can be",
        ),
        (
            &string,
            "f:2:2: a string of 70000 elements; 65533 are the most there can be",
        ),
        (
            &vector,
            "f:1:4: a vector of 70000 elements; 65533 are the most there can be",
        ),
        (&deep, "f:1:1001: nested more than 1000 levels deep"),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn forms_and_their_parts_have_places() {
    let forms = read_all("f", "a\n(b\n  c 'd (e))").unwrap();
    let places: Vec<_> = std::iter::successors(Some(&forms[1]), |rest| Some(&rest.as_cons()?.cdr))
        .filter_map(Datum::place)
        .map(ToString::to_string)
        .collect();
    assert_eq!(places, ["f:2:1", "f:3:3", "f:3:5", "f:3:8"]);
    let quoted = forms[1].elements().nth(2).unwrap();
    assert_eq!(quoted.place().unwrap().to_string(), "f:3:5");
}

#[test]
fn forms_are_read_one_by_one_and_evaluated_if_they_wish() {
    let mut reader = Reader::new("f", "(a #.(b)) c");
    let mut evaluate = |form: &Datum| {
        assert_eq!(form.to_string(), "(B)");
        Ok(Datum::integer(7))
    };
    let mut next = || {
        reader
            .read(&mut evaluate)
            .unwrap()
            .map(|form| form.to_string())
    };
    assert_eq!(next().as_deref(), Some("(A 7)"));
    assert_eq!(next().as_deref(), Some("C"));
    assert_eq!(next(), None);
}

/// Long and deep data are read, compared, printed and dropped on a small stack.
#[test]
fn size_does_not_matter() {
    let body = || {
        let long = format!("({})", "x ".repeat(300_000));
        assert_eq!(read_all("f", &long).unwrap()[0].elements().count(), 300_000);
        let deep = format!(
            "{}a{}",
            "('".repeat(MAX_DEPTH / 2),
            ")".repeat(MAX_DEPTH / 2)
        );
        let forms = read_all("f", &deep).unwrap();
        assert_eq!(forms, read_all("f", &forms[0].to_string()).unwrap());
        let mut nested = Datum::nil();
        for _ in 0..300_000 {
            nested = Datum::cons(nested, Datum::nil());
        }
        assert_eq!(nested.to_string().len(), 600_003);
    };
    std::thread::Builder::new()
        .stack_size(100_000)
        .spawn(body)
        .unwrap()
        .join()
        .unwrap();
}

fn any_symbol() -> impl Strategy<Value = Datum> {
    let package = prop_oneof![
        4 => Just(Package::Lisp),
        1 => proptest::sample::select(&Package::NUMBERED),
        1 => Just(Package::Uninterned),
    ];
    let name = prop_oneof![
        "[A-Z*+-]{1,8}",
        "[-+.0-9EFDS/:]{1,6}",
        "[ -~]{0,6}",
        "[a-zé#|\\\\λ€ ]{0,6}",
    ];
    (package, name).prop_map(|(package, name)| match (package, &*name) {
        // There are only those of package LISP.
        (Package::Interlisp, "NIL" | "T") => Datum::nil(),
        _ => Datum::Symbol(Symbol::new(package, &name)),
    })
}

fn any_datum() -> impl Strategy<Value = Datum> {
    let leaf = prop_oneof![
        4 => any_symbol(),
        1 => any::<i32>().prop_map(Datum::integer),
        1 => any::<i128>().prop_map(Datum::integer),
        1 => any::<f32>()
            .prop_filter("numbers", |x| x.is_finite())
            .prop_map(Datum::Float),
        1 => any::<u16>().prop_map(|c| {
            Datum::Character(char::from_u32(c.into()).unwrap_or('x'))
        }),
        1 => "[ -~\n\tλ€]{0,10}".prop_map(|text| Datum::string(&text)),
        1 => proptest::sample::select(&["QUOTE", "FUNCTION", "NIL"]).prop_map(Datum::symbol),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let elements = prop::collection::vec(inner.clone(), 0..6);
        prop_oneof![
            (elements.clone(), inner).prop_map(|(elements, tail)| {
                elements.into_iter().rev().fold(tail, |cdr, car| {
                    let place = None;
                    Datum::Cons(Rc::new(Cons { car, cdr, place }))
                })
            }),
            elements.clone().prop_map(Datum::list),
            elements.prop_map(|elements| Datum::Vector(elements.into())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same(datum in any_datum()) {
        let text = datum.to_string();
        prop_assert_eq!(read_all("f", &text), Ok(vec![datum]));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[-a-cA-C0-9()'`,@.#|\\\\\":;+ \n]{0,40}") {
        let _ = read_all("f", &text);
    }
}
