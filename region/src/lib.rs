//! Memory that is bounded and accounted for.
//!
//! - [`Region`]: one stretch of memory, given by the caller or taken from the host once,
//!   from which typed blocks are allocated in constant time. It never grows.
//! - [`Tracer`]: finds what is in use, all at once or in small steps, over any
//!   [`Model`] of objects.
//!
//! The design is in `reference/memory-systems.md` section 5.

mod header;
mod memory;
mod region;
mod tracer;

pub use header::{Colour, Tag};
pub use region::{Block, Defect, NotABlock, Refusal, Region, ResizeError, Usage};
pub use tracer::{Model, Phase, Tracer, UNITS_PER_RELEASE, UNITS_PER_STEP, Worklist};
