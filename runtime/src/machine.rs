//! The machine: registers, the state that the subsystems keep outside Lisp
//! memory, and the devices.
//!
//! One structure; each subsystem adds its operations in its own folder as an
//! `impl` block: `heap` allocation, `gc` counting and reclaiming, `stack`
//! frames, `traps` interrupts and UFNs, `subr` services, `display` drawing,
//! `interp` the instructions.

use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use crate::device::Devices;
use crate::display::DisplayState;
use crate::fault::Fault;
use crate::gc::GcState;
use crate::heap::HeapState;
use crate::image::{SaveError, Saved};
use crate::interp::native::{NOBODY, NativeState};
use crate::interp::{Handlers, StrayAccesses, handlers};
use crate::layout::records::{interface, type_entry};
use crate::layout::{Generation, STACK, SymbolCell};
use crate::lockstep::Shadow;
use crate::memory::{AttentionReason, CodePc, LispPtr, Mem, StackOffset};
use crate::stack::Searches;
use crate::subr::{Characters, NetworkState};
use crate::symbols::Symbols;
use crate::traps::InterruptState;
use crate::traps::keyboard::KeyboardState;

/// The registers that the interpreter passes from instruction to instruction
/// (`reference/processor.md` section 3). The copy in the machine is valid
/// whenever the interpreter is not running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// The instruction to execute next.
    pub pc: CodePc,
    /// The stack cell in which the top of stack would be stored.
    pub sp: StackOffset,
    /// The top of stack.
    pub tos: LispPtr,
    /// PVAR slot 0 of the running frame.
    pub pvar: StackOffset,
}

/// Counters of what the machine has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics {
    /// Collections.
    pub collections: u64,
    /// Times that the stack was full and Lisp had to start a fresh one.
    pub hard_resets: u64,
    /// Objects freed by collections.
    pub objects_freed: u64,
    /// Clock questions asked by Lisp since the last host tick.
    pub clock_polls: u64,
}

/// A Lisp machine over the memory of one image.
pub struct Machine<'m, G: Generation> {
    /// The memory.
    pub mem: Mem<'m, G>,
    /// Registers of the stopped interpreter.
    pub regs: Registers,
    /// Argument 0 of the running frame.
    pub ivar: StackOffset,
    /// Header of the running function.
    pub func: LispPtr,
    /// End of the free stack space behind the running frame.
    pub end: StackOffset,
    /// Symbols that the machine uses.
    pub symbols: Symbols,
    /// The world outside.
    pub devices: Devices,
    /// What the characters in names of files are.
    pub characters: Characters,
    /// Keyboard and mouse.
    pub keyboard: KeyboardState,
    /// The screen.
    pub display: DisplayState,
    /// Interrupts.
    pub interrupts: InterruptState,
    /// The network that is not there.
    pub network: NetworkState,
    /// The status with which Lisp ended the session.
    pub exit_status: i32,
    /// The fault that stopped the machine.
    pub fault: Option<Fault>,
    /// The function and the offset of the instruction that met it, if that is not the one
    /// at the pc.
    pub fault_place: Option<(LispPtr, u16)>,
    /// Why Lisp's last attempt to save the image failed, if it did.
    pub save_error: Option<SaveError>,
    /// What became of Lisp's last attempt to save the image, if it succeeded.
    pub saved: Option<Saved>,
    /// When Lisp saves the image next, it is not written but kept in memory.
    pub keep_next_save: bool,
    /// What the host does with a file in which the image has been saved, before Lisp goes on.
    pub after_save: fn(&Path),
    /// What the machine has done.
    pub statistics: Statistics,
    /// State of the collector outside Lisp memory.
    pub gc: GcState,
    /// State of the heap outside Lisp memory.
    pub heap: HeapState,
    /// The frame to which native code waits for a return.
    pub(crate) waiting: StackOffset,
    /// Only one instruction is to be executed.
    pub(crate) stepping: bool,
    /// Native code.
    pub(crate) native: NativeState<G>,
    /// What searches for free variables found.
    pub(crate) searches: Searches,
    /// The machine that native code is compared with.
    pub(crate) shadow: Option<Box<Shadow<'m, G>>>,
    /// Instruction count at which the next tick of a counting clock is due, else 0.
    pub(crate) next_tick: u64,
    /// Native code counts instructions and polls as the interpreter does.
    pub(crate) is_exact: bool,
    /// The handler of every opcode; memory has them too, for the interpreter.
    pub(crate) handlers: &'static Handlers<G>,
    /// Accesses to addresses where nothing is.
    pub(crate) strays: StrayAccesses,
}

impl<'m, G: Generation> Machine<'m, G> {
    /// A machine over `mem` with all registers zero.
    pub fn new(mem: Mem<'m, G>, symbols: Symbols, devices: Devices) -> Self {
        let mut machine = Self {
            mem,
            regs: Registers::default(),
            ivar: StackOffset::default(),
            func: LispPtr::NIL,
            end: StackOffset::default(),
            symbols,
            devices,
            characters: Characters::UNICODE,
            keyboard: KeyboardState::default(),
            display: DisplayState::default(),
            interrupts: InterruptState::default(),
            network: NetworkState::default(),
            exit_status: 0,
            fault: None,
            fault_place: None,
            save_error: None,
            saved: None,
            keep_next_save: false,
            after_save: |_| {},
            statistics: Statistics::default(),
            gc: GcState::default(),
            heap: HeapState::default(),
            waiting: NOBODY,
            stepping: false,
            native: NativeState::default(),
            searches: Searches::default(),
            shadow: None,
            next_tick: 0,
            is_exact: false,
            handlers: handlers(),
            strays: StrayAccesses::default(),
        };
        machine.set_handlers(handlers());
        machine
    }

    /// Lisp wrote at `at` as in any memory.
    #[inline(always)]
    pub fn written(&mut self, at: LispPtr) {
        self.written_words(at, 2);
    }

    /// The same for `words` words from `at` on.
    #[inline(always)]
    pub fn written_words(&mut self, at: LispPtr, words: u32) {
        let from_stack = at.segment::<G>().wrapping_sub(STACK.segment::<G>());
        if from_stack < self.mem.control().told_segments.load(Relaxed) {
            self.written_slow(at, words);
        }
    }

    #[cold]
    #[inline(never)]
    fn written_slow(&mut self, at: LispPtr, words: u32) {
        if at.segment::<G>() == STACK.segment::<G>() {
            self.searches.written(StackOffset(at.lo()));
        }
        self.written_uncounted(at, words);
    }

    /// The type table entry of `object` (`reference/memory-map.md` section 5).
    #[inline(always)]
    pub fn type_entry(&self, object: LispPtr) -> u16 {
        type_entry_of(self.mem, object)
    }

    /// The type number of `object`.
    #[inline(always)]
    pub fn type_number(&self, object: LispPtr) -> u16 {
        self.type_entry(object) & type_entry::NUMBER
    }

    /// The word at `offset` of the interface page.
    pub fn interface_word(&self, offset: u32) -> u16 {
        self.mem.word(G::INTERFACE_PAGE.add(offset))
    }

    /// Stores a word of the interface page.
    pub fn set_interface_word(&self, offset: u32, value: u16) {
        self.mem.set_word(G::INTERFACE_PAGE.add(offset), value);
    }

    /// Start of the user stack; system contexts lie below.
    pub fn stack_base(&self) -> StackOffset {
        StackOffset(self.interface_word(interface::STACK_BASE))
    }

    /// The definition cell of `symbol`.
    #[inline(always)]
    pub fn definition(&self, symbol: LispPtr) -> LispPtr {
        self.mem
            .cell(G::symbol_cell(symbol, SymbolCell::Definition))
    }

    /// Makes the next poll serve interrupts.
    pub fn request_interrupt(&self) {
        self.mem.control().raise(AttentionReason::Machine);
    }

    /// Has the machine go on behind a fault that it can survive. False if it cannot.
    pub fn survive_fault(&mut self) -> bool {
        let survives = self.fault.as_ref().is_some_and(Fault::is_survivable);
        if survives {
            self.fault = None;
            self.fault_place = None;
        }
        survives
    }

    /// Records a fault; the machine stops at the next poll. The first fault wins.
    #[cold]
    pub fn raise_fault(&mut self, fault: Fault) {
        if self.fault.is_none() {
            self.fault = Some(fault);
            self.fault_place = None;
            self.place_fault();
        }
        self.request_interrupt();
    }
}

/// The type table entry of `object`.
#[inline(always)]
pub fn type_entry_of<G: Generation>(mem: Mem<'_, G>, object: LispPtr) -> u16 {
    mem.word(G::TYPE_TABLE.add((object.0 & G::POINTER_MASK) >> 9))
}
