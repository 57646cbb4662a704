//! The tracer on a plain graph, beside a search that stops the world.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Objects with two references each, and some that the program holds.
#[derive(Default)]
struct Graph {
    nodes: Vec<Option<[usize; 2]>>,
    colours: Vec<Colour>,
    held: Vec<usize>,
    cursor: usize,
}

impl Model for Graph {
    type Node = usize;

    fn colour(&self, node: usize) -> Colour {
        self.colours[node]
    }

    fn paint(&mut self, node: usize, colour: Colour) {
        self.colours[node] = colour;
    }

    fn roots(&mut self, found: &mut Worklist<usize>) {
        self.cursor = 0;
        for node in self.held.clone() {
            found.find(self, node);
        }
    }

    /// One after the other, so that between any two of them there is a step.
    fn references(&mut self, node: usize, from: u32, found: &mut Worklist<usize>) -> Seen {
        let references = self.nodes[node].expect("grey objects exist");
        found.find(self, references[from as usize]);
        Seen {
            looked_at: 1,
            next: (from == 0).then_some(1),
        }
    }

    fn grey(&mut self, found: &mut Worklist<usize>) {
        for node in 0..self.nodes.len() {
            if self.colours[node] == Colour::Grey && !found.again(node) {
                return;
            }
        }
    }

    fn sweep(&mut self, white: Colour, budget: &mut u64) -> bool {
        while *budget > 0 && self.cursor < self.nodes.len() {
            if self.colours[self.cursor] == white {
                self.nodes[self.cursor] = None;
            }
            self.cursor += 1;
            *budget = budget.saturating_sub(UNITS_PER_RELEASE);
        }
        self.cursor == self.nodes.len()
    }
}

impl Graph {
    fn reachable(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut wait = self.held.clone();
        while let Some(node) = wait.pop() {
            if found.insert(node) {
                wait.extend(self.nodes[node].expect("what is in use was not freed"));
            }
        }
        found
    }

    fn alive(&self) -> BTreeSet<usize> {
        (0..self.nodes.len())
            .filter(|&n| self.nodes[n].is_some())
            .collect()
    }
}

/// Random changes with a small step after each. False if something in use was freed.
fn mutate(changes: &[(u8, usize, usize)], capacity: usize, barrier: bool) -> bool {
    let mut graph = Graph::default();
    let mut tracer = Tracer::new(capacity);
    for n in 0..4 {
        graph.nodes.push(Some([n, n]));
        graph.colours.push(Colour::Even);
        graph.held.push(n);
    }
    for &(change, a, b) in changes {
        let (a, b) = (a % 4, b % 4);
        let (from, to) = (graph.held[a], graph.held[b]);
        let Some([left, right]) = graph.nodes[from] else {
            return false;
        };
        match change % 6 {
            0 => {
                graph.nodes.push(Some([from, to]));
                graph.colours.push(tracer.new_object());
                graph.held[a] = graph.nodes.len() - 1;
                if barrier {
                    tracer.shade(&mut graph, from);
                    tracer.shade(&mut graph, to);
                }
            }
            1 | 2 => {
                let kept = if change % 6 == 1 { left } else { right };
                graph.nodes[from] = Some([to, kept]);
                if barrier {
                    tracer.shade(&mut graph, to);
                }
            }
            3 => graph.held[b] = left,
            4 => graph.held[b] = right,
            _ => tracer.start(&mut graph),
        }
        tracer.step(&mut graph, 1);
        if graph.held.iter().any(|&held| graph.nodes[held].is_none()) {
            return false;
        }
    }
    let used = |graph: &Graph| {
        (graph.held.iter()).all(|&held| graph.nodes[held].is_some()) && {
            let alive = graph.alive();
            graph.reachable().is_subset(&alive)
        }
    };
    if !used(&graph) {
        return false;
    }
    // One further cycle leaves exactly what is in use.
    tracer.collect(&mut graph);
    graph.reachable() == graph.alive()
}

fn changes() -> impl Strategy<Value = Vec<(u8, usize, usize)>> {
    prop::collection::vec((any::<u8>(), any::<usize>(), any::<usize>()), 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_in_use_is_never_freed(changes in changes(), capacity in 1usize..20) {
        prop_assert!(mutate(&changes, capacity, true));
    }
}

/// A chain of three whose last one moves to the first, when so many units have been spent on that
/// one and none on the one in the middle: does it live?
fn moved(units: u64, to: [usize; 2], barrier: bool) -> bool {
    let mut graph = Graph {
        nodes: vec![Some([1, 1]), Some([2, 2]), Some([2, 2])],
        colours: vec![Colour::Even; 3],
        held: vec![0],
        ..Graph::default()
    };
    let mut tracer = Tracer::new(8);
    tracer.start(&mut graph);
    assert_eq!(tracer.step(&mut graph, units), 0);
    assert_eq!(graph.colours[0] == Colour::Grey, units == 1);
    graph.nodes[0] = Some(to);
    if barrier {
        tracer.shade(&mut graph, 2);
    }
    graph.nodes[1] = Some([1, 1]);
    tracer.step(&mut graph, u64::MAX);
    assert_eq!((tracer.phase(), tracer.cycles()), (Phase::Idle, 1));
    graph.nodes[2].is_some()
}

#[test]
fn the_barrier_is_what_keeps_a_moved_object() {
    assert!(moved(2, [1, 2], true));
    assert!(!moved(2, [1, 2], false));
}

#[test]
fn the_barrier_also_keeps_what_moves_to_a_part_that_was_seen() {
    assert!(moved(1, [2, 1], true));
    assert!(!moved(1, [2, 1], false));
    // What is still to be seen needs none.
    assert!(moved(1, [1, 2], false));
}

#[test]
fn another_object_in_the_place_of_an_unfinished_one_is_seen_from_its_beginning() {
    let mut graph = Graph {
        nodes: vec![Some([1, 1]), Some([1, 1]), Some([2, 2])],
        colours: vec![Colour::Even; 3],
        held: vec![0],
        ..Graph::default()
    };
    let mut tracer = Tracer::new(8);
    tracer.start(&mut graph);
    tracer.step(&mut graph, 1);
    graph.nodes[0] = Some([2, 0]);
    graph.colours[0] = tracer.white();
    tracer.freed(0);
    tracer.shade(&mut graph, 0);
    tracer.step(&mut graph, u64::MAX);
    assert_eq!(graph.alive(), BTreeSet::from([0, 1, 2]));
}

#[test]
fn a_list_of_one_that_overflows_finds_the_same() {
    // A tree of 1023 objects.
    let mut graph = Graph::default();
    for n in 0..1023 {
        let child = |c: usize| if c < 1023 { c } else { n };
        graph.nodes.push(Some([child(2 * n + 1), child(2 * n + 2)]));
        graph.colours.push(Colour::Even);
    }
    graph.held = vec![1];
    let expected = graph.reachable();
    let mut tracer = Tracer::new(3);
    tracer.collect(&mut graph);
    assert_eq!(graph.alive(), expected);
    assert_eq!(tracer.marked(), expected.len() as u64);
}

#[test]
fn pinned_objects_are_neither_found_nor_freed() {
    let mut graph = Graph {
        nodes: vec![Some([0, 0]), Some([0, 0])],
        colours: vec![Colour::Pinned, Colour::Even],
        ..Graph::default()
    };
    let mut tracer = Tracer::new(8);
    for _ in 0..2 {
        tracer.collect(&mut graph);
        assert_eq!(graph.alive(), BTreeSet::from([0]));
    }
}
