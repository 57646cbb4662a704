//! Host instructions of native code: of the code itself, warm, and of making it.

use std::rc::Rc;

use geiko_jit::{Jit, Pace};
use geiko_runtime::interp::Exit;
use geiko_runtime::layout::{Medley3, Release};
use geiko_runtime::machine::Machine;
use iai_callgrind::{library_benchmark, library_benchmark_group};

use super::{finish, image_of, limit, machine};

/// Room for native code.
const CODE_BYTES: usize = 1 << 20;

/// What the other kernels do not have: loops of which hardly more than the poll is left,
/// and calls with nothing in them.
const KERNELS: &str = "
(defun empty-loop (count)
  (tagbody again
    (setq count (- count 1))
    (if (eq count 0) nil (go again))))

(defun callee (n) n)

(defun empty-calls (count)
  (tagbody again
    (callee count)
    (setq count (- count 1))
    (if (eq count 0) nil (go again))))

(defun warm-fib (count)
  (fib (if (eq count 3) 3 18)))
";

/// A machine of generation 3 with native code for a kernel, about to run it so many turns.
fn warm(kernel: &str, turns: u32) -> Machine<'static, Medley3> {
    let start = format!(
        "{KERNELS}
(defun warm (count)
  (tagbody again
    ({kernel} 3)
    (setq count (- count 1))
    (if (eq count 0) nil (go again))))

(defun il:\\\\cold-start () (warm 50) (finish 5) ({kernel} {turns}) (finish 5))"
    );
    let mut machine = compiling(&start);
    assert_eq!((machine.run(), machine.exit_status), (Exit::Finished, 5));
    machine
}

/// A machine that is about to run a kernel, which becomes native in one of the first turns.
fn fresh(kernel: &str) -> Machine<'static, Medley3> {
    compiling(&super::start(kernel, 20))
}

/// A machine that compiles functions at once when they are called or loop again.
fn compiling(start: &str) -> Machine<'static, Medley3> {
    let mut machine = machine::<Medley3>(&image_of(Release::Medley3, start));
    let jit = Jit::new(machine.mem, CODE_BYTES, Pace::Now).expect("a host that is known");
    machine.set_compiler(Rc::new(jit), 1);
    machine
}

macro_rules! warm_kernels {
    ($($id:ident: $kernel:literal, $turns:literal;)*) => {
        #[library_benchmark]
        $(#[bench::$id(args = ($kernel, $turns), setup = warm, config = limit(stringify!($id)))])*
        fn native_code(machine: Machine<'static, Medley3>) {
            finish(machine);
        }
    };
}

warm_kernels! {
    native_poll: "empty-loop", 10_000;
    native_calls: "empty-calls", 10_000;
    native_fib: "warm-fib", 18;
    native_integers: "integers", 100;
    native_floats: "floats", 100;
    native_lists: "lists", 100;
    native_conses: "conses", 100;
    native_stores: "stores", 100;
    native_arrays: "arrays", 100;
    native_free_variables: "free-variables", 100;
    native_pause: "deep-reclaims", 10;
}

#[library_benchmark]
#[bench::native_compile(args = ("branches"), setup = fresh, config = limit("native_compile"))]
fn making(machine: Machine<'static, Medley3>) {
    finish(machine);
}

library_benchmark_group!(
    name = native;
    benchmarks = native_code, making
);
