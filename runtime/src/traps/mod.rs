//! Ways from the host into Lisp.

pub mod keyboard;
