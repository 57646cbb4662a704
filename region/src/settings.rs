//! How a heap behaves, and the behaviour of some known systems by name.

/// How much a heap may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Its region.
    Fixed,
    /// So many bytes at first, twice as many whenever that is not enough, at most its
    /// region.
    Double {
        /// Bytes at first.
        first: u64,
    },
}

/// When a heap looks for garbage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collect {
    /// When a request cannot be met: everything at once.
    OnFailure,
    /// Also in steps.
    Incremental {
        /// Bytes allocated between two steps.
        granularity: u64,
        /// Units of a step for 100 bytes allocated.
        step: u64,
        /// Bytes in use, in per cent of those after the last cycle, at which the next begins.
        idle: u64,
    },
    /// When it is told to.
    Manual,
}

/// When a heap moves its blocks together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compact {
    /// Never.
    Never,
    /// When a request cannot be met even after a collection.
    OnFailure,
    /// At every allocation and collection. For tests: whatever may move does.
    Always,
}

/// The settings of a heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How much it may take.
    pub limit: Limit,
    /// When it looks for garbage.
    pub collect: Collect,
    /// When it moves blocks.
    pub compact: Compact,
    /// Blocks that marking remembers at a time; with more it looks through the heap.
    pub worklist: usize,
}

impl Default for Settings {
    /// Bounded, collected in steps, moved when that is the only way.
    fn default() -> Self {
        Self {
            compact: Compact::OnFailure,
            limit: Limit::Fixed,
            ..Self::ASSEMBLYSCRIPT
        }
    }
}

impl Settings {
    /// As the heap of BabeVM: fixed, never moved, collected when it is full.
    pub const BABEVM: Self = Self {
        limit: Limit::Fixed,
        collect: Collect::OnFailure,
        compact: Compact::Never,
        worklist: 1 << 12,
    };

    /// As the incremental runtime of AssemblyScript: doubled when it is full, a step for every
    /// 1024 bytes, idle until twice as much is in use.
    pub const ASSEMBLYSCRIPT: Self = Self {
        limit: Limit::Double { first: 64 << 10 },
        collect: Collect::Incremental {
            granularity: 1024,
            step: 200,
            idle: 200,
        },
        compact: Compact::Never,
        worklist: 1 << 12,
    };

    /// As the heap of MicroQuickJS: fixed, collected and moved when it is full, almost no
    /// memory for marking.
    pub const MQUICKJS: Self = Self {
        limit: Limit::Fixed,
        collect: Collect::OnFailure,
        compact: Compact::OnFailure,
        worklist: 3,
    };
}
