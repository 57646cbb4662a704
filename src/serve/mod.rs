//! The screen of sessions in browsers.
//!
//! Each session is a process of its own, which shows its screen through a socket
//! (`display/remote.rs`); the server starts it and passes on what it shows to whoever
//! looks. Who loses the connection finds the session as it is.
//!
//! - `guard`: who may talk to the server;
//! - `site`: the pages and what they can ask;
//! - `session`: a session's process and what there is to see;
//! - `viewer`: a tab that looks at it; `patch`: what it has to draw.

mod guard;
mod patch;
mod session;
mod site;
mod viewer;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::sessions::{SessionError, Sessions};
use guard::Guard;
use session::{Ending, Live, Start};

pub use guard::random_token;
pub use viewer::Manner;

/// Requests that are answered at the same time; tabs that look at a session are not
/// among them.
const MOST_CONNECTIONS: usize = 64;
/// Sessions that run at the same time.
const MOST_SESSIONS: usize = 32;
/// A request takes no longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// A line and headers that are longer are refused.
const LONGEST_HEAD: usize = 16 << 10;
/// How long sessions may take to end when the server does.
const LAST_PATIENCE: Duration = Duration::from_secs(12);
/// Extensions of images in a folder.
const IMAGES: [&str; 2] = ["sysout", "virtualmem"];

/// How to serve.
#[derive(Debug)]
pub struct Options {
    /// Images, and folders of them.
    pub images: Vec<PathBuf>,
    /// Where the server listens.
    pub listen: SocketAddr,
    /// What browsers have to know, if anything.
    pub token: Option<String>,
    /// Names that browsers may know the server by.
    pub hosts: Vec<String>,
    /// How tabs are.
    pub manner: Manner,
    /// Options of `geiko run` for all sessions.
    pub run: Vec<OsString>,
    /// They say where images are saved.
    pub says_where: bool,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is no good.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// An image or folder is not there.
    #[error("cannot open {}: {source}", path.display())]
    NoImage {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A session does not start.
    #[error("cannot start a session of {}: {problem}", image.display())]
    Start {
        /// Its image.
        image: PathBuf,
        /// Why.
        problem: Problem,
    },
    /// The host does not give what every server needs.
    #[error("cannot serve: {0}")]
    Host(#[from] io::Error),
}

/// Why something that a page asks for is not done.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// There is no such image or session.
    #[error("there is no such image or session here")]
    Unknown,
    /// The server is full.
    #[error("there are too many already")]
    TooMany,
    /// The session is not in the state for it.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The host refuses.
    #[error("the session does not start: {0}")]
    Start(#[from] io::Error),
}

/// The server's state.
#[derive(Debug)]
struct House {
    options: Options,
    guard: Guard,
    program: PathBuf,
    sessions: Sessions,
    live: Mutex<BTreeMap<String, Arc<Live>>>,
}

/// Serves until a signal ends it, whose number is returned.
pub fn serve(options: Options, sessions: Sessions) -> Result<i32, ServeError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async { House::open_doors(options, sessions).await })
}

impl House {
    async fn open_doors(options: Options, sessions: Sessions) -> Result<i32, ServeError> {
        for path in &options.images {
            std::fs::metadata(path).map_err(|source| ServeError::NoImage {
                path: path.clone(),
                source,
            })?;
        }
        let listener = TcpListener::bind(options.listen).await;
        let listener = listener.map_err(|source| ServeError::Listen {
            address: options.listen,
            source,
        })?;
        let address = listener.local_addr()?;
        let mut signals = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ];
        let house = Arc::new(Self {
            guard: Guard::new(options.token.clone(), options.hosts.clone(), address.port()),
            program: std::env::current_exe()?,
            sessions,
            live: Mutex::default(),
            options,
        });
        let mut path = "/".to_owned();
        if let [image] = house.options.images.as_slice()
            && image.is_file()
        {
            let name = house.begin(image, &house.sessions.name_of(image));
            let name = name.map_err(|problem| ServeError::Start {
                image: image.clone(),
                problem,
            })?;
            path = format!("/session/{name}");
        }
        if house.options.token.is_none() && !address.ip().is_loopback() {
            eprintln!("geiko: whoever reaches {address} can use these sessions and your files");
        }
        println!("http://{}{}", reachable(address), house.guard.link(&path));
        io::stdout().flush()?;
        let accept = accept(&listener, site::router(Arc::clone(&house)));
        let signal = tokio::select! {
            () = accept => unreachable!("it never ends"),
            number = first(&mut signals) => number,
        };
        drop(listener);
        house.close(&mut signals).await;
        Ok(signal)
    }

    /// Ends the sessions; whoever asks twice does not want to wait.
    async fn close(&self, signals: &mut [Signal]) {
        let all: Vec<_> = self.all().values().cloned().collect();
        for live in &all {
            live.terminate();
        }
        let ends = async {
            for live in &all {
                // An error means that it has ended.
                let _ = live.end().wait_for(Option::is_some).await;
            }
        };
        tokio::select! {
            () = ends => {}
            () = sleep(LAST_PATIENCE) => {}
            _ = first(signals) => all.iter().for_each(|live| live.terminate()),
        }
    }

    fn guard(&self) -> &Guard {
        &self.guard
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self, name: &str) -> Option<Arc<Live>> {
        self.all().get(name).cloned()
    }

    /// The images that can be opened. Pages name them as they are listed, and nothing
    /// else can be opened.
    fn images(&self) -> Vec<PathBuf> {
        let mut images = Vec::new();
        for path in &self.options.images {
            if path.is_dir() {
                let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
                let mut inside: Vec<_> = entries
                    .map(|entry| entry.path())
                    .filter(|path| {
                        let extension = path.extension().unwrap_or_default();
                        IMAGES
                            .iter()
                            .any(|known| extension.eq_ignore_ascii_case(known))
                    })
                    .collect();
                inside.sort();
                images.append(&mut inside);
            } else {
                images.push(path.clone());
            }
        }
        images
    }

    /// What the start page shows.
    fn list(&self) -> Value {
        let images: Vec<_> = self
            .images()
            .iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        let live = self.all();
        let mut sessions: Vec<_> = live
            .values()
            .map(|live| {
                json!({
                    "name": live.name(),
                    "image": live.image().to_string_lossy(),
                    "state": "open",
                    "viewers": live.viewers(),
                })
            })
            .collect();
        for session in self.sessions.list() {
            if live.contains_key(&session.name) {
                continue;
            }
            let saved = session
                .images()
                .first()
                .and_then(|(_, time)| time.elapsed().ok());
            let state = match (session.process, saved) {
                (Some(_), _) => "elsewhere",
                (None, Some(_)) => "saved",
                (None, None) => continue,
            };
            sessions.push(json!({
                "name": session.name,
                "image": session.origin(),
                "state": state,
                "age": saved.map(|age| age.as_secs()),
            }));
        }
        json!({ "images": images, "sessions": sessions })
    }

    /// Opens an image in a new session; its name.
    fn open(self: &Arc<Self>, image: &str) -> Result<String, Problem> {
        let images = self.images();
        let image = images.iter().find(|path| path.to_string_lossy() == image);
        let image = image.ok_or(Problem::Unknown)?;
        self.begin(image, &self.sessions.name_of(image))
    }

    /// Goes on with what a session left; its name.
    fn resume(self: &Arc<Self>, name: &str) -> Result<String, Problem> {
        if self.live(name).is_some() {
            return Ok(name.into());
        }
        let image = self.sessions.find(name)?.newest_image()?;
        self.begin(&image, name)
    }

    fn begin(self: &Arc<Self>, image: &Path, name: &str) -> Result<String, Problem> {
        if self.all().len() >= MOST_SESSIONS {
            return Err(Problem::TooMany);
        }
        let name = self.sessions.free_name(name, image)?;
        let mut options = self.options.run.clone();
        if !self.options.says_where {
            // Several sessions cannot all save where one usually does.
            options.extend(["--save-to".into(), self.sessions.saved_image(&name).into()]);
        }
        let start = Start {
            name: name.clone(),
            image: image.into(),
            options,
        };
        let (live, ending) = Live::start(&self.program, start)?;
        self.all().insert(name.clone(), live);
        tokio::spawn(Arc::clone(self).see_off(name.clone(), ending));
        Ok(name)
    }

    /// Forgets a session when it has ended.
    async fn see_off(self: Arc<Self>, name: String, ending: Ending) {
        ending.wait().await;
        self.all().remove(&name);
    }

    /// Has a session save itself and end.
    fn quit(&self, name: &str) -> Result<(), Problem> {
        let live = self.live(name).ok_or(Problem::Unknown)?;
        live.save_and_end();
        Ok(())
    }
}

/// Answers requests.
async fn accept(listener: &TcpListener, router: axum::Router) {
    let permits = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // No more files can be open, perhaps; some will be closed.
                tracing::warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
            continue;
        };
        let router = router.clone();
        tokio::spawn(async move {
            // Who is too slow or says something strange is left alone.
            let _ = timeout(PATIENCE, answer(stream, router)).await;
            drop(permit);
        });
    }
}

async fn answer(stream: TcpStream, router: axum::Router) -> hyper::Result<()> {
    // What a key does is to be seen at once.
    let _ = stream.set_nodelay(true);
    hyper::server::conn::http1::Builder::new()
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades()
        .await
}

/// The number of the first signal that comes.
async fn first(signals: &mut [Signal]) -> i32 {
    let [interrupt, terminate, hangup] = signals else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt(),
        _ = terminate.recv() => SignalKind::terminate(),
        _ = hangup.recv() => SignalKind::hangup(),
    }
    .as_raw_value()
}

/// An address that a browser on this machine can use.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
