//! Memory that is bounded and accounted for.
//!
//! - [`Region`]: one stretch of memory, given by the caller or taken from the host once,
//!   from which typed blocks are allocated in constant time. It never grows.
//! - [`ProgramMemory`]: a region for everything that a program allocates.
//! - [`Tracer`]: finds what is in use, all at once or in small steps, over any
//!   [`Model`] of objects.
//! - [`Heap`]: typed blocks in a region, traced, held by handles that cannot be misused,
//!   moved together when memory is short.
//!
//! The design is in `reference/memory-systems.md` section 5.

mod compact;
mod header;
mod heap;
mod memory;
mod program;
mod region;
mod settings;
mod tracer;
mod value;

pub use header::{Colour, Tag};
pub use heap::{Global, Handle, Heap, Kind, LoadError, Local, Scope};
pub use program::{Account, ProgramMemory};
pub use region::{Block, Defect, NotABlock, Refusal, Region, ResizeError, Usage};
pub use settings::{Collect, Compact, Limit, Settings};
pub use tracer::{Model, Phase, Seen, Tracer, UNITS_PER_RELEASE, UNITS_PER_STEP, Worklist};
pub use value::Value;
