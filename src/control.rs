//! Orders to a running session from outside, through a socket of its own: one line for
//! the order, one line for the answer. Two more belong to the clipboard: behind `copy`
//! comes a text, and a text is the answer to `paste`.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use clap::ValueEnum;

use crate::folders;
use crate::waker::Waker;

/// A longer line is no order.
const LONGEST_LINE: u64 = 256;
/// How long a client may take to say something.
const PATIENCE: Duration = Duration::from_secs(5);
/// A longer text is not copied whole.
pub const LONGEST_TEXT: u64 = 1 << 20;
const COPY: &str = "copy";
const PASTE: &str = "paste";
/// What is answered when an order was taken.
const TAKEN: &str = "ok";

/// What a session can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Order {
    /// Interrupt Lisp; again: at once; a third time: save and quit
    Break,
    /// Save, then end
    Quit,
    /// End without saving
    Discard,
}

/// What somebody outside wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// The session is to obey.
    Order(Order),
    /// A text is for the clipboard.
    Copy(String),
}

fn socket(session: &str) -> io::Result<PathBuf> {
    Ok(folders::private_runtime()?.join(format!("{session}.socket")))
}

/// The session's end. The socket goes with it.
#[derive(Debug)]
pub struct Control {
    path: PathBuf,
    demands: Receiver<Demand>,
}

impl Control {
    /// Listens for orders to a session, whose name no other running one has.
    pub fn listen(session: &str, waker: Waker) -> io::Result<Self> {
        let path = socket(session)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        let (sender, demands) = channel();
        thread::Builder::new()
            .name("control".into())
            .spawn(move || {
                let mut copied = String::new();
                for client in listener.incoming().flatten() {
                    // A client that goes away gets no answer.
                    let _ = serve(client, &sender, &waker, &mut copied);
                }
            })?;
        Ok(Self { path, demands })
    }

    /// What is wanted next.
    pub fn next_demand(&self) -> Option<Demand> {
        self.demands.try_recv().ok()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // A socket that stays is replaced by the next session of that name.
        let _ = fs::remove_file(&self.path);
    }
}

/// Answers a client; `copied` is the text that the session copied last.
fn serve(
    client: UnixStream,
    demands: &Sender<Demand>,
    waker: &Waker,
    copied: &mut String,
) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    let mut reader = BufReader::new(&client);
    (&mut reader).take(LONGEST_LINE).read_line(&mut line)?;
    let demand = match line.trim() {
        PASTE => return (&client).write_all(copied.as_bytes()),
        COPY => {
            let mut text = Vec::new();
            reader.take(LONGEST_TEXT).read_to_end(&mut text)?;
            *copied = String::from_utf8_lossy(&text).into_owned();
            Ok(Demand::Copy(copied.clone()))
        }
        order => Order::from_str(order, false).map(Demand::Order),
    };
    let answer = match demand.map(|demand| demands.send(demand)) {
        Ok(Ok(())) => {
            waker.wake();
            TAKEN
        }
        Ok(Err(_)) => "the session has ended",
        Err(_) => "there is no such order",
    };
    writeln!(&client, "{answer}")
}

/// Gives a running session an order.
pub fn send(session: &str, order: Order) -> io::Result<()> {
    let name = order.to_possible_value();
    let name = name.map(|value| value.get_name().to_owned());
    taken(&ask(session, &name.unwrap_or_default(), "")?)
}

/// Has a running session put a text on the clipboard of whoever looks at it.
pub fn copy(session: &str, text: &str) -> io::Result<()> {
    taken(&ask(session, COPY, text)?)
}

/// The text that a running session copied last.
pub fn paste(session: &str) -> io::Result<String> {
    ask(session, PASTE, "")
}

fn taken(answer: &str) -> io::Result<()> {
    match answer.trim() {
        TAKEN => Ok(()),
        other => Err(io::Error::other(other.to_owned())),
    }
}

fn ask(session: &str, line: &str, text: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket(session)?)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "{line}\n{text}")?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.take(LONGEST_TEXT).read_to_string(&mut answer)?;
    Ok(answer)
}
