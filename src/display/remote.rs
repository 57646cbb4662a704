//! A viewer in another process, at the other end of the socket that is this program's
//! standard input.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;

use rustix::process::{Signal, getpid, kill_process};

use super::link::{LinkFront, Viewer, link};
use super::{Frame, wire};

/// Shows the session to whoever started this program.
pub fn connect() -> io::Result<LinkFront> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // It is a socket if it has another end.
    socket.peer_addr()?;
    let reader = socket.try_clone()?;
    let (news, wanted) = std::sync::mpsc::sync_channel(1);
    let (front, viewer) = link(move || {
        // Who has not looked yet need not be told again.
        let _ = news.try_send(());
    });
    let hands = viewer.clone();
    let threads = [
        thread::Builder::new().name("eyes".into()).spawn(move || {
            let mut frame = Frame::default();
            wanted
                .iter()
                .try_for_each(|()| show(&viewer, &mut frame, &socket))
        })?,
        thread::Builder::new()
            .name("hands".into())
            .spawn(move || obey(&hands, reader))?,
    ];
    drop(threads);
    Ok(front)
}

/// Sends what is new.
fn show(viewer: &Viewer, frame: &mut Frame, mut socket: &UnixStream) -> io::Result<()> {
    let notices = viewer.take(frame);
    if frame.changed().next().is_some() || frame.new_cursor().is_some() {
        wire::write(&mut socket, &wire::frame(frame))?;
    }
    frame.set_shown();
    for notice in notices {
        wire::write(&mut socket, &wire::notice(&notice))?;
    }
    Ok(())
}

/// Receives what the user does. When the other end is gone it is as if a terminal hung
/// up: that ends the session as configured.
fn obey(viewer: &Viewer, mut socket: UnixStream) -> io::Result<()> {
    let mut message = Vec::new();
    while let Ok(true) = wire::read(&mut socket, &mut message) {
        if let Some(input) = wire::read_input(&message) {
            viewer.send(input);
        }
    }
    Ok(kill_process(getpid(), Signal::HUP)?)
}
