//! Lisp in programs written in C: `geiko::embed` with a C interface.
//!
//! `geiko.h` is made from this file (`tests/c.rs` sees to it), so comments here are for
//! people who write C. Everything unsafe here is unsafe because C cannot promise what
//! references of Rust promise; each function says what its caller must.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::path::Path;
use std::rc::Rc;
use std::slice;

use geiko::devices::host::Rights;
use geiko::embed::{Error, Lisp, Object, Value};

/// A Lisp. Each belongs to the thread that made it.
pub struct GeikoLisp {
    lisp: *mut Lisp,
    /// The Lisp is freed with this; the one that a function of C is called with is not.
    is_owner: bool,
    /// What was last wrong.
    error: Rc<RefCell<CString>>,
}

/// A handle on an object of Lisp, which lives as long as the handle.
pub struct GeikoObject(Object);

/// A function of C for Lisp. Its arguments are handles that are freed by the caller; its
/// result is freed by the caller, too. NULL is an error in Lisp, with the text that
/// geiko_fail was told, or that of what was last wrong.
pub type GeikoFunction = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        lisp: *mut GeikoLisp,
        arguments: *const *const GeikoObject,
        count: usize,
    ) -> *mut GeikoObject,
>;

impl GeikoLisp {
    /// The Lisp itself.
    fn get(&mut self) -> &mut Lisp {
        // SAFETY: `lisp` comes from a box that lives as long as its owner, or from a
        // reference that lives as long as the call that this was made for. While a function
        // of C is called nobody uses the reference that it was made from.
        unsafe { &mut *self.lisp }
    }

    fn fail(&self, why: &str) {
        let text: String = why.chars().filter(|&c| c != '\0').collect();
        *self.error.borrow_mut() = CString::new(text).unwrap_or_default();
    }

    /// The result, or what is wrong for `geiko_error`.
    fn note<T>(&self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.fail(&error.to_string())).ok()
    }

    fn object(&mut self, value: &Value) -> *mut GeikoObject {
        let object = self.get().object(value);
        handle(self.note(object))
    }

    fn value(&mut self, object: &GeikoObject) -> Value {
        self.get().value_of(&object.0)
    }
}

fn handle(object: Option<Object>) -> *mut GeikoObject {
    object.map_or(std::ptr::null_mut(), |object| {
        Box::into_raw(Box::new(GeikoObject(object)))
    })
}

fn start(lisp: Result<Lisp, Error>) -> *mut GeikoLisp {
    match lisp {
        Ok(lisp) => Box::into_raw(Box::new(GeikoLisp {
            lisp: Box::into_raw(Box::new(lisp)),
            is_owner: true,
            error: Rc::default(),
        })),
        Err(error) => {
            eprintln!("geiko: {error}");
            std::ptr::null_mut()
        }
    }
}

/// A text of C; what is not UTF-8 is replaced.
///
/// # Safety
///
/// `text` is NULL or ends with a NUL.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// The built-in Lisp. NULL if it cannot be started; standard error says why.
#[unsafe(no_mangle)]
pub extern "C" fn geiko_new() -> *mut GeikoLisp {
    start(Lisp::new())
}

/// The image of the built-in Lisp in a file that save-image has written. NULL if it cannot
/// be started; standard error says why.
///
/// # Safety
///
/// `path` ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_open(path: *const c_char) -> *mut GeikoLisp {
    // SAFETY: as the caller promises.
    let path = unsafe { text(path) };
    start(Lisp::open(Path::new(&path), Rights::default()))
}

/// Ends a Lisp. Handles on its objects are freed as always, before or after.
///
/// # Safety
///
/// `lisp` is NULL or comes from geiko_new or geiko_open, and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_free(lisp: *mut GeikoLisp) {
    if lisp.is_null() {
        return;
    }
    // SAFETY: as the caller promises.
    let owner = unsafe { Box::from_raw(lisp) };
    if owner.is_owner {
        // SAFETY: the box that `start` made; nobody else has it.
        drop(unsafe { Box::from_raw(owner.lisp) });
    }
}

/// What was last wrong, until something else is.
///
/// # Safety
///
/// `lisp` is a Lisp in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_error(lisp: *const GeikoLisp) -> *const c_char {
    // SAFETY: as the caller promises.
    let lisp = unsafe { &*lisp };
    lisp.error.borrow().as_ptr()
}

/// In a function of C for Lisp: the text of the error that its NULL is.
///
/// # Safety
///
/// `lisp` is a Lisp in use, and `why` ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_fail(lisp: *mut GeikoLisp, why: *const c_char) {
    // SAFETY: as the caller promises.
    unsafe { (*lisp).fail(&text(why)) };
}

/// Evaluates the forms of a text; the value of the last one. NULL if something is wrong.
///
/// # Safety
///
/// `lisp` is a Lisp in use, and `forms` ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_eval(
    lisp: *mut GeikoLisp,
    forms: *const c_char,
) -> *mut GeikoObject {
    // SAFETY: as the caller promises.
    let (lisp, forms) = unsafe { (&mut *lisp, text(forms)) };
    let value = lisp.get().eval_object(&forms);
    handle(lisp.note(value))
}

/// Calls the function with a name; its value. NULL if something is wrong.
///
/// # Safety
///
/// `lisp` is a Lisp in use, `name` ends with a NUL, and there are `count` handles at
/// `arguments`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_call(
    lisp: *mut GeikoLisp,
    name: *const c_char,
    arguments: *const *const GeikoObject,
    count: usize,
) -> *mut GeikoObject {
    // SAFETY: as the caller promises.
    let (lisp, name, arguments) = unsafe { (&mut *lisp, text(name), values(arguments, count)) };
    let value = lisp.get().call_object(&name, &arguments);
    handle(lisp.note(value))
}

/// # Safety
///
/// There are `count` handles at `objects`.
unsafe fn values(objects: *const *const GeikoObject, count: usize) -> Vec<Value> {
    if count == 0 {
        return Vec::new();
    }
    // SAFETY: as the caller promises.
    let objects = unsafe { slice::from_raw_parts(objects, count) };
    // SAFETY: as the caller promises.
    let object = |&object: &*const GeikoObject| unsafe { &(*object).0 }.into();
    objects.iter().map(object).collect()
}

/// Makes a function of C the definition of a symbol. False if something is wrong.
///
/// # Safety
///
/// `lisp` is a Lisp in use, `name` ends with a NUL, and `function` can be called with
/// `context` as long as there is the Lisp.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_define(
    lisp: *mut GeikoLisp,
    name: *const c_char,
    function: GeikoFunction,
    context: *mut c_void,
) -> bool {
    // SAFETY: as the caller promises.
    let (lisp, name) = unsafe { (&mut *lisp, text(name)) };
    let Some(function) = function else {
        lisp.fail("there is no function");
        return false;
    };
    let error = Rc::clone(&lisp.error);
    let defined = lisp.get().define(&name, move |inner, arguments| {
        let arguments = arguments
            .iter()
            .map(|argument| inner.object(argument).map(GeikoObject));
        let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
        let pointers: Vec<*const GeikoObject> =
            arguments.iter().map(|object| &raw const *object).collect();
        let mut borrowed = GeikoLisp {
            lisp: inner,
            is_owner: false,
            error: Rc::clone(&error),
        };
        // SAFETY: the one who defined it has promised that it can be called.
        let value = unsafe {
            function(
                context,
                &raw mut borrowed,
                pointers.as_ptr(),
                pointers.len(),
            )
        };
        if value.is_null() {
            return Err(Error::Lisp(error.borrow().to_string_lossy().into_owned()));
        }
        // SAFETY: handles come from boxes, and the result is the caller's.
        let value = unsafe { Box::from_raw(value) };
        Ok(Value::Object(value.0))
    });
    lisp.note(defined).is_some()
}

/// Lets go of an object.
///
/// # Safety
///
/// `object` is NULL or a handle that is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_release(object: *mut GeikoObject) {
    if !object.is_null() {
        // SAFETY: as the caller promises.
        drop(unsafe { Box::from_raw(object) });
    }
}

/// An integer. NULL if something is wrong.
///
/// # Safety
///
/// `lisp` is a Lisp in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_integer(lisp: *mut GeikoLisp, number: i64) -> *mut GeikoObject {
    // SAFETY: as the caller promises.
    unsafe { &mut *lisp }.object(&number.into())
}

/// A float. NULL if something is wrong.
///
/// # Safety
///
/// `lisp` is a Lisp in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_float(lisp: *mut GeikoLisp, number: f32) -> *mut GeikoObject {
    // SAFETY: as the caller promises.
    unsafe { &mut *lisp }.object(&number.into())
}

/// A string, from UTF-8. NULL if something is wrong.
///
/// # Safety
///
/// `lisp` is a Lisp in use, and `characters` ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_string(
    lisp: *mut GeikoLisp,
    characters: *const c_char,
) -> *mut GeikoObject {
    // SAFETY: as the caller promises.
    let (lisp, characters) = unsafe { (&mut *lisp, text(characters)) };
    lisp.object(&characters.into())
}

/// A list. NULL if something is wrong.
///
/// # Safety
///
/// `lisp` is a Lisp in use, and there are `count` handles at `elements`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_list(
    lisp: *mut GeikoLisp,
    elements: *const *const GeikoObject,
    count: usize,
) -> *mut GeikoObject {
    // SAFETY: as the caller promises.
    let (lisp, elements) = unsafe { (&mut *lisp, values(elements, count)) };
    lisp.object(&elements.into())
}

/// Whether an object is NIL: false, and the empty list.
///
/// # Safety
///
/// `lisp` is a Lisp in use, and `object` a handle of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_is_nil(lisp: *mut GeikoLisp, object: *const GeikoObject) -> bool {
    // SAFETY: as the caller promises.
    let (lisp, object) = unsafe { (&mut *lisp, &*object) };
    lisp.value(object) == Value::Nil
}

/// The value of an integer. False if it is none of 64 bits.
///
/// # Safety
///
/// `lisp` is a Lisp in use, `object` a handle of it, and `number` has room for the value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_get_integer(
    lisp: *mut GeikoLisp,
    object: *const GeikoObject,
    number: *mut i64,
) -> bool {
    // SAFETY: as the caller promises.
    let (lisp, object) = unsafe { (&mut *lisp, &*object) };
    let value = i64::try_from(lisp.value(object));
    // SAFETY: as the caller promises.
    lisp.note(value)
        .map(|value| unsafe { number.write(value) })
        .is_some()
}

/// The value of a float. False if it is none.
///
/// # Safety
///
/// `lisp` is a Lisp in use, `object` a handle of it, and `number` has room for the value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_get_float(
    lisp: *mut GeikoLisp,
    object: *const GeikoObject,
    number: *mut f32,
) -> bool {
    // SAFETY: as the caller promises.
    let (lisp, object) = unsafe { (&mut *lisp, &*object) };
    let value = f32::try_from(lisp.value(object));
    // SAFETY: as the caller promises.
    lisp.note(value)
        .map(|value| unsafe { number.write(value) })
        .is_some()
}

/// The characters of a string in UTF-8, to be freed with geiko_free_text; NUL characters
/// are left out. NULL if it is no string.
///
/// # Safety
///
/// `lisp` is a Lisp in use, and `object` a handle of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_get_string(
    lisp: *mut GeikoLisp,
    object: *const GeikoObject,
) -> *mut c_char {
    // SAFETY: as the caller promises.
    let (lisp, object) = unsafe { (&mut *lisp, &*object) };
    let value = String::try_from(lisp.value(object));
    lisp.note(value).map_or(std::ptr::null_mut(), |value| {
        let value: String = value.chars().filter(|&c| c != '\0').collect();
        CString::new(value).unwrap_or_default().into_raw()
    })
}

/// Frees what geiko_get_string has returned.
///
/// # Safety
///
/// `characters` is NULL or comes from geiko_get_string, and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn geiko_free_text(characters: *mut c_char) {
    if !characters.is_null() {
        // SAFETY: as the caller promises.
        drop(unsafe { CString::from_raw(characters) });
    }
}
