//! Lisp as a part of another program.

use std::cell::RefCell;
use std::rc::Rc;

use geiko::devices::host::Rights;
use geiko::embed::{Error, Lisp, Object, Value};

fn lisp() -> Lisp {
    Lisp::new().expect("Lisp")
}

#[track_caller]
fn is(lisp: &mut Lisp, form: &str, expected: impl Into<Value>) {
    assert_eq!(lisp.eval(form).expect(form), expected.into(), "{form}");
}

#[track_caller]
fn fails(lisp: &mut Lisp, form: &str, expected: &str) {
    let error = lisp.eval(form).expect_err(form);
    assert_eq!(error.to_string(), expected, "{form}");
}

#[test]
fn every_kind_of_value_comes_back_as_it_went() {
    let mut lisp = lisp();
    let symbol = |name: &str| Value::Symbol(name.into());
    let values = [
        Value::Nil,
        Value::True,
        0.into(),
        (-65536).into(),
        65536.into(),
        i32::MIN.into(),
        i32::MAX.into(),
        (i64::from(i32::MAX) + 1).into(),
        i64::MIN.into(),
        i64::MAX.into(),
        (-1_i64 << 48).into(),
        1.5_f32.into(),
        f32::MIN_POSITIVE.into(),
        'a'.into(),
        'π'.into(),
        "".into(),
        "text \"with\" quotes\nand lines".into(),
        "Größe: 5 μm".into(),
        symbol("CAR"),
        symbol(":TEST"),
        vec![1.into(), "two".into(), vec![3.into(), Value::Nil].into()].into(),
    ];
    for value in values {
        let returned = lisp.call("identity", std::slice::from_ref(&value));
        assert_eq!(returned.expect("returned"), value);
    }
    // An empty list is NIL.
    assert_eq!(
        lisp.call("identity", &[Vec::new().into()])
            .expect("returned"),
        Value::Nil
    );
}

/// All that is in a pointer, with no object behind it.
#[test]
fn small_integers_characters_and_symbols_go_and_come_back() {
    let mut lisp = lisp();
    let integers = (-65536..=65535).map(Value::from);
    let characters = (0..0x1_0000).filter_map(char::from_u32).map(Value::from);
    let all: Vec<Value> = integers.chain(characters).collect();
    let symbols = lisp.eval("(apropos-list \"\")").expect("a list");
    let Value::List(mut symbols) = symbols else {
        panic!("no list of symbols: {symbols:?}");
    };
    // Names that can be typed as they are.
    let is_plain = |c: char| c.is_ascii_uppercase() || "-*:".contains(c);
    symbols.retain(|symbol| match symbol {
        Value::Symbol(name) => name.chars().all(is_plain),
        _ => true,
    });
    assert!(symbols.len() > 500, "{} symbols", symbols.len());
    for values in all.chunks(512).chain(symbols.chunks(512)) {
        let returned = lisp.call("list", values).expect("returned");
        assert_eq!(returned, values.to_vec().into());
    }
}

#[test]
fn forms() {
    let mut lisp = lisp();
    is(&mut lisp, "(+ 1 2)", 3);
    is(&mut lisp, "", false);
    is(&mut lisp, "(defvar *x* 4) (incf *x*) (* *x* 2)", 10);
    is(&mut lisp, "(expt 2 62)", 1_i64 << 62);
    assert!(matches!(lisp.eval("(expt 2 63)"), Ok(Value::Object(_))));
    assert!(matches!(lisp.eval("'(1 . 2)"), Ok(Value::Object(_))));
    assert!(matches!(
        lisp.eval("(make-hash-table)"),
        Ok(Value::Object(_))
    ));
    fails(&mut lisp, "(car 3)", "3 is not of type LIST.");
    fails(
        &mut lisp,
        "(no-such-function)",
        "The function NO-SUCH-FUNCTION is not defined.",
    );
    fails(&mut lisp, "(error \"~A and ~A\" 1 2)", "1 and 2");
    assert!(lisp.eval("(car").is_err());
    is(&mut lisp, "*x*", 5);
}

#[test]
fn circular_lists_are_objects() {
    let mut lisp = lisp();
    let value = lisp.eval("(let ((l (list 1 2 3))) (setf (cdddr l) l))");
    assert!(matches!(value, Ok(Value::Object(_))));
}

#[test]
fn all_values() {
    let mut lisp = lisp();
    let floor = lisp.symbol("floor").expect("a symbol");
    let values = lisp
        .apply_values(&floor, &[17.into(), 5.into()])
        .expect("values");
    let values: Vec<Value> = values.iter().map(|value| lisp.value_of(value)).collect();
    assert_eq!(values, [3.into(), 2.into()]);
}

#[test]
fn objects_live_as_long_as_their_handles() {
    let mut lisp = lisp();
    lisp.eval("(defstruct thing (part (list 1 2 3)))")
        .expect("defined");
    let mut things: Vec<Object> = Vec::new();
    for n in 0..2000 {
        let thing = lisp.call_object("make-thing", &[]).expect("made");
        if n % 20 == 0 {
            things.push(thing);
        }
    }
    lisp.eval("(dotimes (n 3) (gc)) (dotimes (n 20000) (make-thing))")
        .expect("collected");
    for thing in &things {
        let part = lisp.call("thing-part", &[thing.into()]).expect("alive");
        assert_eq!(part, vec![1.into(), 2.into(), 3.into()].into());
    }
    // A cell that was given back is used again: handles do not keep what they let go.
    let last = things.pop().expect("a thing");
    let other = last.clone();
    assert_eq!(last, other);
    drop((last, other, things));
    let room =
        |lisp: &mut Lisp| i64::try_from(lisp.eval("(gc) il:|\\\\NxtMDSPage|").expect("a number"));
    let before = room(&mut lisp).expect("a number");
    for _ in 0..200 {
        let made = lisp.eval_object("(let (l) (dotimes (n 1000 l) (push (make-thing) l)))");
        drop(made.expect("made"));
    }
    let after = room(&mut lisp).expect("a number");
    assert!((before - after).abs() < 400, "{before} {after}");
}

#[test]
fn circles_are_garbage_unless_a_handle_holds_them() {
    let mut lisp = lisp();
    lisp.eval("(defun ring () (let ((x (list 1 2 3))) (setf (cdddr x) x)))")
        .expect("defined");
    let made = (0..20).map(|_| lisp.call_object("ring", &[]).expect("made"));
    let held: Vec<Object> = made.collect();
    let room = |lisp: &mut Lisp| {
        lisp.eval("(dotimes (n 300000) (ring))").expect("made");
        let page = lisp.eval("il:|\\\\NxtMDSPage|").expect("a number");
        i64::try_from(page).expect("a number")
    };
    let before = room(&mut lisp);
    let after = room(&mut lisp);
    // They would take 14,000 pages.
    assert!((before - after).abs() < 2000, "{before} {after}");
    for ring in &held {
        let third = lisp.call("third", &[ring.into()]).expect("alive");
        assert_eq!(third, 3.into());
    }
}

#[test]
fn functions_of_rust() {
    let mut lisp = lisp();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let notes = Rc::clone(&seen);
    lisp.define("note", move |_, arguments| {
        notes.borrow_mut().push(arguments.to_vec());
        Ok(arguments
            .len()
            .try_into()
            .map_or(Value::Nil, |n: i32| n.into()))
    })
    .expect("defined");
    is(
        &mut lisp,
        "(list (note) (note 1 \"two\") (mapcar #'note '(a b)))",
        vec![0.into(), 2.into(), vec![1.into(), 1.into()].into()],
    );
    assert_eq!(seen.borrow()[1], [1.into(), "two".into()]);
    assert_eq!(seen.borrow().len(), 4);
}

#[test]
fn rust_and_lisp_call_each_other() {
    let mut lisp = lisp();
    lisp.define("factorial", |lisp, arguments| match &arguments[0] {
        Value::Integer(0) => Ok(1.into()),
        Value::Integer(n) => {
            let smaller = lisp.eval(&format!("(factorial {})", n - 1))?;
            lisp.call("*", &[smaller, (*n).into()])
        }
        other => Err(Error::Kind(other.clone(), "integer")),
    })
    .expect("defined");
    is(&mut lisp, "(factorial 15)", 1_307_674_368_000_i64);
    fails(&mut lisp, "(factorial 1.5)", "1.5 is no integer");
    is(
        &mut lisp,
        "(handler-case (factorial 'x) (error (c) (princ-to-string c)))",
        "X is no integer",
    );
}

#[test]
fn lisp_throws_out_of_functions_of_rust() {
    let mut lisp = lisp();
    let reached = Rc::new(RefCell::new(Vec::new()));
    let notes = Rc::clone(&reached);
    lisp.define("through", move |lisp, arguments| {
        let result = lisp.apply(&Object::try_from(arguments[0].clone())?, &[]);
        notes
            .borrow_mut()
            .push(matches!(result, Err(Error::Unwound)));
        // Lisp is no longer here, whatever is tried.
        if result.is_err() {
            assert!(matches!(lisp.eval("1"), Err(Error::Unwound)));
        }
        result
    })
    .expect("defined");
    is(
        &mut lisp,
        "(catch 'out (through #'(lambda () (throw 'out 7))) 8)",
        7,
    );
    let twice = "(catch 'out (through #'(lambda () (through #'(lambda () (throw 'out 9))))) 8)";
    is(&mut lisp, twice, 9);
    is(&mut lisp, "(through #'(lambda () 5))", 5);
    assert_eq!(*reached.borrow(), [true, true, true, false]);
    is(&mut lisp, "(+ 1 1)", 2);
}

#[test]
fn what_cannot_be_is_an_error() {
    let mut lisp = lisp();
    let mut other = self::lisp();
    let theirs = other.eval_object("(list 1)").expect("made");
    assert!(matches!(
        lisp.call("car", &[theirs.into()]),
        Err(Error::Foreign)
    ));
    assert!(matches!(
        lisp.call("identity", &['😀'.into()]),
        Err(Error::NoCharacter('😀'))
    ));
    assert!(matches!(lisp.eval("\"😀\""), Err(Error::NoCharacter('😀'))));
    for name in ["12", "\"car\"", "(a)"] {
        assert!(
            matches!(lisp.symbol(name), Err(Error::NoSymbol(_))),
            "{name}"
        );
    }
    assert!(i64::try_from(Value::from("x")).is_err());
}

#[test]
fn lisp_may_end() {
    let mut lisp = lisp();
    assert!(matches!(lisp.eval("(quit 5)"), Err(Error::Ended(5))));
    assert!(matches!(lisp.eval("1"), Err(Error::Ended(5))));
}

#[test]
fn images() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("z.sysout");
    let mut first = lisp();
    first.eval("(defun twice (x) (* 2 x))").expect("defined");
    let save = format!("(save-image {:?})", path.display().to_string());
    first.eval(&save).expect("saved");
    is(&mut first, "(twice 4)", 8);
    let mut second = Lisp::open(&path, Rights::default()).expect("opened");
    is(&mut second, "(twice 5)", 10);

    let rights = Rights {
        read_only: true,
        processes: false,
        ..Rights::default()
    };
    let mut third = Lisp::open(&path, rights).expect("opened");
    assert!(third.eval(&save).is_err());
    assert!(Lisp::open(folder.path(), Rights::default()).is_err());
}

#[test]
fn endless_recursion_is_an_error() {
    let mut lisp = lisp();
    lisp.eval("(defun down (n) (+ 1 (down (+ n 1))))")
        .expect("defined");
    for _ in 0..10 {
        assert!(lisp.eval("(down 0)").is_err());
    }
    is(&mut lisp, "(+ 2 3)", 5);
}
