//! A heap of typed blocks in a region, collected by the tracer.
//!
//! Blocks hold bytes, or words that are integers, references to other blocks or other
//! values ([`Value`]). What the program uses it holds by handles, which are the only roots:
//! a [`Local`] lives as long as its [`Heap::scope`], a [`Global`] until it is dropped. The
//! blocks behind handles may move at any allocation, so everything that looks inside a block borrows the heap.
//!
//! A reference into a block cannot be kept across an allocation:
//!
//! ```compile_fail,E0502
//! use geiko_region::{Heap, Settings};
//! let mut heap = Heap::reserve(10_000, Settings::default()).unwrap();
//! heap.scope(|scope| {
//!     let text = scope.bytes(10)?;
//!     let inside = scope.bytes_of(text);
//!     scope.bytes(10)?;
//!     assert_eq!(inside[0], 0);
//!     Ok::<(), geiko_region::Refusal>(())
//! });
//! ```
//!
//! Nor can a local handle leave its scope:
//!
//! ```compile_fail
//! use geiko_region::{Heap, Settings};
//! let mut heap = Heap::reserve(10_000, Settings::default()).unwrap();
//! let kept = heap.scope(|scope| scope.bytes(10).unwrap());
//! ```

mod handles;
mod saved;
mod scope;

use std::cell::RefCell;
use std::rc::Rc;

use crate::header::{Colour, Tag};
use crate::region::{Block, Refusal, Region};
use crate::settings::{Collect, Compact, Limit, Settings};
use crate::tracer::{Model, Phase, Seen, Tracer, UNITS_PER_RELEASE, Worklist};
use crate::value::Value;

use handles::Handles;
pub use handles::{Global, Handle, Local};
pub use saved::LoadError;
pub use scope::Scope;

/// Most slots of a block that are looked at together.
const SLOTS_TOGETHER: u32 = 1024;

/// What the blocks of a heap hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Bytes.
    Bytes = 1,
    /// Words.
    Values = 2,
    /// One word, which becomes [`Value::NOTHING`] when nothing else refers to the same
    /// block.
    Weak = 3,
    /// Bytes that begin with a number that is told to the program when the block is freed.
    Resource = 4,
    /// Handles of scopes, handles of globals.
    Handles = 5,
}

impl Kind {
    /// The tag of its blocks.
    pub const fn tag(self) -> Tag {
        Tag::new(self as u8)
    }
}

fn refers(tag: Tag) -> bool {
    tag == Kind::Values.tag() || tag == Kind::Handles.tag()
}

/// The part of a heap that the tracer sees.
struct Blocks<'b> {
    region: Region<'b>,
    /// Handles of scopes and of globals.
    tables: [Handles; 2],
    sweep: Sweep,
    freed: Vec<u32>,
}

/// How far a sweep is: which block it looks at next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sweep {
    Begin,
    /// For weak blocks that refer to garbage.
    Weak(Option<Block>),
    /// For garbage.
    Free(Option<Block>),
}

/// A heap of typed blocks.
pub struct Heap<'b> {
    blocks: Blocks<'b>,
    tracer: Tracer<Block>,
    settings: Settings,
    limit: u64,
    /// Bytes allocated since the last step.
    debt: u64,
    /// Bytes in use after the last cycle.
    after_cycle: u64,
    /// Places of globals that are free, and those that were dropped.
    free_globals: Vec<u32>,
    dropped: Rc<RefCell<Vec<u32>>>,
    compactions: u64,
}

impl<'b> Heap<'b> {
    /// A heap in the caller's buffer.
    pub fn new(buffer: &'b mut [u8], settings: Settings) -> Result<Self, Refusal> {
        Self::over(Region::new(buffer)?, settings)
    }

    /// A heap in so many bytes of the host's memory.
    pub fn reserve(bytes: u32, settings: Settings) -> Result<Heap<'static>, Refusal> {
        Heap::over(Region::reserve(bytes)?, settings)
    }

    fn over(mut region: Region<'b>, settings: Settings) -> Result<Self, Refusal> {
        let mut table = || -> Result<Handles, Refusal> {
            let block = region.allocate(Kind::Handles.tag(), 4)?;
            let room = region.len(block) / 4;
            let used = 0;
            Ok(Handles { block, used, room })
        };
        let tables = [table()?, table()?];
        Ok(Self::with_tables(region, tables, settings))
    }

    fn with_tables(region: Region<'b>, tables: [Handles; 2], settings: Settings) -> Self {
        let limit = match settings.limit {
            Limit::Fixed => region.size(),
            Limit::Double { first } => first,
        };
        Self {
            blocks: Blocks {
                region,
                tables,
                sweep: Sweep::Begin,
                freed: Vec::new(),
            },
            tracer: Tracer::new(settings.worklist),
            settings,
            limit,
            debt: 0,
            after_cycle: 0,
            free_globals: Vec::new(),
            dropped: Rc::default(),
            compactions: 0,
        }
    }

    /// Gives `work` a scope: what it allocates it holds until it returns.
    #[inline]
    pub fn scope<T>(&mut self, work: impl for<'s> FnOnce(&mut Scope<'_, 'b, 's>) -> T) -> T {
        work(&mut Scope::new(self))
    }

    /// A handle that outlives all scopes.
    pub fn global(&mut self, handle: impl Handle) -> Result<Global, Refusal> {
        self.forget_dropped();
        let place = match self.free_globals.pop() {
            Some(place) => place,
            None => self.push(1)?,
        };
        // That may have moved the block.
        let block = self.block(handle);
        self.set_place(place, Value::block(block));
        Ok(Global {
            place,
            dropped: Rc::clone(&self.dropped),
        })
    }

    /// The bytes of the block of `handle`.
    pub fn bytes_of(&self, handle: impl Handle) -> &[u8] {
        self.blocks.region.bytes(self.block(handle))
    }

    /// The same, to write. Not for blocks of values.
    pub fn bytes_of_mut(&mut self, handle: impl Handle) -> Option<&mut [u8]> {
        let block = self.block(handle);
        let is_raw = [Kind::Bytes, Kind::Resource].map(Kind::tag);
        is_raw
            .contains(&self.blocks.region.tag(block))
            .then(|| self.blocks.region.bytes_mut(block))
    }

    /// The value in the slot of a block of values, or in a weak one.
    #[inline]
    pub fn get(&mut self, handle: impl Handle, slot: u32) -> Option<Value> {
        let block = self.block(handle);
        let value = self.slot(block, slot)?;
        let region = &self.blocks.region;
        if region.tag(block) == Kind::Weak.tag()
            && let Some(target) = value.as_block()
        {
            return Some(self.weak_value(target));
        }
        Some(value)
    }

    /// What a weak reference to `target` is worth.
    #[inline(never)]
    fn weak_value(&mut self, target: Block) -> Value {
        let colour = self.blocks.region.colour(target);
        if self.tracer.phase() == Phase::Sweep && colour == self.tracer.white() {
            return Value::NOTHING;
        }
        self.tracer.shade(&mut self.blocks, target);
        Value::block(target)
    }

    /// Stores an integer or another immediate value in a slot. False if there is none.
    pub fn set(&mut self, handle: impl Handle, slot: u32, value: Value) -> bool {
        value.as_block().is_none() && self.store(self.block(handle), slot, value)
    }

    /// Stores a reference to the block of `to` in a slot. False if there is none.
    pub fn set_block(&mut self, handle: impl Handle, slot: u32, to: impl Handle) -> bool {
        let (block, to) = (self.block(handle), self.block(to));
        if self.blocks.region.tag(block) != Kind::Weak.tag() {
            self.tracer.shade(&mut self.blocks, to);
        }
        self.store(block, slot, Value::block(to))
    }

    /// From now on the block neither moves nor goes, whoever refers to it. False if that is
    /// so already.
    pub fn pin(&mut self, handle: impl Handle) -> bool {
        let block = self.block(handle);
        let is_new = self.blocks.region.colour(block) != Colour::Pinned;
        // What it refers to is looked at with the roots.
        self.blocks.region.set_colour(block, Colour::Pinned);
        is_new
    }

    /// Ends that. False if the block was not pinned.
    pub fn unpin(&mut self, handle: impl Handle) -> bool {
        let block = self.block(handle);
        let was = self.blocks.region.colour(block) == Colour::Pinned;
        if was {
            // A cycle that runs looks at it again.
            self.blocks.region.set_colour(block, self.tracer.white());
            self.tracer.shade(&mut self.blocks, block);
            if self.tracer.phase() != Phase::Mark {
                let colour = self.tracer.new_object();
                self.blocks.region.set_colour(block, colour);
            }
        }
        was
    }

    /// Finds and frees everything that no handle leads to.
    pub fn collect(&mut self) {
        self.forget_dropped();
        self.tracer.collect(&mut self.blocks);
        self.after_cycle = self.used_bytes();
        if self.settings.compact == Compact::Always {
            self.compact();
        }
    }

    /// Does a part of that, beginning it if need be; answers true when a cycle has come
    /// to its end.
    pub fn step(&mut self, units: u64) -> bool {
        self.forget_dropped();
        let cycles = self.tracer.cycles();
        self.tracer.start(&mut self.blocks);
        self.tracer.step(&mut self.blocks, units);
        let ended = self.tracer.cycles() != cycles;
        if ended {
            self.after_cycle = self.used_bytes();
        }
        ended
    }

    /// Moves all blocks that are not pinned together.
    pub fn compact(&mut self) {
        self.tracer.step(&mut self.blocks, u64::MAX);
        let Blocks { region, tables, .. } = &mut self.blocks;
        // Only references to blocks can follow them.
        for table in &*tables {
            for place in table.used..table.room {
                region.set_word(table.block, 4 * place, Value::NOTHING.bits());
            }
        }
        let old = tables.map(|table| table.block);
        let refers = |tag| refers(tag) || tag == Kind::Weak.tag();
        region.compact(refers, |from, to| {
            for (table, old) in tables.iter_mut().zip(old) {
                if old == from {
                    table.block = to;
                }
            }
        });
        self.compactions += 1;
    }

    /// How often blocks were moved: who keeps offsets, as in a table by address, must look
    /// again when this changes.
    pub fn compactions(&self) -> u64 {
        self.compactions
    }

    /// The numbers of resources that were freed since this was asked.
    pub fn take_freed(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.blocks.freed)
    }

    /// The region, to look at.
    pub fn region(&self) -> &Region<'b> {
        &self.blocks.region
    }

    /// The offset of the block of `handle`, until the next allocation.
    pub fn offset(&self, handle: impl Handle) -> u32 {
        self.block(handle).offset()
    }

    /// Bytes in use.
    pub fn used_bytes(&self) -> u64 {
        self.blocks.region.size() - self.blocks.region.free_bytes()
    }
}

impl Heap<'_> {
    #[inline]
    fn slot(&self, block: Block, slot: u32) -> Option<Value> {
        let region = &self.blocks.region;
        let tag = region.tag(block);
        let has_slots = tag == Kind::Values.tag() || tag == Kind::Weak.tag();
        let inside = has_slots && slot < region.len(block) / 4;
        inside.then(|| Value::from_bits(region.word(block, 4 * slot)))
    }

    fn store(&mut self, block: Block, slot: u32, value: Value) -> bool {
        let there = self.slot(block, slot).is_some();
        if there {
            self.blocks.region.set_word(block, 4 * slot, value.bits());
        }
        there
    }

    /// A new block of zeros, after as much collecting as the settings say.
    fn allocate(&mut self, kind: Kind, bytes: usize) -> Result<Block, Refusal> {
        if let Collect::Incremental {
            granularity,
            step,
            idle,
        } = self.settings.collect
        {
            self.debt += bytes as u64;
            let running = self.tracer.phase() != Phase::Idle;
            let grown = self.used_bytes() >= self.after_cycle * idle / 100;
            if self.debt >= granularity && (running || grown) {
                self.step(self.debt * step / 100);
                self.debt = 0;
            }
        }
        if self.settings.compact == Compact::Always {
            self.compact();
        }
        let block = match self.try_allocate(kind, bytes) {
            Ok(block) => block,
            Err(refusal) => self.allocate_after_collecting(kind, bytes).ok_or(refusal)?,
        };
        self.blocks.region.bytes_mut(block).fill(0);
        let colour = self.tracer.new_object();
        self.blocks.region.set_colour(block, colour);
        Ok(block)
    }

    fn try_allocate(&mut self, kind: Kind, bytes: usize) -> Result<Block, Refusal> {
        let region = &mut self.blocks.region;
        let used = region.size() - region.free_bytes();
        if used + bytes as u64 + 4 > self.limit {
            return Err(Refusal {
                needed: bytes as u64 + 4,
                free: self.limit.saturating_sub(used),
                size: self.limit,
            });
        }
        region.allocate(kind.tag(), bytes)
    }

    #[cold]
    fn allocate_after_collecting(&mut self, kind: Kind, bytes: usize) -> Option<Block> {
        if self.settings.collect != Collect::Manual {
            self.collect();
            if let Ok(block) = self.try_allocate(kind, bytes) {
                return Some(block);
            }
        }
        if self.settings.compact == Compact::OnFailure {
            self.compact();
            if let Ok(block) = self.try_allocate(kind, bytes) {
                return Some(block);
            }
        }
        while let Limit::Double { .. } = self.settings.limit
            && self.limit < self.blocks.region.size()
        {
            self.limit = (2 * self.limit).max(1);
            if let Ok(block) = self.try_allocate(kind, bytes) {
                return Some(block);
            }
        }
        None
    }
}

impl Model for Blocks<'_> {
    type Node = Block;

    #[inline]
    fn colour(&self, node: Block) -> Colour {
        self.region.colour(node)
    }

    #[inline]
    fn paint(&mut self, node: Block, colour: Colour) {
        self.region.set_colour(node, colour);
    }

    fn roots(&mut self, found: &mut Worklist<Block>) {
        self.sweep = Sweep::Begin;
        for table in self.tables {
            found.find(self, table.block);
            // It may have got handles since it was found.
            self.all_references(table.block, found);
        }
        let mut next = self.region.first_used();
        while let Some(block) = next {
            if self.region.colour(block) == Colour::Pinned {
                self.all_references(block, found);
            }
            next = self.region.next_used(block);
        }
    }

    fn references(&mut self, node: Block, from: u32, found: &mut Worklist<Block>) -> Seen {
        let tag = self.region.tag(node);
        if !refers(tag) {
            return Seen::all(0);
        }
        let mut bytes = self.region.len(node);
        if tag == Kind::Handles.tag() {
            // One that gives way to another has no handles any more.
            let is_this = |table: &&Handles| table.block == node;
            let table = self.tables.iter().find(is_this);
            bytes = table.map_or(0, |table| 4 * table.used);
        }
        let slots = bytes / 4;
        let end = slots.min(from + SLOTS_TOGETHER);
        for slot in from..end {
            if let Some(block) = Value::from_bits(self.region.word(node, 4 * slot)).as_block() {
                found.find(self, block);
            }
        }
        Seen {
            looked_at: u64::from(end.saturating_sub(from)),
            next: (end < slots).then_some(end),
        }
    }

    fn grey(&mut self, found: &mut Worklist<Block>) {
        let mut next = self.region.first_used();
        while let Some(block) = next {
            if self.region.colour(block) == Colour::Grey && !found.again(block) {
                return;
            }
            next = self.region.next_used(block);
        }
    }

    fn sweep(&mut self, white: Colour, budget: &mut u64) -> bool {
        while *budget > 0 {
            match self.sweep {
                Sweep::Begin => self.sweep = Sweep::Weak(self.region.first_used()),
                Sweep::Weak(None) => self.sweep = Sweep::Free(self.region.first_used()),
                Sweep::Weak(Some(block)) => {
                    self.clear_weak(block, white);
                    self.sweep = Sweep::Weak(self.region.next_used(block));
                    *budget -= 1;
                }
                Sweep::Free(None) => {
                    self.sweep = Sweep::Begin;
                    return true;
                }
                Sweep::Free(Some(block)) => {
                    self.sweep = Sweep::Free(self.region.next_used(block));
                    let is_garbage = self.region.colour(block) == white;
                    if is_garbage {
                        self.free(block);
                    }
                    let units = if is_garbage { UNITS_PER_RELEASE } else { 1 };
                    *budget = budget.saturating_sub(units);
                }
            }
        }
        false
    }
}

impl Blocks<'_> {
    /// Shows everything that `node` refers to.
    fn all_references(&mut self, node: Block, found: &mut Worklist<Block>) {
        let mut next = Some(0);
        while let Some(from) = next {
            next = self.references(node, from, found).next;
        }
    }

    fn clear_weak(&mut self, block: Block, white: Colour) {
        if self.region.tag(block) == Kind::Weak.tag()
            && let Some(target) = Value::from_bits(self.region.word(block, 0)).as_block()
            && self.region.colour(target) == white
        {
            self.region.set_word(block, 0, Value::NOTHING.bits());
        }
    }

    fn free(&mut self, block: Block) {
        if self.region.tag(block) == Kind::Resource.tag() {
            self.freed.push(self.region.word(block, 0));
        }
        let freed = self.region.free(block);
        debug_assert!(freed.is_ok());
    }
}
