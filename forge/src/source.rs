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
    "lib/primitives.lisp"
    "lib/elementary.lisp"
    "lib/lists.lisp"
    "lib/equality.lisp"
    "lib/symbols.lisp"
    "lib/types.lisp"
    "lib/conditions.lisp"
    "lib/restarts.lisp"
    "lib/arithmetic.lisp"
    "lib/numbers.lisp"
    "lib/bignums.lisp"
    "lib/floats.lisp"
    "lib/characters.lisp"
    "lib/strings.lisp"
    "lib/arrays.lisp"
    "lib/sequences.lisp"
    "lib/hash-tables.lisp"
    "lib/streams.lisp"
    "lib/printer.lisp"
    "lib/reader.lisp"
    "lib/format.lisp"
    "lib/structures.lisp"
    "lib/evaluator.lisp"
    "lib/special-forms.lisp"
    "lib/walker.lisp"
    "lib/compiler.lisp"
    "lib/system.lisp"
    "lib/trace.lisp"
    "lib/embedding.lisp"
    "lib/top-level.lisp"
};

/// Programs to measure, for any Common Lisp: first what they have in common, then the
/// programs, at last what lets the host control them on the built-in Lisp.
pub const BENCHMARKS: &[Source<'static>] = sources! {
    "bench/driver.lisp"
    "bench/calls.lisp"
    "bench/control.lisp"
    "bench/lists.lisp"
    "bench/storage.lisp"
    "bench/arrays.lisp"
    "bench/numbers.lisp"
    "bench/strings.lisp"
    "bench/tables.lisp"
    "bench/search.lisp"
    "bench/rewriting.lisp"
    "bench/builtin.lisp"
};
