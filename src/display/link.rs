//! Between the machine's thread and the thread of a viewer: a window, or a browser's
//! connection.
//!
//! Each side leaves things for the other and wakes it; neither waits. The machine
//! hands over a frame when the viewer has taken the one before, so a viewer that is
//! slow skips frames.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Frame, FrontEnd, Input, Notice};
use crate::waker::Waker;

/// Input that Lisp has not taken, beyond which more is dropped.
const MOST_INPUT: usize = 4096;

struct Shared {
    /// What the viewer has not shown yet.
    news: Mutex<News>,
    /// The viewer has taken the last frame.
    ready: AtomicBool,
    input: Mutex<Hands>,
    wake_viewer: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct News {
    frame: Frame,
    notices: Vec<Notice>,
}

#[derive(Default)]
struct Hands {
    queue: VecDeque<Input>,
    machine: Option<Waker>,
}

/// A panic in one thread is reported there; the data is whole at any moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The viewer's end.
#[derive(Clone)]
pub struct Viewer(Arc<Shared>);

/// The machine's end.
pub struct LinkFront(Arc<Shared>);

/// Makes both ends. `wake_viewer` is called in the machine's thread when there is
/// something for [`Viewer::take`].
pub fn link(wake_viewer: impl Fn() + Send + Sync + 'static) -> (LinkFront, Viewer) {
    let shared = Arc::new(Shared {
        news: Mutex::default(),
        ready: AtomicBool::new(true),
        input: Mutex::default(),
        wake_viewer: Box::new(wake_viewer),
    });
    (LinkFront(Arc::clone(&shared)), Viewer(shared))
}

impl LinkFront {
    /// Input is to wake a machine.
    pub fn connect(&self, machine: Waker) {
        lock(&self.0.input).machine = Some(machine);
    }
}

impl FrontEnd for LinkFront {
    fn is_ready(&self) -> bool {
        self.0.ready.load(Ordering::Acquire)
    }

    fn present(&mut self, frame: &Frame) {
        lock(&self.0.news).frame.take_over(frame);
        self.0.ready.store(false, Ordering::Release);
        (self.0.wake_viewer)();
    }

    fn tell(&mut self, notice: Notice) {
        lock(&self.0.news).notices.push(notice);
        (self.0.wake_viewer)();
    }

    fn next_input(&mut self) -> Option<Input> {
        lock(&self.0.input).queue.pop_front()
    }
}

impl Viewer {
    /// Takes what is new over into `frame`; tells what else there is.
    pub fn take(&self, frame: &mut Frame) -> Vec<Notice> {
        let mut news = lock(&self.0.news);
        frame.take_over(&news.frame);
        news.frame.set_shown();
        self.0.ready.store(true, Ordering::Release);
        std::mem::take(&mut news.notices)
    }

    /// Gives Lisp something that the user did.
    pub fn send(&self, input: Input) {
        let mut hands = lock(&self.0.input);
        if hands.queue.len() == MOST_INPUT {
            return;
        }
        hands.queue.push_back(input);
        if let Some(machine) = &hands.machine {
            machine.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SHIFT;
    use geiko_runtime::layout::Medley2;
    use geiko_runtime::memory::AddressSpace;
    use std::sync::atomic::AtomicU32;

    #[test]
    fn frames_wait_until_they_are_taken() {
        let woken = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&woken);
        let (mut front, viewer) = link(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert!(front.is_ready());
        front.present(&Frame::new((32, 2)));
        assert!(!front.is_ready());
        front.tell(Notice::Bell);
        let mut frame = Frame::default();
        assert_eq!(viewer.take(&mut frame), [Notice::Bell]);
        assert!(front.is_ready());
        assert_eq!((frame.width(), frame.height()), (32, 2));
        assert_eq!(frame.changed().flatten().collect::<Vec<_>>(), [0, 1]);
        frame.set_shown();
        assert_eq!(viewer.take(&mut frame), []);
        assert_eq!(frame.changed().next(), None);
        assert_eq!(woken.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn input_wakes_the_machine_and_is_not_piled_up() {
        let space = AddressSpace::<Medley2>::reserve().unwrap();
        let (mut front, viewer) = link(|| {});
        front.connect(Waker::new(space.attention()));
        let inputs = [Input::Key(SHIFT, true), Input::Close];
        for input in inputs.clone() {
            viewer.send(input);
        }
        assert!(space.view().control().is_raised());
        let taken: Vec<_> = std::iter::from_fn(|| front.next_input()).collect();
        assert_eq!(taken, inputs);
        for _ in 0..2 * MOST_INPUT {
            viewer.send(Input::Key(SHIFT, true));
        }
        let taken = std::iter::from_fn(|| front.next_input()).count();
        assert_eq!(taken, MOST_INPUT);
    }
}
