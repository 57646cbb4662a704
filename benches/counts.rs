//! Host instructions, counted by valgrind: what the interpreter needs for a group of
//! Lisp's instructions, the machine for storage and reference counts, and the tools
//! for a program; `counts/native.rs` is about native code, `counts/region.rs` about regions. `.ci/counts` runs this and
//! explains the limits.

#![allow(missing_docs)] // The macros of iai-callgrind make items without any.

#[path = "counts/native.rs"]
mod native_kernels;
#[path = "counts/region.rs"]
mod regions;

use std::hint::black_box;
use std::path::Path;

use geiko_forge::code::Definition;
use geiko_forge::link::link as link_image;
use geiko_forge::{Source, program};
use geiko_runtime::device::Devices;
use geiko_runtime::image::ImageFile;
use geiko_runtime::interp::Exit;
use geiko_runtime::layout::{Generation, Medley2, Medley3, Release};
use geiko_runtime::machine::Machine;
use geiko_runtime::memory::LispPtr;
use iai_callgrind::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use native_kernels::native;
use regions::region;

/// What each benchmark may take before it has become slower, in per mille.
const TOLERANCE: u64 = 20;

/// The C library has versions of some functions for some processors.
const OLDEST_MEMORY_FUNCTIONS: &str =
    "glibc.cpu.hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-ERMS,-SSSE3";

/// Names and committed counts, a line each.
const COUNTS: &str = include_str!("counts/counts.txt");
const KERNELS: &str = include_str!("counts/kernels.lisp");
const PROGRAM: &str = include_str!("counts/program.lisp");

/// Stores of a benchmark of counting.
const STORES: usize = 50_000;

/// The limit of the benchmark with that name: what was committed and a little more.
fn limit(name: &str) -> LibraryBenchmarkConfig {
    limit_with(name, u64::MAX)
}

/// The same for a benchmark of counting: half an instruction more for each store is too
/// much.
fn barrier_limit(name: &str) -> LibraryBenchmarkConfig {
    limit_with(name, STORES as u64 / 2)
}

/// What was committed and 2 % more, or `most` if that is less.
fn limit_with(name: &str, most: u64) -> LibraryBenchmarkConfig {
    let committed = COUNTS.lines().find_map(|line| {
        let (known, count) = line.split_once(' ')?;
        (known == name).then(|| count.trim().parse::<u64>().expect("a count"))
    });
    let mut callgrind = Callgrind::with_args(["--cache-sim=no"]);
    if let Some(count) = committed {
        let more = (count * TOLERANCE / 1000).min(most);
        callgrind.hard_limits([(EventKind::Ir, count + more)]);
    }
    let mut config = LibraryBenchmarkConfig::default();
    config
        .tool(callgrind)
        .env("GLIBC_TUNABLES", OLDEST_MEMORY_FUNCTIONS);
    config
}

/// A start that calls a kernel.
fn start(kernel: &str, turns: u32) -> String {
    format!("(defun il:\\\\cold-start () ({kernel} {turns}) (finish 5))")
}

/// The kernels and a start that calls one of them, compiled.
fn definitions(release: Release, kernel: &str, turns: u32) -> Vec<Definition> {
    with_kernels(release, &start(kernel, turns))
}

/// The kernels and the functions in `start`, compiled.
fn with_kernels(release: Release, start: &str) -> Vec<Definition> {
    let sources = [
        Source {
            name: "kernels.lisp",
            text: KERNELS,
        },
        Source {
            name: "start",
            text: start,
        },
    ];
    program::definitions(&sources, release).expect("the kernels are right")
}

/// The image of the kernels, which calls one of them.
fn image(release: Release, kernel: &str, turns: u32) -> ImageFile {
    image_of(release, &start(kernel, turns))
}

/// The image of the kernels and the functions in `start`.
fn image_of(release: Release, start: &str) -> ImageFile {
    let bytes = link_image(&with_kernels(release, start), release).expect("they fit");
    ImageFile::from_bytes(Path::new("kernels"), bytes).expect("an image")
}

/// A machine about to run `image`, for as long as the process lasts.
fn machine<G: Generation>(image: &ImageFile) -> Machine<'static, G> {
    let size = image.memory_size(None).expect("a size");
    let space = Box::leak(Box::new(image.load::<G>(size).expect("an image")));
    let (mut machine, _) = Machine::of_image(space.view(), Devices::absent());
    machine.prepare(size);
    machine.start().expect("a frame to resume");
    machine
}

fn kernel<G: Generation>(release: Release, name: &str, turns: u32) -> Machine<'static, G> {
    let mut machine = machine(&image(release, name, turns));
    // The first list cell makes tables outside Lisp memory.
    machine.cons(LispPtr::NIL, LispPtr::NIL);
    machine
}

/// A machine of generation 3 about to run a kernel.
fn wide(name: &str, turns: u32) -> Machine<'static, Medley3> {
    kernel(Release::Medley3, name, turns)
}

/// A machine of generation 2 about to run a kernel.
fn narrow(name: &str, turns: u32) -> Machine<'static, Medley2> {
    kernel(Release::Medley2, name, turns)
}

fn finish<G: Generation>(mut machine: Machine<'static, G>) {
    let exit = black_box(&mut machine).run();
    assert_eq!((exit, machine.exit_status), (Exit::Finished, 5));
    // Dropping it is none of the interpreter's business.
    std::mem::forget(machine);
}

macro_rules! kernels {
    ($($id:ident: $kernel:literal, $turns:literal;)*) => {
        #[library_benchmark]
        $(#[bench::$id(args = ($kernel, $turns), setup = wide, config = limit(stringify!($id)))])*
        fn interpreter(machine: Machine<'static, Medley3>) {
            finish(machine);
        }
    };
}

kernels! {
    variables: "variables", 1_000;
    branches: "branches", 1_000;
    integers: "integers", 1_000;
    boxed_integers: "boxed-integers", 1_000;
    floats: "floats", 1_000;
    memory: "memory", 1_000;
    types: "types", 1_000;
    lists: "lists", 400;
    list_search: "list-search", 2_000;
    arrays: "arrays", 1_000;
    globals: "globals", 3_000;
    free_variables: "free-variables", 500;
    bindings: "bindings", 2_000;
    calls: "calls", 500;
    calls_changed: "calls-changed", 500;
    calls_by_value: "calls-by-value", 500;
    fib: "fib", 20;
    conses: "conses", 300;
    kept_conses: "kept-conses", 2_000;
    stores: "stores", 2_000;
    cells: "cells", 2_000;
    pause: "deep-reclaims", 10;
}

/// A machine with two list cells to be stored in turn in a third one.
struct Stores<G: Generation> {
    machine: Machine<'static, G>,
    cell: LispPtr,
    values: [LispPtr; 2],
}

/// Objects that have `references` each and nothing in common.
fn stores<G: Generation>(release: Release, references: u32) -> Stores<G> {
    let mut machine = kernel::<G>(release, "calls", 1);
    let cell = machine.cons(LispPtr::NIL, LispPtr::NIL);
    let mut object = || {
        let object = machine.cons(LispPtr::NIL, LispPtr::NIL);
        for _ in 0..references {
            machine.add_ref(object);
        }
        object
    };
    let values = [object(), object()];
    Stores {
        machine,
        cell,
        values,
    }
}

/// Objects whose counts are in the table.
fn counted<G: Generation>(release: Release) -> Stores<G> {
    stores(release, 4)
}

/// Objects with one reference, which the table knows nothing of; a second one comes
/// and goes.
fn uncounted<G: Generation>(release: Release) -> Stores<G> {
    stores(release, 1)
}

/// Objects whose counts are at the same place of the table.
fn colliding<G: Generation>(release: Release) -> Stores<G> {
    let mut stores = counted::<G>(release);
    let Stores {
        machine, values, ..
    } = &mut stores;
    let other = LispPtr(values[0].0 ^ 0x1_0000);
    let unit = |object: LispPtr| G::TYPE_TABLE.add(object.0 >> 9);
    let entry = machine.mem.word(unit(values[0]));
    machine.mem.set_word(unit(other), entry);
    for _ in 0..3 {
        machine.add_ref(other);
    }
    values[1] = other;
    stores
}

fn store_all<G: Generation>(stores: Stores<G>) {
    let Stores {
        mut machine,
        cell,
        values,
    } = stores;
    for turn in 0..STORES {
        machine.store_counted(black_box(cell), values[turn % 2]);
    }
    assert_eq!(machine.fault, None);
    std::mem::forget(machine);
}

#[library_benchmark]
#[bench::barrier_hit(args = (Release::Medley3), setup = counted, config = barrier_limit("barrier_hit"))]
#[bench::barrier_miss(args = (Release::Medley3), setup = uncounted, config = barrier_limit("barrier_miss"))]
#[bench::barrier_collision(args = (Release::Medley3), setup = colliding, config = barrier_limit("barrier_collision"))]
fn wide_barrier(stores: Stores<Medley3>) {
    store_all(stores);
}

#[library_benchmark]
#[bench::barrier_hit_2(args = (Release::Medley2), setup = counted, config = barrier_limit("barrier_hit_2"))]
#[bench::barrier_miss_2(args = (Release::Medley2), setup = uncounted, config = barrier_limit("barrier_miss_2"))]
#[bench::barrier_collision_2(args = (Release::Medley2), setup = colliding, config = barrier_limit("barrier_collision_2"))]
fn narrow_barrier(stores: Stores<Medley2>) {
    store_all(stores);
}

/// A machine with many list cells that nothing refers to, alone and in a long list.
fn garbage<G: Generation>(release: Release) -> Machine<'static, G> {
    let mut machine = kernel::<G>(release, "calls", 1);
    let mut list = LispPtr::NIL;
    for _ in 0..10_000 {
        machine.cons(LispPtr::NIL, LispPtr::NIL);
        list = machine.cons(LispPtr::NIL, list);
    }
    machine
}

fn collect<G: Generation>(mut machine: Machine<'static, G>) {
    black_box(&mut machine).collect();
    assert!(machine.statistics.objects_freed >= 20_000);
    std::mem::forget(machine);
}

#[library_benchmark]
#[bench::reclaim(args = (Release::Medley3), setup = garbage, config = limit("reclaim"))]
fn wide_reclaim(machine: Machine<'static, Medley3>) {
    collect(machine);
}

#[library_benchmark]
#[bench::reclaim_2(args = (Release::Medley2), setup = garbage, config = limit("reclaim_2"))]
fn narrow_reclaim(machine: Machine<'static, Medley2>) {
    collect(machine);
}

#[library_benchmark]
#[bench::fib_2(args = ("fib", 20), setup = narrow, config = limit("fib_2"))]
#[bench::kept_conses_2(args = ("kept-conses", 2_000), setup = narrow, config = limit("kept_conses_2"))]
fn narrow_interpreter(machine: Machine<'static, Medley2>) {
    finish(machine);
}

#[library_benchmark]
#[bench::load(args = (Release::Medley3, "calls", 1), setup = image, config = limit("load"))]
fn load(image: ImageFile) {
    std::mem::forget(machine::<Medley3>(black_box(&image)));
}

#[library_benchmark]
#[bench::compile(config = limit("compile"))]
fn compile() {
    let program = Source {
        name: "program.lisp",
        text: PROGRAM,
    };
    let definitions = program::definitions(black_box(&[program]), Release::Medley3);
    black_box(definitions.expect("the program is right"));
}

#[library_benchmark]
#[bench::link(args = (Release::Medley3, "calls", 1), setup = definitions, config = limit("link"))]
fn link_program(definitions: Vec<Definition>) {
    let bytes = link_image(black_box(&definitions), Release::Medley3);
    std::mem::forget((bytes.expect("an image"), definitions));
}

library_benchmark_group!(
    name = counts;
    benchmarks =
        interpreter,
        narrow_interpreter,
        wide_barrier,
        narrow_barrier,
        wide_reclaim,
        narrow_reclaim,
        load,
        compile,
        link_program
);

main!(library_benchmark_groups = counts, native, region);
