//! How the benchmarks come into an image.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use geiko_forge::build::{BuildError, build_seen};
use geiko_forge::source::BENCHMARKS;
use geiko_runtime::image::{ImageError, ImageFile};
use geiko_runtime::layout::Release;

use super::programs;
use crate::script::Script;

/// What is only for the built-in Lisp.
const BUILTIN_CONTROL: &str = "bench/builtin.lisp";
/// What is only for Medley.
const MEDLEY_CONTROL: &str = include_str!("../../forge/lisp/bench/medley.lisp");

/// The benchmarks on the built-in Lisp.
#[derive(Debug)]
pub struct Builtin {
    /// The image.
    pub image: ImageFile,
    /// Bytes of byte code of every benchmark.
    pub code_bytes: Vec<usize>,
    /// How long it took to compile everything.
    pub compile_time: Duration,
    /// How long it took to make the image of it.
    pub link_time: Duration,
}

/// Why there is no such image.
#[derive(Debug, thiserror::Error)]
pub enum BuiltinError {
    /// It cannot be made.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// It cannot be opened.
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// Compiles the built-in Lisp and the benchmarks.
pub fn builtin(release: Release) -> Result<Builtin, BuiltinError> {
    let start = Instant::now();
    let see = |definitions: &[_]| (Instant::now(), programs::code_bytes(definitions));
    let (bytes, (compiled, code_bytes)) = build_seen(BENCHMARKS, release, false, see)?;
    let link_time = compiled.elapsed();
    Ok(Builtin {
        image: ImageFile::from_bytes(Path::new("the built-in image"), bytes)?,
        code_bytes,
        compile_time: compiled - start,
        link_time,
    })
}

/// The sources in a folder from which Medley can load them. It is gone with this value.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Writes the sources, with an init file that has them compiled and loaded, and
    /// then obeys.
    pub fn new() -> io::Result<Self> {
        let name = format!("geiko-bench-{}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        fs::create_dir(&folder.0)?;
        let mut names = Vec::new();
        let shared = BENCHMARKS
            .iter()
            .filter(|source| source.name != BUILTIN_CONTROL)
            .map(|source| (source.name, source.text));
        for (name, text) in shared.chain([("medley.lisp", MEDLEY_CONTROL)]) {
            let name = name.trim_start_matches("bench/").trim_end_matches(".lisp");
            fs::write(folder.0.join(name).with_extension("lisp"), text)?;
            names.push(format!("\"{name}\""));
        }
        fs::write(folder.0.join("init.lisp"), folder.init_file(&names))?;
        Ok(folder)
    }

    fn init_file(&self, names: &[String]) -> String {
        let path = self.0.display();
        let names = names.join(" ");
        // Nothing waits for somebody to look at a full window.
        format!(
            "\
;;; Benchmarks.
(setq il:pagefullfn 'il:nill)
(il:movd 'il:nill 'il:pagefullfn)
(defun bench-load (name)
  (let ((from (concatenate 'string \"{{DSK}}{path}/\" name \".lisp\"))
        (to (concatenate 'string \"{{DSK}}{path}/\" name \".dfasl\")))
    (unless (probe-file to)
      (compile-file from :output-file to))
    (load to)))
(mapc #'bench-load '({names}))
(bench-obey #'bench-hand-over)
"
        )
    }

    /// What to type in a fresh image, which asks for an init file.
    pub fn script(&self) -> Script {
        let text = format!(
            "wait 300ms\ntype \"{{DSK}}{}/init.lisp\\n\"\nwait end 5m\n",
            self.0.display()
        );
        Script::parse("load", &text).expect("the script is right")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder left behind does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}
