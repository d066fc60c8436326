//! The letters of the calls that may come, drawn by the processor before they are needed: a few at a time, while nothing
//! else is due, until all are there or their room is full. After that nobody is woken for it.

use std::time::{Duration, Instant};

use super::port::Waker;
use super::stage::Stage;
use crate::board::view::BoardView;
use crate::clock::Millis;
use crate::raster::Raster;
use crate::scene::{Size, TextRun};

/// After the first frame: until then the broker has told what the counters show.
const BEGINS_AFTER: Millis = Millis(1000);
/// Between two turns: a frame of the moving line.
const EVERY: Millis = Millis(16);
/// A turn begins nothing more after this long, and no turn begins when something else is due within [`CLEAR`]. A text, or the
/// layout of a board, is one piece and may take twice as long.
const TURN: Duration = Duration::from_micros(500);
const CLEAR: Millis = Millis(4);

/// What is still to be drawn for a screen of one size.
pub(super) struct Ahead {
    size: Size,
    begins: Millis,
    boards: Option<Box<dyn Iterator<Item = BoardView>>>,
    texts: Vec<TextRun>,
    is_done: bool,
}

impl Ahead {
    pub fn new(size: Size, now: Millis) -> Self {
        Self { size, begins: now + BEGINS_AFTER, boards: None, texts: Vec::new(), is_done: false }
    }

    pub fn is_of(&self, size: Size) -> bool {
        self.size == size
    }

    /// Draws some letters, unless the bell rings or something is due; returns when the next turn is, if any.
    pub fn turn(
        &mut self,
        stage: &Stage,
        raster: &mut Raster,
        waker: &Waker,
        due: Option<Millis>,
    ) -> Option<Millis> {
        if self.is_done {
            return None;
        }
        let now = stage.now().mono;
        if now < self.begins {
            return Some(self.begins);
        }
        self.begins = now + EVERY;
        if due.is_none_or(|due| due - now >= CLEAR) {
            let begun = Instant::now();
            while !self.is_done && begun.elapsed() < TURN && waker.unanswered().is_zero() {
                self.is_done = !self.piece(stage, raster);
            }
        }
        if self.is_done {
            (self.boards, self.texts) = (None, Vec::new());
            return None;
        }
        Some(self.begins)
    }

    /// The smallest part of the work; false when there is no more of it.
    fn piece(&mut self, stage: &Stage, raster: &mut Raster) -> bool {
        if let Some(text) = self.texts.pop() {
            return raster.prepare(&text, self.size);
        }
        let boards = self.boards.get_or_insert_with(|| Box::new(stage.coming()));
        let Some(board) = boards.next() else { return false };
        self.texts = stage.texts_of(&board, self.size);
        true
    }
}
