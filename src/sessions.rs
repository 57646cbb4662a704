//! Sessions by name: what is running, and what was saved of sessions that ended.
//!
//! Each has a folder among the program's state, with what there is to know of it, the
//! images that were saved without the user asking, and a file that the session locks as
//! long as it runs. A folder without images goes with its session.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::folders;

const LOCK: &str = "lock";
const ABOUT: &str = "session.json";
/// The image of a session that was ended from outside.
pub const RECOVERY: &str = "recovery.sysout";
/// The image that a session saves when nobody said where.
const SAVED: &str = "saved.sysout";
/// A link to the image of a session that had to be saved elsewhere.
const ELSEWHERE: &str = "elsewhere.sysout";
const AUTOSAVE: &str = "autosave-";
const IMAGE_EXTENSION: &str = "sysout";
/// Sessions that have the same name, but for a number.
const MOST_ALIKE: u32 = 1000;

/// Why something cannot be done with a session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is no home folder.
    #[error("there is no folder for sessions: no home folder is known")]
    NoFolder,
    /// There is no such session.
    #[error("there is no session {0}; geiko sessions lists them")]
    Unknown(String),
    /// The name is no name.
    #[error("{0} is no name for a session: letters, digits and . _ - only")]
    BadName(String),
    /// Another session has the name.
    #[error("there is a session {0} already")]
    Taken(String),
    /// It runs.
    #[error("session {0} is running")]
    Running(String),
    /// It does not run.
    #[error("session {0} is not running")]
    NotRunning(String),
    /// Nothing was saved.
    #[error("session {0} has left no image")]
    NoImage(String),
    /// The host refuses.
    #[error("cannot use {}: {source}", path.display())]
    Host {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn host_error(path: &Path) -> impl FnOnce(io::Error) -> SessionError + use<> {
    let path = path.to_path_buf();
    move |source| SessionError::Host { path, source }
}

/// The sessions of a user.
#[derive(Clone, Debug)]
pub struct Sessions(PathBuf);

/// One of them, as others see it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its name.
    pub name: String,
    folder: PathBuf,
    /// The process in which it runs, if it does.
    pub process: Option<u32>,
    about: Value,
}

/// The folder of a session that runs here.
#[derive(Debug)]
pub struct Running {
    name: String,
    folder: PathBuf,
    /// The image that it began with.
    image: Option<PathBuf>,
    _lock: File,
}

impl Sessions {
    /// The sessions of this user.
    pub fn of_user() -> Result<Self, SessionError> {
        let state = folders::state().ok_or(SessionError::NoFolder)?;
        Ok(Self(state.join("sessions")))
    }

    /// Sessions of this user for which there is no place elsewhere. Nobody lists them.
    pub fn temporary() -> Result<Self, SessionError> {
        let folder = folders::private_temporary();
        let folder = folder.map_err(host_error(&std::env::temp_dir()))?;
        Ok(Self(folder.join("sessions")))
    }

    /// The sessions in a folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self(folder.into())
    }

    /// Begins a session with that name or, unless it `must` have it, a similar one.
    pub fn begin(&self, name: &str, must: bool, about: Value) -> Result<Running, SessionError> {
        let name = if must { checked(name)? } else { &cleaned(name) };
        let image = about["image"].as_str().map(PathBuf::from);
        for name in alike(name) {
            let folder = self.0.join(&name);
            if let Some(lock) = take(&folder)? {
                // What was saved of an earlier session is not to be overwritten, unless
                // this is what goes on.
                let goes_on = image.as_deref().and_then(Path::parent) == Some(&folder);
                if goes_on || images(&folder).is_empty() {
                    let mut about = about;
                    about["process"] = std::process::id().into();
                    let file = folder.join(ABOUT);
                    let text = about.to_string();
                    folders::write(&file, text.as_bytes()).map_err(host_error(&file))?;
                    return Ok(Running {
                        name,
                        folder,
                        image,
                        _lock: lock,
                    });
                }
            }
            if must {
                return Err(SessionError::Taken(name));
            }
        }
        Err(SessionError::Taken(name.into()))
    }

    /// What to call a session of an image: as the image, or as the session that it was
    /// saved of.
    pub fn name_of(&self, image: &Path) -> String {
        let folder = image
            .parent()
            .filter(|folder| folder.parent() == Some(&self.0));
        let name = folder.and_then(Path::file_name).or(image.file_stem());
        name.unwrap_or_default().to_string_lossy().into_owned()
    }

    /// A name for a session of `image` that no other one has: this one, or a similar one.
    pub fn free_name(&self, name: &str, image: &Path) -> Result<String, SessionError> {
        let name = cleaned(name);
        let mut names = alike(&name);
        let free = names.find(|name| {
            let folder = self.0.join(name);
            let goes_on = image.parent() == Some(&folder);
            !is_locked(&folder) && (goes_on || images(&folder).is_empty())
        });
        free.ok_or_else(|| SessionError::Taken(name.clone()))
    }

    /// Where the session with that name saves when nobody said where.
    pub fn saved_image(&self, name: &str) -> PathBuf {
        self.0.join(name).join(SAVED)
    }

    /// All sessions, by name.
    pub fn list(&self) -> Vec<Session> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut sessions: Vec<_> = names.filter_map(|name| self.find(&name).ok()).collect();
        sessions.sort_by(|a, b| a.name.cmp(&b.name));
        sessions
    }

    /// The session with that name.
    pub fn find(&self, name: &str) -> Result<Session, SessionError> {
        let folder = self.0.join(checked(name)?);
        let unknown = |_| SessionError::Unknown(name.into());
        let text = fs::read(folder.join(ABOUT)).map_err(unknown)?;
        let about: Value = serde_json::from_slice(&text).unwrap_or_default();
        let process = about["process"].as_u64().unwrap_or_default() as u32;
        Ok(Session {
            name: name.into(),
            process: is_locked(&folder).then_some(process),
            folder,
            about,
        })
    }

    /// Gives a session that has ended another name.
    pub fn rename(&self, name: &str, new: &str) -> Result<(), SessionError> {
        let session = self.find(name)?;
        session.must_have_ended()?;
        let folder = self.0.join(checked(new)?);
        if folder.exists() {
            return Err(SessionError::Taken(new.into()));
        }
        fs::rename(&session.folder, &folder).map_err(host_error(&session.folder))
    }

    /// Forgets a session that has ended, and what was saved of it.
    pub fn remove(&self, name: &str) -> Result<(), SessionError> {
        let session = self.find(name)?;
        session.must_have_ended()?;
        fs::remove_dir_all(&session.folder).map_err(host_error(&session.folder))
    }
}

impl Session {
    fn must_have_ended(&self) -> Result<(), SessionError> {
        match self.process {
            Some(_) => Err(SessionError::Running(self.name.clone())),
            None => Ok(()),
        }
    }

    /// The newest image that was saved of it, if it has ended.
    pub fn newest_image(&self) -> Result<PathBuf, SessionError> {
        self.must_have_ended()?;
        let newest = self.images().into_iter().next();
        let (image, _) = newest.ok_or_else(|| SessionError::NoImage(self.name.clone()))?;
        Ok(image)
    }

    /// The image that it began with.
    pub fn origin(&self) -> Option<&str> {
        self.about["image"].as_str()
    }

    /// Where its Lisp saves, if somebody said so.
    pub fn save_to(&self) -> Option<&str> {
        self.about["save_to"].as_str()
    }

    /// What was saved of it, the newest first.
    pub fn images(&self) -> Vec<(PathBuf, SystemTime)> {
        images(&self.folder)
    }
}

impl Running {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its image goes when it is ended from outside: the first of these that the
    /// host lets it have. Beside its own folder that is where its Lisp saves, where its
    /// image came from, and a folder for temporary files.
    pub fn recoveries(&self, usual: Option<&Path>) -> Vec<PathBuf> {
        let mut places = vec![self.folder.join(RECOVERY)];
        let files = [usual, self.image.as_deref()].into_iter().flatten();
        let absolute = files.filter_map(|file| std::path::absolute(file).ok());
        let others = absolute.filter_map(|file| Some(file.parent()?.to_path_buf()));
        for folder in others.chain(folders::private_temporary().ok()) {
            if places.iter().any(|place| place.parent() == Some(&folder)) {
                continue;
            }
            let name = format!("{}-recovery", self.name);
            let mut files =
                alike(&name).map(|name| folder.join(format!("{name}.{IMAGE_EXTENSION}")));
            places.extend(files.find(|file| file.symlink_metadata().is_err()));
        }
        places
    }

    /// Its image is at `path`, one of [`Running::recoveries`].
    pub fn note_recovery(&self, path: &Path) {
        if path.parent() != Some(&self.folder) {
            let link = self.folder.join(ELSEWHERE);
            // Where there is no room for this link the user has been told the name.
            let _ = fs::remove_file(&link);
            let _ = std::os::unix::fs::symlink(path, &link);
        }
    }

    /// Where its next automatic image goes.
    pub fn next_autosave(&self) -> PathBuf {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let seconds = now.map_or(0, |now| now.as_secs());
        let name = format!("{AUTOSAVE}{seconds}.{IMAGE_EXTENSION}");
        self.folder.join(name)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if images(&self.folder).is_empty() {
            // What cannot be removed is listed as a session that left nothing.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Keeps only the newest automatic images of a folder.
pub fn prune(folder: &Path, keep: usize) {
    let automatic = images(folder).into_iter().filter(|(path, _)| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(AUTOSAVE)
    });
    for (path, _) in automatic.skip(keep) {
        // One that cannot be removed now goes the next time.
        let _ = fs::remove_file(path);
    }
}

fn images(folder: &Path) -> Vec<(PathBuf, SystemTime)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut images: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == IMAGE_EXTENSION))
        .filter_map(|path| {
            let time = path.metadata().ok()?.modified().ok()?;
            Some((path, time))
        })
        .collect();
    images.sort_by(|a, b| (b.1, &b.0).cmp(&(a.1, &a.0)));
    images
}

/// Makes the folder of a session and takes its lock, unless somebody has it.
fn take(folder: &Path) -> Result<Option<File>, SessionError> {
    fs::create_dir_all(folder).map_err(host_error(folder))?;
    let path = folder.join(LOCK);
    let file = File::create(&path).map_err(host_error(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(SessionError::Host { path, source }),
    }
}

fn is_locked(folder: &Path) -> bool {
    let lock = File::open(folder.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// A name, and similar ones.
fn alike(name: &str) -> impl Iterator<Item = String> {
    (1..=MOST_ALIKE).map(move |number| match number {
        1 => name.to_string(),
        _ => format!("{name}-{number}"),
    })
}

fn is_name_character(c: char) -> bool {
    c.is_alphanumeric() || "._-".contains(c)
}

fn checked(name: &str) -> Result<&str, SessionError> {
    let starts_well = name.starts_with(char::is_alphanumeric);
    if starts_well && name.len() <= 100 && name.chars().all(is_name_character) {
        Ok(name)
    } else {
        Err(SessionError::BadName(name.into()))
    }
}

/// A name made of the name of an image.
fn cleaned(name: &str) -> String {
    let name: String = name.chars().filter(|&c| is_name_character(c)).collect();
    let name = name.trim_start_matches(|c: char| !c.is_alphanumeric());
    let name: String = name.chars().take(20).collect();
    if name.is_empty() {
        "session".into()
    } else {
        name
    }
}

/// What there is to know of a session.
pub fn about(image: &Path, save_to: Option<&Path>) -> Value {
    let absolute = |path: &Path| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
        path.to_string_lossy().into_owned()
    };
    json!({ "image": absolute(image), "save_to": save_to.map(absolute) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(sessions: &Sessions, name: &str) -> Running {
        let about = about(Path::new("/x/lisp.sysout"), Some(Path::new("/y")));
        sessions.begin(name, false, about).unwrap()
    }

    #[test]
    fn names_are_for_one_session_and_what_it_left() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::in_folder(folder.path());
        let first = begin(&sessions, "li sp/");
        let second = begin(&sessions, "lisp");
        assert_eq!((first.name(), second.name()), ("lisp", "lisp-2"));
        let listed = sessions.list();
        assert_eq!(listed.len(), 2);
        assert_eq!(listed[1].process, Some(std::process::id()));
        assert_eq!(listed[0].origin(), Some("/x/lisp.sysout"));
        assert_eq!(listed[0].save_to(), Some("/y"));
        let taken = sessions.begin("lisp", true, Value::Null).unwrap_err();
        assert!(matches!(taken, SessionError::Taken(_)));
        for result in [sessions.remove("lisp"), sessions.rename("lisp", "new")] {
            assert!(matches!(result, Err(SessionError::Running(_))));
        }
        let places = first.recoveries(Some(&folder.path().join("y")));
        assert_eq!(places[0], folder.path().join("lisp").join(RECOVERY));
        assert_eq!(places[1], folder.path().join("lisp-recovery.sysout"));
        assert_eq!(places[2], Path::new("/x/lisp-recovery.sysout"));
        assert_eq!(places.len(), 4);
        fs::write(&places[1], "image").unwrap();
        assert_ne!(first.recoveries(Some(&places[1])), places);
        first.note_recovery(&places[1]);
        drop((first, second));
        let listed = sessions.list();
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].name.as_str(), listed[0].process), ("lisp", None));
        assert_eq!(listed[0].images().len(), 1);
        assert_eq!(begin(&sessions, "lisp").name(), "lisp-2");
        sessions.rename("lisp", "old").unwrap();
        assert_eq!(begin(&sessions, "lisp").name(), "lisp");
        let saved = sessions.find("old").unwrap().newest_image().unwrap();
        assert_eq!(fs::read_to_string(&saved).unwrap(), "image");
        assert_eq!(sessions.name_of(&saved), "old");
        assert_eq!(sessions.name_of(Path::new("/x/full.sysout")), "full");
        sessions.remove("old").unwrap();
        assert!(sessions.list().is_empty());
    }

    #[test]
    fn names_do_not_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::in_folder(folder.path());
        for name in ["", ".", "..", "../x", "a/b", "-x", "a b"] {
            assert!(matches!(sessions.find(name), Err(SessionError::BadName(_))));
            let begun = sessions.begin(name, true, Value::Null);
            assert!(matches!(begun, Err(SessionError::BadName(_))), "{name}");
            assert!(checked(&cleaned(name)).is_ok(), "{name}");
        }
        assert!(matches!(sessions.find("a"), Err(SessionError::Unknown(_))));
    }

    #[test]
    fn only_the_newest_automatic_images_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::in_folder(folder.path());
        let running = begin(&sessions, "lisp");
        fs::write(&running.recoveries(None)[0], "").unwrap();
        for second in 1..=5 {
            let path = running.folder().join(format!("autosave-{second}.sysout"));
            fs::write(&path, "").unwrap();
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
            File::options()
                .append(true)
                .open(path)
                .unwrap()
                .set_modified(time)
                .unwrap();
        }
        prune(running.folder(), 2);
        let left: Vec<_> = images(running.folder())
            .into_iter()
            .map(|(path, _)| path.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(left, [RECOVERY, "autosave-5.sysout", "autosave-4.sysout"]);
    }
}
