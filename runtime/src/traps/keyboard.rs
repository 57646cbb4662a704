//! Keys, mouse buttons and mouse motion: from the host into Lisp memory.
//!
//! The I/O page shows the present state of every key (a bit is 0 while its key
//! is down). Each transition of a key or button also appends a copy of the key
//! words to a ring of events whose address is the value of
//! `\KEYBOARDEVENTQUEUE`, and asks for an interrupt; the interrupt calls
//! `\DOBUFFEREDTRANSITIONS`, which empties the ring. Motion makes no event.
//!
//! Sources: `reference/devices.md` sections 3 and 4,
//! `reference/boot-and-traps.md` section 14.

use crate::layout::records::key_queue::{EVENT_WORDS, EVENTS, FIRST, NEXT, OLDEST};
use crate::layout::records::{interface, io_page, misc_stats};
use crate::layout::{Generation, IO_PAGE};
use crate::machine::Machine;
use crate::memory::LispPtr;

/// Offset of the last event.
const LAST_EVENT: u16 = FIRST + (EVENTS - 1) * EVENT_WORDS;
/// The key words an event starts with, as offsets in the I/O page.
const EVENT_KEY_WORDS: [u32; 7] = [
    io_page::KEYBOARD,
    io_page::KEYBOARD + 1,
    io_page::KEYBOARD + 2,
    io_page::KEYBOARD + 3,
    io_page::UTIL_IN,
    io_page::KEYBOARD + 4,
    io_page::KEYBOARD + 5,
];
/// First and last place of a character in Lisp's ring of typed characters.
const TYPED: std::ops::RangeInclusive<u16> = 4..=203;
/// Keys that have a state bit.
const KEYS: u8 = 112;

/// What the machine keeps of its keyboard outside Lisp memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyboardState {
    /// Transitions that no interrupt has been taken for yet.
    pub pending: u32,
}

/// A mouse button, or a paddle of the keyset, which stands for a turn of the
/// wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Button {
    /// Left button.
    Left,
    /// Middle button.
    Middle,
    /// Right button.
    Right,
    /// Wheel turned up.
    WheelUp,
    /// Wheel turned down.
    WheelDown,
    /// Wheel pushed to the left.
    WheelLeft,
    /// Wheel pushed to the right.
    WheelRight,
}

impl Button {
    /// The bit of `UTIL_IN`, counted from the most significant.
    const fn bit(self) -> u32 {
        match self {
            Self::Left => 13,
            Self::Right => 14,
            Self::Middle => 15,
            Self::WheelUp => 8,
            Self::WheelDown => 9,
            Self::WheelLeft => 12,
            Self::WheelRight => 11,
        }
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Shows every key and button as up, as at the start of a session.
    pub fn release_all_keys(&mut self) {
        for word in EVENT_KEY_WORDS {
            self.mem.set_word(IO_PAGE.add(word), 0xFFFF);
        }
        self.set_interface_word(interface::FAKE_MOUSE_BITS, 0xFFFF);
        self.keyboard.pending = 0;
    }

    /// The key `number` (`reference/devices.md` section 3.2) goes down or up.
    /// Numbers without a key are ignored.
    pub fn key(&mut self, number: u8, down: bool) {
        let bit = u32::from(number) % 16;
        match number {
            64..80 => {
                self.set_key_bit(IO_PAGE.add(io_page::UTIL_IN), bit, down);
                let mirror = G::INTERFACE_PAGE.add(interface::FAKE_MOUSE_BITS);
                self.set_key_bit(mirror, bit, down);
            }
            ..KEYS => {
                let word = u32::from(number) / 16 - u32::from(number >= 80);
                self.set_key_bit(IO_PAGE.add(io_page::KEYBOARD + word), bit, down);
            }
            KEYS.. => return,
        }
        self.record_transition();
    }

    /// A mouse button goes down or up.
    pub fn button(&mut self, button: Button, down: bool) {
        self.set_key_bit(IO_PAGE.add(io_page::UTIL_IN), button.bit(), down);
        self.record_transition();
    }

    /// The mouse is now at `x`, `y` from the upper left corner of the screen.
    pub fn move_mouse(&mut self, x: u16, y: u16) {
        for (word, value) in [
            (io_page::MOUSE_X, x),
            (io_page::CURSOR_X, x),
            (io_page::MOUSE_Y, y),
            (io_page::CURSOR_Y, y),
        ] {
            self.mem.set_word(IO_PAGE.add(word), value);
        }
        let stamp = self.mem.cell(self.symbols.last_user_action);
        if !stamp.is_nil() {
            let now = self.mem.cell(G::MISC_STATS.add(misc_stats::SECONDS_TMP));
            self.mem.set_cell(stamp.masked::<G>(), now);
        }
    }

    /// Where the mouse is, from the upper left corner of the screen.
    pub fn mouse_position(&self) -> (u16, u16) {
        (
            self.mem.word(IO_PAGE.add(io_page::MOUSE_X)),
            self.mem.word(IO_PAGE.add(io_page::MOUSE_Y)),
        )
    }

    /// True while Lisp has not yet taken every recorded transition.
    pub fn input_waiting(&self) -> bool {
        self.event_ring()
            .is_some_and(|ring| self.mem.word(ring.add(OLDEST)) != 0)
    }

    /// Characters that were typed and that no Lisp program has read yet. Lisp has
    /// room for 200 and drops the rest. Its ring `\\SYSBUFFER` has the shape of the
    /// ring of events, with a word for each character.
    pub fn typed_ahead(&self) -> u16 {
        let Some((_, read, write)) = self.typed_ring() else {
            return 0;
        };
        if read == 0 {
            return 0;
        }
        let room = TYPED.end() - TYPED.start() + 1;
        if write > read {
            write - read
        } else {
            write + room - read
        }
    }

    /// Adds the character `code` to those that were typed, as if a key had typed it;
    /// false if there is no room. No interrupt character is looked for.
    pub fn type_character(&mut self, code: u16) -> bool {
        let Some((ring, read, write)) = self.typed_ring() else {
            return false;
        };
        if read == write {
            return false;
        }
        self.mem.set_word(ring.add(u32::from(write)), code);
        if read == 0 {
            self.mem.set_word(ring.add(OLDEST), write);
        }
        let next = if write == *TYPED.end() {
            *TYPED.start()
        } else {
            write + 1
        };
        self.mem.set_word(ring.add(NEXT), next);
        true
    }

    /// The ring of typed characters, where it is read (0 if it is empty), and where it
    /// is written.
    fn typed_ring(&self) -> Option<(LispPtr, u16, u16)> {
        let ring = self.mem.cell(self.symbols.typed_ahead);
        if ring.is_nil() || ring == LispPtr::NOBIND {
            return None;
        }
        let ring = ring.masked::<G>();
        let read = self.mem.word(ring.add(OLDEST));
        let write = self.mem.word(ring.add(NEXT));
        let is_sound = (read == 0 || TYPED.contains(&read)) && TYPED.contains(&write);
        is_sound.then_some((ring, read, write))
    }

    fn set_key_bit(&mut self, word: LispPtr, bit: u32, down: bool) {
        let mask = 0x8000 >> bit;
        let old = self.mem.word(word);
        let new = if down { old & !mask } else { old | mask };
        self.mem.set_word(word, new);
    }

    /// The ring, once Lisp has made it.
    fn event_ring(&self) -> Option<LispPtr> {
        let ring = self.mem.cell(self.symbols.keyboard_event_queue);
        (!ring.is_nil() && ring != LispPtr::NOBIND).then(|| ring.masked::<G>())
    }

    /// Appends the present key words to the ring and asks for the interrupt. A
    /// full ring loses the event, as its state bits do not.
    fn record_transition(&mut self) {
        let Some(ring) = self.event_ring() else {
            return;
        };
        let read = self.mem.word(ring.add(OLDEST));
        let write = self.mem.word(ring.add(NEXT));
        if read != write {
            self.append_event(ring, read, write);
        }
        let buffering = self.symbols.key_buffering;
        if self.mem.cell(buffering).is_nil() {
            self.mem.set_cell(buffering, LispPtr::T);
        }
        self.keyboard.pending = self.keyboard.pending.saturating_add(1);
        self.request_interrupt();
    }

    fn append_event(&mut self, ring: LispPtr, read: u16, write: u16) {
        let event = ring.add(u32::from(write));
        for (index, word) in EVENT_KEY_WORDS.into_iter().enumerate() {
            let state = self.mem.word(IO_PAGE.add(word));
            self.mem.set_word(event.add(index as u32), state);
        }
        if read == 0 {
            self.mem.set_word(ring.add(OLDEST), write);
        }
        let next = if write >= LAST_EVENT {
            FIRST
        } else {
            write + EVENT_WORDS
        };
        self.mem.set_word(ring.add(NEXT), next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley3};
    use crate::testing::with_machine;
    use std::collections::VecDeque;

    const RING: LispPtr = LispPtr(0x30_0000);

    fn with_ring<G: Generation>(test: impl FnOnce(Machine<'_, G>)) {
        with_machine::<G>(|mut m| {
            m.mem.set_cell(m.symbols.keyboard_event_queue, RING);
            m.mem.set_cell(m.symbols.key_buffering, LispPtr::NIL);
            m.mem.set_word(RING, 0);
            m.mem.set_word(RING.add(1), FIRST);
            m.release_all_keys();
            test(m);
        });
    }

    fn word<G: Generation>(m: &Machine<'_, G>, offset: u32) -> u16 {
        m.mem.word(IO_PAGE.add(offset))
    }

    /// Takes an event as `\DOBUFFEREDTRANSITIONS` does.
    fn take_event<G: Generation>(m: &Machine<'_, G>) -> Option<[u16; 7]> {
        let read = m.mem.word(RING);
        if read == 0 {
            return None;
        }
        let event = std::array::from_fn(|i| m.mem.word(RING.add(u32::from(read) + i as u32)));
        let next = if read == LAST_EVENT {
            FIRST
        } else {
            read + EVENT_WORDS
        };
        let empty = next == m.mem.word(RING.add(1));
        m.mem.set_word(RING, if empty { 0 } else { next });
        Some(event)
    }

    fn keys_have_their_bits<G: Generation>() {
        with_ring::<G>(|mut m| {
            // Key, word of the I/O page, mask.
            for (key, at, mask) in [
                (0, 62, 0x8000),
                (15, 62, 0x0001),
                (16, 63, 0x8000),
                (57, 65, 0x0040),
                (64, 61, 0x8000),
                (79, 61, 0x0001),
                (80, 66, 0x8000),
                (111, 67, 0x0001),
            ] {
                m.key(key, true);
                assert_eq!(word(&m, at), !mask, "key {key}");
                m.key(key, false);
                assert_eq!(word(&m, at), 0xFFFF, "key {key}");
            }
        });
    }

    #[test]
    fn keys_have_their_bits_in_both_generations() {
        keys_have_their_bits::<Medley2>();
        keys_have_their_bits::<Medley3>();
    }

    #[test]
    fn buttons_do_not_show_in_the_mirror_but_keys_do() {
        with_ring::<Medley2>(|mut m| {
            m.button(Button::Middle, true);
            assert_eq!(word(&m, io_page::UTIL_IN), 0xFFFE);
            assert_eq!(m.interface_word(interface::FAKE_MOUSE_BITS), 0xFFFF);
            m.key(77, true);
            assert_eq!(word(&m, io_page::UTIL_IN), 0xFFFA);
            assert_eq!(m.interface_word(interface::FAKE_MOUSE_BITS), 0xFFFB);
        });
    }

    #[test]
    fn unknown_keys_change_nothing() {
        with_ring::<Medley2>(|mut m| {
            for key in KEYS..=255 {
                m.key(key, true);
            }
            assert!(!m.input_waiting());
            assert_eq!(word(&m, 68), 0);
        });
    }

    #[test]
    fn a_transition_asks_for_the_interrupt() {
        with_ring::<Medley3>(|mut m| {
            m.mem.control().take();
            m.key(21, true);
            assert_eq!(m.keyboard.pending, 1);
            assert!(m.mem.control().is_raised());
            assert_eq!(m.mem.cell(m.symbols.key_buffering), LispPtr::T);
            let started = LispPtr(777);
            m.mem.set_cell(m.symbols.key_buffering, started);
            m.key(21, false);
            assert_eq!(m.mem.cell(m.symbols.key_buffering), started);
        });
    }

    #[test]
    fn without_a_ring_only_the_state_changes() {
        with_ring::<Medley2>(|mut m| {
            for ring in [LispPtr::NIL, LispPtr::NOBIND] {
                m.mem.set_cell(m.symbols.keyboard_event_queue, ring);
                m.key(21, true);
                assert_eq!(word(&m, 63), !0x0400);
                assert_eq!(m.keyboard.pending, 0);
                assert!(!m.input_waiting());
            }
        });
    }

    #[test]
    fn the_ring_holds_384_events_in_order_and_drops_the_rest() {
        with_ring::<Medley2>(|mut m| {
            let mut model = VecDeque::new();
            let mut down = [false; KEYS as usize];
            // Uneven bursts, so that the ring wraps at different fillings.
            for burst in [400u32, 100, 383, 384, 385, 7, 800] {
                for i in 0..burst {
                    let key = (i * 7 % u32::from(KEYS)) as u8;
                    let state = &mut down[usize::from(key)];
                    *state = !*state;
                    m.key(key, *state);
                    let event: [u16; 7] = std::array::from_fn(|w| word(&m, EVENT_KEY_WORDS[w]));
                    if model.len() < usize::from(EVENTS) {
                        model.push_back(event);
                    }
                }
                for _ in 0..burst / 2 {
                    assert_eq!(take_event(&m), model.pop_front());
                }
            }
            while let Some(event) = take_event(&m) {
                assert_eq!(Some(event), model.pop_front());
            }
            assert!(model.is_empty());
            assert!(!m.input_waiting());
        });
    }

    #[test]
    fn typed_characters_are_counted_round_the_ring() {
        with_ring::<Medley2>(|m| {
            m.mem.set_cell(m.symbols.typed_ahead, LispPtr::NIL);
            assert_eq!(m.typed_ahead(), 0);
            let ring = RING.add(0x8000);
            m.mem.set_cell(m.symbols.typed_ahead, ring);
            for (read, write, count) in [
                (0, 4, 0),
                (4, 5, 1),
                (203, 4, 1),
                (100, 99, 199),
                (100, 100, 200),
                (0xFFFF, 7, 0),
            ] {
                m.mem.set_word(ring, read);
                m.mem.set_word(ring.add(1), write);
                assert_eq!(m.typed_ahead(), count, "{read} {write}");
            }
        });
    }

    #[test]
    fn characters_can_be_typed_until_the_ring_is_full() {
        with_ring::<Medley3>(|mut m| {
            m.mem.set_cell(m.symbols.typed_ahead, LispPtr::NIL);
            assert!(!m.type_character(65));
            let ring = RING.add(0x8000);
            m.mem.set_cell(m.symbols.typed_ahead, ring);
            for start in [4, 5, 203] {
                m.mem.set_word(ring, 0);
                m.mem.set_word(ring.add(1), start);
                for count in 0..200 {
                    assert_eq!(m.typed_ahead(), count);
                    assert!(m.type_character(1000 + count));
                }
                assert!(!m.type_character(7));
                assert_eq!(m.typed_ahead(), 200);
                for count in 0..200 {
                    let at = 4 + (start - 4 + count) % 200;
                    let code = m.mem.word(ring.add(u32::from(at)));
                    assert_eq!(code, 1000 + count);
                }
            }
            m.mem.set_word(ring.add(1), 204);
            assert!(!m.type_character(65));
        });
    }

    #[test]
    fn motion_moves_mouse_and_cursor_without_an_event() {
        with_ring::<Medley2>(|mut m| {
            let stamp = LispPtr(0x6_0A38);
            m.mem.set_cell(m.symbols.last_user_action, stamp);
            let seconds = Medley2::MISC_STATS.add(misc_stats::SECONDS_TMP);
            m.mem.set_cell(seconds, LispPtr(12345));
            m.move_mouse(300, 200);
            assert_eq!(m.mouse_position(), (300, 200));
            assert_eq!(word(&m, io_page::CURSOR_X), 300);
            assert_eq!(word(&m, io_page::CURSOR_Y), 200);
            assert_eq!(m.mem.cell(stamp), LispPtr(12345));
            assert!(!m.input_waiting());
        });
    }
}
