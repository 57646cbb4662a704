//! Orders to a running session from outside, through a socket of its own: one line for
//! the order, one line for the answer.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
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

fn socket(session: &str) -> io::Result<PathBuf> {
    Ok(folders::private_runtime()?.join(format!("{session}.socket")))
}

/// The session's end. The socket goes with it.
#[derive(Debug)]
pub struct Control {
    path: PathBuf,
    orders: Receiver<Order>,
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
        let (sender, orders) = channel();
        thread::Builder::new()
            .name("control".into())
            .spawn(move || {
                for client in listener.incoming().flatten() {
                    // A client that goes away gets no answer.
                    let _ = serve(client, &sender, &waker);
                }
            })?;
        Ok(Self { path, orders })
    }

    /// The next order.
    pub fn next_order(&self) -> Option<Order> {
        self.orders.try_recv().ok()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // A socket that stays is replaced by the next session of that name.
        let _ = fs::remove_file(&self.path);
    }
}

fn serve(mut client: UnixStream, orders: &Sender<Order>, waker: &Waker) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(&client)
        .take(LONGEST_LINE)
        .read_line(&mut line)?;
    let answer = match Order::from_str(line.trim(), false) {
        Ok(order) if orders.send(order).is_ok() => {
            waker.wake();
            TAKEN
        }
        Ok(_) => "the session has ended",
        Err(_) => "there is no such order",
    };
    writeln!(client, "{answer}")
}

/// Gives a running session an order.
pub fn send(session: &str, order: Order) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket(session)?)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let name = order.to_possible_value();
    let name = name.map(|value| value.get_name().to_owned());
    writeln!(stream, "{}", name.unwrap_or_default())?;
    let mut answer = String::new();
    stream.take(LONGEST_LINE).read_to_string(&mut answer)?;
    match answer.trim() {
        TAKEN => Ok(()),
        other => Err(io::Error::other(other.to_owned())),
    }
}
