//! The tracer: which objects can be reached?
//!
//! An object is white until it is found, grey while its references are still to be looked at,
//! then black. When no grey one is left everything white is garbage. All of that may take place in
//! steps between which the program runs, if the program tells the tracer of each
//! reference it stores ([`Tracer::shade`]): the object referred to becomes grey, so no
//! black one ever refers to a white one unnoticed. What has no such barrier, such as a
//! stack, is looked at once more, in one go, before the end of marking.
//!
//! What is white and what black changes places with each cycle, so survivors need not be
//! painted again. Grey objects wait in a list of fixed size; if it overflows, the model is
//! asked later which objects are grey. An object with many references is looked at in parts, and is grey until
//! the last: the barrier tells of what is stored in those that were looked at.
//!
//! A budget says how much a step may do, in units: one for an object found or a few
//! references looked at, ten for an object freed. A cycle without a limit is a collection that stops the world.

use crate::header::Colour;

/// Units that a step takes unless told otherwise.
pub const UNITS_PER_STEP: u64 = 2048;
/// Units for freeing an object.
pub const UNITS_PER_RELEASE: u64 = 10;
/// References that are looked at for one unit.
const REFERENCES_PER_UNIT: u64 = 4;

/// Objects, as a tracer sees them.
pub trait Model {
    /// An object.
    type Node: Copy;

    /// The colour of an object. New objects must be black while a cycle runs and
    /// white otherwise ([`Tracer::new_object`]).
    fn colour(&self, node: Self::Node) -> Colour;

    /// Paints an object.
    fn paint(&mut self, node: Self::Node, colour: Colour);

    /// Shows everything that the program refers to directly, and what pinned objects
    /// refer to.
    fn roots(&mut self, found: &mut Worklist<Self::Node>);

    /// Shows what `node` refers to from its reference number `from` on, all of it or a part.
    fn references(&mut self, node: Self::Node, from: u32, found: &mut Worklist<Self::Node>)
    -> Seen;

    /// Shows every grey object to [`Worklist::again`] until that answers false.
    fn grey(&mut self, found: &mut Worklist<Self::Node>);

    /// Does a part of what is to be done with what is still `white`, taking units from the
    /// budget while it is above zero. True if that was all.
    fn sweep(&mut self, white: Colour, budget: &mut u64) -> bool;
}

/// What has been seen of the references of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// References that were looked at.
    pub looked_at: u64,
    /// The number of the next one, if those were not all.
    pub next: Option<u32>,
}

impl Seen {
    /// All of them, which were so many.
    #[inline]
    pub fn all(looked_at: u64) -> Self {
        Self {
            looked_at,
            next: None,
        }
    }
}

/// Where a tracer is in its cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Phase {
    /// Between two cycles.
    #[default]
    Idle,
    /// Objects are being found.
    Mark,
    /// Everything in use was found, the rest is being freed.
    Sweep,
}

/// The objects found so far whose references were not looked at yet.
#[derive(Clone, Debug)]
pub struct Worklist<N> {
    found: Vec<N>,
    capacity: usize,
    overflowed: bool,
    white: Colour,
    /// Objects found in this cycle.
    marked: u64,
}

impl<N: Copy> Worklist<N> {
    /// The program, or an object, refers to `node`.
    #[inline]
    pub fn find(&mut self, model: &mut impl Model<Node = N>, node: N) {
        if model.colour(node) == self.white {
            model.paint(node, Colour::Grey);
            self.marked += 1;
            if self.found.len() < self.capacity {
                self.found.push(node);
            } else {
                self.overflowed = true;
            }
        }
    }

    /// `node` is grey and may have been left out. False if there is no more room.
    pub fn again(&mut self, node: N) -> bool {
        let room = self.found.len() < self.capacity;
        if room {
            self.found.push(node);
        } else {
            self.overflowed = true;
        }
        room
    }

    /// What is white at present.
    pub fn white(&self) -> Colour {
        self.white
    }

    fn is_done(&self) -> bool {
        self.found.is_empty() && !self.overflowed
    }
}

/// A tracer and the state of its cycle.
#[derive(Clone, Debug)]
pub struct Tracer<N> {
    phase: Phase,
    work: Worklist<N>,
    /// An object, which is grey, whose references have been looked at up to this one.
    unfinished: Option<(N, u32)>,
    cycles: u64,
}

impl<N: Copy + PartialEq> Tracer<N> {
    /// A tracer that remembers at most `capacity` grey objects at a time.
    pub fn new(capacity: usize) -> Self {
        Self {
            phase: Phase::Idle,
            work: Worklist {
                found: Vec::new(),
                capacity: capacity.max(1),
                overflowed: false,
                white: Colour::Even,
                marked: 0,
            },
            unfinished: None,
            cycles: 0,
        }
    }

    /// Where it is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What new objects are to be painted.
    #[inline]
    pub fn new_object(&self) -> Colour {
        match self.phase {
            // What is black when a sweep is over is the white of the next cycle.
            Phase::Idle => self.work.white,
            Phase::Mark | Phase::Sweep => self.work.white.opposite(),
        }
    }

    /// What garbage is painted while it waits to be freed.
    pub fn white(&self) -> Colour {
        self.work.white
    }

    /// Cycles that came to their end.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Objects found in this cycle, or the last.
    pub fn marked(&self) -> u64 {
        self.work.marked
    }

    /// The barrier: a reference to `node` is being stored.
    #[inline]
    pub fn shade(&mut self, model: &mut impl Model<Node = N>, node: N) {
        if self.phase == Phase::Mark {
            self.work.find(model, node);
        }
    }

    /// `node` is no object any more; another may come to its place.
    #[inline]
    pub fn freed(&mut self, node: N) {
        self.unfinished
            .take_if(|(unfinished, _)| *unfinished == node);
    }

    /// Something white must not be freed after all, nor what it refers to. For sweeps.
    pub fn revive(&mut self, model: &mut impl Model<Node = N>, node: N) {
        self.work.find(model, node);
        let mut unlimited = u64::MAX;
        self.mark(model, &mut unlimited);
    }

    /// Begins a cycle if none runs.
    pub fn start(&mut self, model: &mut impl Model<Node = N>) {
        if self.phase == Phase::Idle {
            self.phase = Phase::Mark;
            self.work.marked = 0;
            model.roots(&mut self.work);
        }
    }

    /// Does a part of the cycle that runs; answers what is left of the budget, 0 if
    /// that was not enough.
    pub fn step(&mut self, model: &mut impl Model<Node = N>, mut budget: u64) -> u64 {
        while self.phase != Phase::Idle && budget > 0 {
            if self.phase == Phase::Mark {
                if self.mark(model, &mut budget) {
                    // What no barrier tells of is looked at once more.
                    model.roots(&mut self.work);
                    if self.work.is_done() {
                        self.phase = Phase::Sweep;
                    }
                }
            } else if model.sweep(self.work.white, &mut budget) {
                self.work.white = self.work.white.opposite();
                self.phase = Phase::Idle;
                self.cycles += 1;
            }
        }
        budget
    }

    /// A whole cycle, or the rest of one that runs and then a whole one.
    pub fn collect(&mut self, model: &mut impl Model<Node = N>) {
        self.step(model, u64::MAX);
        self.start(model);
        self.step(model, u64::MAX);
    }

    /// Gives the cycle up; every object must be painted [`Tracer::new_object`].
    pub fn abandon(&mut self) {
        self.phase = Phase::Idle;
        self.unfinished = None;
        self.work.found.clear();
        self.work.overflowed = false;
    }

    /// Looks at what is grey. True if nothing is left.
    fn mark(&mut self, model: &mut impl Model<Node = N>, budget: &mut u64) -> bool {
        let black = self.work.white.opposite();
        while *budget > 0 {
            let begun = self.unfinished.take();
            let found = || Some((self.work.found.pop()?, 0));
            let Some((node, from)) = begun.or_else(found) else {
                if !self.work.overflowed {
                    return true;
                }
                self.work.overflowed = false;
                model.grey(&mut self.work);
                continue;
            };
            // It may have been freed since it was found.
            if model.colour(node) == Colour::Grey {
                let seen = model.references(node, from, &mut self.work);
                match seen.next {
                    Some(next) => self.unfinished = Some((node, next)),
                    None => model.paint(node, black),
                }
                *budget = budget.saturating_sub(1 + seen.looked_at / REFERENCES_PER_UNIT);
            }
        }
        false
    }
}

#[cfg(test)]
#[path = "tracer_tests.rs"]
mod tests;
