//! Saving and loading: references are offsets, so blocks that were moved together can be put
//! anywhere.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::{Global, Handle, Heap, Kind, refers};
use crate::header::Colour;
use crate::region::{Block, Refusal, Region};
use crate::settings::Settings;
use crate::value::Value;

/// Why a saved heap cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// It is something else, of another version, or damaged.
    #[error("this is no saved heap: {0}")]
    Damaged(&'static str),
    /// The buffer is too small.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// The first bytes of a saved heap.
const MAGIC: &[u8; 4] = b"GKhp";
/// Version of the form in which heaps are saved.
const VERSION: u32 = 1;
/// Words in front of the blocks: magic, version, length, root.
const PREFACE: usize = 16;

impl<'b> Heap<'b> {
    /// All blocks, together, in a form that can be loaded anywhere; `root` leads to
    /// them. Other handles are not saved.
    pub fn save(&mut self, root: impl Handle) -> Vec<u8> {
        self.collect();
        self.compact();
        let root = self.block(root).offset();
        let blocks = self.blocks.region.blocks_as_bytes();
        let mut saved = MAGIC.to_vec();
        for word in [VERSION, blocks.len() as u32, root] {
            saved.extend(word.to_le_bytes());
        }
        saved.extend(blocks);
        saved
    }

    /// The heap that was saved, in the caller's buffer, and what led to its blocks.
    pub fn load(
        buffer: &'b mut [u8],
        saved: &[u8],
        settings: Settings,
    ) -> Result<(Self, Global), LoadError> {
        let word = |n: usize| {
            let bytes = saved.get(4 * n..4 * n + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        };
        let preface = (word(0), word(1), word(2), word(3));
        let (Some(_), Some(version), Some(length), Some(root)) = preface else {
            return Err(LoadError::Damaged("it is too short"));
        };
        let blocks = &saved[PREFACE..];
        if &saved[..4] != MAGIC {
            return Err(LoadError::Damaged("it begins differently"));
        } else if version != VERSION {
            return Err(LoadError::Damaged("it has another version"));
        } else if blocks.len() != length as usize {
            return Err(LoadError::Damaged("its length is wrong"));
        }
        let mut region = Region::new(buffer)?;
        region.fill_with(blocks)?;
        let known: BTreeSet<Block> = region.blocks().collect();
        let is_sound = region.check().is_ok()
            && known.contains(&Block::at(root))
            && known.iter().all(|&block| {
                !(refers(region.tag(block)) || region.tag(block) == Kind::Weak.tag())
                    || (0..region.len(block)).step_by(4).all(|at| {
                        let target = Value::from_bits(region.word(block, at)).as_block();
                        target.is_none_or(|target| known.contains(&target))
                    })
            });
        if !is_sound {
            return Err(LoadError::Damaged("its blocks do not fit together"));
        }
        // The handles that were saved with it are nobody's.
        for &block in &known {
            if region.tag(block) == Kind::Handles.tag() {
                let _ = region.free(block);
            } else {
                region.set_colour(block, Colour::Even);
            }
        }
        let mut heap = Self::over(region, settings)?;
        let place = heap.push(1)?;
        heap.set_place(place, Value::block(Block::at(root)));
        let dropped = Rc::clone(&heap.dropped);
        Ok((heap, Global { place, dropped }))
    }
}
