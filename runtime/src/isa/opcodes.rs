//! The list of all 256 instructions. Everything that depends on the instruction
//! set is generated from it: the enumeration, lengths, the decoder, the
//! disassembler, the interpreter's table, the documentation.
//!
//! A row:
//!
//! | column | meaning |
//! |---|---|
//! | code, variant, name | number, name in Rust, name in the Lisp assembler |
//! | kind | variant of [`Kind`](super::Kind) |
//! | operands | inline operands in order; `u8` `i8` `u16` `i16` (high byte first), `atom` and `ptr` (3 or 4 bytes) |
//! | stack effect | before -- after, top of stack at the right |
//! | poll | variant of [`Poll`](super::Poll): where interrupts and the stack limit are looked at |
//! | heap | variant of [`Heap`](super::Heap): whether it may allocate, may change reference counts |
//! | exec | function of the interpreter, with its parameter when a family shares one; `ufn` always traps |
//! | summary | what it does |
//! | ufn | where it traps, if ever: Lisp function, operand bytes passed, number of arguments, when |
//!
//! Words used: a *smallpos* is an integer 0..65535, a *smallneg* -65536..-1; an
//! integer is one of these or a FIXP cell; a number may be a FLOATP cell as well;
//! *immediate* are symbols of segment 0, characters and small integers.
//!
//! UFN facts are those of the 24-bit generation; 3 operand bytes, a symbol, are
//! 4 in the 28-bit generation. A row without UFN never traps, though the table in
//! an image has an entry for it.

/// Calls the macro `$callback` with all rows, in order of their codes.
///
/// ```text
/// macro_rules! rows {
///     ($(
///         $code:literal $Variant:ident $name:literal $kind:ident
///         [$($operand:ident: $type:ident),*] $stack:literal $poll:ident $heap:ident
///         exec: $exec:ident $(($n:literal))? $summary:literal
///         $(ufn: $ufn:literal $bytes:literal $args:literal $when:literal)?;
///     )*) => { ... };
/// }
/// for_each_opcode!(rows);
/// ```
#[rustfmt::skip]
macro_rules! for_each_opcode { ($callback:ident) => { $callback! {
// code variant          assembler name     kind      operands               stack effect                     poll   heap      interpreter           summary                                                                 trap: Lisp function, operand bytes, arguments, when
0x00 EndOfCode        "-X-"              Undefined []                     "--"                             No     No        exec: ufn             "Not executable: marks the end of a code body."                         ufn: r"\UNKNOWN.UFN" 0 0 "always";
0x01 Car              "CAR"              List      []                     "x -- car"                       No     No        exec: car             "Car of a list cell; NIL and T answer themselves."                      ufn: r"\CAR.UFN" 0 1 "x is not a list, NIL or T";
0x02 Cdr              "CDR"              List      []                     "x -- cdr"                       No     No        exec: cdr             "Cdr of a list cell, decoding the cdr code; NIL answers NIL."           ufn: r"\CDR.UFN" 0 1 "x is not a list or NIL";
0x03 Listp            "LISTP"            Type      []                     "x -- x|NIL"                     No     No        exec: listp           "x when it is a list cell, else NIL.";
0x04 Ntypx            "NTYPX"            Type      []                     "x -- n"                         No     No        exec: ntypx           "Type number of x.";
0x05 Typep            "TYPEP"            Type      [type: u8]             "x -- x|NIL"                     No     No        exec: typep           "x when its type number is exactly the operand, else NIL.";
0x06 Dtest            "DTEST"            Type      [typename: atom]       "x -- x"                         No     No        exec: dtest           "Check that the type of x or a supertype of it has that name."          ufn: r"\DTEST.UFN" 3 2 "no such name in the supertype chain of x";
0x07 Unwind           "UNWIND"           Bind      [n: u8, keep: u8]      "... tos -- ...|tos"             No     No        exec: unwind          "Cut the stack to cell n from PVAR 0, undo bindings; may keep the top." ufn: r"\UNWIND.UFN" 2 1 "cell n lies beyond the top of stack";
0x08 Fn0              "FN0"              Call      [fn: atom]             "-- value"                       Call   No        exec: fn_call(0)      "Call the definition of a symbol with no argument.";
0x09 Fn1              "FN1"              Call      [fn: atom]             "arg1 -- value"                  Call   No        exec: fn_call(1)      "Call the definition of a symbol with 1 argument.";
0x0A Fn2              "FN2"              Call      [fn: atom]             "arg1 arg2 -- value"             Call   No        exec: fn_call(2)      "Call the definition of a symbol with 2 arguments.";
0x0B Fn3              "FN3"              Call      [fn: atom]             "arg1..arg3 -- value"            Call   No        exec: fn_call(3)      "Call the definition of a symbol with 3 arguments.";
0x0C Fn4              "FN4"              Call      [fn: atom]             "arg1..arg4 -- value"            Call   No        exec: fn_call(4)      "Call the definition of a symbol with 4 arguments.";
0x0D FnX              "FNX"              Call      [nargs: u8, fn: atom]  "arg1..argN -- value"            Call   No        exec: fnx             "Call the definition of a symbol with nargs arguments.";
0x0E ApplyFn          "APPLYFN"          Call      []                     "arg1..argN n fn -- value"       Call   No        exec: applyfn         "Call a symbol or closure given on the stack."                          ufn: r"\UNKNOWN.UFN" 0 0 "n is not a smallpos";
0x0F CheckApply       "CHECKAPPLY*"      Type      []                     "f -- f"                         No     No        exec: check_apply     "Check that f is a symbol with compiled code for evaluated arguments."  ufn: r"\CHECKAPPLY*" 0 1 "f is anything else";

0x10 Return           "RETURN"           Return    []                     "value --"                       Return No        exec: return_         "Return the top to the caller.";
0x11 Bind             "BIND"             Bind      [counts: u8, last: u8] "v1..vK -- mark"                 No     No        exec: bind            "Set the locals up to last to NIL and to popped values; push a mark.";
0x12 Unbind           "UNBIND"           Bind      []                     "mark ... value -- value"        No     No        exec: unbind          "Drop cells down to the nearest mark, unbind it, keep the top.";
0x13 Dunbind          "DUNBIND"          Bind      []                     "mark ... --"                    No     No        exec: dunbind         "Drop cells down to and including the nearest mark, unbind it.";
0x14 RplPtrN          "RPLPTR.N"         Memory    [off: u8]              "base new -- base"               No     Refs      exec: rplptr          "Counted store of a pointer at base plus a word offset.";
0x15 GcRef            "GCREF"            Gc        [action: u8]           "x -- x|NIL"                     No     Refs      exec: gcref           "Adjust the count of x; answer x when DELREF made it 0, else NIL.";
0x16 Assoc            "ASSOC"            List      []                     "key alist -- pair|NIL"          Loop   No        exec: assoc           "First pair of an association list whose car is EQ to the key.";
0x17 GvarSet          "GVAR_"            Global    [var: atom]            "v -- v"                         No     Refs      exec: gvar_set        "Counted store in the value cell of a symbol.";
0x18 Rplaca           "RPLACA"           List      []                     "x y -- x"                       No     Refs      exec: rplaca          "Replace the car of a list cell; (NIL NIL) answers NIL."                ufn: r"\RPLACA.UFN" 0 2 "x is not a list, unless both are NIL";
0x19 Rplacd           "RPLACD"           List      []                     "x y -- x"                       No     AllocRefs exec: rplacd          "Replace the cdr of a list cell; (NIL NIL) answers NIL."                ufn: r"\RPLACD.UFN" 0 2 "x is not a list, unless both are NIL";
0x1A Cons             "CONS"             List      []                     "car cdr -- cell"                No     AllocRefs exec: cons            "New list cell.";
0x1B CmlAssoc         "CMLASSOC"         List      []                     "key alist -- pair|NIL"          Loop   No        exec: cml_assoc       "ASSOC for keys where EQ suffices."                                     ufn: "%SIMPLE-ASSOC" 0 2 "key is not immediate";
0x1C Fmemb            "FMEMB"            List      []                     "item list -- tail|NIL"          Loop   No        exec: fmemb           "First tail of a list whose car is EQ to the item."                     ufn: "FMEMB" 0 2 "list ends in a non-NIL atom";
0x1D CmlMember        "CMLMEMBER"        List      []                     "item list -- tail|NIL"          Loop   No        exec: cml_member      "FMEMB for items where EQ suffices."                                    ufn: "%SIMPLE-MEMBER" 0 2 "item is not immediate, or an improper end";
0x1E FindKey          "FINDKEY"          Misc      [first: u8]            "key -- argnum|NIL"              No     No        exec: findkey         "Number of the argument that follows a keyword argument, else NIL.";
0x1F CreateCell       "CREATECELL"       Memory    []                     "type -- cell"                   No     AllocRefs exec: createcell      "New zeroed cell of a type, with reference count 0."                    ufn: r"\CREATECELL" 0 1 "type is not a smallpos, or has no instances";

0x20 Bin              "BIN"              Memory    []                     "stream -- byte"                 No     No        exec: bin             "Next byte of the buffer of an input stream."                           ufn: r"\BIN" 0 1 "not a stream, not BINABLE, or the buffer is used up";
0x21 Bout             "BOUT"             Misc      []                     "stream byte -- byte"            No     No        exec: ufn             "Write a byte to a stream, in Lisp."                                    ufn: r"\BOUT" 0 2 "always";
0x22 PopDisp          "POPDISP"          Undefined []                     "x --"                           No     No        exec: ufn             "Prolog microcode; not implemented."                                    ufn: r"\POPDISP.UFN" 0 1 "always";
0x23 RestList         "RESTLIST"         List      [skip: u8]             "tail last -- list"              No     AllocRefs exec: restlist        "Put arguments skip..last of this frame in front of tail.";
0x24 Miscn            "MISCN"            Misc      [sub: u8, nargs: u8]   "arg1..argN -- value"            No     AllocRefs exec: miscn           "Instructions with a counted number of arguments."                      ufn: r"\MISCN.UFN" 2 1 "as the sub-opcode says, and unknown ones";
0x25 Unused25         "unused"           Undefined []                     "--"                             No     No        exec: ufn             "Unassigned."                                                           ufn: r"\UNKNOWN.UFN" 0 0 "always";
0x26 RplCons          "RPLCONS"          List      []                     "list item -- newcell"           No     AllocRefs exec: rplcons         "Make a new one-element list the cdr of a list cell."                   ufn: r"\RPLCONS" 0 2 "list is not a list";
0x27 ListGet          "LISTGET"          List      []                     "plist prop -- value|NIL"        Loop   No        exec: listget         "Value of a property in a property list."                               ufn: "LISTGET" 0 2 "a non-NIL non-list at an even position, or no list at a value";
0x28 Unused28         "unused"           Undefined []                     "--"                             No     No        exec: ufn             "Unassigned."                                                           ufn: r"\UNKNOWN.UFN" 0 0 "always";
0x29 Unused29         "unused"           Undefined []                     "--"                             No     No        exec: ufn             "Unassigned."                                                           ufn: r"\UNKNOWN.UFN" 0 0 "always";
0x2A Unused2A         "unused"           Undefined []                     "--"                             No     No        exec: ufn             "Unassigned."                                                           ufn: r"\UNKNOWN.UFN" 0 0 "always";
0x2B Unused2B         "unused"           Undefined []                     "--"                             No     No        exec: ufn             "Unassigned."                                                           ufn: r"\UNKNOWN.UFN" 0 0 "always";
0x2C Eval             "EVAL"             Call      []                     "form -- value"                  Call   No        exec: eval            "Evaluate a constant, a variable, or a form (in Lisp)."                 ufn: r"\EVAL" 0 1 "symbol is unbound, or a type without a rule";
0x2D EnvCall          "ENVCALL"          Call      []                     "arg1..argN n code env -- value" Call   No        exec: envcall         "Call a code block with an environment for PVAR 0."                     ufn: r"\ENVCALL.UFN" 0 0 "n is not an integer";
0x2E TypeCheck        "TYPECHECK"        Undefined []                     "x -- x"                         No     No        exec: ufn             "Obsolete; never emitted."                                              ufn: r"\TYPECHECK.UFN" 0 1 "always";
0x2F StkScan          "STKSCAN"          FreeVar   []                     "sym -- address"                 No     No        exec: stkscan         "Address of the cell that holds a free variable's value.";

0x30 BusBlt           "BUSBLT"           Undefined [sub: u8]              "--"                             No     No        exec: ufn             "Not implemented."                                                      ufn: r"\BUSBLT.UFN" 1 5 "always";
0x31 Misc8            "MISC8"            Undefined [sub: u8]              "--"                             No     No        exec: ufn             "Not implemented."                                                      ufn: r"\MISC8.UFN" 1 9 "always";
0x32 UbFloat3         "UBFLOAT3"         Float     [sub: u8]              "x coeffs degree -- f"           No     No        exec: ubfloat3        "Unboxed float operations with three operands."                         ufn: r"\UNBOXFLOAT3" 1 1 "not POLY, degree not a smallpos, result not finite";
0x33 TypeMaskN        "TYPEMASK.N"       Type      [mask: u8]             "x -- x|NIL"                     No     No        exec: typemask        "x when the high byte of its type entry has a bit of mask, else NIL.";
0x34 RdPrologPtr      "RDPROLOGPTR"      Undefined []                     "--"                             No     No        exec: ufn             "Prolog microcode; not implemented."                                    ufn: "RAID" 0 1 "always";
0x35 RdPrologTag      "RDPROLOGTAG"      Undefined []                     "--"                             No     No        exec: ufn             "Prolog microcode; not implemented."                                    ufn: "RAID" 0 1 "always";
0x36 WrtPtrTag        "WRTPTR&TAG"       Undefined []                     "--"                             No     No        exec: ufn             "Prolog microcode; not implemented."                                    ufn: "RAID" 0 3 "always";
0x37 WrtPtr0Tag       "WRTPTR&0TAG"      Undefined []                     "--"                             No     No        exec: ufn             "Prolog microcode; not implemented."                                    ufn: "RAID" 0 2 "always";
0x38 Misc7            "MISC7"            Misc      [sub: u8]              "a1..a7 -- value"                No     No        exec: misc7           "Instructions with seven operands."                                     ufn: r"\MISC7.UFN" 1 8 "not FASTBITMAPBIT, or operands 2 to 6 are not integers";
0x39 DoveMisc         "DOVEMISC"         Undefined [sub: u8]              "--"                             No     No        exec: ufn             "Dove hardware only; its trap takes no operand."                        ufn: r"\UNKNOWN.UFN" 0 0 "always";
0x3A Eql              "EQL"              Compare   []                     "a b -- T|NIL"                   No     No        exec: eql             "EQ, or numbers of the same type and value."                            ufn: "EQL" 0 2 "two numbers of one type beyond FIXP, FLOATP";
0x3B DrawLine         "DRAWLINE"         Misc      []                     "a1..a9 -- NIL"                  No     No        exec: drawline        "Inner loop of a line drawn in a bitmap."                               ufn: r"\DRAWLINE.UFN" 0 9 "width is not a SMALLP";
0x3C StoreN           "STORE.N"          Stack     [n: u8]                "x -- x"                         No     No        exec: store_n         "Store the top in the element n/2 + 1 below it.";
0x3D CopyN            "COPY.N"           Stack     [n: u8]                "-- x"                           No     No        exec: copy_n          "Push a copy of the element n/2 below the top.";
0x3E Raid             "RAID"             Misc      []                     "x -- x"                         No     No        exec: ufn             "Enter the debugger, in Lisp."                                          ufn: "RAID" 0 1 "always";
0x3F SlowReturn       r"\RETURN"         Return    []                     "x -- x"                         No     No        exec: ufn             "Return done in Lisp."                                                  ufn: r"\RETURN" 0 1 "always";

0x40 Ivar0            "IVAR0"            VarRead   []                     "-- v"                           No     No        exec: ivar(0)         "Push argument 0.";
0x41 Ivar1            "IVAR1"            VarRead   []                     "-- v"                           No     No        exec: ivar(1)         "Push argument 1.";
0x42 Ivar2            "IVAR2"            VarRead   []                     "-- v"                           No     No        exec: ivar(2)         "Push argument 2.";
0x43 Ivar3            "IVAR3"            VarRead   []                     "-- v"                           No     No        exec: ivar(3)         "Push argument 3.";
0x44 Ivar4            "IVAR4"            VarRead   []                     "-- v"                           No     No        exec: ivar(4)         "Push argument 4.";
0x45 Ivar5            "IVAR5"            VarRead   []                     "-- v"                           No     No        exec: ivar(5)         "Push argument 5.";
0x46 Ivar6            "IVAR6"            VarRead   []                     "-- v"                           No     No        exec: ivar(6)         "Push argument 6.";
0x47 IvarX            "IVARX"            VarRead   [off: u8]              "-- v"                           No     No        exec: ivarx           "Push the argument at a word offset.";
0x48 Pvar0            "PVAR0"            VarRead   []                     "-- v"                           No     No        exec: pvar(0)         "Push local 0.";
0x49 Pvar1            "PVAR1"            VarRead   []                     "-- v"                           No     No        exec: pvar(1)         "Push local 1.";
0x4A Pvar2            "PVAR2"            VarRead   []                     "-- v"                           No     No        exec: pvar(2)         "Push local 2.";
0x4B Pvar3            "PVAR3"            VarRead   []                     "-- v"                           No     No        exec: pvar(3)         "Push local 3.";
0x4C Pvar4            "PVAR4"            VarRead   []                     "-- v"                           No     No        exec: pvar(4)         "Push local 4.";
0x4D Pvar5            "PVAR5"            VarRead   []                     "-- v"                           No     No        exec: pvar(5)         "Push local 5.";
0x4E Pvar6            "PVAR6"            VarRead   []                     "-- v"                           No     No        exec: pvar(6)         "Push local 6.";
0x4F PvarX            "PVARX"            VarRead   [off: u8]              "-- v"                           No     No        exec: pvarx           "Push the local at a word offset.";

0x50 Fvar0            "FVAR0"            FreeVar   []                     "-- v"                           No     No        exec: fvar(0)         "Push the free variable of slot 0, looking it up at first use.";
0x51 Fvar1            "FVAR1"            FreeVar   []                     "-- v"                           No     No        exec: fvar(1)         "Push the free variable of slot 1, looking it up at first use.";
0x52 Fvar2            "FVAR2"            FreeVar   []                     "-- v"                           No     No        exec: fvar(2)         "Push the free variable of slot 2, looking it up at first use.";
0x53 Fvar3            "FVAR3"            FreeVar   []                     "-- v"                           No     No        exec: fvar(3)         "Push the free variable of slot 3, looking it up at first use.";
0x54 Fvar4            "FVAR4"            FreeVar   []                     "-- v"                           No     No        exec: fvar(4)         "Push the free variable of slot 4, looking it up at first use.";
0x55 Fvar5            "FVAR5"            FreeVar   []                     "-- v"                           No     No        exec: fvar(5)         "Push the free variable of slot 5, looking it up at first use.";
0x56 Fvar6            "FVAR6"            FreeVar   []                     "-- v"                           No     No        exec: fvar(6)         "Push the free variable of slot 6, looking it up at first use.";
0x57 FvarX            "FVARX"            FreeVar   [off: u8]              "-- v"                           No     No        exec: fvarx           "Push the free variable of the slot at a word offset.";
0x58 PvarSet0         "PVAR_0"           VarWrite  []                     "v -- v"                         No     No        exec: pvar_set(0)     "Store in local 0.";
0x59 PvarSet1         "PVAR_1"           VarWrite  []                     "v -- v"                         No     No        exec: pvar_set(1)     "Store in local 1.";
0x5A PvarSet2         "PVAR_2"           VarWrite  []                     "v -- v"                         No     No        exec: pvar_set(2)     "Store in local 2.";
0x5B PvarSet3         "PVAR_3"           VarWrite  []                     "v -- v"                         No     No        exec: pvar_set(3)     "Store in local 3.";
0x5C PvarSet4         "PVAR_4"           VarWrite  []                     "v -- v"                         No     No        exec: pvar_set(4)     "Store in local 4.";
0x5D PvarSet5         "PVAR_5"           VarWrite  []                     "v -- v"                         No     No        exec: pvar_set(5)     "Store in local 5.";
0x5E PvarSet6         "PVAR_6"           VarWrite  []                     "v -- v"                         No     No        exec: pvar_set(6)     "Store in local 6.";
0x5F PvarXSet         "PVARX_"           VarWrite  [off: u8]              "v -- v"                         No     No        exec: pvarx_set       "Store in the local at a word offset.";

0x60 Gvar             "GVAR"             Global    [var: atom]            "-- v"                           No     No        exec: gvar            "Push the value cell of a symbol, unbound or not.";
0x61 Arg0             "ARG0"             VarRead   []                     "n -- v"                         No     No        exec: arg0            "Argument n of this frame, counted from 1."                             ufn: r"\ARG0" 0 1 "n is not a smallpos from 1 to the argument count";
0x62 IvarXSet         "IVARX_"           VarWrite  [off: u8]              "v -- v"                         No     No        exec: ivarx_set       "Store in the argument at a word offset.";
0x63 FvarXSet         "FVARX_"           FreeVar   [off: u8]              "v -- v"                         No     Refs      exec: fvarx_set       "Store in the free variable of the slot at a word offset.";
0x64 Copy             "COPY"             Stack     []                     "v -- v v"                       No     No        exec: copy            "Duplicate the top.";
0x65 MyArgCount       "MYARGCOUNT"       Misc      []                     "-- n"                           No     No        exec: myargcount      "Number of arguments of this frame.";
0x66 MyAlink          "MYALINK"          Misc      []                     "-- fx"                          No     No        exec: myalink         "Stack offset of the frame named by the access link.";
0x67 Aconst           "ACONST"           Const     [sym: atom]            "-- sym"                         No     No        exec: aconst          "Push a symbol.";
0x68 Nil              "'NIL"             Const     []                     "-- NIL"                         No     No        exec: nil             "Push NIL.";
0x69 T                "'T"               Const     []                     "-- T"                           No     No        exec: t               "Push T.";
0x6A Zero             "'0"               Const     []                     "-- 0"                           No     No        exec: zero            "Push 0.";
0x6B One              "'1"               Const     []                     "-- 1"                           No     No        exec: one             "Push 1.";
0x6C Sic              "SIC"              Const     [n: u8]                "-- n"                           No     No        exec: sic             "Push a small integer 0 to 255.";
0x6D Snic             "SNIC"             Const     [n: u8]                "-- n-256"                       No     No        exec: snic            "Push a small integer -256 to -1.";
0x6E SicX             "SICX"             Const     [n: u16]               "-- n"                           No     No        exec: sicx            "Push a small integer 0 to 65535.";
0x6F Gconst           "GCONST"           Const     [ptr: ptr]             "-- ptr"                         No     No        exec: gconst          "Push a pointer; the code block owns a reference to it.";

0x70 Unused70         "unused"           Undefined []                     "--"                             No     No        exec: ufn             "Unassigned."                                                           ufn: r"\UNKNOWN.UFN" 0 0 "always";
0x71 ReadFlags        "READFLAGS"        Undefined []                     "x -- x"                         No     No        exec: ufn             "D-machine only."                                                       ufn: r"\READFLAGS" 0 1 "always";
0x72 ReadRp           "READRP"           Undefined []                     "x -- x"                         No     No        exec: ufn             "D-machine only."                                                       ufn: r"\READRP" 0 1 "always";
0x73 WriteMap         "WRITEMAP"         Undefined []                     "a b c -- x"                     No     No        exec: ufn             "D-machine only."                                                       ufn: r"\WRITEMAP" 0 3 "always";
0x74 ReadPrinterPort  "READPRINTERPORT"  Undefined []                     "-- x"                           No     No        exec: ufn             "D-machine only."                                                       ufn: r"\READPRINTERPORT.UFN" 0 0 "always";
0x75 WritePrinterPort "WRITEPRINTERPORT" Undefined []                     "x -- x"                         No     No        exec: ufn             "D-machine only."                                                       ufn: r"\WRITEPRINTERPORT.UFN" 0 1 "always";
0x76 PilotBitBlt      "PILOTBITBLT"      Misc      []                     "bbt x -- bbt"                   No     No        exec: pilotbitblt     "Bit-block transfer described by a PILOTBBT record.";
0x77 Rclk             "RCLK"             Misc      []                     "box -- box"                     No     No        exec: rclk            "Store the microsecond clock in a FIXP cell.";
0x78 Misc1            "MISC1"            Undefined [sub: u8]              "x -- x"                         No     No        exec: ufn             "Not implemented."                                                      ufn: r"\MISC1.UFN" 1 2 "always";
0x79 Misc2            "MISC2"            Undefined [sub: u8]              "x y -- x"                       No     No        exec: ufn             "Not implemented."                                                      ufn: r"\MISC2.UFN" 1 3 "always";
0x7A ReclaimCell      "RECLAIMCELL"      Gc        []                     "x -- x"                         No     No        exec: ufn             "Free a cell, in Lisp."                                                 ufn: r"\GCRECLAIMCELL" 0 1 "always";
0x7B GcScan1          "GCSCAN1"          Gc        []                     "n -- n|NIL"                     No     No        exec: gcscan1         "Next count-table entry below n with count 0 or a collision link.";
0x7C GcScan2          "GCSCAN2"          Gc        []                     "n -- n|NIL"                     No     No        exec: gcscan2         "Next count-table entry below n with a stack bit or collision link.";
0x7D SubrCall         "SUBRCALL"         Subr      [subr: u8, nargs: u8]  "arg1..argN -- value"            After  AllocRefs exec: subrcall        "Call a service of the machine.";
0x7E ContextSwitch    "CONTEXTSWITCH"    Call      []                     "fx -- fx"                       After  No        exec: contextswitch   "Exchange the running frame with the one in a context word.";
0x7F RetCall          "RETCALL"          Undefined [fn: atom]             "n -- value"                     No     No        exec: ufn             "Not emitted."                                                          ufn: r"\RETCALL" 3 1 "always";

0x80 Jump0            "JUMP0"            Jump      []                     "--"                             Taken  No        exec: jump(0)         "Jump 2 bytes ahead.";
0x81 Jump1            "JUMP1"            Jump      []                     "--"                             Taken  No        exec: jump(1)         "Jump 3 bytes ahead.";
0x82 Jump2            "JUMP2"            Jump      []                     "--"                             Taken  No        exec: jump(2)         "Jump 4 bytes ahead.";
0x83 Jump3            "JUMP3"            Jump      []                     "--"                             Taken  No        exec: jump(3)         "Jump 5 bytes ahead.";
0x84 Jump4            "JUMP4"            Jump      []                     "--"                             Taken  No        exec: jump(4)         "Jump 6 bytes ahead.";
0x85 Jump5            "JUMP5"            Jump      []                     "--"                             Taken  No        exec: jump(5)         "Jump 7 bytes ahead.";
0x86 Jump6            "JUMP6"            Jump      []                     "--"                             Taken  No        exec: jump(6)         "Jump 8 bytes ahead.";
0x87 Jump7            "JUMP7"            Jump      []                     "--"                             Taken  No        exec: jump(7)         "Jump 9 bytes ahead.";
0x88 Jump8            "JUMP8"            Jump      []                     "--"                             Taken  No        exec: jump(8)         "Jump 10 bytes ahead.";
0x89 Jump9            "JUMP9"            Jump      []                     "--"                             Taken  No        exec: jump(9)         "Jump 11 bytes ahead.";
0x8A Jump10           "JUMP10"           Jump      []                     "--"                             Taken  No        exec: jump(10)        "Jump 12 bytes ahead.";
0x8B Jump11           "JUMP11"           Jump      []                     "--"                             Taken  No        exec: jump(11)        "Jump 13 bytes ahead.";
0x8C Jump12           "JUMP12"           Jump      []                     "--"                             Taken  No        exec: jump(12)        "Jump 14 bytes ahead.";
0x8D Jump13           "JUMP13"           Jump      []                     "--"                             Taken  No        exec: jump(13)        "Jump 15 bytes ahead.";
0x8E Jump14           "JUMP14"           Jump      []                     "--"                             Taken  No        exec: jump(14)        "Jump 16 bytes ahead.";
0x8F Jump15           "JUMP15"           Jump      []                     "--"                             Taken  No        exec: jump(15)        "Jump 17 bytes ahead.";

0x90 FJump0           "FJUMP0"           Jump      []                     "x --"                           Taken  No        exec: fjump(0)        "Pop; jump 2 bytes ahead when NIL.";
0x91 FJump1           "FJUMP1"           Jump      []                     "x --"                           Taken  No        exec: fjump(1)        "Pop; jump 3 bytes ahead when NIL.";
0x92 FJump2           "FJUMP2"           Jump      []                     "x --"                           Taken  No        exec: fjump(2)        "Pop; jump 4 bytes ahead when NIL.";
0x93 FJump3           "FJUMP3"           Jump      []                     "x --"                           Taken  No        exec: fjump(3)        "Pop; jump 5 bytes ahead when NIL.";
0x94 FJump4           "FJUMP4"           Jump      []                     "x --"                           Taken  No        exec: fjump(4)        "Pop; jump 6 bytes ahead when NIL.";
0x95 FJump5           "FJUMP5"           Jump      []                     "x --"                           Taken  No        exec: fjump(5)        "Pop; jump 7 bytes ahead when NIL.";
0x96 FJump6           "FJUMP6"           Jump      []                     "x --"                           Taken  No        exec: fjump(6)        "Pop; jump 8 bytes ahead when NIL.";
0x97 FJump7           "FJUMP7"           Jump      []                     "x --"                           Taken  No        exec: fjump(7)        "Pop; jump 9 bytes ahead when NIL.";
0x98 FJump8           "FJUMP8"           Jump      []                     "x --"                           Taken  No        exec: fjump(8)        "Pop; jump 10 bytes ahead when NIL.";
0x99 FJump9           "FJUMP9"           Jump      []                     "x --"                           Taken  No        exec: fjump(9)        "Pop; jump 11 bytes ahead when NIL.";
0x9A FJump10          "FJUMP10"          Jump      []                     "x --"                           Taken  No        exec: fjump(10)       "Pop; jump 12 bytes ahead when NIL.";
0x9B FJump11          "FJUMP11"          Jump      []                     "x --"                           Taken  No        exec: fjump(11)       "Pop; jump 13 bytes ahead when NIL.";
0x9C FJump12          "FJUMP12"          Jump      []                     "x --"                           Taken  No        exec: fjump(12)       "Pop; jump 14 bytes ahead when NIL.";
0x9D FJump13          "FJUMP13"          Jump      []                     "x --"                           Taken  No        exec: fjump(13)       "Pop; jump 15 bytes ahead when NIL.";
0x9E FJump14          "FJUMP14"          Jump      []                     "x --"                           Taken  No        exec: fjump(14)       "Pop; jump 16 bytes ahead when NIL.";
0x9F FJump15          "FJUMP15"          Jump      []                     "x --"                           Taken  No        exec: fjump(15)       "Pop; jump 17 bytes ahead when NIL.";

0xA0 TJump0           "TJUMP0"           Jump      []                     "x --"                           Taken  No        exec: tjump(0)        "Pop; jump 2 bytes ahead when not NIL.";
0xA1 TJump1           "TJUMP1"           Jump      []                     "x --"                           Taken  No        exec: tjump(1)        "Pop; jump 3 bytes ahead when not NIL.";
0xA2 TJump2           "TJUMP2"           Jump      []                     "x --"                           Taken  No        exec: tjump(2)        "Pop; jump 4 bytes ahead when not NIL.";
0xA3 TJump3           "TJUMP3"           Jump      []                     "x --"                           Taken  No        exec: tjump(3)        "Pop; jump 5 bytes ahead when not NIL.";
0xA4 TJump4           "TJUMP4"           Jump      []                     "x --"                           Taken  No        exec: tjump(4)        "Pop; jump 6 bytes ahead when not NIL.";
0xA5 TJump5           "TJUMP5"           Jump      []                     "x --"                           Taken  No        exec: tjump(5)        "Pop; jump 7 bytes ahead when not NIL.";
0xA6 TJump6           "TJUMP6"           Jump      []                     "x --"                           Taken  No        exec: tjump(6)        "Pop; jump 8 bytes ahead when not NIL.";
0xA7 TJump7           "TJUMP7"           Jump      []                     "x --"                           Taken  No        exec: tjump(7)        "Pop; jump 9 bytes ahead when not NIL.";
0xA8 TJump8           "TJUMP8"           Jump      []                     "x --"                           Taken  No        exec: tjump(8)        "Pop; jump 10 bytes ahead when not NIL.";
0xA9 TJump9           "TJUMP9"           Jump      []                     "x --"                           Taken  No        exec: tjump(9)        "Pop; jump 11 bytes ahead when not NIL.";
0xAA TJump10          "TJUMP10"          Jump      []                     "x --"                           Taken  No        exec: tjump(10)       "Pop; jump 12 bytes ahead when not NIL.";
0xAB TJump11          "TJUMP11"          Jump      []                     "x --"                           Taken  No        exec: tjump(11)       "Pop; jump 13 bytes ahead when not NIL.";
0xAC TJump12          "TJUMP12"          Jump      []                     "x --"                           Taken  No        exec: tjump(12)       "Pop; jump 14 bytes ahead when not NIL.";
0xAD TJump13          "TJUMP13"          Jump      []                     "x --"                           Taken  No        exec: tjump(13)       "Pop; jump 15 bytes ahead when not NIL.";
0xAE TJump14          "TJUMP14"          Jump      []                     "x --"                           Taken  No        exec: tjump(14)       "Pop; jump 16 bytes ahead when not NIL.";
0xAF TJump15          "TJUMP15"          Jump      []                     "x --"                           Taken  No        exec: tjump(15)       "Pop; jump 17 bytes ahead when not NIL.";

0xB0 JumpX            "JUMPX"            Jump      [disp: i8]             "--"                             Taken  No        exec: jumpx           "Jump by a signed byte.";
0xB1 JumpXX           "JUMPXX"           Jump      [disp: i16]            "--"                             Taken  No        exec: jumpxx          "Jump by a signed 16-bit displacement.";
0xB2 FJumpX           "FJUMPX"           Jump      [disp: i8]             "x --"                           Taken  No        exec: fjumpx          "Pop; jump when NIL.";
0xB3 TJumpX           "TJUMPX"           Jump      [disp: i8]             "x --"                           Taken  No        exec: tjumpx          "Pop; jump when not NIL.";
0xB4 NFJumpX          "NFJUMPX"          Jump      [disp: i8]             "x -- |x"                        Taken  No        exec: nfjumpx         "Jump when NIL and keep it, else pop.";
0xB5 NTJumpX          "NTJUMPX"          Jump      [disp: i8]             "x -- |x"                        Taken  No        exec: ntjumpx         "Jump when not NIL and keep it, else pop.";
0xB6 Aref1            "AREF1"            Array     []                     "array index -- elt"             No     Alloc     exec: aref1           "Element of a one-dimensional array."                                   ufn: "%AREF1" 0 2 "not a vector, index not valid, or unknown element type";
0xB7 Aset1            "ASET1"            Array     []                     "v array index -- v"             No     Refs      exec: aset1           "Store an element of a one-dimensional array."                          ufn: "%ASET1" 0 3 "as AREF1, or the value does not fit the element type";
0xB8 PvarSetPop0      "PVAR_^0"          VarWrite  []                     "v --"                           No     No        exec: pvar_set_pop(0) "Pop into local 0.";
0xB9 PvarSetPop1      "PVAR_^1"          VarWrite  []                     "v --"                           No     No        exec: pvar_set_pop(1) "Pop into local 1.";
0xBA PvarSetPop2      "PVAR_^2"          VarWrite  []                     "v --"                           No     No        exec: pvar_set_pop(2) "Pop into local 2.";
0xBB PvarSetPop3      "PVAR_^3"          VarWrite  []                     "v --"                           No     No        exec: pvar_set_pop(3) "Pop into local 3.";
0xBC PvarSetPop4      "PVAR_^4"          VarWrite  []                     "v --"                           No     No        exec: pvar_set_pop(4) "Pop into local 4.";
0xBD PvarSetPop5      "PVAR_^5"          VarWrite  []                     "v --"                           No     No        exec: pvar_set_pop(5) "Pop into local 5.";
0xBE PvarSetPop6      "PVAR_^6"          VarWrite  []                     "v --"                           No     No        exec: pvar_set_pop(6) "Pop into local 6.";
0xBF Pop              "POP"              Stack     []                     "v --"                           No     No        exec: pop             "Drop the top.";

0xC0 PopN             "POP.N"            Stack     [n: u8]                "v1..v(n+1) --"                  No     No        exec: pop_n           "Drop n + 1 elements.";
0xC1 AtomCellN        "ATOMCELL.N"       Memory    [which: u8]            "sym -- address"                 No     No        exec: atomcell        "Address of a cell of a symbol."                                        ufn: r"\ATOMCELL" 1 2 "sym is not a symbol; unknown cell (not checked for segment 0 in 24-bit images)";
0xC2 GetBaseByte      "GETBASEBYTE"      Memory    []                     "base off -- byte"               No     No        exec: getbasebyte     "Byte at base plus a byte offset."                                      ufn: r"\GETBASEBYTE" 0 2 "off is not an integer";
0xC3 InstanceP        "INSTANCEP"        Type      [typename: atom]       "x -- T|NIL"                     No     No        exec: instancep       "T when the type of x or a supertype of it has that name, else NIL.";
0xC4 Blt              "BLT"              Memory    []                     "dest src n -- n"                No     No        exec: blt             "Copy n words, highest first."                                          ufn: r"\BLT" 0 3 "n is not a smallpos";
0xC5 Misc10           "MISC10"           Undefined [sub: u8]              "--"                             No     No        exec: ufn             "Not implemented."                                                      ufn: r"\MISC10.UFN" 1 11 "always";
0xC6 PMisc2           "P-MISC2"          Undefined [sub: u8]              "--"                             No     No        exec: ufn             "Not implemented."                                                      ufn: r"\P-MISC2.UFN" 1 3 "always";
0xC7 PutBaseByte      "PUTBASEBYTE"      Memory    []                     "base off byte -- byte"          No     No        exec: putbasebyte     "Store a byte at base plus a byte offset."                              ufn: r"\PUTBASEBYTE" 0 3 "byte is not 0 to 255, or off is not a small integer";
0xC8 GetBaseN         "GETBASE.N"        Memory    [off: u8]              "base -- n"                      No     No        exec: getbase         "Word at base plus a word offset.";
0xC9 GetBasePtrN      "GETBASEPTR.N"     Memory    [off: u8]              "base -- ptr"                    No     No        exec: getbaseptr      "Pointer at base plus a word offset.";
0xCA GetBitsNFd       "GETBITS.N.FD"     Memory    [off: u8, fd: u8]      "base -- n"                      No     No        exec: getbits         "Bit field of the word at base plus a word offset.";
0xCB UnusedCB         "unused"           Undefined []                     "--"                             No     No        exec: ufn             "Unassigned."                                                           ufn: r"\UNKNOWN.UFN" 0 0 "always";
0xCC CmlEqual         "CMLEQUAL"         Compare   []                     "a b -- T|NIL"                   No     No        exec: cml_equal       "EQ or equal numbers; other objects are left to Lisp."                  ufn: "EQUAL" 0 2 "two objects that are no numbers; two numbers of one type beyond FIXP, FLOATP";
0xCD PutBaseN         "PUTBASE.N"        Memory    [off: u8]              "base n -- base"                 No     No        exec: putbase         "Store a word at base plus a word offset."                              ufn: r"\PUTBASE.UFN" 1 3 "n is not a smallpos";
0xCE PutBasePtrN      "PUTBASEPTR.N"     Memory    [off: u8]              "base x -- base"                 No     No        exec: putbaseptr      "Store a cell at base plus a word offset, uncounted.";
0xCF PutBitsNFd       "PUTBITS.N.FD"     Memory    [off: u8, fd: u8]      "base n -- base"                 No     No        exec: putbits         "Store a bit field of the word at base plus a word offset."             ufn: r"\PUTBITS.UFN" 2 3 "n is not a smallpos";

0xD0 AddBase          "ADDBASE"          Memory    []                     "base off -- ptr"                No     No        exec: addbase         "Base plus a number of words."                                          ufn: r"\ADDBASE" 0 2 "off is not an integer";
0xD1 Vag2             "VAG2"             Memory    []                     "hi lo -- x"                     No     No        exec: vag2            "Make a 32-bit pattern of two halves.";
0xD2 HiLoc            "HILOC"            Memory    []                     "x -- n"                         No     No        exec: hiloc           "High half of a cell.";
0xD3 LoLoc            "LOLOC"            Memory    []                     "x -- n"                         No     No        exec: loloc           "Low half of a cell.";
0xD4 Plus2            "PLUS2"            Integer   []                     "a b -- n"                       No     Alloc     exec: plus2           "Sum, integer or float."                                                ufn: r"\SLOWPLUS2" 0 2 "not numbers, overflow, or result not finite";
0xD5 Difference       "DIFFERENCE"       Integer   []                     "a b -- n"                       No     Alloc     exec: difference      "Difference, integer or float."                                         ufn: r"\SLOWDIFFERENCE" 0 2 "not numbers, overflow, or result not finite";
0xD6 Times2           "TIMES2"           Integer   []                     "a b -- n"                       No     Alloc     exec: times2          "Product, integer or float."                                            ufn: r"\SLOWTIMES2" 0 2 "not numbers, overflow, or result not finite";
0xD7 Quotient         "QUOTIENT"         Integer   []                     "a b -- n"                       No     Alloc     exec: quotient        "Quotient, integer (truncated) or float."                               ufn: r"\SLOWQUOTIENT" 0 2 "not numbers, integer divisor 0, overflow, or result not finite";
0xD8 IPlus2           "IPLUS2"           Integer   []                     "a b -- n"                       No     Alloc     exec: iplus2          "Integer sum."                                                          ufn: r"\SLOWIPLUS2" 0 2 "not integers, or overflow";
0xD9 IDifference      "IDIFFERENCE"      Integer   []                     "a b -- n"                       No     Alloc     exec: idifference     "Integer difference."                                                   ufn: r"\SLOWIDIFFERENCE" 0 2 "not integers, or overflow";
0xDA ITimes2          "ITIMES2"          Integer   []                     "a b -- n"                       No     Alloc     exec: itimes2         "Integer product."                                                      ufn: r"\SLOWITIMES2" 0 2 "not integers, or overflow";
0xDB IQuotient        "IQUOTIENT"        Integer   []                     "a b -- n"                       No     Alloc     exec: iquotient       "Integer quotient, truncated."                                          ufn: r"\SLOWIQUOTIENT" 0 2 "not integers, divisor 0, or overflow";
0xDC IRemainder       "IREMAINDER"       Integer   []                     "a b -- n"                       No     Alloc     exec: iremainder      "Integer remainder with the sign of the dividend."                      ufn: "IREMAINDER" 0 2 "not integers, or divisor 0";
0xDD IPlusN           "IPLUS.N"          Integer   [n: u8]                "a -- n"                         No     Alloc     exec: iplus_n         "Integer sum with a byte."                                              ufn: r"\SLOWIPLUS2" 1 2 "not an integer, or overflow";
0xDE IDifferenceN     "IDIFFERENCE.N"    Integer   [n: u8]                "a -- n"                         No     Alloc     exec: idifference_n   "Integer difference with a byte."                                       ufn: r"\SLOWIDIFFERENCE" 1 2 "not an integer, or overflow";
0xDF BaseLess         "BASE-<"           Undefined []                     "a b -- T|NIL"                   No     No        exec: ufn             "Not implemented."                                                      ufn: r"\BASE-<.UFN" 0 2 "always";

0xE0 Llsh1            "LLSH1"            Integer   []                     "a -- n"                         No     Alloc     exec: llsh1           "Shift left by 1; overflow bits are lost."                              ufn: r"\SLOWLLSH1" 0 1 "not an integer";
0xE1 Llsh8            "LLSH8"            Integer   []                     "a -- n"                         No     Alloc     exec: llsh8           "Shift left by 8; overflow bits are lost."                              ufn: r"\SLOWLLSH8" 0 1 "not an integer";
0xE2 Lrsh1            "LRSH1"            Integer   []                     "a -- n"                         No     Alloc     exec: lrsh1           "Logical shift right by 1."                                             ufn: r"\SLOWLRSH1" 0 1 "not an integer";
0xE3 Lrsh8            "LRSH8"            Integer   []                     "a -- n"                         No     Alloc     exec: lrsh8           "Logical shift right by 8."                                             ufn: r"\SLOWLRSH8" 0 1 "not an integer";
0xE4 LogOr2           "LOGOR2"           Integer   []                     "a b -- n"                       No     Alloc     exec: logor2          "Bitwise or."                                                           ufn: r"\SLOWLOGOR2" 0 2 "not integers";
0xE5 LogAnd2          "LOGAND2"          Integer   []                     "a b -- n"                       No     Alloc     exec: logand2         "Bitwise and."                                                          ufn: r"\SLOWLOGAND2" 0 2 "not integers";
0xE6 LogXor2          "LOGXOR2"          Integer   []                     "a b -- n"                       No     Alloc     exec: logxor2         "Bitwise exclusive or."                                                 ufn: r"\SLOWLOGXOR2" 0 2 "not integers";
0xE7 Lsh              "LSH"              Integer   []                     "a n -- v"                       No     Alloc     exec: lsh             "Shift left, or arithmetically right when n is negative."               ufn: "LSH" 0 2 "not integers, n beyond 31 places, or bits lost to the left";
0xE8 FPlus2           "FPLUS2"           Float     []                     "a b -- f"                       No     Alloc     exec: fplus2          "Float sum."                                                            ufn: r"\SLOWFPLUS2" 0 2 "not numbers, or result not finite";
0xE9 FDifference      "FDIFFERENCE"      Float     []                     "a b -- f"                       No     Alloc     exec: fdifference     "Float difference."                                                     ufn: r"\SLOWFDIFFERENCE" 0 2 "not numbers, or result not finite";
0xEA FTimes2          "FTIMES2"          Float     []                     "a b -- f"                       No     Alloc     exec: ftimes2         "Float product."                                                        ufn: r"\SLOWFTIMES2" 0 2 "not numbers, or result not finite";
0xEB FQuotient        "FQUOTIENT"        Float     []                     "a b -- f"                       No     Alloc     exec: fquotient       "Float quotient."                                                       ufn: r"\SLOWFQUOTIENT" 0 2 "not numbers, or result not finite";
0xEC UbFloat2         "UBFLOAT2"         Float     [sub: u8]              "a b -- r"                       No     No        exec: ubfloat2        "Unboxed float operations with two operands."                           ufn: r"\UNBOXFLOAT2" 1 1 "as the sub-opcode says, and unknown ones";
0xED UbFloat1         "UBFLOAT1"         Float     [sub: u8]              "a -- r"                         No     Alloc     exec: ubfloat1        "Unboxed float operations with one operand; box and unbox."             ufn: r"\UNBOXFLOAT1" 1 1 "as the sub-opcode says, and unknown ones";
0xEE Aref2            "AREF2"            Array     []                     "array i j -- elt"               No     Alloc     exec: aref2           "Element of a two-dimensional array."                                   ufn: "%AREF2" 0 3 "not a matrix, index not valid, or unknown element type";
0xEF Aset2            "ASET2"            Array     []                     "v array i j -- v"               No     Refs      exec: aset2           "Store an element of a two-dimensional array."                          ufn: "%ASET2" 0 4 "as AREF2, or the value does not fit the element type";

0xF0 Eq               "EQ"               Compare   []                     "a b -- T|NIL"                   No     No        exec: eq              "Whether two cells are identical.";
0xF1 IGreaterP        "IGREATERP"        Compare   []                     "a b -- T|NIL"                   No     No        exec: igreaterp       "Whether a > b, integers."                                              ufn: r"\SLOWIGREATERP" 0 2 "not integers";
0xF2 FGreaterP        "FGREATERP"        Compare   []                     "a b -- T|NIL"                   No     No        exec: fgreaterp       "Whether a > b, as floats."                                             ufn: r"\SLOWFGREATERP" 0 2 "not numbers";
0xF3 GreaterP         "GREATERP"         Compare   []                     "a b -- T|NIL"                   No     No        exec: greaterp        "Whether a > b, integers or floats."                                    ufn: "GREATERP" 0 2 "not numbers";
0xF4 Equal            "EQUAL"            Compare   []                     "a b -- T|NIL"                   No     No        exec: equal           "EQ or equal numbers; structures are left to Lisp."                     ufn: "EQUAL" 0 2 "two structures; two numbers of one type beyond FIXP, FLOATP; a FLOATP and no integer";
0xF5 MakeNumber       "MAKENUMBER"       Integer   []                     "hi lo -- n"                     No     Alloc     exec: makenumber      "Integer of two halves."                                                ufn: r"\MAKENUMBER" 0 2 "not two smallpos";
0xF6 BoxIPlus         "BOXIPLUS"         Integer   []                     "box n -- box"                   No     No        exec: boxiplus        "Add to a FIXP cell in place, wrapping."                                ufn: r"\BOXIPLUS" 0 2 "box is not a FIXP, or n is not an integer";
0xF7 BoxIDifference   "BOXIDIFFERENCE"   Integer   []                     "box n -- box"                   No     No        exec: boxidifference  "Subtract from a FIXP cell in place, wrapping."                         ufn: r"\BOXIDIFFERENCE" 0 2 "box is not a FIXP, or n is not an integer";
0xF8 FloatBlt         "FLOATBLT"         Undefined [sub: u8]              "--"                             No     No        exec: ufn             "Not implemented."                                                      ufn: r"\FLOATBLT" 1 5 "always";
0xF9 FftStep          "FFTSTEP"          Undefined []                     "--"                             No     No        exec: ufn             "Not implemented."                                                      ufn: r"\FFTSTEP" 0 2 "always";
0xFA Misc3            "MISC3"            Array     [sub: u8]              "base type index -- elt"         No     Alloc     exec: misc3           "Raw array element fetch."                                              ufn: r"\MISC3.UFN" 1 4 "not ARRAYREAD, index or type code not valid";
0xFB Misc4            "MISC4"            Array     [sub: u8]              "v base type index -- v"         No     Refs      exec: misc4           "Raw array element store."                                              ufn: r"\MISC4.UFN" 1 5 "not ARRAYWRITE, index or type code not valid, value does not fit";
0xFC UpcTrace         "UPCTRACE"         Undefined []                     "x -- x"                         No     No        exec: ufn             "Tracing hook, in Lisp."                                                ufn: "NILL" 0 1 "always";
0xFD Swap             "SWAP"             Stack     []                     "a b -- b a"                     No     No        exec: swap            "Exchange the two topmost elements.";
0xFE Nop              "NOP"              Misc      []                     "--"                             No     No        exec: nop             "No effect.";
0xFF NumEqual         "="                Compare   []                     "a b -- T|NIL"                   No     No        exec: num_equal       "Numeric equality."                                                     ufn: "%=" 0 2 "not numbers, or a RATIO, COMPLEX or BIGNUM";
} } }
pub(crate) use for_each_opcode;
