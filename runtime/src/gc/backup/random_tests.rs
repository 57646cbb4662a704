//! Random programs, beside a search of everything that they can reach.

use std::collections::BTreeMap;

use super::BackupMode;
use super::tests::{
    CELLS, FIELDS, Missing, RECORD, array, declare_arrays, finish, is_array, place, take_away,
    with_backup,
};
use crate::layout::records::types;
use crate::layout::{Generation, Medley2, Medley3, SymbolCell};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::testing::{close_frame, declare_type};

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

/// Records and arrays that the values of symbols refer to for ever.
const ANCHORS: u32 = 64;
/// Arrays among them.
const ANCHOR_ARRAYS: u32 = 3;
/// Arrays that there are at the same time.
const ARRAYS: u32 = 8;
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
    /// A record or an array with nothing in it for each symbol.
    fn anchor(&mut self) {
        for symbol in 0..ANCHORS {
            let cell = G::symbol_cell(LispPtr(500 + symbol), SymbolCell::Value);
            self.m.new_page(cell);
            let record = if symbol < ANCHOR_ARRAYS {
                array(&mut self.m)
            } else {
                self.m.create_cell(RECORD)
            };
            let record = record.expect("declared");
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
            10 if self.random.below(2) == 0 => {
                if let Some(array) = array(&mut self.m) {
                    self.note(array, [nil; 3]);
                }
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
            m.store_counted(place(object, part), value);
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
            .any(|&(object, _)| object.is_nil() || self.m.is_list(object))
        {
            return;
        }
        let values = records.map(|(object, part)| self.model[&object][part]);
        for ((object, part), value) in records.into_iter().zip([values[1], values[0]]) {
            let at = place(object, part);
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
                let fields = [0, 1, 2].map(|part| m.mem.cell(place(object, part)));
                let type_number = if is_array(object) {
                    types::ARRAY_BLOCK
                } else {
                    RECORD
                };
                m.type_number(object) == type_number && fields == [a, b, c]
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
        declare_arrays(&mut m, ARRAYS, CELLS);
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

/// What an environment variable says instead of `usual`.
fn wanted<T: std::str::FromStr>(variable: &str, usual: T) -> T {
    let Ok(number) = std::env::var(variable) else {
        return usual;
    };
    (number.parse().ok()).unwrap_or_else(|| panic!("{variable} is no number: {number}"))
}

#[test]
fn random_programs_lose_nothing_and_leave_nothing() {
    let steps = wanted("GEIKO_RANDOM_STEPS", STEPS);
    for seed in 0..wanted("GEIKO_RANDOM_SEEDS", SEEDS) {
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
