//! Folders for what the program keeps, as the platform has them.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use etcetera::{AppStrategy, AppStrategyArgs};

fn strategy() -> Option<impl AppStrategy> {
    etcetera::choose_app_strategy(AppStrategyArgs {
        top_level_domain: "org".into(),
        author: "geiko".into(),
        app_name: "geiko".into(),
    })
    .ok()
}

/// Where the user's settings are; `None` without a home folder.
pub fn configuration() -> Option<PathBuf> {
    Some(strategy()?.config_dir())
}

/// Where things are that can be made again.
pub fn cache() -> Option<PathBuf> {
    Some(strategy()?.cache_dir())
}

/// Where the program remembers things from one session to the next.
pub fn state() -> Option<PathBuf> {
    let strategy = strategy()?;
    Some(strategy.state_dir().unwrap_or_else(|| strategy.data_dir()))
}

/// Where things are that last as long as the user is logged in, or else among the
/// temporary files; nobody else can enter.
pub fn private_runtime() -> io::Result<PathBuf> {
    match strategy().and_then(|strategy| strategy.runtime_dir()) {
        Some(folder) => private(folder),
        None => private_temporary(),
    }
}

/// A folder among the temporary files that nobody else can enter.
pub fn private_temporary() -> io::Result<PathBuf> {
    let user = rustix::process::getuid().as_raw();
    private(std::env::temp_dir().join(format!("geiko-{user}")))
}

fn private(folder: PathBuf) -> io::Result<PathBuf> {
    let user = rustix::process::getuid().as_raw();
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)?;
    let metadata = fs::symlink_metadata(&folder)?;
    if !metadata.is_dir() || metadata.uid() != user {
        return Err(io::Error::other("it belongs to somebody else"));
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
    Ok(folder)
}

/// Writes a file of these folders, with the folder, so that it is whole or not there.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = fs::write(&beside, content).and_then(|()| fs::rename(&beside, path));
    written.inspect_err(|_| {
        // What cannot be removed stays.
        let _ = fs::remove_file(&beside);
    })
}
