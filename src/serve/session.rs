//! A session in a process of its own, and what its viewers are to see.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixStream as SyncStream;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::{Notify, mpsc, watch};

use crate::display::wire::{self, News};
use crate::display::{Answer, Frame, Input, Notice};

/// Messages that the process has not read, beyond which more are dropped.
const MOST_INPUT: usize = 4096;
/// Who look at one session at the same time.
const MOST_VIEWERS: usize = 16;
/// When the last tab is closed, somebody may come back within this time: that is what
/// loading a page again looks like.
const RETURN_TIME: Duration = Duration::from_secs(10);

/// How a session is started.
#[derive(Debug)]
pub struct Start {
    /// Its name.
    pub name: String,
    /// What it opens.
    pub image: PathBuf,
    /// Options of `geiko run`.
    pub options: Vec<OsString>,
}

/// A session that runs.
#[derive(Debug)]
pub struct Live {
    name: String,
    image: PathBuf,
    process: Pid,
    hands: mpsc::Sender<Vec<u8>>,
    screen: Mutex<Screen>,
    end: watch::Sender<Option<String>>,
}

/// What there is to see.
#[derive(Debug, Default)]
struct Screen {
    frame: Frame,
    /// What the user is asked, unless somebody has answered.
    question: Option<Notice>,
    viewers: BTreeMap<u64, Unseen>,
    /// Viewers there have been.
    visits: u64,
}

/// What one viewer has not seen yet.
#[derive(Debug)]
struct Unseen {
    frame: Frame,
    told: Vec<Told>,
    news: Arc<Notify>,
}

/// What viewers are told beside frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// By the session.
    Notice(Notice),
    /// Somebody has answered the question.
    Answered,
}

/// A place among the viewers of a session.
#[derive(Debug)]
pub struct Seat {
    live: Arc<Live>,
    number: u64,
    news: Arc<Notify>,
    /// The user closed the tab; otherwise the connection was lost.
    pub is_leaving: bool,
}

impl Live {
    /// Starts a process that shows the session here. Needs the runtime of the server.
    pub fn start(program: &Path, start: Start) -> io::Result<(Arc<Self>, Ending)> {
        let (here, there) = SyncStream::pair()?;
        here.set_nonblocking(true)?;
        let mut child = Command::new(program)
            .arg("run")
            .arg(&start.image)
            .args(["--display", "remote", "--name", &start.name])
            // Several sessions often have one image.
            .arg("--share-image")
            .args(&start.options)
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(there)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A control-C in the terminal is for the server, which tells its sessions.
            .process_group(0)
            .spawn()?;
        let process = child.id().and_then(|id| Pid::from_raw(id as i32));
        let process = process.ok_or_else(|| io::Error::other("it has ended"))?;
        let (reader, mut writer) = UnixStream::from_std(here)?.into_split();
        let (hands, mut inputs) = mpsc::channel::<Vec<u8>>(MOST_INPUT);
        let live = Arc::new(Self {
            name: start.name,
            image: start.image,
            process,
            hands,
            screen: Mutex::default(),
            end: watch::Sender::new(None),
        });
        tokio::spawn(async move {
            while let Some(message) = inputs.recv().await {
                // A process that is gone is waited for elsewhere.
                let length = (message.len() as u32).to_le_bytes();
                if writer
                    .write_all(&[&length[..], &message].concat())
                    .await
                    .is_err()
                {
                    return;
                }
            }
        });
        let eyes = Arc::clone(&live);
        tokio::spawn(async move {
            if let Err(error) = eyes.look(reader).await {
                tracing::warn!(session = eyes.name, %error, "what the session says is not understood");
            }
        });
        let errors = child.stderr.take();
        let ending = Ending {
            live: Arc::clone(&live),
            child,
            errors,
        };
        Ok((live, ending))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it opened.
    pub fn image(&self) -> &Path {
        &self.image
    }

    fn screen(&self) -> MutexGuard<'_, Screen> {
        // A panic in one task is reported there; what there is to see is whole.
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what the process shows.
    async fn look(&self, mut reader: tokio::net::unix::OwnedReadHalf) -> io::Result<()> {
        let mut message = Vec::new();
        loop {
            let mut length = [0; 4];
            if reader.read_exact(&mut length).await.is_err() {
                return Ok(());
            }
            message.resize(wire::length(length)?, 0);
            reader.read_exact(&mut message).await?;
            let strange = || io::Error::from(io::ErrorKind::InvalidData);
            match wire::read_news(&message).ok_or_else(strange)? {
                News::Frame(news) => {
                    let mut screen = self.screen();
                    let Screen { frame, viewers, .. } = &mut *screen;
                    wire::take_frame(news, frame).ok_or_else(strange)?;
                    for viewer in viewers.values_mut() {
                        viewer.frame.take_over(frame);
                        viewer.news.notify_one();
                    }
                    frame.set_shown();
                }
                News::Notice(notice) => self.tell(notice),
            }
        }
    }

    fn tell(&self, notice: Notice) {
        let mut screen = self.screen();
        if matches!(notice, Notice::AskToClose(_)) {
            // Nobody is there who could be asked. The session goes on, which loses nothing;
            // that it could not be saved is for who comes next.
            let is_problem = notice != Notice::AskToClose(None);
            if !screen.viewers.is_empty() || is_problem {
                screen.question = Some(notice.clone());
            }
        }
        screen.tell_all(&Told::Notice(notice));
    }

    /// Something that a user did.
    pub fn send(&self, input: &Input) {
        if let Input::Answer(_) = input {
            let mut screen = self.screen();
            if screen.question.take().is_some() {
                screen.tell_all(&Told::Answered);
            }
        }
        // A process that does not read so much does not work.
        let _ = self.hands.try_send(wire::input(input));
    }

    /// The session is to end and to be saved as configured.
    pub fn terminate(&self) {
        // One that has ended need not be told.
        let _ = kill_process(self.process, Signal::TERM);
    }

    /// The session is to be saved and to end, whoever looks.
    pub fn save_and_end(&self) {
        self.send(&Input::Answer(Answer::Save));
    }

    /// A place for another viewer, unless there are too many.
    pub fn sit_down(self: &Arc<Self>) -> Option<Seat> {
        let mut screen = self.screen();
        if screen.viewers.len() >= MOST_VIEWERS {
            return None;
        }
        screen.visits += 1;
        let number = screen.visits;
        let mut frame = screen.frame.clone();
        frame.set_new();
        let told = screen.question.iter().cloned().map(Told::Notice).collect();
        let news = Arc::new(Notify::new());
        news.notify_one();
        let unseen = Unseen {
            frame,
            told,
            news: Arc::clone(&news),
        };
        screen.viewers.insert(number, unseen);
        Some(Seat {
            live: Arc::clone(self),
            number,
            news,
            is_leaving: false,
        })
    }

    /// How many look at it.
    pub fn viewers(&self) -> usize {
        self.screen().viewers.len()
    }

    /// The last tab was closed: if nobody comes back, the display is.
    async fn wait_for_return(self: Arc<Self>, visits: u64) {
        tokio::time::sleep(RETURN_TIME).await;
        let is_left = {
            let screen = self.screen();
            screen.visits == visits && screen.viewers.is_empty()
        };
        if is_left {
            self.send(&Input::Close);
        }
    }

    /// The sentence with which it ended, if it has.
    pub fn end(&self) -> watch::Receiver<Option<String>> {
        self.end.subscribe()
    }
}

impl Screen {
    fn tell_all(&mut self, told: &Told) {
        for viewer in self.viewers.values_mut() {
            viewer.told.push(told.clone());
            viewer.news.notify_one();
        }
    }
}

impl Seat {
    /// The session.
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// Returns when there is something for [`Seat::take`].
    pub async fn wait(&self) {
        self.news.notified().await;
    }

    /// Takes what the viewer has not been told.
    pub fn take_told(&self) -> Vec<Told> {
        let mut screen = self.live.screen();
        let viewer = screen.viewers.get_mut(&self.number);
        viewer
            .map(|viewer| std::mem::take(&mut viewer.told))
            .unwrap_or_default()
    }

    /// Lets `look` see the picture and what is new in it.
    pub fn show<T>(&self, look: impl FnOnce(&Frame) -> T) -> Option<T> {
        let mut screen = self.live.screen();
        let viewer = screen.viewers.get_mut(&self.number)?;
        let seen = look(&viewer.frame);
        viewer.frame.set_shown();
        Some(seen)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut screen = self.live.screen();
        screen.viewers.remove(&self.number);
        if self.is_leaving && screen.viewers.is_empty() {
            let live = Arc::clone(&self.live);
            tokio::spawn(live.wait_for_return(screen.visits));
        }
    }
}

/// The end of a session's process, to be waited for.
#[derive(Debug)]
pub struct Ending {
    live: Arc<Live>,
    child: Child,
    errors: Option<ChildStderr>,
}

impl Ending {
    /// Waits for it, passing on what the process tells on standard error.
    pub async fn wait(mut self) {
        let mut last = String::new();
        if let Some(errors) = self.errors.take() {
            let mut lines = BufReader::new(errors).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                eprintln!("{}: {line}", self.live.name);
                last = line;
            }
        }
        let text = match self.child.wait().await {
            Ok(status) => sentence(status, &last),
            Err(error) => error.to_string(),
        };
        self.live.end.send_replace(Some(text));
        self.live.screen().tell_all(&Told::Answered);
    }
}

/// What viewers are told of the end; `last` is the last line of the process.
fn sentence(status: ExitStatus, last: &str) -> String {
    let last = last.trim_start_matches("geiko: ");
    match (status.code(), last.is_empty()) {
        (Some(0), _) => "The session has ended.".into(),
        (_, false) => format!("The session has ended: {last}"),
        (Some(code), true) => format!("The session has ended with status {code}."),
        (None, true) => "The session was ended by a signal.".into(),
    }
}
