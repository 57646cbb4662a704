//! Circles of garbage, and random programs beside a search of everything that they
//! can reach.

use std::collections::BTreeMap;

use geiko_region::Colour;

use super::BackupMode;
use crate::layout::records::types;
use crate::layout::{Generation, Medley2, Medley3, SymbolCell};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::testing::{close_frame, declare_type, with_machine};

/// A type of records, and where they have pointers.
const RECORD: u16 = 100;
const FIELDS: [u16; 3] = [0, 2, 6];

/// A ring of `size` list cells.
fn ring<G: Generation>(m: &mut Machine<'_, G>, size: u32) -> LispPtr {
    let last = m.cons(LispPtr::T, LispPtr::NIL);
    let first = (1..size).fold(last, |list, _| m.cons(LispPtr::T, list));
    m.rplacd(last, first);
    first
}

/// Ends the cycle that runs, with as many collections as that takes.
fn finish<G: Generation>(m: &mut Machine<'_, G>) {
    while !m.backup_is_idle() {
        m.collect();
        m.backup_step(u64::MAX);
    }
    m.collect();
}

fn freed<G: Generation>(m: &mut Machine<'_, G>) -> u64 {
    let before = m.statistics.objects_freed;
    m.collect();
    assert_eq!(m.fault, None);
    m.statistics.objects_freed - before
}

fn with_backup<G: Generation>(mode: BackupMode, test: impl FnOnce(Machine<'_, G>)) {
    with_machine::<G>(|mut m| {
        m.set_backup(mode);
        test(m);
    });
}

fn rings_go<G: Generation>() {
    with_backup::<G>(BackupMode::On, |mut m| {
        for size in [1, 2, 3, 1000] {
            let dead = ring(&mut m, size);
            let kept = ring(&mut m, size);
            close_frame(&mut m, &[kept]);
            assert_eq!(freed(&mut m), 0, "counts do not free {dead}");
            m.collect_cycles();
            assert_eq!(freed(&mut m), u64::from(size));
            close_frame(&mut m, &[]);
            m.collect_cycles();
            assert_eq!(freed(&mut m), u64::from(size));
            assert_eq!(m.backup_totals().lost, 0);
        }
        assert!(m.backup_is_idle());
    });
}

#[test]
fn rings_that_nothing_refers_to_are_freed() {
    rings_go::<Medley2>();
    rings_go::<Medley3>();
}

#[test]
fn a_report_frees_nothing() {
    with_backup::<Medley3>(BackupMode::Report, |mut m| {
        ring(&mut m, 5);
        close_frame(&mut m, &[]);
        m.collect_cycles();
        assert_eq!(m.backup_totals().garbage, 5);
        assert_eq!(freed(&mut m), 0);
        assert!(m.backup_is_idle());
    });
}

/// Makes rings of these sizes while there is room for few suspects; how many cells are freed.
fn freed_with_few_suspects<G: Generation>(most: u64, sizes: &[u32]) -> u64 {
    let mut all = 0;
    with_backup::<G>(BackupMode::On, |mut m| {
        let backup = m.gc.backup.as_mut().expect("it is on");
        backup.heap.most_suspects = most;
        for &size in sizes {
            ring(&mut m, size);
        }
        close_frame(&mut m, &[]);
        m.start_backup();
        while !m.backup_is_idle() {
            m.backup_step(u64::MAX);
            all += freed(&mut m);
        }
    });
    all
}

#[test]
fn what_there_was_no_room_for_is_examined_in_the_next_cycle() {
    for most in [100, 200, 299, 300, 301] {
        assert_eq!(freed_with_few_suspects::<Medley2>(most, &[3; 100]), 300);
        assert_eq!(freed_with_few_suspects::<Medley3>(most, &[3; 100]), 300);
    }
    // Of a circle for which there is never room only others between its cells stay.
    let sizes = [&[50][..], &[3; 100]].concat();
    assert!(freed_with_few_suspects::<Medley2>(30, &sizes) > 280);
    assert!(freed_with_few_suspects::<Medley3>(30, &sizes) > 280);
}

fn unknown_references<G: Generation>() {
    with_backup::<G>(BackupMode::On, |mut m| {
        // Counted from somewhere that is not in the image.
        let hidden = ring(&mut m, 3);
        m.add_ref(hidden);
        let with_it = m.number(1 << 20);
        m.rplaca(hidden, with_it);
        close_frame(&mut m, &[]);
        m.collect_cycles();
        assert_eq!((freed(&mut m), m.backup_totals().lost), (0, 1));
        assert_eq!(m.car(hidden), with_it);
        m.del_ref(hidden);
        m.collect_cycles();
        assert_eq!(freed(&mut m), 4);
    });
}

#[test]
fn what_counts_say_is_in_use_stays() {
    unknown_references::<Medley2>();
    unknown_references::<Medley3>();
}

#[test]
fn many_objects_go_in_batches() {
    with_backup::<Medley2>(BackupMode::On, |mut m| {
        let rings = 20_000;
        for _ in 0..rings {
            ring(&mut m, 1);
        }
        close_frame(&mut m, &[]);
        m.collect_cycles();
        let mut all = 0;
        while !m.backup_is_idle() {
            let batch = freed(&mut m);
            assert!(batch <= 4096);
            all += batch;
            m.backup_step(u64::MAX);
        }
        assert_eq!(all + freed(&mut m), rings);
        assert!(!m.gc_disabled());
    });
}

/// What is taken away from the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Nothing,
    /// References that are stored are not noticed.
    ForwardBarrier,
    /// Uncounted stores are not noticed.
    WrittenPages,
}

fn take_away<G: Generation>(m: &mut Machine<'_, G>, missing: Missing) {
    m.gc.backup.as_mut().expect("it is on").missing = missing;
}

/// Numbers that are random enough.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % n
    }
}

/// Records that the values of symbols refer to for ever.
const ANCHORS: u32 = 64;

/// A program with a few variables on the stack and others that are symbols, and what there should be.
struct Program<'m, G: Generation> {
    m: Machine<'m, G>,
    random: Random,
    variables: Vec<LispPtr>,
    anchors: Vec<LispPtr>,
    /// What each object refers to.
    model: BTreeMap<LispPtr, [LispPtr; 3]>,
    made: u64,
}

impl<G: Generation> Program<'_, G> {
    /// A record with nothing in it for each symbol.
    fn anchor(&mut self) {
        for symbol in 0..ANCHORS {
            let cell = G::symbol_cell(LispPtr(500 + symbol), SymbolCell::Value);
            self.m.new_page(cell);
            let record = self.m.create_cell(RECORD).expect("declared");
            self.m.store_counted(cell, record);
            self.model.insert(record, [LispPtr::NIL; 3]);
            self.anchors.push(record);
        }
        self.made += u64::from(ANCHORS);
    }

    fn any(&mut self) -> LispPtr {
        if self.random.below(2) == 0 {
            return self.any_anchor();
        }
        let variable = self.random.below(self.variables.len());
        self.variables[variable]
    }

    fn any_anchor(&mut self) -> LispPtr {
        let anchor = self.random.below(self.anchors.len());
        self.anchors[anchor]
    }

    fn set_any(&mut self, value: LispPtr) {
        let variable = self.random.below(self.variables.len());
        self.variables[variable] = value;
        close_frame(&mut self.m, &self.variables);
    }

    fn note(&mut self, object: LispPtr, references: [LispPtr; 3]) {
        self.made += 1;
        self.model.insert(object, references);
        self.set_any(object);
    }

    fn step(&mut self) {
        let (a, b) = (self.any(), self.any());
        let is_list = self.m.is_list(a);
        let nil = LispPtr::NIL;
        match self.random.below(20) {
            0..=2 => {
                let list = self.m.cons(a, b);
                self.note(list, [a, b, nil]);
            }
            3 => {
                let record = self.m.create_cell(RECORD).expect("declared");
                self.note(record, [nil; 3]);
            }
            4 if is_list => {
                let new = self.m.rplcons(a, b);
                self.model.get_mut(&a).expect("a list")[1] = new;
                self.note(new, [b, nil, nil]);
            }
            // In place of the objects, what they refer to.
            5..=8 => {
                let references = self.model.get(&a).copied().unwrap_or_default();
                let value = references[self.random.below(3)];
                self.set_any(value);
            }
            9 => self.set_any(nil),
            10 => {
                self.m.collect();
            }
            _ if a.is_nil() => {}
            11 | 12 => self.exchange(a, b),
            13 => self.hang(b),
            14..=16 => self.move_pointer(),
            change => self.store(a, b, change % 3),
        }
        let m = &mut self.m;
        if m.backup_is_idle() && self.random.below(10) == 0 {
            m.start_backup();
        }
        // Marking is slow and the rest is not, so that much happens while it marks.
        let units = match m.backup_marks() {
            true => 1,
            false => 1 + self.random.below(256) as u64,
        };
        m.backup_step(units);
    }

    fn store(&mut self, object: LispPtr, value: LispPtr, part: usize) {
        let m = &mut self.m;
        if m.is_list(object) {
            match part {
                0 => m.rplaca(object, value),
                1 => m.rplacd(object, value),
                _ => return,
            }
        } else {
            m.store_counted(object.add(FIELDS[part].into()), value);
        }
        self.model.get_mut(&object).expect("an object")[part] = value;
    }

    /// A new list that nothing but a record refers to.
    fn hang(&mut self, item: LispPtr) {
        let nil = LispPtr::NIL;
        let list = self.m.cons(item, nil);
        self.made += 1;
        self.model.insert(list, [item, nil, nil]);
        let (record, part) = (self.any_anchor(), self.random.below(3));
        self.store(record, list, part);
    }

    /// Moves a pointer from one record to another.
    fn move_pointer(&mut self) {
        let [from, to] = [(); 2].map(|()| self.any_anchor());
        let [source, target] = [(); 2].map(|()| self.random.below(3));
        let value = self.model[&from][source];
        self.store(to, value, target);
        if (from, source) != (to, target) {
            self.store(from, LispPtr::NIL, source);
        }
    }

    /// Exchanges pointers of two records, with no need to count.
    fn exchange(&mut self, a: LispPtr, b: LispPtr) {
        let records = [a, b].map(|object| (object, self.random.below(3)));
        if records
            .iter()
            .any(|&(object, _)| self.m.type_number(object) != RECORD)
        {
            return;
        }
        let values = records.map(|(object, part)| self.model[&object][part]);
        for ((object, part), value) in records.into_iter().zip([values[1], values[0]]) {
            let at = object.add(FIELDS[part].into());
            self.m.mem.set_cell(at, value);
            self.m.written(at);
            self.model.get_mut(&object).expect("an object")[part] = value;
        }
    }

    /// Everything the program can reach.
    fn reachable(&self) -> BTreeMap<LispPtr, [LispPtr; 3]> {
        let mut found = BTreeMap::new();
        let mut waiting = [&*self.variables, &*self.anchors].concat();
        while let Some(object) = waiting.pop() {
            if let Some(&references) = self.model.get(&object)
                && found.insert(object, references).is_none()
            {
                waiting.extend(references);
            }
        }
        found
    }

    /// The tracer did not find an object that the program can reach.
    fn needs_lost(&self) -> bool {
        let backup = self.m.gc.backup.as_ref().expect("it is on");
        let reachable = self.reachable();
        backup.lost.iter().any(|lost| reachable.contains_key(lost))
    }

    /// The objects that the program can reach are as it left them.
    fn is_intact(&self) -> bool {
        let m = &self.m;
        self.reachable().iter().all(|(&object, &[a, b, c])| {
            if m.is_list(object) {
                (m.car(object), m.cdr(object)) == (a, b)
            } else {
                let fields = FIELDS.map(|field| m.mem.cell(object.add(field.into())));
                m.type_number(object) == RECORD && fields == [a, b, c]
            }
        })
    }
}

/// Runs a random program, with a small step of the collector after every change. An
/// error if something that it can reach was freed, or would have been but for the counts.
fn run<G: Generation>(seed: u64, steps: u32, missing: Missing) -> Result<(), String> {
    let mut result = Ok(());
    with_backup::<G>(BackupMode::On, |mut m| {
        take_away(&mut m, missing);
        declare_type(&mut m, RECORD, 8, &FIELDS);
        let lists = m.statistics.objects_freed;
        let mut program = Program {
            m,
            random: Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            variables: vec![LispPtr::NIL; 12],
            anchors: Vec::new(),
            model: BTreeMap::new(),
            made: 0,
        };
        let mut cycles = 0;
        program.anchor();
        close_frame(&mut program.m, &program.variables);
        for step in 0..steps {
            program.step();
            let totals = program.m.backup_totals();
            let is_end = totals.cycles != cycles;
            cycles = totals.cycles;
            if totals.disputed > 0 || is_end && program.needs_lost() {
                result = Err(format!("step {step}: found too late: {totals:?}"));
                return;
            }
            if step % 512 == 511 && !program.is_intact() {
                result = Err(format!("step {step}: freed"));
                return;
            }
        }
        let reachable = program.reachable();
        let m = &mut program.m;
        finish(m);
        m.collect_cycles();
        finish(m);
        let alive = program.made - (program.m.statistics.objects_freed - lists);
        if !program.is_intact() || alive != reachable.len() as u64 {
            let reachable = reachable.len();
            let totals = program.m.backup_totals();
            result = Err(format!(
                "{alive} objects at the end, {reachable} in use: {totals:?}"
            ));
        }
        assert_eq!(program.m.fault, None);
    });
    result
}

/// Seeds and changes of the random programs.
const SEEDS: u64 = if cfg!(debug_assertions) { 2 } else { 40 };
const STEPS: u32 = 10_000;

#[test]
fn random_programs_lose_nothing_and_leave_nothing() {
    let steps = match std::env::var("GEIKO_RANDOM_STEPS") {
        Ok(steps) => steps.parse().expect("a number"),
        Err(_) => STEPS,
    };
    for seed in 0..SEEDS {
        assert_eq!(
            run::<Medley2>(seed, steps, Missing::Nothing),
            Ok(()),
            "{seed}"
        );
        assert_eq!(
            run::<Medley3>(seed, steps, Missing::Nothing),
            Ok(()),
            "{seed}"
        );
    }
}

#[test]
fn random_programs_need_both_barriers() {
    for missing in [Missing::ForwardBarrier, Missing::WrittenPages] {
        let found_2 = (0..5).filter(|&seed| run::<Medley2>(seed, STEPS, missing).is_err());
        let found_3 = (0..5).filter(|&seed| run::<Medley3>(seed, STEPS, missing).is_err());
        let found = (found_2.count(), found_3.count());
        assert!(found.0 >= 3 && found.1 >= 3, "{missing:?}: {found:?} of 5");
    }
}

/// How many objects are found by their counts only, when the pointer to the last of three moves
/// from the second to the first while the tracer has seen the first one alone.
fn found_too_late<G: Generation>(counted: bool, missing: Missing) -> u64 {
    let mut late = 0;
    with_backup::<G>(BackupMode::On, |mut m| {
        declare_type(&mut m, RECORD, 8, &FIELDS);
        let [first, second, last] = [(); 3].map(|()| m.create_cell(RECORD).expect("declared"));
        let cell = G::symbol_cell(LispPtr(500), SymbolCell::Value);
        m.new_page(cell);
        m.store_counted(cell, first);
        m.store_counted(first, second);
        m.store_counted(second, last);
        close_frame(&mut m, &[]);
        m.start_backup();
        let colour = |m: &Machine<'_, G>, object| {
            let backup = m.gc.backup.as_ref().expect("it is on");
            (backup.heap.colours.get(object), backup.progress.in_use())
        };
        while colour(&m, first).0 != colour(&m, first).1 {
            m.backup_step(1);
        }
        assert_eq!(colour(&m, second).0, Colour::Grey);
        take_away(&mut m, missing);
        let moved = first.add(2);
        if counted {
            m.store_counted(moved, last);
            m.store_counted(second, LispPtr::NIL);
        } else {
            m.mem.set_cell(moved, last);
            m.mem.set_cell(second, LispPtr::NIL);
            m.written(moved);
            m.written(second);
        }
        m.backup_step(u64::MAX);
        // What describes the record's pointers is held by no object.
        late = m.backup_totals().lost - 1;
        assert_eq!(m.type_number(last), RECORD);
    });
    late
}

fn barriers<G: Generation>() {
    assert_eq!(found_too_late::<G>(true, Missing::Nothing), 0);
    assert_eq!(found_too_late::<G>(true, Missing::ForwardBarrier), 1);
    assert_eq!(found_too_late::<G>(false, Missing::Nothing), 0);
    assert_eq!(found_too_late::<G>(false, Missing::WrittenPages), 1);
}

#[test]
fn both_barriers_are_needed() {
    barriers::<Medley2>();
    barriers::<Medley3>();
}

#[test]
fn records_and_boxes_in_circles_go() {
    with_backup::<Medley2>(BackupMode::On, |mut m| {
        declare_type(&mut m, RECORD, 8, &FIELDS);
        let record = m.create_cell(RECORD).expect("declared");
        let number = m.number(1 << 20);
        m.store_counted(record, record);
        m.store_counted(record.add(2), number);
        assert_eq!(m.type_number(number), types::FIXP);
        close_frame(&mut m, &[]);
        m.collect_cycles();
        assert_eq!(freed(&mut m), 2);
    });
}
