//! The engine against its meaning, one pixel at a time.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::layout::{Medley2, Medley3};
use crate::memory::AddressSpace;

/// Words of the memory that the tests look at.
const AREA: u32 = 4096;
/// Its middle pixel, from the start.
const MIDDLE: u32 = AREA * 8;

fn pixel<G: Generation>(mem: Mem<'_, G>, at: BitAddress) -> bool {
    mem.word(LispPtr(at.0 / 16)) & 0x8000 >> (at.0 % 16) != 0
}

fn set_pixel<G: Generation>(mem: Mem<'_, G>, at: BitAddress, value: bool) {
    let (word, bit) = (LispPtr(at.0 / 16), 0x8000 >> (at.0 % 16));
    let old = mem.word(word);
    mem.set_word(word, if value { old | bit } else { old & !bit });
}

/// The meaning of a transfer: one pixel at a time.
fn model<G: Generation>(
    mem: Mem<'_, G>,
    transfer: &Transfer,
    backward: bool,
    mut source: impl FnMut(u32, u32) -> bool,
) {
    let mut destination = transfer.destination;
    for line in 0..transfer.height {
        for n in 0..transfer.width {
            let i = if backward { transfer.width - 1 - n } else { n };
            let s = source(line, i) ^ transfer.complement;
            let at = destination.first.add(i);
            let d = pixel(mem, at);
            let value = match transfer.operation {
                Operation::Replace => s,
                Operation::And => d & s,
                Operation::Or => d | s,
                Operation::Xor => d ^ s,
            };
            set_pixel(mem, at, value);
        }
        destination.advance();
    }
}

/// Two memories with the same noise around `base`.
struct Twins<'m, G> {
    fast: Mem<'m, G>,
    slow: Mem<'m, G>,
    base: LispPtr,
}

impl<G: Generation> Twins<'_, G> {
    fn fill(&self, mut seed: u64) {
        for n in 0..AREA {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            for mem in [self.fast, self.slow] {
                mem.set_word(self.base.add(n), seed as u16);
            }
        }
    }

    fn at(&self, offset: i32) -> BitAddress {
        BitAddress::new(self.base, MIDDLE as i32 + offset)
    }

    fn first_difference(&self) -> Option<u32> {
        (0..AREA).find(|&n| {
            let at = self.base.add(n);
            self.fast.word(at) != self.slow.word(at)
        })
    }
}

/// Runs `test` on memories of both generations, in the middle of memory and
/// around its end.
fn with_twins(test: impl Fn(&dyn Fn(u64, Case, bool) -> Option<u32>)) {
    fn run<G: Generation>(base: LispPtr, test: &impl Fn(&dyn Fn(u64, Case, bool) -> Option<u32>)) {
        let (fast, slow) = (AddressSpace::<G>::reserve(), AddressSpace::reserve());
        let (fast, slow) = (fast.unwrap(), slow.unwrap());
        let twins = Twins {
            fast: fast.view(),
            slow: slow.view(),
            base,
        };
        test(&|seed, case, fill| {
            twins.fill(seed);
            case.perform(&twins, fill);
            twins.first_difference()
        });
    }
    run::<Medley2>(LispPtr(0x12_0000), &test);
    run::<Medley3>(LispPtr(0x12_0000), &test);
    run::<Medley2>(LispPtr(0x100_0000 - AREA / 2), &test);
    run::<Medley3>(LispPtr(0x1000_0000 - AREA / 2), &test);
}

#[derive(Clone, Copy, Debug)]
struct Case {
    to: i32,
    to_stride: i32,
    from: i32,
    from_stride: i32,
    width: u32,
    height: u32,
    operation: Operation,
    complement: bool,
    backward: bool,
}

impl Case {
    fn transfer<G: Generation>(&self, twins: &Twins<'_, G>) -> Transfer {
        Transfer {
            destination: Lines {
                first: twins.at(self.to),
                stride: self.to_stride,
            },
            width: self.width,
            height: self.height,
            operation: self.operation,
            complement: self.complement,
        }
    }

    fn perform<G: Generation>(&self, twins: &Twins<'_, G>, fill: bool) {
        let transfer = self.transfer(twins);
        if fill {
            let rows = LispPtr(twins.at(self.from).0 / 16);
            let count = self.height as u16 % 16 + 1;
            let first = self.width as u16 % count;
            let bit = self.from as u32 % 16;
            transfer.fill(twins.fast, Texture::at(rows, count, first).shifted(bit));
            let mut row = 0;
            model(twins.slow, &transfer, false, |line, i| {
                // A row is read once for each line.
                if i == 0 {
                    let n = (u32::from(first) + line) % u32::from(count);
                    row = twins.slow.word(rows.add(n));
                }
                row & 0x8000 >> ((bit + i) % 16) != 0
            });
        } else {
            let source = Lines {
                first: twins.at(self.from),
                stride: self.from_stride,
            };
            transfer.copy(twins.fast, source, self.backward);
            model(twins.slow, &transfer, self.backward, |line, i| {
                let line = (line as i32).wrapping_mul(source.stride);
                pixel(twins.slow, source.first.add(i.wrapping_add_signed(line)))
            });
        }
    }
}

prop_compose! {
    /// Rectangles that mostly overlap or nearly do, and stay in the area.
    fn cases()(
        to in -2000..2000_i32,
        near in prop_oneof![-70..70_i32, -2000..2000_i32],
        to_stride in -600..600_i32,
        from_stride in prop_oneof![Just(None), (-600..600_i32).prop_map(Some)],
        aligned in prop_oneof![3 => Just(!0), 1 => Just(!15), 1 => Just(!31)],
        width in prop_oneof![0..70_u32, 0..700_u32],
        height in 0..20_u32,
        operation in (0..4_u16).prop_map(Operation::from_code),
        complement: bool,
        backward: bool,
    ) -> Case {
        Case {
            to: to & aligned,
            to_stride: to_stride & aligned,
            from: (to + near) & aligned,
            from_stride: from_stride.unwrap_or(to_stride) & aligned,
            width, height, operation, complement, backward,
        }
    }
}

fn check(fill: bool) {
    with_twins(|difference| {
        let mut runner = TestRunner::new(Config {
            cases: 400,
            ..Config::default()
        });
        runner
            .run(&(any::<u64>(), cases()), |(seed, case)| {
                prop_assert_eq!(difference(seed | 1, case, fill), None);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn copies_are_as_one_pixel_at_a_time() {
    check(false);
}

#[test]
fn fills_are_as_one_pixel_at_a_time() {
    check(true);
}

#[test]
fn every_short_distance_smears_alike() {
    with_twins(|difference| {
        for distance in -70..=70 {
            for backward in [false, true] {
                let case = Case {
                    to: 5,
                    to_stride: 512,
                    from: 5 + distance,
                    from_stride: 512,
                    width: 300,
                    height: 2,
                    operation: Operation::Replace,
                    complement: false,
                    backward,
                };
                assert_eq!(difference(99, case, false), None, "{distance} {backward}");
            }
        }
    });
}

#[test]
fn small_textures_repeat_their_nibbles() {
    let space = AddressSpace::<Medley2>::reserve().unwrap();
    let mem = space.view();
    let base = LispPtr(0x12_0000);
    Transfer {
        destination: Lines {
            first: BitAddress::new(base, 0),
            stride: 16,
        },
        width: 16,
        height: 5,
        operation: Operation::Replace,
        complement: false,
    }
    .fill(mem, Texture::small(0x1248, 6).shifted(1));
    let rows: Vec<u16> = (0..5).map(|n| mem.word(base.add(n))).collect();
    assert_eq!(rows, [0x8888, 0x1111, 0x2222, 0x4444, 0x8888]);
}
