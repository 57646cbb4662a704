//! The small codes that Lisp passes to file services (`reference/devices.md`
//! section 6.3).

/// Which of the two devices a name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileHost {
    /// `{DSK}`: versions, case ignored.
    Dsk,
    /// `{UNIX}`: names as the host has them.
    Unix,
}

impl FileHost {
    /// The device with this name, in any case.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"DSK") {
            Some(Self::Dsk)
        } else if name.eq_ignore_ascii_case(b"UNIX") {
            Some(Self::Unix)
        } else {
            None
        }
    }
}

/// Which member of a family of versions a name without a version means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognition {
    /// The highest existing version.
    Old,
    /// The lowest existing version.
    Oldest,
    /// The version after the highest.
    New,
    /// The highest existing version, else a new file.
    OldNew,
    /// The name as it is, without a version (image files).
    Non,
}

impl Recognition {
    /// The recognition with this code; `None` for an unknown code.
    #[must_use]
    pub const fn from_code(code: i32) -> Option<Self> {
        Some(match code {
            0 => Self::Old,
            1 => Self::Oldest,
            2 => Self::New,
            3 => Self::OldNew,
            5 => Self::Non,
            _ => return None,
        })
    }
}

/// What Lisp wants to do with an open file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read.
    Input,
    /// Write from scratch. Lisp reads such files back, so they are readable.
    Output,
    /// Read and write.
    Both,
    /// Write after the end. Lisp positions the file itself.
    Append,
}

impl Access {
    /// The access with this code; `None` for an unknown code.
    #[must_use]
    pub const fn from_code(code: i32) -> Option<Self> {
        Some(match code {
            0 => Self::Input,
            1 => Self::Output,
            2 => Self::Both,
            3 => Self::Append,
            _ => return None,
        })
    }
}

/// A file attribute that Lisp asks for or sets by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// Length in bytes.
    Length,
    /// Time of the last change; Lisp also calls it the creation date.
    WriteDate,
    /// Time of the last read.
    ReadDate,
    /// Name of the owner.
    Author,
    /// The host's mode bits.
    Protection,
    /// Length, dates, protection and author together.
    All,
    /// Low 32 bits of the inode number.
    InodeLow,
    /// High 32 bits of the inode number.
    InodeHigh,
}

impl Attribute {
    /// The attribute with this code; `None` for an unknown code and for 7
    /// (EOL), which Maiko does not support either.
    #[must_use]
    pub const fn from_code(code: i32) -> Option<Self> {
        Some(match code {
            1 => Self::Length,
            2 => Self::WriteDate,
            3 => Self::ReadDate,
            5 => Self::Author,
            6 => Self::Protection,
            8 => Self::All,
            9 => Self::InodeLow,
            10 => Self::InodeHigh,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        assert_eq!(Recognition::from_code(3), Some(Recognition::OldNew));
        assert_eq!(Recognition::from_code(4), None);
        assert_eq!(Access::from_code(3), Some(Access::Append));
        assert_eq!(Access::from_code(-1), None);
        assert_eq!(Attribute::from_code(9), Some(Attribute::InodeLow));
        assert_eq!(Attribute::from_code(7), None);
    }
}
