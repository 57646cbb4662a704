//! A temporary directory seen through the devices.

use std::fs;
use std::path::{Path, PathBuf};

use geiko_files::HostFiles;
use geiko_runtime::device::{Access, FILE_PAGE_BYTES, FileHost, Recognition};

/// Devices and a directory of their own.
pub struct Fixture {
    root: tempfile::TempDir,
    pub files: HostFiles,
}

impl Fixture {
    pub fn new() -> Self {
        Self {
            root: tempfile::tempdir().expect("a temporary directory"),
            files: HostFiles::new(None, false).expect("the whole tree"),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The Lisp name of a file in the directory, without a host.
    pub fn lisp(&self, name: &str) -> Vec<u8> {
        let root = self.root.path().to_str().expect("UTF-8");
        let dir = root.trim_start_matches('/').replace('/', ">");
        format!("{dir}>{name}").into_bytes()
    }

    /// The same with a host.
    pub fn full(&self, host: &str, name: &str) -> Vec<u8> {
        [format!("{{{host}}}<").into_bytes(), self.lisp(name)].concat()
    }

    /// `name` without the directory, for comparison.
    pub fn local(&self, name: &[u8]) -> String {
        let name = String::from_utf8(name.to_vec()).expect("UTF-8");
        let dir = String::from_utf8(self.lisp("")).expect("UTF-8");
        name.strip_prefix('<')
            .and_then(|name| name.strip_prefix(&dir))
            .unwrap_or(&name)
            .to_owned()
    }

    /// What GETFILENAME answers, or `-`.
    pub fn recognise(&self, name: &str, recognition: Recognition) -> String {
        self.files
            .get_filename(FileHost::Dsk, &self.lisp(name), recognition)
            .map_or_else(|_| "-".to_owned(), |found| self.local(&found))
    }

    /// Opens a `{DSK}` file, writes a text and closes it.
    pub fn write(&mut self, name: &str, recognition: Recognition, text: &str) {
        let full = self.full("DSK", name);
        let opened = self
            .files
            .open(&full, recognition, Access::Output)
            .expect("opened");
        self.files
            .write_page(opened.descriptor, 0, text.as_bytes())
            .expect("written");
        self.files
            .truncate(opened.descriptor, u32::try_from(text.len()).expect("short"))
            .expect("truncated");
        self.files.close(opened.descriptor, None).expect("closed");
    }

    /// The text of a `{DSK}` file; `None` if it does not open.
    pub fn read(&mut self, name: &str, recognition: Recognition) -> Option<String> {
        let full = self.full("DSK", name);
        let opened = self.files.open(&full, recognition, Access::Input).ok()?;
        let mut page = [0; FILE_PAGE_BYTES];
        let count = self
            .files
            .read_page(opened.descriptor, 0, &mut page)
            .expect("read");
        self.files.close(opened.descriptor, None).expect("closed");
        Some(String::from_utf8(page[..count].to_vec()).expect("UTF-8"))
    }

    /// The names that a pattern lists.
    pub fn list(&mut self, host: &str, pattern: &str) -> Vec<String> {
        let full = self.full(host, pattern);
        let Some(list) = self.files.generate(&full, false).expect("a list") else {
            return Vec::new();
        };
        let mut names = Vec::new();
        while let Some(file) = self.files.next_file(list.id) {
            names.push(String::from_utf8(file.name).expect("UTF-8"));
        }
        assert_eq!(names.len(), list.count);
        assert!(self.files.finish(list.id));
        assert!(!self.files.finish(list.id));
        names
    }

    /// The names of the files on the host, in order.
    pub fn host_names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.root())
            .expect("a directory")
            .map(|entry| {
                let name = entry.expect("an entry").file_name();
                name.into_string().expect("UTF-8")
            })
            .collect();
        names.sort();
        names
    }
}
