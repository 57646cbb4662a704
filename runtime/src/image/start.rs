//! From a loaded memory to a machine that can execute its first instruction
//! (`reference/boot-and-traps.md` sections 3, 6 and 7).

use super::header::MemorySize;
use super::symbols::Names;
use crate::device::Devices;
use crate::layout::records::{interface, io_page, misc_stats};
use crate::layout::{Generation, IO_PAGE, USER_NAME};
use crate::machine::Machine;
use crate::memory::{LispPtr, Mem};
use crate::symbols::Symbols;
use crate::traps::ALTO_EPOCH;

/// What Lisp calls machines like this one.
pub const MACHINE_TYPE: u16 = 3;
/// What Lisp shows as the version of the emulator: a day, counted from 13 October
/// 1987.
const EMULATOR_DAY: u16 = 14_000;
/// Bits of the device configuration for the keyboard (0: the common one) and the
/// display.
const DEVICE_BITS: u16 = 0x7F;
/// A black and white display.
const MONOCHROME: u16 = 2 << 3;
/// Bytes that Lisp sets aside for the login name after its length.
const MAX_USER_NAME: usize = 63;
/// The largest memory that the first machines could address; Lisp then does
/// without a second storage region.
const SMALL_MEGABYTES: u32 = 8;
/// Pages from the last page of memory down to the first unit of typed objects of
/// the second storage region.
const SECOND_MDS_DISTANCE: u32 = 3;
/// Key state words of the I/O page, the mouse buttons included; all keys up.
const KEY_WORDS: u32 = 7;
const ALL_UP: u16 = 0xFFFF;

impl<'m, G: Generation> Machine<'m, G> {
    /// A machine over the memory of a loaded image; answers also the names of
    /// symbols that the machine uses and the image does not have.
    pub fn of_image(mem: Mem<'m, G>, devices: Devices) -> (Self, Vec<&'static str>) {
        let names = Names::new(mem);
        let (symbols, absent) = Symbols::find(mem, |name| names.find(name));
        (Self::new(mem, symbols, devices), absent)
    }

    /// Tells Lisp about the machine it finds itself on. Must be done once, before
    /// [`Machine::start`].
    pub fn prepare(&mut self, size: MemorySize) {
        self.box_page_variables();
        self.prepare_interface_page(size);
        for word in 0..KEY_WORDS {
            self.mem
                .set_word(IO_PAGE.add(io_page::UTIL_IN + word), ALL_UP);
        }
        self.prepare_statistics();
        self.announce_no_network();
        let second_mds_page = size.last_page() - SECOND_MDS_DISTANCE;
        self.set_page_variable(self.symbols.second_mds_page, second_mds_page);
    }

    fn prepare_interface_page(&mut self, size: MemorySize) {
        let fields = G::INTERFACE_FIELDS;
        self.set_interface_word(interface::MACHINE_TYPE, MACHINE_TYPE);
        let addressable = if size.megabytes == SMALL_MEGABYTES {
            0
        } else {
            0xFFFF
        };
        self.set_interface_word(interface::DL24_BIT_ADDRESSABLE, addressable);
        self.set_memory_size(size);
        self.mem.set_cell(self.symbols.storage_full, LispPtr::NIL);
        if fields.wide {
            // Lisp of Medley 2 copies the field itself.
            self.set_page_variable(self.symbols.last_vmem_file_page, size.last_page());
        }
        let host = self.devices.environment.host_id();
        self.set_interface_word(interface::SERIAL_NUMBER, host as u16);
        self.store_user_name();
        self.set_interface_word(interface::RVERSION, EMULATOR_DAY);
        let devices = self.interface_word(interface::DEVICE_CONFIG) & !DEVICE_BITS;
        self.set_interface_word(interface::DEVICE_CONFIG, devices | MONOCHROME);
    }

    /// Stores the memory size in the interface page.
    pub fn set_memory_size(&mut self, size: MemorySize) {
        let fields = G::INTERFACE_FIELDS;
        self.set_interface_field(fields.last_vmem_page, size.last_page());
        self.set_interface_field(fields.process_size, size.megabytes);
    }

    fn set_interface_field(&mut self, offset: u32, value: u32) {
        if G::INTERFACE_FIELDS.wide {
            let at = G::INTERFACE_PAGE.add(offset);
            self.mem.set_cell(at, LispPtr(value));
        } else {
            self.set_interface_word(offset, value as u16);
        }
    }

    /// Stores the login name where Lisp looks for it: a length byte, then bytes.
    fn store_user_name(&mut self) {
        let name = self.devices.environment.user_name();
        let address = if let Some(mut bytes) = name {
            bytes.truncate(MAX_USER_NAME);
            self.mem.set_byte(USER_NAME, 0, bytes.len() as u8);
            for (n, byte) in (1..).zip(bytes) {
                self.mem.set_byte(USER_NAME, n, byte);
            }
            USER_NAME.lo()
        } else {
            0
        };
        self.set_interface_word(interface::USER_NAME, address);
    }

    fn prepare_statistics(&mut self) {
        let now = self.unix_micros() / 1000;
        let now = now.wrapping_add(ALTO_EPOCH * 1000) as u32;
        for (cell, value) in [
            (misc_stats::START_TIME, now),
            (misc_stats::PAGE_FAULTS, 0),
            (misc_stats::SWAP_WRITES, 0),
            (misc_stats::DISK_IO_TIME, 0),
            (misc_stats::DISK_OPERATIONS, 0),
            (misc_stats::GC_TIME, 0),
        ] {
            self.mem.set_cell(G::MISC_STATS.add(cell), LispPtr(value));
        }
        self.update_cpu_times();
        self.update_seconds_clock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::records::types;
    use crate::layout::{Medley2, Medley3};
    use crate::testing::with_machine;

    fn prepared<G: Generation>(megabytes: u32, test: impl FnOnce(Machine<'_, G>)) {
        with_machine::<G>(|mut m| {
            m.mem.set_cell(m.symbols.storage_full, LispPtr::T);
            m.set_interface_word(interface::DEVICE_CONFIG, 0xFF67);
            m.prepare(MemorySize { megabytes });
            assert_eq!(m.fault, None);
            assert_eq!(m.interface_word(interface::MACHINE_TYPE), 3);
            assert_eq!(m.interface_word(interface::DEVICE_CONFIG), 0xFF10);
            assert_eq!(m.interface_word(interface::USER_NAME), 0, "nobody");
            assert!(m.mem.cell(m.symbols.storage_full).is_nil());
            for word in 61..68 {
                assert_eq!(m.mem.word(IO_PAGE.add(word)), 0xFFFF);
            }
            let last = megabytes * 2048 - 1;
            assert_eq!(m.page_variable(m.symbols.second_mds_page), last - 3);
            test(m);
        });
    }

    #[test]
    fn medley2_copies_the_last_page_itself() {
        prepared::<Medley2>(32, |m| {
            assert_eq!(m.interface_word(64), 0xFFFF);
            assert_eq!(m.interface_word(45), 32);
            assert_eq!(m.interface_word(interface::DL24_BIT_ADDRESSABLE), 0xFFFF);
            let second = m.mem.cell(m.symbols.second_mds_page);
            assert_eq!(second, LispPtr::smallpos(0xFFFC));
        });
        prepared::<Medley2>(8, |m| {
            assert_eq!(m.interface_word(interface::DL24_BIT_ADDRESSABLE), 0);
        });
    }

    #[test]
    fn medley3_has_page_numbers_in_boxes() {
        prepared::<Medley3>(256, |m| {
            let field = |offset| m.mem.cell(Medley3::INTERFACE_PAGE.add(offset)).0;
            assert_eq!((field(80), field(86)), (0x7_FFFF, 256));
            let last = m.symbols.last_vmem_file_page;
            assert_eq!(m.page_variable(last), 0x7_FFFF);
            for variable in [last, m.symbols.next_mds_page, m.symbols.second_array_page] {
                assert_eq!(m.type_number(m.mem.cell(variable)), types::FIXP);
            }
        });
    }
}
