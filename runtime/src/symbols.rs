//! The symbols whose cells the machine reads and writes, found by name when an
//! image is opened (`reference/boot-and-traps.md` section 6).

use crate::layout::{Generation, SymbolCell};
use crate::memory::{LispPtr, Mem};

/// A page of segment 0 that images do not use; symbols that an image lacks get
/// their value cells here, so that the machine needs no special case for them.
const SPARE_CELLS: LispPtr = LispPtr(0x0200);

macro_rules! symbols {
    (
        values { $( $value:ident = $value_name:literal; )* }
        constants { $( $constant:ident = $constant_name:literal; )* }
        functions { $( $function:ident = $function_name:literal; )* }
    ) => {
        /// Addresses of value cells, symbols used as constants, and functions
        /// that the machine calls.
        #[derive(Clone, Debug, Default)]
        #[allow(missing_docs)]
        pub struct Symbols {
            $( pub $value: LispPtr, )*
            $( pub $constant: LispPtr, )*
            $( pub $function: LispPtr, )*
        }

        impl Symbols {
            /// Finds every symbol with `find`; answers also the names that the
            /// image does not have.
            pub fn find<G: Generation>(
                mem: Mem<'_, G>,
                mut find: impl FnMut(&str) -> Option<LispPtr>,
            ) -> (Self, Vec<&'static str>) {
                let mut absent = Vec::new();
                let mut spare = SPARE_CELLS;
                let mut symbols = Self::default();
                $(
                    symbols.$value = match find($value_name) {
                        Some(symbol) => G::symbol_cell(symbol, SymbolCell::Value),
                        None => {
                            absent.push($value_name);
                            spare = spare.add(2);
                            mem.set_cell(spare, LispPtr::NIL);
                            spare
                        }
                    };
                )*
                $( symbols.$constant = find($constant_name).unwrap_or_else(|| {
                    absent.push($constant_name);
                    LispPtr::NIL
                }); )*
                $( symbols.$function = find($function_name).unwrap_or_else(|| {
                    absent.push($function_name);
                    LispPtr::NIL
                }); )*
                (symbols, absent)
            }
        }
    };
}

symbols! {
    values {
        reclaim_countdown = "\\RECLAIM.COUNTDOWN";
        reclaim_min = "\\RECLAIMMIN";
        gc_disabled = "\\GCDISABLED";
        gc_message = "GCMESS";
        free_block_buckets = "\\FREEBLOCKBUCKETS";
        array_block_checking = "ARRAYBLOCKCHECKING";
        array_merging = "\\ARRAYMERGING";
        array_space = "\\ARRAYSPACE";
        array_space2 = "\\ARRAYSPACE2";
        array_free_list = "\\ArrayFrLst";
        array_free_list2 = "\\ArrayFrLst2";
        hunking = "\\HUNKING?";
        system_buffer_list = "SYSTEMBUFFERLIST";
        package_from_index = "*PACKAGE-FROM-INDEX*";
        closure_cache_enabled = "SI::*CLOSURE-CACHE-ENABLED*";
        closure_cache = "SI::*CLOSURE-CACHE*";
        deleted_implicit_hash_slot = "XCL::*DELETED-IMPLICIT-HASH-SLOT*";
        storage_full_state = "\\STORAGEFULLSTATE";
        storage_full = "\\STORAGEFULL";
        pending_interrupt = "\\PENDINGINTERRUPT";
        interrupt_state = "\\INTERRUPTSTATE";
        least_mds_page = "\\LeastMDSPage";
        second_mds_page = "\\SecondMDSPage";
        second_array_page = "\\SecondArrayPage";
        next_mds_page = "\\NxtMDSPage";
        next_array_page = "\\NxtArrayPage";
        last_vmem_file_page = "\\LASTVMEMFILEPAGE";
        mds_free_list_page = "\\MDSFREELISTPAGE";
        system_cache_vars = "\\SYSTEMCACHEVARS";
        vmem_full_state = "\\VMEM.FULL.STATE";
        stack_overflow = "\\STACKOVERFLOW";
        guard_stack_address = "\\GuardStackAddr";
        last_stack_address = "\\LastStackAddr";
        keyboard_event_queue = "\\KEYBOARDEVENTQUEUE";
        key_buffering = "\\KEYBUFFERING";
        typed_ahead = "\\SYSBUFFER";
        last_user_action = "\\LASTUSERACTION";
        periodic_interrupt = "\\PERIODIC.INTERRUPT";
        periodic_interrupt_frequency = "\\PERIODIC.INTERRUPT.FREQUENCY";
        max_ether_tries = "\\MAXETHERTRIES";
        io_interrupt_flags = "\\MAIKO.IO-INTERRUPT-FLAGS";
        top_display_stream = "\\TOPWDS";
        cursor_hot_spot_x = "\\CURSORHOTSPOTX";
        cursor_hot_spot_y = "\\CURSORHOTSPOTY";
        loops_method_cache = "*Global-Method-Cache*";
        loops_variable_cache = "*Global-IV-Cache-Block*";
    }
    constants {
        mvlist = "\\MVLIST";
        texture = "TEXTURE";
        merge = "MERGE";
        input = "INPUT";
        invert = "INVERT";
        erase = "ERASE";
        paint = "PAINT";
        replace = "REPLACE";
        started = "STARTED";
        dirty = "DIRTY";
        storage_full_state_symbol = "\\STORAGEFULLSTATE";
        loops_instance = "instance";
        loops_class = "class";
        loops_annotated_value = "annotatedValue";
    }
    functions {
        do_buffered_transitions = "\\DOBUFFEREDTRANSITIONS";
        interrupt_frame = "\\INTERRUPTFRAME";
        periodic_interrupt_frame = "\\PERIODIC.INTERRUPTFRAME";
        do_reclaim = "\\DORECLAIM";
        punt_bltchar = "\\MAIKO.PUNTBLTCHAR";
        punt_bitblt_bitmap = "\\PUNT.BITBLT.BITMAP";
        punt_bltshade_bitmap = "\\PUNT.BLTSHADE.BITMAP";
        tedit_bltchar = "\\TEDIT.BLTCHAR";
        loops_fetch_method = "\\FetchMethod-LCUFN";
        loops_fetch_method_or_help = "\\FetchMethodOrHelp-LCUFN";
        loops_find_variable_index = "\\FindVarIndex-LCUFN";
        loops_get_value = "\\GetIVValue-LCUFN";
        loops_put_value = "\\PutIVValue-LCUFN";
    }
}
