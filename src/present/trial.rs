//! How fast this machine draws: the parts that stand behind a window, without one, so that it can be asked beside a board
//! that is running. What the display itself takes is not in the figures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use tokio::sync::watch;

use super::drawn::Drawn;
use super::frame::{Frame, INFO};
use super::pace::Pace;
use super::port::Waker;
use super::show::Fault;
use super::stage::Stage;
use crate::board::input::Input;
use crate::board::{Board, Rules};
use crate::clock::system::SystemClock;
use crate::clock::{Clock, Millis, Now};
use crate::config::{Config, CounterConfig, PresentMode};
use crate::gpu::Gpu;
use crate::raster::Area;
use crate::scene::{Look, Scene, Size, compose};
use crate::wire;

/// Between two calls of a trial, on the board's own clock: the spotlight has several calls all the time.
const BETWEEN: Millis = Millis(1500);

/// What a trial has found.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Adapter, backend and device type, in words.
    pub gpu: String,
    /// Whether the CPU draws.
    pub software: bool,
    /// From nothing to the first whole picture.
    pub first: Duration,
    /// Of each call, from its payload to the finished picture.
    pub calls: Vec<Duration>,
    /// None where the line stands still.
    pub ticker: Option<Ticker>,
}

/// How evenly the line moved.
#[derive(Clone, Debug, Default)]
pub struct Ticker {
    pub steps: u32,
    /// Steps that were made only after the next one was due.
    pub late: u32,
    /// How far the line was from its place at most, in pixels.
    pub error_px: f64,
    /// What the steps took of the processor's time.
    pub busy: Duration,
}

/// Draws `calls` calls in a picture of `size`, and lets the line move for `span`.
///
/// # Errors
/// [`Fault`] where nothing can draw, or stops doing so.
pub fn run(config: &Config, size: Size, calls: usize, span: Duration) -> Result<Trial, Fault> {
    let start = Instant::now();
    let mut target = Target::open(config.screen.present, size)?;
    let mut hall = Hall::new(config, Millis::ZERO);
    target.show(&hall.scene(size))?;
    let first = start.elapsed();
    let times = (0..calls).map(|_| {
        let start = Instant::now();
        hall.call();
        target.show(&hall.scene(size))?;
        Ok(start.elapsed())
    });
    let calls = times.collect::<Result<_, Fault>>()?;
    let (gpu, software) = (target.info(), matches!(target, Target::Memory(..)));
    drop(target);
    Ok(Trial { gpu, software, first, calls, ticker: ticker(config, size, span, || {})? })
}

/// Moves the line of a board at rest in real time, as a window does, and calls `stepped` after each step. None where the
/// line stands still.
///
/// # Errors
/// As for [`run`].
pub fn ticker(
    config: &Config,
    size: Size,
    span: Duration,
    mut stepped: impl FnMut(),
) -> Result<Option<Ticker>, Fault> {
    let mut target = Target::open(config.screen.present, size)?;
    let clock = Arc::new(SystemClock::new());
    let hall = Hall::new(config, clock.now().mono);
    let (_views, seen) = watch::channel(Arc::new(hall.board.view(hall.now)));
    let mut stage = Stage::new(config, seen, Arc::clone(&clock) as Arc<dyn Clock>, &Waker::default());
    target.show(stage.scene(size))?;
    let px_per_s = stage.scene(size).strip.as_ref().map_or(0, |strip| strip.px_per_s);
    let Some(pace) = Pace::new(px_per_s, config.screen.max_fps) else { return Ok(None) };
    let mut found = Ticker::default();
    let end = clock.now().mono + Millis(i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
    let mut due = pace.next_step(clock.now().mono);
    while due < end {
        std::thread::sleep((due - clock.now().mono).to_duration());
        let begun = Instant::now();
        target.show(stage.scene(size))?;
        found.busy += begun.elapsed();
        found.steps += 1;
        let done = clock.now().mono;
        found.error_px = found.error_px.max((done - due).as_secs_f64() * f64::from(px_per_s));
        found.late += u32::from(done >= pace.next_step(due));
        due = pace.next_step(done);
        stepped();
    }
    Ok(Some(found))
}

/// What draws, as a window would choose it.
enum Target {
    /// With where it has changed, which a display would be told.
    Memory(Box<Frame>, Vec<Area>),
    Gpu(Box<Drawn>),
}

impl Target {
    fn open(mode: PresentMode, size: Size) -> Result<Self, Fault> {
        let forced = mode == PresentMode::Surface;
        if forced || mode == PresentMode::Auto && Gpu::may_be_here() {
            match Gpu::open(&Gpu::instance(), None) {
                Ok(gpu) if forced || !gpu.is_software() => {
                    return Ok(Self::Gpu(Box::new(Drawn::new(gpu, size)?)));
                }
                Err(error) if forced => return Err(error.into()),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(Self::Memory(Box::default(), Vec::new()))
    }

    /// Returns when the picture is finished.
    fn show(&mut self, scene: &Scene) -> Result<(), Fault> {
        match self {
            Self::Memory(frame, areas) => {
                frame.update(scene);
                frame.take_changed(areas);
                Ok(())
            }
            Self::Gpu(drawn) => {
                drawn.draw(scene)?;
                drawn.wait()
            }
        }
    }

    fn info(&self) -> String {
        match self {
            Self::Memory(..) => INFO,
            Self::Gpu(drawn) => drawn.info(),
        }
        .to_owned()
    }
}

/// A hall of the config's counters that calls one ticket after the other.
struct Hall {
    board: Board,
    look: Look,
    counters: Vec<CounterConfig>,
    now: Now,
    calls: usize,
}

impl Hall {
    fn new(config: &Config, mono: Millis) -> Self {
        let now = Now { mono, wall: jiff::Timestamp::now() };
        let mut rules = Rules { power: None, speaks: false, ..Rules::of(config) };
        // Whenever a technician asks.
        rules.hours.enabled = false;
        let mut board = Board::new(rules, now);
        board.apply(now, Input::LinkChanged { up: true });
        Self { board, look: Look::of(config), counters: config.counters.clone(), now, calls: 0 }
    }

    fn call(&mut self) {
        let n = self.calls;
        self.calls += 1;
        self.now = self.now.after(BETWEEN);
        let counter = self.counters.get(n % self.counters.len().max(1)).map_or("1", |c| c.id.as_str());
        let (letter, number) = (char::from(b'A' + (n % 5) as u8), n * 37 % 900 + 100);
        let payload = serde_json::json!({
            "id": format!("trial-{n}"), "ticket": format!("{letter}{number}"), "counter": counter, "kind": "call",
            "at": self.now.wall.to_string(),
        });
        if let Ok(decoded) = wire::decode("call", payload.to_string().as_bytes(), &TimeZone::UTC) {
            self.board.apply(self.now, decoded.input);
        }
    }

    fn scene(&self, size: Size) -> Scene {
        compose(&self.board.view(self.now), &self.look, size, self.now).moved(self.now.mono)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_draws_every_call_and_moves_the_line() {
        let config = Config::default();
        let found = run(&config, Size { w: 640, h: 360 }, 5, Duration::from_millis(400)).unwrap();
        assert_eq!(found.calls.len(), 5);
        assert!(found.calls.iter().all(|took| *took > Duration::ZERO) && found.first > Duration::ZERO);
        let ticker = found.ticker.expect("the default line moves");
        assert!(ticker.steps > 0 && ticker.busy > Duration::ZERO, "{ticker:?}");
        assert!(!found.gpu.is_empty());
    }

    #[test]
    fn each_call_of_a_trial_changes_the_picture() {
        let mut hall = Hall::new(&Config::default(), Millis::ZERO);
        let size = Size { w: 640, h: 360 };
        let mut before = hall.scene(size);
        for _ in 0..8 {
            hall.call();
            let after = hall.scene(size);
            assert_ne!(before.layers, after.layers);
            before = after;
        }
    }
}
