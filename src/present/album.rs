//! The pictures for the times when nobody is called, read on a thread of their own: decoding a photo may take a second,
//! and the board waits for nothing.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::port::{Waker, lock};
use crate::pictures;
use crate::scene::{Art, Size};

pub struct Album {
    folder: PathBuf,
    waker: Waker,
    /// The room that was asked for last.
    room: Option<Size>,
    desk: Arc<Mutex<Desk>>,
}

/// What the thread and its asker share.
#[derive(Default)]
struct Desk {
    wanted: Option<Size>,
    reading: bool,
    read: Option<Vec<Arc<Art>>>,
}

impl Album {
    pub fn new(folder: PathBuf, waker: Waker) -> Self {
        Self { folder, waker, room: None, desk: Arc::default() }
    }

    /// Has the pictures read for `room`, unless they are already; rings when they are.
    pub fn ask(&mut self, room: Size) {
        if self.room.replace(room) == Some(room) {
            return;
        }
        let mut desk = lock(&self.desk);
        desk.wanted = Some(room);
        if std::mem::replace(&mut desk.reading, true) {
            return;
        }
        drop(desk);
        let (folder, waker, desk) = (self.folder.clone(), self.waker.clone(), Arc::clone(&self.desk));
        let work = move || {
            while let Some(room) = next(&desk) {
                let read = pictures::idle(&folder, room);
                lock(&desk).read = Some(read);
                waker.wake();
            }
        };
        if let Err(error) = std::thread::Builder::new().name("album".into()).spawn(work) {
            tracing::warn!(%error, "no thread to read the pictures");
            lock(&self.desk).reading = false;
            self.room = None;
        }
    }

    /// The pictures, once after they have been read.
    pub fn take(&mut self) -> Option<Vec<Arc<Art>>> {
        lock(&self.desk).read.take()
    }
}

/// The room that is wanted last; none when there is nothing left to read, and then the thread ends.
fn next(desk: &Mutex<Desk>) -> Option<Size> {
    let mut desk = lock(desk);
    let wanted = desk.wanted.take();
    desk.reading = wanted.is_some();
    wanted
}
