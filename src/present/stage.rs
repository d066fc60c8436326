//! Which picture is due now, and when the next one is. Knows views, clocks and scenes; no GPU and no window.

use std::fmt::Write;
use std::sync::Arc;

use tokio::sync::watch;

use super::pace::Pace;
use crate::board::view::SharedView;
use crate::clock::{Clock, Millis, Now};
use crate::config::Config;
use crate::scene::{Look, Scene, Size, compose};

/// The lines of the screen that the ticker's speed is configured for.
const LINES_OF_SPEED: u64 = 1080;

pub struct Stage {
    views: watch::Receiver<SharedView>,
    clock: Arc<dyn Clock>,
    look: Look,
    ticker_px_s: u32,
    max_fps: u32,
    /// Headless nobody watches the ticker, so it only moves when something else is drawn.
    animated: bool,
    composed: Option<Composed>,
}

struct Composed {
    scene: Scene,
    hash: u64,
    /// When the strip had its offset.
    moved_at: Millis,
}

impl Stage {
    pub fn new(config: &Config, views: watch::Receiver<SharedView>, clock: Arc<dyn Clock>) -> Self {
        Self {
            views,
            clock,
            look: Look::of(config),
            ticker_px_s: config.board.ticker_px_s,
            max_fps: config.screen.max_fps.max(1),
            animated: true,
            composed: None,
        }
    }

    pub fn animate(&mut self, animated: bool) {
        self.animated = animated;
    }

    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// The picture at this instant; composed anew only when the view, the size or the time asks for it.
    pub fn scene(&mut self, size: Size) -> &Scene {
        let now = self.now();
        if self.must_compose(size, now.mono) {
            self.compose(size, now);
        } else if self.animated {
            self.move_ticker(now.mono);
        }
        &self.composed.as_ref().expect("composed above when there was none").scene
    }

    /// The present picture with the ticker where it is now, as a snapshot wants it.
    pub fn scene_now(&mut self, size: Size) -> &Scene {
        self.scene(size);
        self.move_ticker(self.now().mono);
        &self.composed.as_ref().expect("composed by `scene`").scene
    }

    /// FNV-1a of the picture without the ticker's motion.
    pub fn hash(&self) -> u64 {
        self.composed.as_ref().map_or(0, |composed| composed.hash)
    }

    /// When the picture changes without a new view; never earlier than one frame from `now`.
    pub fn next_change(&self, now: Millis) -> Option<Millis> {
        let composed = self.composed.as_ref()?;
        let frame = Millis((1000 / i64::from(self.max_fps)).max(1));
        let change = composed.scene.next_change.map(|at| at.max(now + frame));
        let moves = self.animated && composed.scene.strip.as_ref().is_some_and(|s| s.content.length > 0);
        let step = self.pace(composed.scene.size).filter(|_| moves).map(|pace| pace.next_step(now));
        change.into_iter().chain(step).min()
    }

    fn must_compose(&mut self, size: Size, now: Millis) -> bool {
        // An error means that the hub is gone: the last view stays until the process ends.
        let news = self.views.has_changed().unwrap_or(false);
        news || self
            .composed
            .as_ref()
            .is_none_or(|c| c.scene.size != size || c.scene.next_change.is_some_and(|at| at <= now))
    }

    fn compose(&mut self, size: Size, now: Now) {
        let view = Arc::clone(&self.views.borrow_and_update());
        self.move_ticker(now.mono);
        let mut scene = compose(&view, &self.look, size, now);
        // A line that goes on running must not jump because something else changed.
        if let Some(old) = self.composed.as_ref().and_then(|c| c.scene.strip.as_ref())
            && let Some(new) = scene.strip.as_mut()
            && old.content == new.content
        {
            new.offset = old.offset;
        }
        let hash = hash_of(&scene);
        self.composed = Some(Composed { scene, hash, moved_at: now.mono });
    }

    fn move_ticker(&mut self, now: Millis) {
        let Some(composed) = &mut self.composed else { return };
        let size = composed.scene.size;
        let Some(strip) = composed.scene.strip.as_mut().filter(|strip| strip.content.length > 0) else {
            return;
        };
        let Some(pace) = pace_of(self.ticker_px_s, size, self.max_fps) else { return };
        let offset = u64::from(strip.offset) + pace.moved(composed.moved_at, now);
        strip.offset = (offset % u64::from(strip.content.length)) as u32;
        composed.moved_at = now;
    }

    fn pace(&self, size: Size) -> Option<Pace> {
        pace_of(self.ticker_px_s, size, self.max_fps)
    }
}

fn pace_of(px_s: u32, size: Size, max_fps: u32) -> Option<Pace> {
    let scaled = u64::from(px_s) * u64::from(size.h) / LINES_OF_SPEED;
    Pace::new(u32::try_from(scaled).unwrap_or(u32::MAX), max_fps)
}

/// FNV-1a over the scene's words. The destructuring makes a new field of the scene a decision here.
fn hash_of(scene: &Scene) -> u64 {
    let Scene { size, background, layers, strip, next_change: _ } = scene;
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    let strip = strip.as_ref().map(|strip| (&strip.rect, &strip.content));
    write!(hash, "{size:?}{background:?}{layers:?}{strip:?}").expect("hashing never fails");
    hash.0
}

struct Fnv(u64);

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}
