//! The smaller lists: second opcode bytes, services of the machine, and element
//! types of arrays. Each list is an enumeration with the names that Lisp uses;
//! which members are implemented is decided where they are executed.

use super::Opcode;

/// What is known of a second opcode byte or a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubInfo {
    /// The number.
    pub code: u8,
    /// The name in Lisp.
    pub name: &'static str,
    /// Operands and what it does; empty for services.
    pub summary: &'static str,
}

impl SubInfo {
    /// Whether the machine never executes it itself.
    pub fn always_traps(&self) -> bool {
        self.summary.ends_with("always traps.")
    }
}

/// Defines an enumeration of numbered things with a Lisp name, and what is known
/// of them.
macro_rules! numbered {
    ($(
        $(#[$doc:meta])*
        $Enum:ident { $($code:literal $Variant:ident $name:literal $($text:literal)*,)* }
    )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $Enum {
            $(
                #[doc = concat!("`", $name, "`" $(, " ", $text)*)]
                $Variant = $code,
            )*
        }

        impl $Enum {
            /// All members in order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$Variant),*];

            /// What is known of them, in the same order.
            pub const INFO: &[SubInfo] = &[$(SubInfo {
                code: $code,
                name: $name,
                summary: concat!($($text)*),
            }),*];

            /// The member with this number.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$Variant),)*
                    _ => None,
                }
            }

            /// The number.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The name in Lisp.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Variant => $name,)*
                }
            }
        }
    )* };
}

#[rustfmt::skip]
numbered! {
    /// Second opcode byte of MISCN, followed by the number of arguments.
    Miscn {
         0 UserSubr            "USER-SUBR"            "n args..: a routine added by the user; only number 0, which answers its argument, exists.",
         1 Values              "VALUES"               "v1..vn: several values, when the receiver does FN1 \\MVLIST; else the first.",
         2 SxHash              "SXHASH"               "x: 16-bit SXHASH.",
         3 EqlHashBits         "EQLHASHBITSFN"        "x: always traps.",
         4 StringHashBits      "STRINGHASHBITS"       "x: 16-bit hash of a string or symbol name; EQ hash of other objects.",
         5 StringEqualHashBits "STRING-EQUAL-HASHBITS" "x: the same, regardless of case.",
         6 ValuesList          "VALUES-LIST"          "list: VALUES of the elements of a list.",
         7 FetchMethod         "LCFetchMethod"        "class selector: method that a LOOPS class has or inherits.",
         8 FetchMethodOrHelp   "LCFetchMethodOrHelp"  "object selector: method of a LOOPS object, or ask for help.",
         9 FindVarIndex        "LCFindVarIndex"       "iv object: place of a variable of a LOOPS object.",
        10 GetIvValue          "LCGetIVValue"         "object iv: value of a variable of a LOOPS instance.",
        11 PutIvValue          "LCPutIVValue"         "object iv value: give a variable of a LOOPS instance a value.",
        12 CallC               "CALL-C"               "answers NIL.",
    }

    /// Second opcode byte of UBFLOAT1: raw 32-bit floats, one operand.
    UbFloat1 {
        0 Box     "BOX"      "a: new FLOATP cell with this float.",
        1 Unbox   "UNBOX"    "a: the float of a number; traps when a is no number.",
        2 Abs     "UFABS"    "a: without the sign.",
        3 Negate  "UFNEGATE" "a: with the sign inverted.",
        4 Fix     "UFIX"     "always traps.",
    }

    /// Second opcode byte of UBFLOAT2: raw 32-bit floats, two operands. All that
    /// answer a new float trap when it is not finite.
    UbFloat2 {
        0 Add             "UFADD"   "a b: a + b.",
        1 Sub             "UFSUB"   "a b: a - b.",
        2 InverseSub      "UFISUB"  "a b: b - a.",
        3 Mult            "UFMULT"  "a b: a * b.",
        4 Div             "UFDIV"   "a b: a / b.",
        5 Great           "UFGREAT" "a b: whether a > b.",
        6 Max             "UFMAX"   "a b: a when a > b, else b.",
        7 Min             "UFMIN"   "a b: b when a > b, else a.",
        8 Rem             "UFREM"   "a b: remainder with the sign of a.",
        9 Aref1           "UBAREF1" "array index: always traps.",
    }

    /// Second opcode byte of UBFLOAT3: raw 32-bit floats, three operands.
    UbFloat3 {
        0 Poly       "POLY"       "x coeffs degree: polynomial by Horner's rule, highest coefficient first.",
        1 Matrix3x3  "MATRIX.3X3" "always traps.",
        2 Matrix4x4  "MATRIX.4X4" "always traps.",
        3 Matrix133  "MATRIX.133" "always traps.",
        4 Matrix331  "MATRIX.331" "always traps.",
        5 Matrix144  "MATRIX.144" "always traps.",
        6 Matrix441  "MATRIX.441" "always traps.",
        7 Aset1      "UBASET1"    "always traps.",
    }

    /// Second opcode byte of MISC3.
    Misc3 {
        9 ArrayRead "ARRAYREAD" "base type index: element of raw storage; no bounds check.",
    }

    /// Second opcode byte of MISC4.
    Misc4 {
        7 ArrayWrite "ARRAYWRITE" "value base type index: store such an element.",
    }

    /// Second opcode byte of MISC7.
    Misc7 {
        1 FastBitmapBit "FASTBITMAPBIT" "base x y operation height-1 width _: bit of a bitmap, before it is inverted (0), cleared (1), left (2) or set.",
    }

    /// Element types of arrays.
    ElementType {
         0 Bit         "bit"           "fetches a smallpos; bit 7 - (i & 7) of byte i >> 3.",
         3 Unsigned8   "unsigned 8"    "fetches a smallpos.",
         4 Unsigned16  "unsigned 16"   "fetches a smallpos.",
        20 Signed16    "signed 16"     "fetches a smallpos or smallneg.",
        22 Signed32    "signed 32"     "fetches any integer, may allocate.",
        38 Pointer     "pointer"       "fetches the raw cell; stores are counted.",
        54 Float32     "float 32"      "fetches a new FLOATP cell.",
        67 Char8       "character 8"   "fetches a character.",
        68 Char16      "character 16"  "fetches a character.",
        86 Xpointer    "xpointer"      "fetches the raw cell; stores are not counted.",
    }

    /// Services that Lisp asks of the machine: first operand of SUBRCALL.
    Subr {
          6 BackgroundSubr           "BACKGROUNDSUBR",
          7 CheckBcplPassword        "CHECKBCPLPASSWORD",
          8 DiskPartition            "DISKPARTITION",
          9 DspBout                  "DSPBOUT",
         10 DspRate                  "DSPRATE",
         11 GatherStats              "GATHERSTATS",
         12 GetPacketBuffer          "GETPACKETBUFFER",
         13 LispFinish               "LISPFINISH",
         14 MoreVmemFile             "MOREVMEMFILE",
         15 Raid                     "RAID",
         16 ReadRawPbi               "READRAWPBI",
         17 WriteRawPbi              "WRITERAWPBI",
         18 SetScreenColor           "SETSCREENCOLOR",
         19 ShowDisplay              "SHOWDISPLAY",
         20 PupLevel1State           "PUPLEVEL1STATE",
         21 WriteStats               "WRITESTATS",
         22 ContextSwitch            "CONTEXTSWITCH",
         23 CopySys0Subr             "COPYSYS0SUBR",
         24 WriteMap                 "WRITEMAP",
         34 UfsGetFileName           "UFS-GETFILENAME",
         35 UfsDeleteFile            "UFS-DELETEFILE",
         36 UfsRenameFile            "UFS-RENAMEFILE",
         37 ComReadPages             "COM-READPAGES",
         38 ComWritePages            "COM-WRITEPAGES",
         39 ComTruncateFile          "COM-TRUNCATEFILE",
         41 UfsDirectoryNameP        "UFS-DIRECTORYNAMEP",
         45 ComGetFreeBlock          "COM-GETFREEBLOCK",
         48 SetUnixTime              "SETUNIXTIME",
         49 GetUnixTime              "GETUNIXTIME",
         50 CopyTimeStats            "COPYTIMESTATS",
         51 UnixUserName             "UNIX-USERNAME",
         52 UnixFullName             "UNIX-FULLNAME",
         53 UnixGetEnv               "UNIX-GETENV",
         54 UnixGetParm              "UNIX-GETPARM",
         55 CheckSum                 "CHECK-SUM",
         56 EtherSuspend             "ETHER-SUSPEND",
         57 EtherResume              "ETHER-RESUME",
         58 EtherAvailable           "ETHER-AVAILABLE",
         59 EtherReset               "ETHER-RESET",
         60 EtherGet                 "ETHER-GET",
         61 EtherSend                "ETHER-SEND",
         62 EtherSetFilter           "ETHER-SETFILTER",
         63 EtherCheck               "ETHER-CHECK",
         64 DspCursor                "DSPCURSOR",
         65 SetMouseXY               "SETMOUSEXY",
         66 DspVideoColor            "DSP-VIDEOCOLOR",
         67 DspScreenWidth           "DSP-SCREENWIDTH",
         68 DspScreenHeight          "DSP-SCREENHEIGHT",
         69 BitBltSub                "BITBLTSUB",
         70 BltChar                  "BLTCHAR",
         71 TeditBltChar             "TEDIT.BLTCHAR",
         72 BitBltBitmap             "BITBLT.BITMAP",
         73 BltShadeBitmap           "BLTSHADE.BITMAP",
         74 Rs232cCmd                "RS232C-CMD",
         75 Rs232cReadInit           "RS232C-READ-INIT",
         76 Rs232cWrite              "RS232C-WRITE",
         80 KeyboardBeep             "KEYBOARDBEEP",
         81 KeyboardMap              "KEYBOARDMAP",
         82 KeyboardState            "KEYBOARDSTATE",
         89 VmemSave                 "VMEMSAVE",
         90 LispFinishAgain          "LISP-FINISH",
         91 NewPage                  "NEWPAGE",
         92 DoReclaim                "DORECLAIM",
         93 Dummy135Q                "DUMMY-135Q",
         94 NativeMemoryReference    "NATIVE-MEMORY-REFERENCE",
         95 OldCompileLoadNative     "OLD-COMPILE-LOAD-NATIVE",
         96 DisableGc                "DISABLEGC",
        103 ComSetFileInfo           "COM-SETFILEINFO",
        104 ComOpenFile              "COM-OPENFILE",
        105 ComCloseFile             "COM-CLOSEFILE",
        106 DskGetFileName           "DSK-GETFILENAME",
        107 DskDeleteFile            "DSK-DELETEFILE",
        108 DskRenameFile            "DSK-RENAMEFILE",
        110 ComNextFile              "COM-NEXT-FILE",
        111 ComFinishFinfo           "COM-FINISH-FINFO",
        112 ComGenFiles              "COM-GEN-FILES",
        113 DskDirectoryNameP        "DSK-DIRECTORYNAMEP",
        114 ComGetFileInfo           "COM-GETFILEINFO",
        116 ComChangeDir             "COM-CHANGEDIR",
        117 UnixHandleComm           "UNIX-HANDLECOMM",
        119 RpcCall                  "RPC-CALL",
        120 MessageReadP             "MESSAGE-READP",
        121 MessageRead              "MESSAGE-READ",
        128 MonitorControl           "MONITOR-CONTROL",
        131 GetNativeAddrFromLispPtr "GET-NATIVE-ADDR-FROM-LISP-PTR",
        132 GetLispPtrFromNativeAddr "GET-LISP-PTR-FROM-NATIVE-ADDR",
        133 LoadNativeFile           "LOAD-NATIVE-FILE",
        134 SuspendLisp              "SUSPEND-LISP",
        135 NewBltChar               "NEW-BLTCHAR",
        136 ColorInit                "COLOR-INIT",
        137 ColorScreenMode          "COLOR-SCREENMODE",
        138 ColorMap                 "COLOR-MAP",
        139 ColorBase                "COLOR-BASE",
        140 CSlowBltChar             "C-SLOWBLTCHAR",
        141 UncolorizeBitmap         "UNCOLORIZE-BITMAP",
        142 ColorizeBitmap           "COLORIZE-BITMAP",
        143 Color8BppDrawLine        "COLOR-8BPPDRAWLINE",
        144 TcpOp                    "TCP-OP",
        145 WithSymbol               "WITH-SYMBOL",
        146 CauseInterrupt           "CAUSE-INTERRUPT",
        160 OpenSocket               "OPEN-SOCKET",
        161 CloseSocket              "CLOSE-SOCKET",
        162 ReadSocket               "READ-SOCKET",
        163 WriteSocket              "WRITE-SOCKET",
        167 CallCFunction            "CALL-C-FUNCTION",
        168 DldLink                  "DLD-LINK",
        169 DldUnlinkByFile          "DLD-UNLINK-BY-FILE",
        170 DldUnlinkBySymbol        "DLD-UNLINK-BY-SYMBOL",
        171 DldGetSymbol             "DLD-GET-SYMBOL",
        172 DldGetFunc               "DLD-GET-FUNC",
        173 DldFunctionExecutableP   "DLD-FUNCTION-EXECUTABLE-P",
        174 DldListUndefinedSymbols  "DLD-LIST-UNDEFINED-SYMBOLS",
        175 CMalloc                  "C-MALLOC",
        176 CFree                    "C-FREE",
        177 CPutBaseByte             "C-PUTBASEBYTE",
        178 CGetBaseByte             "C-GETBASEBYTE",
        200 CharOpenFile             "CHAR-OPENFILE",
        201 CharBin                  "CHAR-BIN",
        202 CharBout                 "CHAR-BOUT",
        203 CharIoctl                "CHAR-IOCTL",
        204 CharCloseFile            "CHAR-CLOSEFILE",
        205 CharEofP                 "CHAR-EOFP",
        206 CharReadP                "CHAR-READP",
        207 CharBins                 "CHAR-BINS",
        208 CharBouts                "CHAR-BOUTS",
        209 CharFillBuffer           "CHAR-FILLBUFFER",
        210 Yield                    "YIELD",
    }
}

/// The second bytes of `opcode`, or the services that it calls; `None` when it has
/// no such byte.
pub fn sub_opcodes(opcode: Opcode) -> Option<&'static [SubInfo]> {
    Some(match opcode {
        Opcode::Miscn => Miscn::INFO,
        Opcode::UbFloat1 => UbFloat1::INFO,
        Opcode::UbFloat2 => UbFloat2::INFO,
        Opcode::UbFloat3 => UbFloat3::INFO,
        Opcode::Misc3 => Misc3::INFO,
        Opcode::Misc4 => Misc4::INFO,
        Opcode::Misc7 => Misc7::INFO,
        Opcode::SubrCall => Subr::INFO,
        _ => return None,
    })
}

/// Name of the second opcode byte `sub` of `opcode`, or of the service that it
/// calls. The outer answer is `None` when the instruction has no such byte, the
/// inner when nothing is known of the number.
pub fn sub_name(opcode: Opcode, sub: u8) -> Option<Option<&'static str>> {
    let info = sub_opcodes(opcode)?;
    Some(info.iter().find(|i| i.code == sub).map(|i| i.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip() {
        macro_rules! check {
            ($($Enum:ident $count:literal)*) => { $(
                assert_eq!($Enum::ALL.len(), $count, stringify!($Enum));
                assert!($Enum::ALL.is_sorted(), stringify!($Enum));
                for &member in $Enum::ALL {
                    assert_eq!($Enum::from_code(member.code()), Some(member));
                    assert!(!member.name().is_empty());
                }
            )* };
        }
        check! {
            Miscn 13 UbFloat1 5 UbFloat2 10 UbFloat3 8 Misc3 1 Misc4 1 Misc7 1
            ElementType 10 Subr 127
        }
        assert_eq!(Subr::from_code(5), None);
        assert_eq!(Subr::WithSymbol.code(), 145);
        assert_eq!(Subr::BitBltBitmap.name(), "BITBLT.BITMAP");
    }

    #[test]
    fn names_of_second_bytes() {
        assert_eq!(sub_name(Opcode::Miscn, 1), Some(Some("VALUES")));
        assert_eq!(sub_name(Opcode::Miscn, 99), Some(None));
        assert_eq!(sub_name(Opcode::SubrCall, 92), Some(Some("DORECLAIM")));
        assert_eq!(sub_name(Opcode::Car, 0), None);
    }
}
