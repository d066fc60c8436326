//! Draws what is due and rebuilds what was lost, for ever. Owns the canvas; never panics over a GPU and never
//! gives up: a hall without a picture is served by the voice until the picture is back.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use thiserror::Error;
use tokio::sync::oneshot;
use tracing::{error, info, warn};

use super::ahead::Ahead;
use super::port::{Command, Png, Port, SnapshotError, Waker, lock};
use super::stage::Stage;
use crate::board::call::CallId;
use crate::clock::{Clock, Millis};
use crate::config::{Config, PresentMode};
use crate::gpu::{GpuError, Picture};
use crate::health::{Drawn, Frame, FrameReport};
use crate::raster::Raster;
use crate::scene::{Scene, Size, TextRun};

/// The first and the longest pause before a canvas is built anew.
const FIRST_PAUSE: Millis = Millis(250);
const LONGEST_PAUSE: Millis = Millis(10_000);
/// A canvas that lived this long was sound: the next loss starts with the first pause again.
const SOUND_AFTER: Millis = Millis(30_000);
/// Canvases in a row that did not live that long, until the spare way is taken.
const SHORT_LIVES: u32 = 3;
/// How long the spare way is kept before the usual one is tried again.
const SPARE_FOR: Millis = Millis(600_000);
/// Between two attempts on a surface that gave no frame.
const RETRY: Millis = Millis(100);
/// Between two attempts while nobody can see the window.
const HIDDEN_RETRY: Millis = Millis(1000);
/// Frames in a row that the surface may refuse before it is built anew.
const REFUSALS: u32 = 50;

/// The kind of a canvas that nobody sees.
pub const HEADLESS: &str = "headless";

/// Where pictures go. Dropping it frees the device and the surface.
pub trait Canvas {
    /// Shows the scene; draws only what differs from the one shown last.
    fn show(&mut self, scene: &Scene) -> Result<Shown, Fault>;
    /// Draws the scene off screen.
    fn picture(&mut self, scene: &Scene) -> Result<Picture, Fault>;
    /// What is on the glass was damaged from outside: the next scene is shown as a whole.
    fn forget(&mut self);
    /// Draws text ahead, where only the glyph atlas sees it; the processor has none, and does not ask for any.
    fn warm(&mut self, _runs: &dyn Fn() -> Vec<TextRun>) {}
    /// The processor's painter, where it pays to let it draw letters ahead.
    fn raster(&mut self) -> Option<&mut Raster> {
        None
    }
    /// How often the glyph atlas has grown.
    fn growths(&self) -> u64 {
        0
    }
    /// Adapter, backend and device type, in words.
    fn gpu(&self) -> &str;
    /// surface, software or headless.
    fn kind(&self) -> &'static str;
}

/// What became of a scene.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It reached the glass.
    Frame,
    /// It already was there.
    Same,
    /// Not now, as while the surface is being sized; it must be shown again soon.
    Refused,
    /// Nobody can see the window.
    Hidden,
}

/// Why a canvas cannot go on. Each means: drop it and build a new one.
#[derive(Debug, Error)]
pub enum Fault {
    #[error("the GPU was lost: {0}")]
    Device(String),
    #[error("the surface was lost: {0}")]
    Surface(String),
    #[error("no adapter: {0}")]
    NoAdapter(String),
}

impl From<GpuError> for Fault {
    fn from(error: GpuError) -> Self {
        match error {
            GpuError::NoAdapter(_) | GpuError::NoDevice(_) => Self::NoAdapter(error.to_string()),
            error => Self::Device(error.to_string()),
        }
    }
}

/// Which way a canvas is to take.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// As configured.
    Usual,
    /// Without the GPU, which has failed again and again; a config that wants nothing else is obeyed all the same.
    Spare,
}

/// Builds a canvas of the given size.
pub type Open<'a> = dyn FnMut(Size, Way) -> Result<Box<dyn Canvas>, Fault> + 'a;

/// What is due, the canvas that it goes to, and the way back to everybody else.
pub struct Show {
    stage: Stage,
    canvas: Option<Box<dyn Canvas>>,
    opened_at: Millis,
    pause: Millis,
    /// No attempt to build before.
    retry_at: Millis,
    /// Canvases in a row that did not live long.
    short_lives: u32,
    /// Until when the spare way is taken.
    spare_until: Option<Millis>,
    /// Why there is no canvas.
    fault: String,
    refusals: u32,
    /// The size of screen for which the canvas has drawn text ahead, and its growths until then.
    warmed: Option<(Size, u64)>,
    /// What the processor still has to draw ahead.
    ahead: Option<Ahead>,
    commands: Receiver<Command>,
    report: Arc<Mutex<FrameReport>>,
    waker: Waker,
    drawn: Box<dyn Fn(Drawn) + Send>,
    /// The calls that the glass shows large, as they were told.
    called: Vec<CallId>,
    /// Off screen is where the config wants the board, not where it waits for a display.
    unseen_counts: bool,
}

impl Show {
    pub fn new(config: &Config, port: Port) -> Self {
        Self {
            stage: Stage::new(config, port.views, port.clock, &port.waker),
            canvas: None,
            opened_at: Millis::ZERO,
            pause: FIRST_PAUSE,
            retry_at: Millis(i64::MIN),
            short_lives: 0,
            spare_until: None,
            fault: String::new(),
            refusals: 0,
            warmed: None,
            ahead: None,
            commands: port.commands,
            report: port.report,
            waker: port.waker,
            drawn: port.drawn,
            called: Vec::new(),
            unseen_counts: config.screen.present == PresentMode::Headless,
        }
    }

    /// Whether the ticker moves while nothing else changes.
    pub fn animate(&mut self, animated: bool) {
        self.stage.animate(animated);
    }

    /// Frees the device and the surface; the next step builds them anew.
    pub fn close(&mut self) {
        self.canvas = None;
        self.retry_at = Millis(i64::MIN);
        self.pause = FIRST_PAUSE;
    }

    pub fn clock(&self) -> Arc<dyn Clock> {
        self.stage.clock()
    }

    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Builds the canvas if there is none, shows what is due and answers snapshots. Returns how long nothing more
    /// is due; none means until the next ring.
    pub fn step(&mut self, size: Size, open: &mut Open<'_>) -> Option<Millis> {
        self.waker.answer();
        let due = self.draw(size, open);
        self.answer_snapshots(size);
        due.map(|at| (at - self.stage.now().mono).max(Millis::ZERO))
    }

    /// The glass was damaged from outside, or the window has another size.
    pub fn forget(&mut self) {
        if let Some(canvas) = &mut self.canvas {
            canvas.forget();
        }
    }

    fn draw(&mut self, size: Size, open: &mut Open<'_>) -> Option<Millis> {
        let now = self.stage.now().mono;
        if self.spare_until.is_some_and(|until| until <= now) {
            info!("the usual way of presenting is tried again");
            (self.canvas, self.spare_until) = (None, None);
        }
        if self.canvas.is_none() && !self.build(size, now, open) {
            return Some(self.retry_at);
        }
        let scene = self.stage.scene(size);
        let canvas = self.canvas.as_mut().expect("built above when there was none");
        match canvas.show(scene) {
            Ok(Shown::Frame) => self.count_frame(),
            Ok(Shown::Same) => {}
            Ok(Shown::Hidden) => return Some(now + HIDDEN_RETRY),
            Ok(Shown::Refused) => return Some(self.refused(now)),
            Err(fault) => {
                self.lose(&fault, now);
                return Some(self.retry_at);
            }
        }
        self.refusals = 0;
        self.tell_drawn();
        self.warm(size);
        let due = self.stage.next_change(now);
        due.into_iter().chain(self.draw_ahead(size, due)).min()
    }

    fn build(&mut self, size: Size, now: Millis, open: &mut Open<'_>) -> bool {
        if now < self.retry_at {
            return false;
        }
        match open(size, if self.spare_until.is_some() { Way::Spare } else { Way::Usual }) {
            Ok(canvas) => {
                info!(
                    gpu = canvas.gpu(),
                    present = canvas.kind(),
                    w = size.w,
                    h = size.h,
                    "the picture is up"
                );
                let unseen = !self.unseen_counts && canvas.kind() == HEADLESS;
                self.update(|report| {
                    canvas.gpu().clone_into(&mut report.gpu);
                    (report.present, report.unseen) = (canvas.kind(), unseen);
                });
                (self.canvas, self.opened_at) = (Some(canvas), now);
                (self.warmed, self.ahead) = (None, None);
                true
            }
            Err(fault) => {
                self.lose(&fault, now);
                false
            }
        }
    }

    /// Drops everything that the lost device or surface owned, and sets the time of the next attempt.
    fn lose(&mut self, fault: &Fault, now: Millis) {
        let lived = self.canvas.take().is_some();
        if lived && now - self.opened_at >= SOUND_AFTER {
            self.pause = FIRST_PAUSE;
            self.short_lives = 0;
        } else if lived {
            self.short_lives += 1;
        } else {
            // No way leads anywhere just now; the usual one must not be the last to be tried.
            self.spare_until = None;
        }
        if self.short_lives >= SHORT_LIVES && self.spare_until.is_none() {
            warn!(
                lives = self.short_lives,
                "presenting fails again and again; the CPU draws for some minutes"
            );
            self.spare_until = Some(now + SPARE_FOR);
            // One failure more, when the usual way is tried again, is enough.
            self.short_lives = SHORT_LIVES - 1;
        }
        self.retry_at = now + self.pause;
        // An outage is told once as an error, then as warnings, which grow rare as the pause grows.
        if lived || self.fault.is_empty() {
            error!(%fault, retry_ms = self.pause.0, "the picture is gone; the board is built anew");
        } else {
            warn!(%fault, retry_ms = self.pause.0, "the picture is still gone");
        }
        self.fault = fault.to_string();
        self.pause = Millis((self.pause.0 * 2).min(LONGEST_PAUSE.0));
        self.refusals = 0;
        let gpu = format!("rebuilding: {fault}");
        self.update(|report| {
            report.gpu = gpu;
            report.rebuilds += u64::from(lived);
        });
    }

    /// When to try again; a surface that never yields is given up.
    fn refused(&mut self, now: Millis) -> Millis {
        self.refusals += 1;
        if self.refusals >= REFUSALS {
            let fault = Fault::Surface(format!("no frame in {REFUSALS} attempts"));
            self.lose(&fault, now);
            return self.retry_at;
        }
        now + RETRY
    }

    /// After the first frame of a size the text that the day may bring is drawn ahead: the board comes first.
    fn warm(&mut self, size: Size) {
        let Some(canvas) = &mut self.canvas else { return };
        if self.warmed.is_none_or(|(known, _)| known != size) {
            canvas.warm(&|| self.stage.rehearsal(size));
            self.warmed = Some((size, canvas.growths()));
        }
    }

    /// The same by the processor, in turns; returns when the next one is.
    fn draw_ahead(&mut self, size: Size, due: Option<Millis>) -> Option<Millis> {
        let raster = self.canvas.as_mut()?.raster()?;
        if !self.ahead.as_ref().is_some_and(|ahead| ahead.is_of(size)) {
            self.ahead = Some(Ahead::new(size, self.stage.now().mono));
        }
        self.ahead.as_mut()?.turn(&self.stage, raster, &self.waker, due)
    }

    fn count_frame(&mut self) {
        let (hash, at) = (self.stage.hash(), self.stage.now().wall);
        let growths = self.canvas.as_ref().map_or(0, |canvas| canvas.growths());
        let before = self.warmed.as_mut().map(|(_, known)| std::mem::replace(known, growths));
        // A canvas of another size begins with an atlas of its own.
        let grown = growths.saturating_sub(before.unwrap_or(growths));
        self.update(|report| {
            report.frames += 1;
            report.atlas_growths += grown;
            report.frame_at = Some(at);
            report.frame_hash = hash;
        });
    }

    /// Tells of the calls that the picture on the glass shows and the one before did not.
    fn tell_drawn(&mut self) {
        if lock(&self.report).unseen || self.called == self.stage.calls() {
            return;
        }
        let at = self.stage.now().wall;
        let frame = Frame { at, number: lock(&self.report).frames, hash: self.stage.hash() };
        let calls = self.stage.calls().to_vec();
        for call in calls.iter().filter(|call| !self.called.contains(call)) {
            (self.drawn)(Drawn { call: call.clone(), frame });
        }
        self.called = calls;
    }

    fn update(&self, change: impl FnOnce(&mut FrameReport)) {
        change(&mut lock(&self.report));
    }

    fn answer_snapshots(&mut self, size: Size) {
        let wanted: Vec<_> = self.commands.try_iter().map(|Command::Snapshot(reply)| reply).collect();
        let wanted: Vec<_> = wanted.into_iter().filter(|reply| !reply.is_closed()).collect();
        if wanted.is_empty() {
            return;
        }
        let Some(canvas) = &mut self.canvas else {
            return refuse(wanted, &self.fault);
        };
        match canvas.picture(self.stage.scene_now(size)) {
            Ok(picture) => encode(picture, wanted),
            Err(fault) => {
                refuse(wanted, &fault.to_string());
                self.lose(&fault, self.stage.now().mono);
            }
        }
    }
}

type Reply = oneshot::Sender<Result<Png, SnapshotError>>;

fn refuse(wanted: Vec<Reply>, why: &str) {
    for reply in wanted {
        // Who asked may have gone meanwhile.
        let _ = reply.send(Err(SnapshotError::Failed(why.to_owned())));
    }
}

/// Encoding takes longer than a frame may, so it has a thread of its own.
fn encode(picture: Picture, wanted: Vec<Reply>) {
    let work = move || {
        let png = picture.png().map(Png::from).map_err(|error| SnapshotError::Failed(error.to_string()));
        for reply in wanted {
            // Who asked may have gone meanwhile.
            let _ = reply.send(png.clone());
        }
    };
    if let Err(error) = std::thread::Builder::new().name("png".into()).spawn(work) {
        warn!(%error, "no thread to encode a snapshot");
    }
}

#[cfg(test)]
mod tests;
