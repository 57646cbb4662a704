//! A table that gives out small integers.

/// Values named by small integers. A freed number is given out again, lowest
/// first, as the host does with descriptors.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    first: u16,
    slots: Vec<Option<T>>,
}

impl<T> Slots<T> {
    /// An empty table whose numbers start at `first`.
    pub const fn starting_at(first: u16) -> Self {
        Self {
            first,
            slots: Vec::new(),
        }
    }

    /// Puts `value` under the lowest free number; gives it back as an error
    /// if all 16-bit numbers are taken.
    pub fn insert(&mut self, value: T) -> Result<u16, T> {
        let index = match self.slots.iter().position(Option::is_none) {
            Some(index) => index,
            None => self.slots.len(),
        };
        let Some(number) = u16::try_from(index)
            .ok()
            .and_then(|index| self.first.checked_add(index))
        else {
            return Err(value);
        };
        if index == self.slots.len() {
            self.slots.push(Some(value));
        } else {
            self.slots[index] = Some(value);
        }
        Ok(number)
    }

    pub fn get(&self, number: u16) -> Option<&T> {
        self.slots.get(self.index(number)?)?.as_ref()
    }

    pub fn get_mut(&mut self, number: u16) -> Option<&mut T> {
        let index = self.index(number)?;
        self.slots.get_mut(index)?.as_mut()
    }

    pub fn remove(&mut self, number: u16) -> Option<T> {
        let index = self.index(number)?;
        self.slots.get_mut(index)?.take()
    }

    fn index(&self, number: u16) -> Option<usize> {
        number.checked_sub(self.first).map(usize::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowest_free_number_first() {
        let mut slots = Slots::starting_at(3);
        assert_eq!(slots.insert('a'), Ok(3));
        assert_eq!(slots.insert('b'), Ok(4));
        assert_eq!(slots.remove(3), Some('a'));
        assert_eq!(slots.remove(3), None);
        assert_eq!(slots.insert('c'), Ok(3));
        assert_eq!(slots.get(4), Some(&'b'));
        assert_eq!(slots.get(2), None);
        assert_eq!(slots.get_mut(9), None);
    }

    #[test]
    fn full_table() {
        let mut slots = Slots::starting_at(u16::MAX);
        assert_eq!(slots.insert(1), Ok(u16::MAX));
        assert_eq!(slots.insert(2), Err(2));
    }
}
