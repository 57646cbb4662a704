//! Images made small: those that are worn, by command and whenever they are saved.

mod images;
mod program;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use images::medley;
use program::run;

/// Much that is made and forgotten, and a little that stays.
const WEAR: &str = "
(defvar *kept* nil)
(let ((all nil))
  (dotimes (i 4000)
    (push (list i (format nil \"~R\" i) (make-array (mod (* i 37) 900) :initial-element i)) all)
    (when (zerop (mod i 397)) (push (car all) *kept*))
    (when (> (length all) 200) (setf (cdr (nthcdr 20 all)) nil))))";

/// What can be said of all that Lisp has kept.
const KEPT: &str = "(let ((sum 0))
  (dolist (each *kept* sum)
    (assert (string= (second each) (format nil \"~R\" (first each))))
    (assert (every #'(lambda (n) (eql n (first each))) (third each)))
    (setf sum (+ (first each) (length (third each)) (* 3 sum)))
    (setf sum (mod sum 65537))))";

/// What the program writes when it succeeds.
fn geiko(arguments: &[&str]) -> String {
    String::from_utf8_lossy(&run(arguments).stdout).into_owned()
}

/// What the audit says of what is in use.
fn in_use(image: &str) -> [serde_json::Value; 5] {
    let audit = geiko(&["audit", "--json", image]);
    let audit: serde_json::Value = serde_json::from_str(&audit).expect("JSON");
    assert_eq!(audit["sound"], true, "{audit}");
    let of = |part: &str, name: &str| audit[part][name].clone();
    [
        of("recount", "objects"),
        of("recount", "differences"),
        of("count_table", "occupied"),
        of("list_cells", "stored_cdr"),
        of("array_space", "cells_in_use"),
    ]
}

#[test]
fn a_worn_image_is_made_small() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    for generation in ["2", "3"] {
        let (worn, small) = (path("worn.sysout"), path("small.sysout"));
        let save = format!("(progn (dotimes (i 4) (gc)) (save-image {worn:?}) 1)");
        let kept = geiko(&["eval", "--generation", generation, WEAR, KEPT, &save]);
        let kept = kept.lines().rev().nth(1).expect("a number");
        let told = geiko(&["shrink", &worn, &small]);
        println!("generation {generation}: {told}");
        assert_eq!(in_use(&small), in_use(&worn));
        let bytes = |path: &str| fs::metadata(path).expect("a file").len();
        assert!(bytes(&small) <= bytes(&worn), "{told}");
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::fs::MetadataExt;
            let blocks = |path: &str| fs::metadata(path).expect("a file").blocks();
            println!(
                "{} and {} blocks on the disk",
                blocks(&worn),
                blocks(&small)
            );
            assert!(blocks(&small) < blocks(&worn), "{told}");
        }
        // It goes on as before, also when it is worn again, and there is nothing more to be gained.
        for _ in 0..2 {
            let told = geiko(&["eval", "--image", &small, KEPT, WEAR, "(+ 40 2)"]);
            let lines: Vec<_> = told.lines().collect();
            assert_eq!([lines[0], lines[lines.len() - 1]], [kept, "42"], "{told}");
            geiko(&["shrink", &small]);
        }
        assert_eq!(in_use(&small), in_use(&worn));
    }
}

#[test]
fn an_image_that_is_not_sound_is_not_made_small() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("image.sysout");
    let name = path.to_str().expect("a name");
    geiko(&["eval", &format!("(progn (save-image {name:?}) 1)")]);
    let mut image = fs::read(&path).expect("an image");
    // The headers and trailers of free blocks become those of blocks in use.
    for word in image.as_chunks_mut::<2>().0 {
        if *word == [0xAA, 0xA8] {
            *word = [0xAA, 0xA9];
        }
    }
    fs::write(&path, &image).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_geiko"))
        .args(["shrink", name])
        .output()
        .expect("geiko runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("is as it was: it is not sound"), "{told}");
    assert_eq!(fs::read(&path).expect("an image"), image);
}

/// Pages of an image before and after it is made small; it is left as it is.
fn pages(image: &Path) -> [String; 2] {
    let other = image.with_extension("other");
    let told = geiko(&[
        "shrink",
        &image.display().to_string(),
        &other.display().to_string(),
    ]);
    let words: Vec<_> = told.split_whitespace().collect();
    assert_eq!((words[0], words[4]), ("pages", "now;"), "{told}");
    fs::remove_file(other).expect("it was written");
    [words[1], words[3]].map(str::to_owned)
}

fn assert_small(image: &Path) {
    let [before, after] = pages(image);
    assert_eq!(before, after, "{}", image.display());
}

#[test]
fn what_lisp_saves_is_made_small_if_that_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("saved.sysout");
    let name = path.to_str().expect("a name");
    let save = format!("(progn (dotimes (i 4) (gc)) (save-image {name:?}) 1)");
    for generation in ["2", "3"] {
        let program = ["--generation", generation, WEAR, KEPT, &save];
        geiko(&[&["eval"], &program[..]].concat());
        let [before, after] = pages(&path);
        assert_ne!(before, after, "it is worn");
        // Lisp goes on after it was saved.
        let program = [&program[..], &[WEAR, KEPT]].concat();
        let output = run(&[&["eval", "--shrink-on-save"], &program[..]].concat());
        assert!(output.stderr.is_empty(), "{output:?}");
        assert_small(&path);
        in_use(name);
        let kept = String::from_utf8_lossy(&output.stdout);
        let kept = kept.split_once("\n1\n").expect("saved").0;
        let kept = kept.lines().last().expect("a number");
        let told = geiko(&["eval", "--image", name, KEPT]);
        assert_eq!(told.trim_end(), kept);
    }
}

#[test]
fn what_cannot_be_made_small_is_saved_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("saved.sysout");
    let name = path.to_str().expect("a name");
    let save = format!("(progn (save-image {name:?}) 1)");
    let limit = ["--memory", "16", "--memory-limit", "23", "--jit", "off"];
    let output = run(&[&["eval", "--shrink-on-save"], &limit[..], &[&save]].concat());
    assert_eq!(output.stdout, b"1\n");
    let told = String::from_utf8_lossy(&output.stderr);
    let expected = "geiko: the image is saved, but not made small: that takes ";
    assert!(told.starts_with(expected), "{told}");
    assert!(
        told.ends_with(" MB more than the limit of memory leaves\n"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1, "{told}");
    in_use(name);
    assert_eq!(geiko(&["eval", "--image", name, "(+ 40 2)"]), "42\n");
}

#[test]
fn what_medley_saves_is_made_small_and_goes_on() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let play = |image: &Path, script: &str| {
        fs::write(path("script.geiko"), script).expect("a script");
        run(&[
            &image.display().to_string(),
            "--headless",
            "--clock",
            "virtual",
            "--timeout",
            "5m",
            "--shrink-on-save",
            "--script",
            &path("script.geiko").display().to_string(),
        ])
    };
    let small = path("small.sysout");
    let told = path("told");
    let print = format!(
        "type \"(with-open-file (s \\\"{}\\\" :direction :output) (princ (length kept) s))\"\n\
         wait idle 2s\n",
        told.display()
    );
    let wear = "wait idle 1s\nkey Return\nwait idle 10s\n\
        type \"(null (setq kept (let ((all nil)) (dotimes (i 3000 all) (make-array (+ 5 (mod (* i 37) 900))) \
        (when (zerop (mod i 30)) (push (make-array (+ 5 (mod i 300))) all))))))\"\nwait idle 5s\n";
    let output = play(&image, &format!("{wear}save {}\n{print}", small.display()));
    assert!(output.stderr.is_empty(), "{output:?}");
    assert_eq!(fs::read_to_string(&told).unwrap_or_default(), "100");
    assert_small(&small);
    in_use(&small.display().to_string());
    fs::remove_file(&told).expect("it was written");
    let output = play(&small, &format!("wait idle 10s\n{print}"));
    assert!(output.stderr.is_empty(), "{output:?}");
    assert_eq!(fs::read_to_string(&told).unwrap_or_default(), "100");
}

#[test]
fn sessions_that_are_kept_are_kept_small() {
    let Some(image) = medley() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let session = Command::new(env!("CARGO_BIN_EXE_geiko"))
        .arg("run")
        .arg(&image)
        .args(["--display", "none", "--name", "small", "--autosave", "2s"])
        .arg("--shrink-on-save")
        .env("GEIKO_CONFIG", "/dev/null")
        .env("XDG_STATE_HOME", folder.path())
        .env("XDG_RUNTIME_DIR", folder.path())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("geiko runs");
    std::thread::sleep(Duration::from_secs(8));
    kill_process(Pid::from_child(&session), Signal::TERM).expect("a process");
    let output = session.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("the session was saved"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    let saved = told.trim_end().rsplit(' ').next().unwrap_or_default();
    let images = fs::read_dir(Path::new(saved).parent().expect("a folder")).expect("a folder");
    let images = images.map(|image| image.expect("a file").path());
    let images: Vec<_> = images
        .filter(|path| path.extension().is_some_and(|name| name == "sysout"))
        .collect();
    assert!(images.len() >= 2, "{images:?} of {saved}");
    for image in images {
        assert_small(&image);
        in_use(&image.display().to_string());
    }
}
