//! The host's directory tree as Lisp sees it, and the host calls on it.
//!
//! Usually it is all of it. A *confined* tree begins at one directory, which Lisp sees
//! as `/`. The host itself keeps names inside it: `openat2` with `RESOLVE_IN_ROOT` reads
//! a name as a process would whose root that directory is, so that `..`, symbolic links
//! and absolute names lead nowhere else, even if another process changes directories
//! meanwhile. Calls that do not open anything act on the last component of a name in
//! its opened directory and do not follow links.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    self, Access, AtFlags, CWD, Dir, Mode, OFlags, ResolveFlags, Stat, StatVfs, Timestamps,
};
use rustix::io::Errno;

use crate::error::{Result, host_error};
use crate::paths::{self, Kind};

/// The files that Lisp may see, and whether it may change them.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    root: Option<Root>,
    read_only: bool,
}

/// The directory that is `/` to Lisp.
#[derive(Debug)]
struct Root {
    /// Its true path on the host.
    path: PathBuf,
    directory: OwnedFd,
}

/// How often a name is tried again that another process changed while the host read it.
const TRIES: usize = 32;

/// A handle on a file that can be asked about but not read.
const HANDLE: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

impl Tree {
    /// The tree below `root`, or all of it.
    pub fn new(root: Option<&Path>, read_only: bool) -> io::Result<Self> {
        let root = root.map(Root::open).transpose()?;
        Ok(Self { root, read_only })
    }

    /// A directory of the host as Lisp sees it; the root if Lisp does not see it.
    pub fn directory_seen(&self, host: &Path) -> Vec<u8> {
        let Some(root) = &self.root else {
            return host.as_os_str().as_bytes().to_vec();
        };
        let inside = host.strip_prefix(&root.path).unwrap_or(Path::new(""));
        paths::join(b"/", inside.as_os_str().as_bytes())
    }

    /// The path on the host of a directory.
    pub fn directory_on_host(&self, dir: &[u8]) -> Result<PathBuf> {
        let Some(root) = &self.root else {
            return Ok(paths::path(dir).to_owned());
        };
        let dir = root.reach(dir, HANDLE | OFlags::DIRECTORY, Mode::empty())?;
        // The host tells where the directory is when all links have been followed.
        Ok(std::fs::read_link(name_of(&dir))?)
    }

    /// The path on the host of a file that Lisp wants to make.
    pub fn host_path(&self, file: &[u8]) -> Result<PathBuf> {
        self.writable()?;
        let (dir, name) = paths::split(file);
        Ok(self.directory_on_host(dir)?.join(paths::path(name)))
    }

    /// Fails if nothing may be changed.
    pub fn writable(&self) -> Result<()> {
        if self.read_only {
            return Err(host_error(Errno::ROFS));
        }
        Ok(())
    }

    /// Opens a file. In a tree that is read only, devices can still be written to.
    pub fn open(&self, file: &[u8], mut flags: OFlags) -> Result<File> {
        let changes = OFlags::WRONLY | OFlags::RDWR | OFlags::CREATE | OFlags::TRUNC;
        if self.read_only && flags.intersects(changes) {
            let is_device =
                paths::found(self.stat(file))?.map(|stat| Kind::of(&stat) == Kind::Special);
            if is_device != Some(true) {
                return Err(host_error(Errno::ROFS));
            }
            flags.remove(OFlags::CREATE | OFlags::TRUNC);
        }
        let mode = Mode::from_raw_mode(0o666);
        Ok(self.open_as(file, flags | OFlags::CLOEXEC, mode)?.into())
    }

    fn open_as(&self, file: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd> {
        match &self.root {
            None => {
                rustix::io::retry_on_intr(|| fs::openat(CWD, file, flags, mode)).map_err(host_error)
            }
            Some(root) => root.reach(file, flags, mode),
        }
    }

    /// What is at the end of a path, through symbolic links.
    pub fn stat(&self, file: &[u8]) -> Result<Stat> {
        self.reached(file, |file| fs::stat(file))
    }

    /// What a directory has under a name, be it a symbolic link.
    pub fn lstat(&self, file: &[u8]) -> Result<Stat> {
        let at = self.place(file)?;
        fs::statat(at.dir(), at.name, AtFlags::SYMLINK_NOFOLLOW).map_err(host_error)
    }

    pub fn link(&self, existing: &[u8], new: &[u8]) -> Result<()> {
        self.writable()?;
        let (from, to) = (self.place(existing)?, self.place(new)?);
        let flags = AtFlags::empty();
        fs::linkat(from.dir(), from.name, to.dir(), to.name, flags).map_err(host_error)
    }

    pub fn rename(&self, from: &[u8], to: &[u8]) -> Result<()> {
        self.writable()?;
        let (from, to) = (self.place(from)?, self.place(to)?);
        fs::renameat(from.dir(), from.name, to.dir(), to.name).map_err(host_error)
    }

    pub fn unlink(&self, file: &[u8]) -> Result<()> {
        self.remove(file, AtFlags::empty())
    }

    pub fn rmdir(&self, dir: &[u8]) -> Result<()> {
        self.remove(dir, AtFlags::REMOVEDIR)
    }

    fn remove(&self, file: &[u8], flags: AtFlags) -> Result<()> {
        self.writable()?;
        let at = self.place(file)?;
        fs::unlinkat(at.dir(), at.name, flags).map_err(host_error)
    }

    pub fn mkdir(&self, dir: &[u8]) -> Result<()> {
        self.writable()?;
        let at = self.place(dir)?;
        fs::mkdirat(at.dir(), at.name, Mode::from_raw_mode(0o777)).map_err(host_error)
    }

    /// The names in a directory, without `.` and `..`, in the host's order.
    pub fn entries(&self, dir: &[u8]) -> Result<Vec<Vec<u8>>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = self.open_as(dir, flags, Mode::empty())?;
        let mut names = Vec::new();
        for entry in Dir::new(dir).map_err(host_error)? {
            let entry = entry.map_err(host_error)?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                names.push(name.to_vec());
            }
        }
        Ok(names)
    }

    pub fn set_times(&self, file: &[u8], times: &Timestamps) -> Result<()> {
        self.writable()?;
        self.reached(file, |file| {
            fs::utimensat(CWD, file, times, AtFlags::empty())
        })
    }

    /// Changes the permission bits.
    pub fn set_mode(&self, file: &[u8], mode: u32) -> Result<()> {
        self.writable()?;
        self.reached(file, |file| fs::chmod(file, Mode::from_raw_mode(mode)))
    }

    /// Fails if this user may not enter the directory.
    pub fn may_enter(&self, dir: &[u8]) -> Result<()> {
        self.reached(dir, |dir| fs::access(dir, Access::EXEC_OK))
    }

    /// The file system that a file is on.
    pub fn file_system(&self, file: &[u8]) -> Result<StatVfs> {
        self.reached(file, |file| fs::statvfs(file))
    }

    /// Does something to what is at the end of a path, through symbolic links.
    fn reached<T>(&self, file: &[u8], call: impl Fn(&Path) -> rustix::io::Result<T>) -> Result<T> {
        let result = match &self.root {
            None => rustix::io::retry_on_intr(|| call(paths::path(file))),
            Some(root) => {
                let file = root.reach(file, HANDLE, Mode::empty())?;
                let file = name_of(&file);
                rustix::io::retry_on_intr(|| call(&file))
            }
        };
        result.map_err(host_error)
    }

    /// A path cut before its last component, its directory opened.
    fn place<'a>(&self, file: &'a [u8]) -> Result<Place<'a>> {
        let Some(root) = &self.root else {
            return Ok(Place {
                dir: None,
                name: file,
            });
        };
        let (dir, name) = paths::split(file);
        let dir = root.reach(dir, HANDLE | OFlags::DIRECTORY, Mode::empty())?;
        Ok(Place {
            dir: Some(dir),
            // The root itself is in no directory.
            name: if name.is_empty() { b"." } else { name },
        })
    }
}

/// A name in an open directory.
struct Place<'a> {
    /// `None` if the name is a whole path.
    dir: Option<OwnedFd>,
    name: &'a [u8],
}

impl Place<'_> {
    fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_ref().map_or(CWD, AsFd::as_fd)
    }
}

impl Root {
    fn open(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let directory = fs::openat(CWD, &path, HANDLE | OFlags::DIRECTORY, Mode::empty())?;
        let root = Self { path, directory };
        // A host that cannot confine names shall say so now.
        root.resolve(b"/", HANDLE | OFlags::DIRECTORY, Mode::empty())?;
        Ok(root)
    }

    fn reach(&self, file: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd> {
        self.resolve(file, flags, mode).map_err(host_error)
    }

    fn resolve(&self, file: &[u8], flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        // The host refuses a mode for a file that it does not make.
        let mode = if flags.contains(OFlags::CREATE) {
            mode
        } else {
            Mode::empty()
        };
        let mut result = Err(Errno::AGAIN);
        for _ in 0..TRIES {
            result = fs::openat2(&self.directory, file, flags, mode, resolve);
            if !matches!(result, Err(Errno::AGAIN | Errno::INTR)) {
                break;
            }
        }
        result
    }
}

/// A name by which the host knows an open file, whatever other names it has.
fn name_of(file: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::error::FileError;

    /// A directory `in` with a file, beside a file that must not be seen, and links
    /// of all kinds that lead out.
    fn jail() -> (tempfile::TempDir, Tree) {
        let outside = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| outside.path().join(name);
        std::fs::create_dir_all(at("in/sub")).expect("directories");
        std::fs::write(at("secret"), "secret").expect("a file");
        std::fs::write(at("in/sub/plain"), "plain").expect("a file");
        symlink("../secret", at("in/up")).expect("a link");
        symlink("../..", at("in/sub/upper")).expect("a link");
        symlink(at("secret"), at("in/absolute")).expect("a link");
        symlink("/sub/plain", at("in/inner")).expect("a link");
        symlink("/proc/self/root", at("in/magic")).expect("a link");
        let tree = Tree::new(Some(&at("in")), false).expect("a tree");
        (outside, tree)
    }

    fn read(tree: &Tree, name: &str) -> Result<String> {
        let file = tree.open(name.as_bytes(), OFlags::RDONLY)?;
        Ok(io::read_to_string(file)?)
    }

    #[test]
    fn nothing_leads_out_of_a_confined_tree() {
        let (outside, tree) = jail();
        let secret = outside.path().join("secret");
        let names = [
            "/up".to_owned(),
            "/../secret".to_owned(),
            "/sub/../../secret".to_owned(),
            "/sub/upper/secret".to_owned(),
            "/absolute".to_owned(),
            "/magic/etc/passwd".to_owned(),
            secret.display().to_string(),
        ];
        for name in &names {
            let name = name.as_bytes();
            let refused = Err(FileError::NOT_FOUND);
            assert_eq!(tree.open(name, OFlags::RDONLY).map(drop), refused);
            assert_eq!(tree.stat(name).map(drop), refused);
            assert_eq!(tree.set_mode(name, 0o777), refused);
            assert_eq!(tree.set_times(name, &paths::modified_at(0)), refused);
        }
        // What these calls make or remove, if anything, is inside.
        for name in names.iter().map(String::as_bytes) {
            let _ = (tree.unlink(name), tree.rmdir(name), tree.mkdir(name));
            let _ = tree.rename(b"/sub/plain", name);
            let _ = tree.link(b"/sub/plain", name);
            let _ = tree.open(name, OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC);
        }
        assert_eq!(std::fs::read_to_string(&secret).expect("a file"), "secret");
        let left: Vec<_> = std::fs::read_dir(outside.path())
            .expect("entries")
            .collect();
        assert_eq!(left.len(), 2);
    }

    #[test]
    fn a_confined_tree_is_a_tree() {
        let (outside, tree) = jail();
        for name in ["/sub/plain", "/inner", "/sub/upper/../sub/plain"] {
            assert_eq!(read(&tree, name).as_deref(), Ok("plain"), "{name}");
        }
        tree.mkdir(b"/new").expect("made");
        tree.rename(b"/sub/plain", b"/new/file").expect("renamed");
        tree.link(b"/new/file", b"/new/other").expect("linked");
        tree.set_mode(b"/new/file", 0o600).expect("changed");
        tree.may_enter(b"/new").expect("entered");
        tree.file_system(b"/").expect("known");
        assert_eq!(
            tree.stat(b"/new/other").expect("a file").st_mode & 0o777,
            0o600
        );
        let mut names = tree.entries(b"/new").expect("entries");
        names.sort();
        assert_eq!(names, [&b"file"[..], b"other"]);
        let inside = outside.path().canonicalize().expect("a path").join("in");
        assert_eq!(tree.host_path(b"/sub/../new/x"), Ok(inside.join("new/x")));
        assert_eq!(tree.directory_seen(&inside.join("new")), b"/new");
        assert_eq!(tree.directory_seen(outside.path()), b"/");
    }

    #[test]
    fn a_tree_that_is_read_only_stays_as_it_is() {
        let (outside, _) = jail();
        let tree = Tree::new(Some(outside.path()), true).expect("a tree");
        let refused = Err(host_error(Errno::ROFS));
        let file = b"/in/sub/plain";
        assert_eq!(tree.open(file, OFlags::RDWR).map(drop), refused);
        assert_eq!(
            tree.open(b"/x", OFlags::CREATE | OFlags::WRONLY).map(drop),
            refused
        );
        assert_eq!(tree.unlink(file), refused);
        assert_eq!(tree.rmdir(b"/in/sub"), refused);
        assert_eq!(tree.mkdir(b"/x"), refused);
        assert_eq!(tree.rename(file, b"/x"), refused);
        assert_eq!(tree.link(file, b"/x"), refused);
        assert_eq!(tree.set_mode(file, 0o600), refused);
        assert_eq!(tree.set_times(file, &paths::modified_at(0)), refused);
        assert_eq!(tree.host_path(b"/x").map(drop), refused);
        assert_eq!(read(&tree, "/in/sub/plain").as_deref(), Ok("plain"));

        let devices = Tree::new(None, true).expect("a tree");
        devices
            .open(b"/dev/null", OFlags::WRONLY)
            .expect("a device");
    }

    #[test]
    fn a_root_must_be_a_directory() {
        let (outside, _) = jail();
        assert!(Tree::new(Some(&outside.path().join("secret")), false).is_err());
        assert!(Tree::new(Some(&outside.path().join("none")), false).is_err());
    }
}
