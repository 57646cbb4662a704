//! Lists and boxes, built, changed and collected, against a model with plain
//! nodes and counts.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::layout::records::types;
use crate::layout::{Generation, Medley2, Medley3};
use crate::machine::Machine;
use crate::memory::{LispPtr, WORDS_PER_PAGE};
use crate::testing::{close_frame, with_machine};

const ROOTS: usize = 6;

/// What is done, with numbers of root variables.
#[derive(Clone, Debug)]
enum Step {
    Number {
        to: usize,
        value: u16,
    },
    Cons {
        car: usize,
        cdr: usize,
        to: usize,
    },
    Rplaca {
        list: usize,
        car: usize,
    },
    Rplacd {
        list: usize,
        cdr: usize,
    },
    Rplcons {
        list: usize,
        item: usize,
        to: usize,
    },
    Car {
        of: usize,
        to: usize,
    },
    Cdr {
        of: usize,
        to: usize,
    },
    Clear {
        to: usize,
    },
    /// Adds new elements in front.
    Build {
        to: usize,
        item: usize,
        length: u16,
    },
    /// Adds new elements behind the first.
    Append {
        to: usize,
        item: usize,
        length: u16,
    },
    /// Drops every second element of a list.
    Thin {
        list: usize,
    },
    Collect,
}

fn step() -> impl Strategy<Value = Step> {
    let root = || 0..ROOTS;
    prop_oneof![
        2 => (root(), 0u16..4).prop_map(|(to, value)| Step::Number { to, value }),
        6 => (root(), root(), root()).prop_map(|(car, cdr, to)| Step::Cons { car, cdr, to }),
        2 => (root(), root()).prop_map(|(list, car)| Step::Rplaca { list, car }),
        3 => (root(), root()).prop_map(|(list, cdr)| Step::Rplacd { list, cdr }),
        2 => (root(), root(), root()).prop_map(|(list, item, to)| Step::Rplcons { list, item, to }),
        2 => (root(), root()).prop_map(|(of, to)| Step::Car { of, to }),
        3 => (root(), root()).prop_map(|(of, to)| Step::Cdr { of, to }),
        2 => root().prop_map(|to| Step::Clear { to }),
        2 => (root(), root(), 1u16..200).prop_map(|(to, item, length)| Step::Build { to, item, length }),
        2 => (root(), root(), 1u16..200).prop_map(|(to, item, length)| Step::Append { to, item, length }),
        2 => root().prop_map(|list| Step::Thin { list }),
        2 => Just(Step::Collect),
    ]
}

/// The objects there should be.
#[derive(Default)]
struct Model {
    lists: BTreeMap<LispPtr, (LispPtr, LispPtr)>,
    boxes: BTreeMap<LispPtr, u32>,
    roots: [LispPtr; ROOTS],
}

impl Model {
    fn exists(&self, object: LispPtr) -> bool {
        self.lists.contains_key(&object) || self.boxes.contains_key(&object)
    }

    /// References to every object from lists.
    fn counts(&self) -> BTreeMap<LispPtr, u32> {
        let objects = self.lists.keys().chain(self.boxes.keys());
        let mut counts: BTreeMap<_, _> = objects.map(|&object| (object, 0)).collect();
        for &(car, cdr) in self.lists.values() {
            for object in [car, cdr] {
                counts.entry(object).and_modify(|count| *count += 1);
            }
        }
        counts
    }

    /// Removes objects without references until none is left; cycles stay.
    fn collect(&mut self) {
        let mut counts = self.counts();
        loop {
            let dead: Vec<_> = counts
                .iter()
                .filter(|&(object, &count)| count == 0 && !self.roots.contains(object))
                .map(|(&object, _)| object)
                .collect();
            if dead.is_empty() {
                break;
            }
            for object in dead {
                counts.remove(&object);
                self.boxes.remove(&object);
                if let Some((car, cdr)) = self.lists.remove(&object) {
                    for object in [car, cdr] {
                        counts.entry(object).and_modify(|count| *count -= 1);
                    }
                }
            }
        }
    }
}

struct Run<'m, G: Generation> {
    m: Machine<'m, G>,
    model: Model,
    /// The units allocated so far.
    units: Vec<LispPtr>,
}

/// The first unit that is allocated. The one behind it is no unit in Medley 2:
/// 0xFFFF as the number of a cons page means that there is none.
const FIRST_UNIT: u32 = 0xFFFC;

impl<G: Generation> Run<'_, G> {
    fn cons(&mut self, car: LispPtr, cdr: LispPtr) -> LispPtr {
        let list = self.m.cons(car, cdr);
        assert!(!self.model.exists(list), "{list} is in use");
        self.model.lists.insert(list, (car, cdr));
        list
    }

    fn rplacd(&mut self, list: LispPtr, cdr: LispPtr) {
        self.m.rplacd(list, cdr);
        self.model.lists.get_mut(&list).unwrap().1 = cdr;
    }

    fn rplcons(&mut self, list: LispPtr, item: LispPtr) -> LispPtr {
        let new = self.m.rplcons(list, item);
        assert!(!self.model.exists(new), "{new} is in use");
        self.model.lists.insert(new, (item, LispPtr::NIL));
        self.model.lists.get_mut(&list).unwrap().1 = new;
        new
    }

    fn step(&mut self, step: &Step) {
        let root = |model: &Model, number: usize| model.roots[number];
        match *step {
            Step::Number { to, value } => {
                let object = self.m.number(0x1_0000 + i32::from(value));
                assert!(!self.model.exists(object));
                self.model.boxes.insert(object, 0x1_0000 + u32::from(value));
                self.model.roots[to] = object;
            }
            Step::Cons { car, cdr, to } => {
                let (car, cdr) = (root(&self.model, car), root(&self.model, cdr));
                self.model.roots[to] = self.cons(car, cdr);
            }
            Step::Rplaca { list, car } => {
                let (list, car) = (root(&self.model, list), root(&self.model, car));
                if let Some(node) = self.model.lists.get_mut(&list) {
                    node.0 = car;
                    self.m.rplaca(list, car);
                }
            }
            Step::Rplacd { list, cdr } => {
                let (list, cdr) = (root(&self.model, list), root(&self.model, cdr));
                if self.model.lists.contains_key(&list) {
                    self.rplacd(list, cdr);
                }
            }
            Step::Rplcons { list, item, to } => {
                let (list, item) = (root(&self.model, list), root(&self.model, item));
                if self.model.lists.contains_key(&list) {
                    self.model.roots[to] = self.rplcons(list, item);
                }
            }
            Step::Car { of, to } => {
                if let Some(&(car, _)) = self.model.lists.get(&root(&self.model, of)) {
                    self.model.roots[to] = car;
                }
            }
            Step::Cdr { of, to } => {
                if let Some(&(_, cdr)) = self.model.lists.get(&root(&self.model, of)) {
                    self.model.roots[to] = cdr;
                }
            }
            Step::Clear { to } => self.model.roots[to] = LispPtr::NIL,
            Step::Build { to, item, length } => {
                for _ in 0..length {
                    let (item, rest) = (root(&self.model, item), root(&self.model, to));
                    self.model.roots[to] = self.cons(item, rest);
                }
            }
            Step::Append { to, item, length } => {
                let item = root(&self.model, item);
                let mut last = self.cons(item, LispPtr::NIL);
                self.model.roots[to] = last;
                for _ in 0..length {
                    last = self.rplcons(last, item);
                }
            }
            Step::Thin { list } => {
                let mut list = root(&self.model, list);
                // Lists can be circular.
                for _ in 0..300 {
                    let Some(&(_, next)) = self.model.lists.get(&list) else {
                        break;
                    };
                    let Some(&(_, rest)) = self.model.lists.get(&next) else {
                        break;
                    };
                    self.rplacd(list, rest);
                    list = rest;
                }
            }
            Step::Collect => {
                close_frame(&mut self.m, &self.model.roots);
                self.m.collect();
                self.model.collect();
                self.check();
            }
        }
        self.spread_units();
        assert_eq!(self.m.fault, None);
    }

    /// Notes the units just allocated and moves the next ones to another segment,
    /// so that objects share places in the count table.
    fn spread_units(&mut self) {
        let variable = self.m.symbols.next_mds_page;
        let next = self.m.page_variable(variable);
        let first = self.units.last().map_or(FIRST_UNIT, |&unit| {
            // One segment below.
            (unit.page() | 0xFE) - 0x102
        });
        if next < first {
            let new = (next + 2..=first).rev().step_by(2);
            self.units.extend(new.map(LispPtr::from_page));
            let next = (next | 0xFE) - 0x102;
            self.m.set_page_variable(variable, next);
        }
    }

    fn check(&mut self) {
        let m = &mut self.m;
        for (&list, &(car, cdr)) in &self.model.lists {
            assert!(m.is_list(list));
            assert_eq!((m.car(list), m.cdr(list)), (car, cdr), "{list}");
        }
        for (&object, &value) in &self.model.boxes {
            assert_eq!(m.mem.cell(object).0, value);
        }
        for (object, count) in self.model.counts() {
            assert_eq!(m.ref_count(object), count, "{object}");
        }
        let countdown = m.mem.cell(m.symbols.reclaim_countdown);
        assert_eq!(countdown, LispPtr::smallpos(3000));
        self.check_stack_bits();
        self.check_boxes();
        self.check_cons_pages();
    }

    /// No entry has its stack bit.
    fn check_stack_bits(&mut self) {
        let mut place = 0x8000;
        while let Some(found) = self.m.gcscan2(place) {
            let object = LispPtr(2 * u32::from(found));
            let entry = super::counts::main_entry(self.m.mem, object);
            assert_eq!(entry & 1, 1, "a stack bit at {object}");
            let link = self
                .m
                .find_link(object, |entry| entry & G::COUNT_ON_STACK != 0);
            assert_eq!(link, None);
            place = found;
        }
    }

    /// Every box is in the model or free.
    fn check_boxes(&self) {
        let units = self.units_of(types::FIXP);
        let head = G::dtd(u32::from(types::FIXP)).add(G::DTD_FIELDS.free);
        let mut free = 0;
        let mut next = self.m.mem.cell(head);
        while !next.is_nil() {
            assert!(!self.model.exists(next));
            free += 1;
            next = self.m.mem.cell(next);
        }
        assert_eq!(free + self.model.boxes.len(), 256 * units.len());
    }

    /// Every cell of a cons page is part of one list cell of the model or free.
    fn check_cons_pages(&self) {
        let mut used = BTreeSet::new();
        for &list in self.model.lists.keys() {
            let (cell, _, _, holder) = self.m.list_cells(list).expect("a list cell");
            let forwarder = (cell != list).then_some(list);
            for cell in [Some(cell), forwarder, holder].into_iter().flatten() {
                assert!(used.insert(cell), "{cell} is in use twice");
            }
        }
        self.m.chain_free_cells();
        let listed = self.listed_pages();
        let mut cells = 0;
        for unit in self.units_of(types::LISTP) {
            for page in [unit, unit.add(WORDS_PER_PAGE)] {
                let header = self.m.mem.cell(page.add(G::CONS_PAGE.header)).0;
                let mut count = 0;
                let mut place = header >> 16 & 0xFF;
                while place != 0 {
                    assert!(place >= G::CONS_PAGE.first && place.is_multiple_of(2));
                    assert!(used.insert(page.add(place)), "a free cell is in use");
                    count += 1;
                    place = self.m.mem.cell(page.add(place)).0 >> 24;
                }
                assert_eq!(count, header >> 24);
                cells += G::CONS_PAGE.cells as usize;
                let link = if G::WIDE_COUNTS {
                    self.m.mem.cell(page.add(6)).0
                } else {
                    header & 0xFFFF
                };
                let off_list = link == G::CONS_PAGE.off_list;
                assert_eq!(listed.contains(&page), !off_list);
                assert!(!off_list || count <= 32, "{count} cells cannot be found");
            }
        }
        assert_eq!(used.len(), cells);
    }

    fn listed_pages(&self) -> BTreeSet<LispPtr> {
        let mem = self.m.mem;
        let at = G::dtd(u32::from(types::LISTP)).add(G::DTD_FIELDS.next_page);
        let (mut pages, mut page) = if G::WIDE_COUNTS {
            (BTreeSet::new(), mem.cell(at).0)
        } else {
            (BTreeSet::new(), u32::from(mem.word(at)))
        };
        while page != 0 {
            let start = LispPtr::from_page(page);
            assert!(pages.insert(start), "the list of pages is circular");
            page = if G::WIDE_COUNTS {
                mem.cell(start.add(6)).0
            } else {
                u32::from(mem.word(start.add(1)))
            };
        }
        pages
    }

    fn units_of(&self, type_number: u16) -> Vec<LispPtr> {
        let units = self.units.iter().copied();
        units
            .filter(|&unit| self.m.type_number(unit) == type_number)
            .collect()
    }
}

fn run<G: Generation>(steps: &[Step]) {
    with_machine::<G>(|m| {
        let first = LispPtr::smallpos(FIRST_UNIT as u16);
        m.mem.set_cell(m.symbols.next_mds_page, first);
        let mut run = Run {
            m,
            model: Model::default(),
            units: Vec::new(),
        };
        for step in steps {
            run.step(step);
        }
        run.step(&Step::Collect);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn lists_match_the_model_in_medley_2(steps in prop::collection::vec(step(), 1..150)) {
        run::<Medley2>(&steps);
    }

    #[test]
    fn lists_match_the_model_in_medley_3(steps in prop::collection::vec(step(), 1..150)) {
        run::<Medley3>(&steps);
    }
}
