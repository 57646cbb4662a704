use super::*;
use insta::assert_snapshot;

/// A few names, as an image would know them.
struct Sample;

impl Names for Sample {
    fn atom(&self, atom: u32) -> String {
        match atom {
            0 => "NIL".to_owned(),
            0x4C => "T".to_owned(),
            0x123 => "LIST-LENGTH".to_owned(),
            0x0A12_3456 => "NEW:SYMBOL".to_owned(),
            _ => NoNames.atom(atom),
        }
    }

    fn pointer(&self, pointer: u32) -> String {
        match pointer {
            0x15_0000 => "\"a string\"".to_owned(),
            _ => NoNames.pointer(pointer),
        }
    }

    fn type_name(&self, number: u16) -> Option<String> {
        (number == 5).then(|| "LISTP".to_owned())
    }
}

fn list(code: &[u8], atom_bytes: u32) -> String {
    Listing::new(code, 16, atom_bytes, &Sample).to_string()
}

#[test]
fn operands_of_every_kind_with_3_byte_atoms() {
    let code = [
        0x6C, 200, // SIC: u8
        0x6E, 0x12, 0x34, // SICX: u16
        0x07, 6, 1, // UNWIND: u8, u8
        0x67, 0x00, 0x00, 0x4C, // ACONST: atom
        0x0D, 6, 0x00, 0x01, 0x23, // FNX: u8, atom
        0x6F, 0x15, 0x00, 0x00, // GCONST: ptr
        0xB2, 0xEB, // FJUMPX: i8
        0xB1, 0xFF, 0xE9, // JUMPXX: i16
        0x00, 0x40, // end, and what is behind it
    ];
    assert_snapshot!(list(&code, 3), @r#"
        L1:
            16  6c c8           SIC            200
            18  6e 12 34        SICX           4660
            21  07 06 01        UNWIND         6 1              ; keeps the top
            24  67 00 00 4c     ACONST         T
            28  0d 06 00 01 23  FNX            6 LIST-LENGTH
            33  6f 15 00 00     GCONST         "a string"
            37  b2 eb           FJUMPX         L1
            39  b1 ff e9        JUMPXX         L1
        "#);
}

#[test]
fn operands_of_every_kind_with_4_byte_atoms() {
    let code = [
        0x6C, 200, // SIC: u8
        0x6E, 0x12, 0x34, // SICX: u16
        0x07, 6, 0, // UNWIND: u8, u8
        0x67, 0x0A, 0x12, 0x34, 0x56, // ACONST: atom
        0x0D, 6, 0x00, 0x00, 0x01, 0x23, // FNX: u8, atom
        0x6F, 0x00, 0x15, 0x00, 0x00, // GCONST: ptr
        0xB2, 0xE8, // FJUMPX: i8
        0xB1, 0xFF, 0xE6, // JUMPXX: i16
        0x00,
    ];
    assert_snapshot!(list(&code, 4), @r#"
        L1:
            16  6c c8              SIC            200
            18  6e 12 34           SICX           4660
            21  07 06 00           UNWIND         6 0
            24  67 0a 12 34 56     ACONST         NEW:SYMBOL
            29  0d 06 00 00 01 23  FNX            6 LIST-LENGTH
            35  6f 00 15 00 00     GCONST         "a string"
            40  b2 e8              FJUMPX         L1
            42  b1 ff e6           JUMPXX         L1
        "#);
}

#[test]
fn a_function_with_header_labels_and_variables() {
    let function = FunctionInfo {
        name: "COUNT".to_owned(),
        na: 2,
        pv: 1,
        nlocals: 3,
        startpc: 40,
        stkmin: 38,
        argtype: 0,
        ntsize: 4,
        arguments: vec![(0, "list".to_owned()), (1, "default".to_owned())],
        locals: vec![(0, "tail".to_owned()), (1, "n".to_owned())],
        free_variables: vec![(3, "*ITEM*".to_owned())],
    };
    let code = [
        0x40, // IVAR0
        0x6A, // '0
        0x11, 0x12, 0x02, // BIND: two values, one NIL
        0x48, // PVAR0
        0x9D, // FJUMP13
        0x48, 0x01, 0x53, 0xF0, // PVAR0 CAR FVAR3 EQ
        0x93, // FJUMP3
        0x49, 0xDD, 1, 0xB9, // PVAR1 IPLUS.N PVAR_^1
        0x48, 0x02, 0xB8, // PVAR0 CDR PVAR_^0
        0xB0, 0xF2, // JUMPX
        0x4F, 4, 0xBF, // PVARX POP
        0x4F, 2, // PVARX
        0x12, 0x10, // UNBIND RETURN
        0x00,
    ];
    let listing = Listing::new(&code, 40, 3, &Sample).with_function(&function);
    assert_snapshot!(listing, @r"
        COUNT
          lambda, 2 arguments
          arguments       ivar0 list, ivar1 default
          locals          pvar0 tail, pvar1 n
          free variables  fvar3 *ITEM*
          na 2, pv 1 (4 slots), nlocals 3, stkmin 38, startpc 40, argtype 0, ntsize 4
            40  40              IVAR0                           ; list
            41  6a              '0
            42  11 12 02        BIND           18 2             ; mark of 3: tail n := values, pvar2 := NIL
        L1:
            45  48              PVAR0                           ; tail
            46  9d              FJUMP13        L3
            47  48              PVAR0                           ; tail
            48  01              CAR
            49  53              FVAR3                           ; *ITEM*
            50  f0              EQ
            51  93              FJUMP3         L2
            52  49              PVAR1                           ; n
            53  dd 01           IPLUS.N        1
            55  b9              PVAR_^1                         ; n
        L2:
            56  48              PVAR0                           ; tail
            57  02              CDR
            58  b8              PVAR_^0                         ; tail
            59  b0 f2           JUMPX          L1
        L3:
            61  4f 04           PVARX          4                ; pvar2
            63  bf              POP
            64  4f 02           PVARX          2                ; n
            66  12              UNBIND
            67  10              RETURN
        ");
}

#[test]
fn second_opcode_bytes_and_services() {
    let code = [
        0x24, 1, 2, // MISCN VALUES
        0x24, 77, 0, // MISCN, unknown
        0xED, 1, 0xEC, 3, 0x32, 0, // UBFLOAT1, 2, 3
        0xFA, 9, 0xFB, 7, 0x38, 1, // MISC3, 4, 7
        0x7D, 92, 0, // SUBRCALL DORECLAIM
        0x7D, 255, 1, // SUBRCALL, unknown
    ];
    assert_snapshot!(list(&code, 3), @r"
        16  24 01 02        MISCN          1 2              ; VALUES
        19  24 4d 00        MISCN          77 0             ; unknown
        22  ed 01           UBFLOAT1       1                ; UNBOX
        24  ec 03           UBFLOAT2       3                ; UFMULT
        26  32 00           UBFLOAT3       0                ; POLY
        28  fa 09           MISC3          9                ; ARRAYREAD
        30  fb 07           MISC4          7                ; ARRAYWRITE
        32  38 01           MISC7          1                ; FASTBITMAPBIT
        34  7d 5c 00        SUBRCALL       92 0             ; DORECLAIM
        37  7d ff 01        SUBRCALL       255 1            ; unknown
        ");
}

#[test]
fn operands_explained() {
    let code = [
        0x05, 5, 0x05, 99, // TYPEP
        0x33, 0x30, // TYPEMASK.N
        0x15, 1, // GCREF
        0xC1, 12, // ATOMCELL.N
        0x6D, 0xFF, // SNIC
        0x3D, 4, 0x3C, 4, 0xC0, 2, // COPY.N, STORE.N, POP.N
        0xCA, 3, 0x37, // GETBITS.N.FD
        0x47, 14, 0x46, // IVARX, IVAR6
        0x63, 8, // FVARX_
        0x11, 0x00, 0x05, // BIND: nothing
        0x11, 0x20, 0x05, // BIND: two NILs
        0x11, 0x01, 0x05, // BIND: a value
    ];
    assert_snapshot!(list(&code, 3), @r"
        16  05 05           TYPEP          5                ; LISTP
        18  05 63           TYPEP          99
        20  33 30           TYPEMASK.N     48               ; integer or number
        22  15 01           GCREF          1                ; DELREF
        24  c1 0c           ATOMCELL.N     12               ; value
        26  6d ff           SNIC           255              ; -1
        28  3d 04           COPY.N         4                ; 2 below the top
        30  3c 04           STORE.N        4                ; 3 below the top
        32  c0 02           POP.N          2                ; drops 3
        34  ca 03 37        GETBITS.N.FD   3 55             ; bits 3..10, 0 is the highest
        37  47 0e           IVARX          14               ; ivar7
        39  46              IVAR6
        40  63 08           FVARX_         8                ; fvar4
        42  11 00 05        BIND           0 5              ; mark of 0
        45  11 20 05        BIND           32 5             ; mark of 2: pvar4 pvar5 := NIL
        48  11 01 05        BIND           1 5              ; mark of 1: pvar5 := value
        ");
}

#[test]
fn bad_code_is_listed_as_far_as_it_goes() {
    let code = [
        0x21, 0x25, 0x2E, // BOUT, unused, TYPECHECK
        0x11, 0xFF, 0x00, // BIND: more than there is
        0xB0, 0x80, // JUMPX in front of the code
        0xB0, 0xFF, // JUMPX into an instruction
        0x08, 0x00, // FN0, cut off
    ];
    assert_snapshot!(list(&code, 4), @r"
        16  21                 BOUT                            ; traps to \BOUT
        17  25                 unused                          ; traps to \UNKNOWN.UFN
        18  2e                 TYPECHECK                       ; traps to \TYPECHECK.UFN
        19  11 ff 00           BIND           255 0            ; mark of 30, reaching below pvar0
        22  b0 80              JUMPX          -> -106          ; no instruction starts there
        24  b0 ff              JUMPX          -> 23            ; no instruction starts there
        26  08 00              ; the code ends inside of FN0 at byte 26: 2 of 5 bytes
        ");
}

#[test]
fn single_instructions_without_names() {
    let text = |bytes: &[u8]| {
        let decoded = Instruction::decode(bytes, 100, 3).expect("bytes");
        instruction_text(&decoded.expect("a whole instruction"), &NoNames)
    };
    let texts = [
        text(&[0x01]),
        text(&[0x84]),
        text(&[0xB0, 0xF0]),
        text(&[0x0D, 2, 0x00, 0x01, 0x23]),
        text(&[0x6F, 0x15, 0x00, 0x00]),
        text(&[0x5F, 8]),
    ];
    assert_snapshot!(texts.join("\n"), @r"
        CAR
        JUMP4          -> 106
        JUMPX          -> 84
        FNX            2 atom#123
        GCONST         #150000
        PVARX_         8                ; pvar4
        ");
}
