//! The audit as a whole, and its text.

use std::collections::BTreeMap;
use std::fmt;

use super::arrays::ArraySpace;
use super::conses::ConsPages;
use super::counts::CountTable;
use super::recount::{Cause, Recount};
use crate::layout::Generation;
use crate::machine::Machine;
use crate::memory::Mem;
use crate::symbols::Symbols;

/// Everything the audit found.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// The count table.
    pub counts: CountTable,
    /// The recount.
    pub recount: Recount,
    /// Array space.
    pub arrays: ArraySpace,
    /// Cons pages.
    pub conses: ConsPages,
}

impl<G: Generation> Machine<'_, G> {
    /// Audits Lisp memory as it is now.
    pub fn audit(&self) -> Audit {
        self.chain_free_cells();
        Audit::run(self.mem, &self.symbols)
    }
}

impl Audit {
    /// Audits the image in `mem`.
    pub fn run<G: Generation>(mem: Mem<'_, G>, symbols: &Symbols) -> Self {
        let counts = super::counts::read(mem);
        let mut conses = ConsPages::default();
        let recount = super::recount::recount(mem, symbols, &counts, &mut conses);
        Self {
            arrays: super::arrays::check(mem, symbols),
            counts,
            recount,
            conses,
        }
    }

    /// Differences by cause.
    pub fn by_cause(&self) -> BTreeMap<Cause, u32> {
        let mut causes = BTreeMap::new();
        for difference in &self.recount.differences {
            *causes.entry(difference.cause).or_default() += 1;
        }
        causes
    }

    /// Defects of any kind, one sentence each.
    pub fn defects(&self) -> Vec<String> {
        let mut defects = Vec::new();
        defects.extend(self.counts.defects.iter().cloned());
        defects.extend(self.recount.defects.iter().cloned());
        defects.extend(self.arrays.defects.iter().cloned());
        for (count, what) in [
            (
                self.conses.wrong_free_counts,
                "cons pages have wrong free counts",
            ),
            (
                self.conses.broken_chains,
                "cons pages have broken free chains",
            ),
            (self.counts.one, "entries of the count table are 1"),
            (
                self.counts.stack_bits,
                "entries of the count table have the stack bit set",
            ),
        ] {
            if count != 0 {
                defects.push(format!("{count} {what}"));
            }
        }
        defects
    }

    /// True if no object may be freed while in use and nothing is broken.
    pub fn is_sound(&self) -> bool {
        self.defects().is_empty() && self.by_cause().keys().all(|cause| cause.is_harmless())
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (recount, counts) = (&self.recount, &self.counts);
        writeln!(f, "Reference counts")?;
        writeln!(
            f,
            "  {} counted objects, {} agree with a recount, {} do not",
            recount.objects,
            recount.agree,
            recount.differences.len()
        )?;
        for (cause, count) in self.by_cause() {
            writeln!(f, "  {count:>8}  {}", cause.explanation())?;
        }
        writeln!(
            f,
            "  count table: {} slots used, {} chains of {} links; {} zero, {} large",
            counts.occupied, counts.chains, counts.links, counts.zero, counts.large
        )?;
        writeln!(
            f,
            "  {} free typed objects; {} references to what is no object",
            recount.free_objects, recount.dangling
        )?;
        let conses = &self.conses;
        writeln!(f, "List cells")?;
        writeln!(
            f,
            "  {} pages, {} free cells; cdr NIL {}, on page {}, stored {}, forwarded {}",
            conses.pages,
            conses.free,
            conses.nil_cdr,
            conses.on_page_cdr,
            conses.stored_cdr,
            conses.forwarders
        )?;
        let arrays = &self.arrays;
        writeln!(f, "Array space")?;
        writeln!(
            f,
            "  {} blocks: {} raw, {} of pointers, {} of code; {} cells in use",
            arrays.blocks, arrays.unboxed, arrays.pointers, arrays.code, arrays.cells_in_use
        )?;
        writeln!(
            f,
            "  {} free blocks of {} cells; {} on rings, {} large enough but on none, {} unmerged",
            arrays.free, arrays.cells_free, arrays.on_rings, arrays.off_rings, arrays.unmerged
        )?;
        let defects = self.defects();
        if defects.is_empty() {
            writeln!(f, "No defects.")
        } else {
            writeln!(f, "Defects")?;
            defects.iter().try_for_each(|d| writeln!(f, "  {d}"))
        }
    }
}
