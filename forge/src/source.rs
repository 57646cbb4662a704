//! Source texts, those of the built-in Lisp among them.

/// A source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// Name for messages.
    pub name: &'a str,
    /// Content.
    pub text: &'a str,
}

macro_rules! sources {
    ($($name:literal)*) => {
        &[$(Source {
            name: $name,
            text: include_str!(concat!("../lisp/", $name)),
        }),*]
    };
}

/// The built-in Lisp, in the order in which it is compiled, in front of a program.
pub const BUILTIN: &[Source<'static>] = sources! {
    "macros.lisp"
    "macros/places.lisp"
    "macros/loop.lisp"
    "kernel/memory.lisp"
    "kernel/storage.lisp"
    "kernel/unwind.lisp"
    "kernel/binding.lisp"
    "kernel/traps.lisp"
    "kernel/console.lisp"
    "kernel/start.lisp"
};
