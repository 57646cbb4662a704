//! Random changes to families of versions, against a model of the rules of
//! `reference/devices.md` section 6.2.
//!
//! The model keeps the content of each numbered version and what the plain
//! file is. Some of the changes are those of other programs, which know
//! nothing of versions.

use std::collections::BTreeMap;
use std::fs;

use crate::fixture::Fixture;
use geiko_runtime::device::{FileHost, Recognition};
use proptest::prelude::*;

/// What the plain file is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Plain {
    Absent,
    /// A link to this version.
    Linked(u32),
    /// A file of its own, with this content.
    Own(String),
}

/// One family.
#[derive(Debug, Clone)]
struct Model {
    numbered: BTreeMap<u32, String>,
    plain: Plain,
}

impl Model {
    const fn new() -> Self {
        Self {
            numbered: BTreeMap::new(),
            plain: Plain::Absent,
        }
    }

    fn highest_numbered(&self) -> u32 {
        self.numbered.keys().next_back().copied().unwrap_or(0)
    }

    /// The versions and contents that Lisp sees.
    fn view(&self) -> BTreeMap<u32, String> {
        let mut view = self.numbered.clone();
        if let Plain::Own(content) = &self.plain {
            view.insert(self.highest_numbered() + 1, content.clone());
        }
        view
    }

    fn newest(&self) -> Option<u32> {
        self.view().keys().next_back().copied()
    }

    /// DELFILE without a version. A loose plain file is the newest of all, so
    /// it is the oldest only if it is alone.
    fn oldest(&self) -> Option<u32> {
        self.view().keys().next().copied()
    }

    fn next(&self) -> u32 {
        self.newest().unwrap_or(0) + 1
    }

    /// The link is put right; `name_alone` also names a file that is alone.
    fn maintain(&mut self, name_alone: bool) {
        let highest = self.highest_numbered();
        match &self.plain {
            Plain::Own(content) if highest > 0 || name_alone => {
                self.numbered.insert(highest + 1, content.clone());
                self.plain = Plain::Linked(highest + 1);
            }
            Plain::Own(_) => {}
            Plain::Absent | Plain::Linked(_) if highest > 0 => self.plain = Plain::Linked(highest),
            Plain::Absent | Plain::Linked(_) => self.plain = Plain::Absent,
        }
    }

    /// OUTPUT to a new file.
    fn create(&mut self, version: Option<u32>, content: &str) -> u32 {
        let version = version.unwrap_or_else(|| self.next());
        if self.view().contains_key(&version) {
            self.overwrite(version, content);
            self.maintain(false);
        } else if version == 1 && self.view().is_empty() {
            self.plain = Plain::Own(content.to_owned());
        } else {
            self.maintain(true);
            self.numbered.insert(version, content.to_owned());
            self.maintain(false);
        }
        version
    }

    fn overwrite(&mut self, version: u32, content: &str) {
        match self.numbered.get_mut(&version) {
            Some(old) => content.clone_into(old),
            None => self.plain = Plain::Own(content.to_owned()),
        }
    }

    fn delete(&mut self, version: u32) {
        if self.numbered.remove(&version).is_none() {
            self.plain = Plain::Absent;
        } else if self.plain == Plain::Linked(version) {
            self.plain = Plain::Absent;
            self.maintain(false);
        }
    }
}

/// One change. Families are 0 and 1.
#[derive(Debug, Clone)]
enum Change {
    Create(usize, Option<u32>),
    Delete(usize, Option<u32>),
    Rename(usize, Option<u32>, usize, Option<u32>),
    /// Another program replaces the plain file by a new one.
    Replace(usize),
    /// Another program removes the plain file.
    Remove(usize),
    /// Another program writes into the plain file.
    Edit(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let version = || prop_oneof![2 => Just(None), 1 => (1..6u32).prop_map(Some)];
    let family = 0..2usize;
    prop_oneof![
        4 => (family.clone(), version()).prop_map(|(f, v)| Change::Create(f, v)),
        3 => (family.clone(), version()).prop_map(|(f, v)| Change::Delete(f, v)),
        3 => (family.clone(), version(), family.clone(), version())
            .prop_map(|(f, v, t, w)| Change::Rename(f, v, t, w)),
        1 => family.clone().prop_map(Change::Replace),
        1 => family.clone().prop_map(Change::Remove),
        1 => family.prop_map(Change::Edit),
    ]
}

const NAMES: [&str; 2] = ["alpha.txt", "beta."];
const HOST_NAMES: [&str; 2] = ["alpha.txt", "beta"];

/// Both sides, with a counter that makes contents different.
struct World {
    fixture: Fixture,
    models: [Model; 2],
    contents: u32,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            fixture: Fixture::new(),
            models: [Model::new(), Model::new()],
            contents: 0,
        };
        // Lower case on the host, so that upper case in Lisp means something.
        for (family, name) in HOST_NAMES.iter().enumerate() {
            fs::write(world.fixture.path(name), "first").expect("a file");
            world.models[family].plain = Plain::Own("first".to_owned());
        }
        world
    }

    /// A name for Lisp to use: in the wrong case if there is a file to give the
    /// right one.
    fn lisp_name(&self, family: usize, version: Option<u32>) -> String {
        let mut name = NAMES[family].to_owned();
        if self.models[family].newest().is_some() {
            name.make_ascii_uppercase();
        }
        version.map_or_else(|| name.clone(), |version| format!("{name};{version}"))
    }

    fn content(&mut self) -> String {
        self.contents += 1;
        format!("content {}", self.contents)
    }

    fn apply(&mut self, change: &Change) {
        let content = self.content();
        match *change {
            Change::Create(family, version) => {
                let name = self.lisp_name(family, version);
                self.fixture.write(&name, Recognition::New, &content);
                self.models[family].create(version, &content);
            }
            Change::Delete(family, version) => {
                let name = self.fixture.lisp(&self.lisp_name(family, version));
                let deleted = self.fixture.files.delete(FileHost::Dsk, &name).is_ok();
                let model = &mut self.models[family];
                let victim = version
                    .or_else(|| model.oldest())
                    .filter(|victim| model.view().contains_key(victim));
                assert_eq!(deleted, victim.is_some());
                if let Some(victim) = victim {
                    model.delete(victim);
                }
            }
            Change::Rename(from, version, to, new_version) => {
                self.rename((from, version), (to, new_version));
            }
            Change::Replace(family) => {
                let path = self.fixture.path(HOST_NAMES[family]);
                let _ = fs::remove_file(&path);
                fs::write(path, &content).expect("a file");
                self.models[family].plain = Plain::Own(content);
            }
            Change::Remove(family) => {
                let _ = fs::remove_file(self.fixture.path(HOST_NAMES[family]));
                self.models[family].plain = Plain::Absent;
            }
            Change::Edit(family) => {
                let path = self.fixture.path(HOST_NAMES[family]);
                let model = &mut self.models[family];
                if path.exists() {
                    fs::write(path, &content).expect("a file");
                }
                match model.plain {
                    Plain::Absent => {}
                    Plain::Linked(version) => model.overwrite(version, &content),
                    Plain::Own(_) => model.plain = Plain::Own(content),
                }
            }
        }
    }

    fn rename(&mut self, from: (usize, Option<u32>), to: (usize, Option<u32>)) {
        let from_name = self.fixture.lisp(&self.lisp_name(from.0, from.1));
        let to_name = self.fixture.lisp(&self.lisp_name(to.0, to.1));
        let renamed = self
            .fixture
            .files
            .rename(FileHost::Dsk, &from_name, &to_name)
            .is_ok();

        let view = self.models[from.0].view();
        let source = from
            .1
            .or_else(|| self.models[from.0].newest())
            .filter(|source| view.contains_key(source));
        assert_eq!(renamed, source.is_some());
        let Some(source) = source else { return };

        let target_model = &mut self.models[to.0];
        target_model.maintain(false);
        let target = to.1.unwrap_or_else(|| target_model.next());
        if from.0 == to.0 && source == target {
            return;
        }
        let content = view[&source].clone();
        // A file that is alone gets its number when it gets company.
        let alone = target_model.numbered.is_empty() && target_model.plain != Plain::Absent;
        if alone && target != 1 {
            target_model.maintain(true);
        }
        self.models[from.0].delete(source);
        let target_model = &mut self.models[to.0];
        if target == 1 && (target_model.view().is_empty() && from.0 != to.0 || alone) {
            target_model.plain = Plain::Own(content);
        } else {
            if target_model.plain == Plain::Linked(target) {
                target_model.plain = Plain::Absent;
            }
            target_model.numbered.insert(target, content);
            target_model.maintain(false);
        }
    }

    fn check(&mut self) {
        for family in [0, 1] {
            let view = self.models[family].view();
            let name = self.lisp_name(family, None);
            let shown = |version: &u32| format!("{};{version}", NAMES[family]);

            let listed = self.fixture.list("DSK", &format!("{name};*"));
            let expected: Vec<String> = view.keys().rev().map(shown).collect();
            assert_eq!(listed, expected);

            let newest = self.models[family].newest();
            let listed = self.fixture.list("DSK", &format!("{name};"));
            assert_eq!(listed, newest.iter().map(shown).collect::<Vec<_>>());

            for version in 1..12 {
                let name = self.lisp_name(family, Some(version));
                let content = self.fixture.read(&name, Recognition::Old);
                assert_eq!(content.as_ref(), view.get(&version), "{name}");
            }
            let old = newest.as_ref().map_or_else(|| "-".to_owned(), shown);
            assert_eq!(self.fixture.recognise(&name, Recognition::Old), old);
            let oldest = self.models[family].oldest();
            let oldest = oldest.as_ref().map_or_else(|| "-".to_owned(), shown);
            assert_eq!(self.fixture.recognise(&name, Recognition::Oldest), oldest);
            if newest.is_some() {
                let next = self.models[family].next();
                assert_eq!(
                    self.fixture.recognise(&name, Recognition::New),
                    shown(&next)
                );
            }
            self.check_plain(family);
        }
    }

    /// The plain file on the host is what the model says.
    fn check_plain(&self, family: usize) {
        let content = fs::read_to_string(self.fixture.path(HOST_NAMES[family])).ok();
        let model = &self.models[family];
        let expected = match &model.plain {
            Plain::Absent => None,
            Plain::Linked(version) => Some(model.numbered[version].clone()),
            Plain::Own(content) => Some(content.clone()),
        };
        assert_eq!(content, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn families_follow_the_rules(changes in prop::collection::vec(change(), 1..30)) {
        let mut world = World::new();
        for change in &changes {
            world.apply(change);
            world.check();
        }
    }
}
