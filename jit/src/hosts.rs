//! Kinds of machines: that which native code runs on, and others that it could.

use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable, Flags};
use target_lexicon::{Architecture, OperatingSystem, Triple};

use crate::compiler::JitError;

/// The instruction set of `host`, if native code can run there: the machine this is, with
/// all that its processor can do.
pub fn native(host: &Triple) -> Result<OwnedTargetIsa, JitError> {
    let is_known = host.architecture == Architecture::X86_64
        && host.operating_system == OperatingSystem::Linux;
    if !is_known {
        return Err(JitError::Host(host.to_string()));
    }
    let builder = cranelift_native::builder().map_err(|why| JitError::Host(why.into()))?;
    finish(builder)
}

/// Compiles for a machine that this is not, to see that it can be done.
#[cfg(feature = "arm64")]
pub struct CrossCompiler(crate::workshop::Workshop);

#[cfg(feature = "arm64")]
impl CrossCompiler {
    /// A compiler for any machine that Cranelift was built for.
    pub fn new(triple: &Triple) -> Result<Self, JitError> {
        let builder = isa::lookup(triple.clone())
            .map_err(|error| JitError::Host(format!("{triple}: {error}")))?;
        Ok(Self(crate::workshop::Workshop::new(finish(builder)?)))
    }

    /// Bytes of machine code for the function at `code`; 0 if there can be none.
    pub fn compile<G: geiko_runtime::layout::Generation>(
        &mut self,
        jit: &crate::Jit<G>,
        machine: &geiko_runtime::machine::Machine<'_, G>,
        code: geiko_runtime::memory::LispPtr,
    ) -> usize {
        let job = jit.first_job(machine.mem, &machine.symbols, code);
        job.map_or(0, |job| self.0.make::<G>(&job).bytes.len())
    }
}

fn finish(builder: isa::Builder) -> Result<OwnedTargetIsa, JitError> {
    let mut flags = settings::builder();
    let verify = if cfg!(debug_assertions) {
        "true"
    } else {
        "false"
    };
    for (name, value) in [
        ("opt_level", "speed"),
        ("enable_verifier", verify),
        ("unwind_info", "false"),
        // Tail calls want them.
        ("preserve_frame_pointers", "true"),
        ("enable_probestack", "false"),
    ] {
        flags
            .set(name, value)
            .map_err(|error| JitError::Host(error.to_string()))?;
    }
    builder
        .finish(Flags::new(flags))
        .map_err(|error| JitError::Host(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_are_refused_by_name() {
        for name in [
            "aarch64-unknown-linux-gnu",
            "x86_64-pc-windows-msvc",
            "wasm32-wasip1",
        ] {
            let triple = name.parse().expect("a triple");
            let error = native(&triple).err().expect("refused").to_string();
            assert_eq!(
                error,
                format!("no native code for this kind of machine: {name}")
            );
        }
        assert!(native(&Triple::host()).is_ok() || cfg!(not(target_arch = "x86_64")));
    }
}
