//! Transfers between bitmap objects: the services behind BITBLT and BLTSHADE.
//!
//! A bitmap's lines are stored from the top; BITBLTSUB counts lines so too, while
//! the services that clip take Lisp's coordinates, with y = 0 at the bottom.
//! Sources: `reference/devices.md` sections 2.3 to 2.5; Maiko src/bbtsub.c.

use super::bitblt::{BitAddress, Lines, Operation, Texture, Transfer};
use super::pilot::PilotBbt;
use crate::layout::Generation;
use crate::layout::records::{bitmap, type_entry, types};
use crate::machine::Machine;
use crate::memory::{LispPtr, Mem};
use crate::subr::{Args, Outcome};

/// Most rows of a texture.
const TEXTURE_ROWS: u16 = 16;

/// A bitmap object.
#[derive(Clone, Copy, Debug)]
struct Bitmap {
    object: LispPtr,
    base: LispPtr,
    /// Words in a line.
    raster: u16,
    width: u16,
    height: u16,
    bits_per_pixel: u16,
}

impl Bitmap {
    fn read<G: Generation>(mem: Mem<'_, G>, object: LispPtr) -> Self {
        let object = object.masked::<G>();
        let word = |offset| mem.word(object.add(offset));
        Self {
            object,
            base: mem.cell(object.add(bitmap::BASE)),
            raster: word(bitmap::RASTER_WIDTH),
            width: word(bitmap::WIDTH),
            height: word(bitmap::HEIGHT),
            bits_per_pixel: word(bitmap::BITS_PER_PIXEL),
        }
    }

    /// Lines from pixel (`x`, `y`) on, `y` counted from the top.
    fn lines(&self, x: i32, y: i32) -> Lines {
        let line = i32::from(self.raster).wrapping_mul(y);
        Lines {
            first: BitAddress::new(self.base.add(line as u32), x),
            stride: i32::from(self.raster) * 16,
        }
    }
}

/// A rectangle and where it is copied to, y counted from the top.
#[derive(Clone, Copy, Debug)]
struct Area {
    from: (i32, i32),
    to: (i32, i32),
    width: u16,
    height: u16,
}

impl Area {
    /// True if the copy must start with the last line, so that no pixel is
    /// overwritten before it is read.
    fn is_backward(&self, source: Bitmap, destination: Bitmap) -> bool {
        let ((sx, sy), (dx, dy)) = (self.from, self.to);
        source.object == destination.object
            && sy <= dy
            && dy <= sy.saturating_add(self.height.into())
            && (sy != dy || (sx < dx && dx < sx.saturating_add(self.width.into())))
    }
}

/// The part of a coordinate axis from `.0` up to but not including `.1`.
type Range = (i64, i64);

fn intersection(a: Range, b: Range) -> Range {
    (a.0.max(b.0), a.1.min(b.1))
}

fn shifted(range: Range, by: i64) -> Range {
    (range.0 + by, range.1 + by)
}

fn range(start: i32, length: i32) -> Range {
    (start.into(), i64::from(start) + i64::from(length))
}

fn is_empty(range: Range) -> bool {
    range.1 <= range.0
}

/// True if `object` is `symbol`; a symbol that the image lacks is NIL here, which
/// nothing names.
fn names(object: LispPtr, symbol: LispPtr) -> bool {
    object == symbol && !symbol.is_nil()
}

impl<G: Generation> Machine<'_, G> {
    /// The operation and whether the source is complemented, for the values of
    /// BITBLT's arguments.
    fn drawing_mode(&self, source_type: LispPtr, operation: LispPtr) -> (Operation, bool) {
        let symbols = &self.symbols;
        let code = match operation {
            o if names(o, symbols.erase) => Operation::And,
            o if names(o, symbols.paint) => Operation::Or,
            o if names(o, symbols.invert) => Operation::Xor,
            _ => Operation::Replace,
        };
        let complement = names(source_type, symbols.invert) != names(operation, symbols.erase);
        (code, complement)
    }

    /// The texture that Lisp's `texture` stands for, with the row for line
    /// `line` first. None if it has no rows.
    fn lisp_texture(&self, texture: LispPtr, line: u32) -> Option<Texture> {
        if texture.is_nil() {
            return Some(Texture::plain(0));
        }
        if self.type_entry(texture) & type_entry::NUMBER_P != 0 {
            let pattern = self.integer(texture).unwrap_or(0) as u16;
            return Some(match pattern {
                0 | 0xFFFF => Texture::plain(pattern),
                _ => Texture::small(pattern, (line % 4) as u16),
            });
        }
        let rows = Bitmap::read(self.mem, texture);
        let count = rows.height.min(TEXTURE_ROWS);
        let first = line.checked_rem(count.into())?;
        Some(Texture::at(rows.base, count, first as u16))
    }

    fn copy_bitmap(
        &self,
        source: Bitmap,
        destination: Bitmap,
        area: Area,
        (operation, complement): (Operation, bool),
    ) {
        let backward = area.is_backward(source, destination);
        let last = if backward {
            i32::from(area.height) - 1
        } else {
            0
        };
        let lines = |bitmap: Bitmap, (x, y): (i32, i32)| {
            let lines = bitmap.lines(x, y.wrapping_add(last));
            Lines {
                stride: if backward {
                    -lines.stride
                } else {
                    lines.stride
                },
                ..lines
            }
        };
        Transfer {
            destination: lines(destination, area.to),
            width: area.width.into(),
            height: area.height.into(),
            operation,
            complement,
        }
        .copy(self.mem, lines(source, area.from), backward);
    }

    /// The low 16 bits of an integer argument.
    fn bitmap_coordinate(&self, argument: LispPtr) -> u16 {
        self.integer(argument).unwrap_or(0) as u16
    }

    /// Service BITBLTSUB: a transfer that Lisp has clipped already. The size
    /// comes from the transfer table.
    pub(crate) fn bitblt_sub(&mut self, args: &Args) {
        let table = PilotBbt::new(self.mem, args.get(0));
        let (width, height) = (table.width(), table.height());
        let x = |n| i32::from(self.bitmap_coordinate(args.get(n)));
        let to = (x(5), x(6));
        let source_type = args.get(8);
        let destination = Bitmap::read(self.mem, args.get(4));
        let mode = self.drawing_mode(source_type, args.get(9));
        if names(source_type, self.symbols.texture) {
            let window = (
                self.bitmap_coordinate(args.get(11)),
                self.bitmap_coordinate(args.get(12)),
            );
            let line = u32::from(to.1 as u16) + u32::from(window.1);
            if let Some(texture) = self.lisp_texture(args.get(10), line) {
                let bit = (to.0 - i32::from(window.0)) as u32 % 16;
                let size = (width, height);
                self.shade_bitmap(destination, to, size, mode, texture.shifted(bit));
            }
            return;
        }
        let source = Bitmap::read(self.mem, args.get(1));
        let area = Area {
            from: (x(2), x(3)),
            to,
            width,
            height,
        };
        self.copy_bitmap(source, destination, area, mode);
    }

    /// Fills an area of `destination` whose upper left corner is `to`.
    fn shade_bitmap(
        &self,
        destination: Bitmap,
        to: (i32, i32),
        (width, height): (u16, u16),
        (operation, complement): (Operation, bool),
        texture: Texture,
    ) {
        Transfer {
            destination: destination.lines(to.0, to.1),
            width: width.into(),
            height: height.into(),
            operation,
            complement,
        }
        .fill(self.mem, texture);
    }

    /// The x and y ranges of a clipping region, a list of left, bottom, width and
    /// height. None if it is not one.
    fn clipping_region(&self, mut region: LispPtr) -> Option<(Range, Range)> {
        let mut numbers = [0; 4];
        for number in &mut numbers {
            if !self.is_list(region) {
                return None;
            }
            *number = self.integer(self.car(region))?;
            region = self.cdr(region);
        }
        let [left, bottom, width, height] = numbers;
        Some((range(left, width), range(bottom, height)))
    }

    /// The ranges of `bitmap` inside the clipping region `region`, if not NIL.
    fn clipped_bitmap(&self, bitmap: Bitmap, region: LispPtr) -> Option<(Range, Range)> {
        let x = (0, i64::from(bitmap.width));
        let y = (0, i64::from(bitmap.height));
        if region.is_nil() {
            return Some((x, y));
        }
        let (clip_x, clip_y) = self.clipping_region(region)?;
        Some((intersection(x, clip_x), intersection(y, clip_y)))
    }

    /// Service BITBLT.BITMAP: clips and copies. None if an argument is not a
    /// number or nothing is left to copy.
    fn bitblt_clipped(&self, args: &Args, source: Bitmap, destination: Bitmap) -> Option<()> {
        let number = |n| self.integer(args.get(n));
        let (source_left, source_bottom) = (number(1)?, number(2)?);
        let (left, bottom) = (number(4)?, number(5)?);
        let (width, height) = (number(6)?, number(7)?);
        let (clipped_left, clipped_bottom) = (number(12)?, number(13)?);
        let (x, y) = self.clipped_bitmap(destination, args.get(11))?;

        // From here on in coordinates of the source.
        let right_by = i64::from(left) - i64::from(source_left);
        let up_by = i64::from(bottom) - i64::from(source_bottom);
        let x = shifted(intersection(x, range(left, width)), -right_by);
        let y = shifted(intersection(y, range(bottom, height)), -up_by);
        let x = intersection(x, (0, source.width.into()));
        let y = intersection(y, (0, source.height.into()));
        let x = intersection(x, range(clipped_left, width));
        let y = intersection(y, range(clipped_bottom, height));
        if is_empty(x) || is_empty(y) {
            return None;
        }

        // Both rectangles are inside their bitmaps now, so everything fits.
        let area = Area {
            from: (x.0 as i32, (i64::from(source.height) - y.1) as i32),
            to: (
                (x.0 + right_by) as i32,
                (i64::from(destination.height) - (y.1 + up_by)) as i32,
            ),
            width: (x.1 - x.0) as u16,
            height: (y.1 - y.0) as u16,
        };
        let mode = self.drawing_mode(args.get(8), args.get(9));
        self.copy_bitmap(source, destination, area, mode);
        Some(())
    }

    /// Service BITBLT.BITMAP.
    pub(crate) fn bitblt_bitmap(&mut self, args: &Args) -> Outcome {
        let source = Bitmap::read(self.mem, args.get(0));
        let destination = Bitmap::read(self.mem, args.get(3));
        if source.bits_per_pixel != 1
            || destination.bits_per_pixel != 1
            || names(args.get(8), self.symbols.merge)
        {
            return Outcome::Punt(self.symbols.punt_bitblt_bitmap);
        }
        let done = self.bitblt_clipped(args, source, destination);
        Outcome::Value(LispPtr::from_bool(done.is_some()))
    }

    /// Service BLTSHADE.BITMAP: clips and fills. None if an argument is not a
    /// number or nothing is left to fill.
    fn bltshade_clipped(&self, args: &Args, destination: Bitmap) -> Option<()> {
        let number = |n| self.integer(args.get(n));
        let (left, bottom) = (number(2)?, number(3)?);
        // A missing extent reaches to the edge.
        let extent = |n, start: i32| {
            if args.get(n).is_nil() {
                Some((start.into(), i64::MAX))
            } else {
                number(n).map(|length| range(start, length))
            }
        };
        let (x, y) = self.clipped_bitmap(destination, args.get(7))?;
        let x = intersection(x, extent(4, left)?);
        let y = intersection(y, extent(5, bottom)?);
        if is_empty(x) || is_empty(y) {
            return None;
        }
        let to = (x.0 as i32, (i64::from(destination.height) - y.1) as i32);
        let size = ((x.1 - x.0) as u16, (y.1 - y.0) as u16);
        let texture = self.lisp_texture(args.get(0), to.1 as u32)?;
        let texture = texture.shifted(to.0 as u32 % 16);
        let mode = self.drawing_mode(LispPtr::NIL, args.get(6));
        self.shade_bitmap(destination, to, size, mode, texture);
        Some(())
    }

    /// Service BLTSHADE.BITMAP.
    pub(crate) fn bltshade_bitmap(&mut self, args: &Args) -> Outcome {
        let texture = args.get(0);
        let needs_lisp = match self.type_number(texture) {
            types::LITATOM | types::NEW_ATOM => !texture.is_nil(),
            types::LISTP => true,
            _ => false,
        };
        let destination = Bitmap::read(self.mem, args.get(1));
        if needs_lisp || destination.bits_per_pixel != 1 {
            return Outcome::Punt(self.symbols.punt_bltshade_bitmap);
        }
        let done = self.bltshade_clipped(args, destination);
        Outcome::Value(LispPtr::from_bool(done.is_some()))
    }
}

#[cfg(test)]
mod tests;
