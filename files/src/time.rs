//! Lisp dates: signed 32-bit seconds (`reference/devices.md` section 6.3).

use geiko_runtime::device::LISP_EPOCH;

/// A Unix time as Lisp seconds. Arithmetic is modulo 2^32 as in Maiko, so
/// times that do not fit in 32 bits still come back through
/// [`unix_seconds`] if they are Unix times of 32 bits.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "modulo 2^32 by definition")]
pub const fn lisp_seconds(unix: i64) -> i32 {
    (unix as i32).wrapping_add(LISP_EPOCH)
}

/// The Unix time of a Lisp date.
#[must_use]
pub const fn unix_seconds(lisp: i32) -> i64 {
    lisp.wrapping_sub(LISP_EPOCH) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        assert_eq!(lisp_seconds(0), 29_969_152);
        for unix in [
            0,
            1,
            -1,
            1_700_000_000,
            i64::from(i32::MAX),
            i64::from(i32::MIN),
        ] {
            assert_eq!(unix_seconds(lisp_seconds(unix)), unix);
        }
    }
}
