//! Which cells of a cons page are free, as a set: for Medley 3, where a cdr code
//! reaches only the next seven cells.
//!
//! Native code takes cells out of the maps, too (`jit/src/translate/free_cells.rs`), so
//! it knows how they lie in memory, and chooses as the functions here do. It works on
//! the halves of a map: that is why most cells are looked for in halves.

use crate::accounts::Account;
use crate::memory::WORDS_PER_PAGE;

/// The free cells of a page, or "not known". Cells are named by their place, the
/// word offset in the page; the place 0 is no list cell, its bit says that the
/// rest is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CellMap(u128);

/// The free cells of all cons pages, by page number. Not made before it is used.
#[derive(Clone, Debug, Default)]
pub(super) struct CellMaps(Box<[u128]>);

impl CellMaps {
    /// The free cells of page `number`.
    #[inline(always)]
    pub fn get(&self, number: u32) -> CellMap {
        self.0
            .get(number as usize)
            .map_or(CellMap::UNKNOWN, |&map| CellMap(map))
    }

    /// Stores the free cells of page `number`.
    #[inline(always)]
    pub fn set(&mut self, number: u32, map: CellMap) {
        if let Some(place) = self.0.get_mut(number as usize) {
            *place = map.0;
        }
    }

    /// Makes room for `pages` pages.
    pub fn reserve(&mut self, pages: u32) {
        if self.0.is_empty() {
            let _account = Account::Collectors.open();
            self.0 = vec![0; pages as usize].into();
        }
    }

    /// From now on nothing is known.
    pub fn forget(&mut self) {
        self.0.fill(CellMap::UNKNOWN.0);
    }

    /// Host address of the maps: 16 bytes for each page, a bit for each cell.
    pub fn address(&mut self) -> usize {
        self.0.as_mut_ptr() as usize
    }
}

/// Most words from a list cell to the place that its code says.
const REACH: u32 = 14;

impl CellMap {
    /// A page whose free cells are not known.
    pub const UNKNOWN: Self = Self(0);
    /// A page without free cells.
    pub const EMPTY: Self = Self(1);

    /// A page whose cells are all free, from the place `first` on.
    pub const fn fresh(first: u32) -> Self {
        Self(u128::MAX << (first / 2) | 1)
    }

    /// False if the free cells are not known.
    #[inline(always)]
    pub fn is_known(self) -> bool {
        self.0 & 1 != 0
    }

    /// True if the cell at `place` is free.
    #[inline(always)]
    pub fn contains(self, place: u32) -> bool {
        self.0 >> (place / 2) & 1 != 0
    }

    #[inline(always)]
    #[must_use]
    pub fn with(self, place: u32) -> Self {
        Self(self.0 | 1 << (place / 2))
    }

    #[inline(always)]
    #[must_use]
    pub fn without(self, place: u32) -> Self {
        Self(self.0 & !(1 << (place / 2)))
    }

    /// The number of free cells.
    #[inline(always)]
    pub fn count(self) -> u32 {
        self.cells().count_ones()
    }

    #[inline(always)]
    fn cells(self) -> u128 {
        self.0 & !1
    }

    /// The free cell closest before `place` that reaches it and lies in the same half.
    #[inline(always)]
    pub fn before(self, place: u32) -> Option<u32> {
        let number = place / 2;
        let half = (self.cells() >> (number & 64)) as u64;
        let below = half << (63 - number % 64) << 1;
        let words = 2 + 2 * below.leading_zeros();
        (words <= REACH).then(|| place - words)
    }

    /// The free cell closest behind `place` that it reaches.
    #[inline(always)]
    pub fn behind(self, place: u32) -> Option<u32> {
        let above = (self.cells() >> (place / 2)) >> 1;
        let found = place + 2 + lowest(above)?;
        (found - place <= REACH).then_some(found)
    }

    /// A free cell for a new list: with free cells behind it, into which the list
    /// can grow, and if possible before it too.
    #[inline(always)]
    pub fn for_list(self) -> Option<u32> {
        highest(fours(self.cells())).or_else(|| highest(self.cells()))
    }

    /// Two free cells of which the first reaches the second, for a list that will
    /// grow in front: with free cells before them if possible.
    pub fn pair_for_front(self) -> Option<(u32, u32)> {
        let cells = self.cells();
        if let Some(place) = highest(pairs(cells)) {
            return Some((place, place + 2));
        }
        self.distant_pair()
    }

    /// Two free cells of which the first reaches the second, for a list that will
    /// grow behind: with free cells behind them if possible.
    pub fn pair_for_end(self) -> Option<(u32, u32)> {
        let cells = self.cells();
        let fours = fours(cells);
        let runs = [fours & fours >> 4, fours, pairs(cells)];
        match runs.into_iter().find_map(lowest) {
            Some(place) => Some((place, place + 2)),
            None => self.distant_pair(),
        }
    }

    /// Two free cells, not neighbours in a half, of which the first reaches the second.
    fn distant_pair(self) -> Option<(u32, u32)> {
        let cells = self.cells();
        (1..=REACH / 2).find_map(|distance| {
            let place = highest(cells & cells >> distance)?;
            Some((place, place + 2 * distance))
        })
    }
}

/// The cells that start a run of two in a half of the page.
#[inline(always)]
fn pairs(cells: u128) -> u128 {
    in_halves(cells, |half| half & half >> 1)
}

/// The cells that start a run of four in a half of the page.
#[inline(always)]
fn fours(cells: u128) -> u128 {
    in_halves(cells, |half| {
        let pairs = half & half >> 1;
        pairs & pairs >> 2
    })
}

#[inline(always)]
fn in_halves(cells: u128, find: impl Fn(u64) -> u64) -> u128 {
    let [low, high] = [cells, cells >> 64].map(|half| u128::from(find(half as u64)));
    high << 64 | low
}

/// The highest place in `cells`.
#[inline(always)]
fn highest(cells: u128) -> Option<u32> {
    (cells != 0).then(|| WORDS_PER_PAGE - 2 - 2 * cells.leading_zeros())
}

/// The lowest place in `cells`.
#[inline(always)]
fn lowest(cells: u128) -> Option<u32> {
    (cells != 0).then(|| 2 * cells.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(places: &[u32]) -> CellMap {
        places
            .iter()
            .fold(CellMap::EMPTY, |map, &place| map.with(place))
    }

    #[test]
    fn fresh_pages_and_full_pages() {
        let fresh = map(&(4..128).map(|cell| 2 * cell).collect::<Vec<_>>());
        assert_eq!(fresh, CellMap::fresh(8));
        assert_eq!(fresh.count(), 124);
        assert_eq!(fresh.for_list(), Some(248), "three cells follow");
        assert_eq!(fresh.pair_for_front(), Some((252, 254)));
        assert_eq!(fresh.pair_for_end(), Some((8, 10)));
        assert_eq!(CellMap::EMPTY.for_list(), None);
        assert_eq!(CellMap::EMPTY.pair_for_front(), None);
        assert_eq!(CellMap::EMPTY.pair_for_end(), None);
        assert!(!CellMap::UNKNOWN.is_known());
    }

    proptest! {
        #[test]
        fn searches_match_a_plain_search(
            places in prop::collection::btree_set((4u32..128).prop_map(|cell| 2 * cell), 0..124),
            place in (4u32..128).prop_map(|cell| 2 * cell),
        ) {
            let all: Vec<_> = places.iter().copied().collect();
            let map = map(&all);
            prop_assert_eq!(map.count() as usize, all.len());
            let reach = |from: u32, to: u32| to > from && to - from <= 14;
            let half = |place| place / 128;
            let before = all.iter().copied();
            let before = before.filter(|&p| reach(p, place) && half(p) == half(place)).max();
            prop_assert_eq!(map.before(place), before);
            let behind = all.iter().copied().filter(|&p| reach(place, p)).min();
            prop_assert_eq!(map.behind(place), behind);
            match map.for_list() {
                Some(found) => prop_assert!(places.contains(&found)),
                None => prop_assert!(all.is_empty()),
            }
            for pair in [map.pair_for_front(), map.pair_for_end()] {
                match pair {
                    Some((low, high)) => {
                        prop_assert!(places.contains(&low) && places.contains(&high));
                        prop_assert!(reach(low, high));
                    }
                    None => prop_assert!(!all.windows(2).any(|pair| reach(pair[0], pair[1]))),
                }
            }
        }
    }
}
