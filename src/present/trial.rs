//! How fast this machine draws: the parts that stand behind a window, without one, so that it can be asked beside a board
//! that is running. What the display itself takes is not in the figures.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use tokio::sync::watch;

use super::asks_gpu;
use super::drawn::Drawn;
use super::frame::{Frame, INFO};
use super::pace::Pace;
use super::port::Waker;
use super::show::Fault;
use super::stage::Stage;
use crate::board::input::Input;
use crate::board::view::SharedView;
use crate::board::{Board, Rules};
use crate::clock::system::SystemClock;
use crate::clock::{Clock, Millis, Now};
use crate::config::{Config, CounterConfig, PresentMode};
use crate::gpu::Gpu;
use crate::raster::Area;
use crate::scene::{Look, Scene, Size, Strip, compose};
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
    /// Of a board at rest; none where the line stands still.
    pub ticker: Option<Ticker>,
    /// While a call comes every one and a half seconds.
    pub under_calls: Option<Ticker>,
}

/// How evenly the line moved.
#[derive(Clone, Debug, Default)]
pub struct Ticker {
    /// Pictures in which the line has moved.
    pub steps: u32,
    /// Those that were finished when the line should already have been more than one step further.
    pub late: u32,
    /// Steps that no picture showed, because one was drawn too late.
    pub skipped: u32,
    /// How far the line was at most from where it should have been when its picture was finished, in pixels.
    pub error_px: f64,
    /// Pixels of one step.
    pub step_px: u32,
    /// Calls that came meanwhile.
    pub calls: u32,
    /// What drawing took of the processor's time.
    pub busy: Duration,
}

/// Draws `calls` calls in a picture of `size`, and lets the line move for `span` at rest and for as long under calls.
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
        hall.call(BETWEEN);
        target.show(&hall.scene(size))?;
        Ok(start.elapsed())
    });
    let calls = times.collect::<Result<_, Fault>>()?;
    let (gpu, software) = (target.info(), matches!(target, Target::Memory(..)));
    drop(target);
    let rest = ticker(config, size, span, None, || {})?;
    let under_calls = ticker(config, size, span, Some(BETWEEN), || {})?;
    Ok(Trial { gpu, software, first, calls, ticker: rest, under_calls })
}

/// Moves the line of a board in real time, as a window does, and calls `stepped` after each picture. With `calls_every` a
/// call comes each time that this has passed, from another thread, as from the hub. None where the line stands still.
///
/// # Errors
/// As for [`run`].
pub fn ticker(
    config: &Config,
    size: Size,
    span: Duration,
    calls_every: Option<Millis>,
    mut stepped: impl FnMut(),
) -> Result<Option<Ticker>, Fault> {
    let mut target = Target::open(config.screen.present, size)?;
    let clock = Arc::new(SystemClock::new());
    let hall = Hall::new(config, clock.now().mono);
    let (views, seen) = watch::channel(Arc::new(hall.board.view(hall.now)));
    let mut stage = Stage::new(config, seen, Arc::clone(&clock) as Arc<dyn Clock>, &Waker::default());
    target.show(stage.scene(size))?;
    let px_per_s = stage.scene(size).strip.as_ref().map_or(0, |strip| strip.px_per_s);
    let Some(pace) = Pace::new(px_per_s, config.screen.max_fps) else { return Ok(None) };
    let mut found = Ticker { step_px: pace.step_px(), ..Ticker::default() };
    let end = clock.now().mono + Millis(i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
    let load = calls_every.map(|every| Load::start(hall, every, views, &clock, end));
    let mut place = stage.scene(size).strip.as_ref().map_or(0, |strip| strip.offset);
    loop {
        let now = clock.now().mono;
        let Some(due) = stage.next_change(now).filter(|_| now < end) else { break };
        // A call ends the sleep.
        std::thread::park_timeout((due.min(end) - now).to_duration());
        let begun = Instant::now();
        let scene = stage.scene(size);
        target.show(scene)?;
        found.busy += begun.elapsed();
        if let Some(strip) = &scene.strip {
            found.look(strip, std::mem::replace(&mut place, strip.offset), clock.now().mono);
        }
        stepped();
    }
    found.calls = load.map_or(0, Load::end);
    Ok(Some(found))
}

impl Ticker {
    /// Judges a finished picture: where its line is, where it was in the one before, and where it should be now.
    fn look(&mut self, strip: &Strip, before: u32, now: Millis) {
        let length = f64::from(strip.content.length.max(1));
        let moved = (f64::from(strip.offset) - f64::from(before)).rem_euclid(length);
        if moved < 1.0 {
            return;
        }
        let step = f64::from(self.step_px.max(1));
        let ideal = now.as_secs_f64() * f64::from(strip.px_per_s) + f64::from(strip.shift);
        let behind = (ideal - f64::from(strip.offset)).rem_euclid(length);
        // A line that is a little ahead is not behind by nearly all of its length.
        let apart = behind.min(length - behind);
        self.steps += 1;
        self.skipped += ((moved / step).round() as u32).saturating_sub(1);
        self.late += u32::from(apart > step);
        self.error_px = self.error_px.max(apart);
    }
}

/// A thread that calls, as the hub does.
struct Load {
    thread: JoinHandle<u32>,
}

impl Load {
    /// Calls until `end`, and wakes the thread that starts it each time.
    fn start(
        mut hall: Hall,
        every: Millis,
        views: watch::Sender<SharedView>,
        clock: &Arc<SystemClock>,
        end: Millis,
    ) -> Self {
        let (drawing, clock) = (std::thread::current(), Arc::clone(clock));
        hall.now = clock.now();
        let thread = std::thread::spawn(move || {
            let mut calls = 0;
            loop {
                let due = hall.now.mono + every;
                if due >= end {
                    return calls;
                }
                std::thread::sleep((due - clock.now().mono).to_duration());
                hall.call(every);
                views.send_replace(Arc::new(hall.board.view(hall.now)));
                drawing.unpark();
                calls += 1;
            }
        });
        Self { thread }
    }

    /// Waits for its end, and says how many calls there were.
    fn end(self) -> u32 {
        self.thread.join().unwrap_or_default()
    }
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
        if asks_gpu(mode) {
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

    /// One call, so long after the last one.
    fn call(&mut self, after: Millis) {
        let n = self.calls;
        self.calls += 1;
        self.now = self.now.after(after);
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
        for ticker in [found.ticker, found.under_calls].map(|ticker| ticker.expect("the default line moves"))
        {
            assert!(ticker.steps > 0 && ticker.busy > Duration::ZERO, "{ticker:?}");
            assert_eq!(ticker.step_px, 1, "120 px/s at 1080 lines are 40 at 360");
        }
        assert!(!found.gpu.is_empty());
    }

    #[test]
    fn calls_come_while_the_line_moves() {
        let (config, size) = (Config::default(), Size { w: 640, h: 360 });
        let span = Duration::from_millis(500);
        let found = ticker(&config, size, span, Some(Millis(100)), || {}).unwrap().unwrap();
        assert!((1..=4).contains(&found.calls) && found.steps > 0, "{found:?}");
    }

    #[test]
    fn a_picture_is_judged_by_where_its_line_should_be_when_it_is_finished() {
        let mut hall = Hall::new(&Config::default(), Millis::ZERO);
        hall.now = hall.now.after(Millis(60_000));
        let mut strip = hall.scene(Size { w: 1920, h: 1080 }).strip.unwrap();
        let mut found = Ticker { step_px: 2, ..Ticker::default() };
        let mut look = |drawn_ms: i64, finished_ms: i64, found: &mut Ticker| {
            let before = strip.offset;
            strip.slide(Millis(60_000 + drawn_ms));
            found.look(&strip, before, Millis(60_000 + finished_ms));
        };
        look(0, 9, &mut found);
        assert_eq!(found.steps, 0, "it has not moved");
        look(50, 59, &mut found);
        assert_eq!(
            (found.steps, found.skipped, found.late),
            (1, 2, 0),
            "50 ms are three steps of two pixels"
        );
        assert!((found.error_px - 1.08).abs() < 0.01, "nine milliseconds: {found:?}");
        look(67, 93, &mut found);
        assert_eq!((found.steps, found.skipped, found.late), (2, 2, 1));
        assert!((found.error_px - 3.16).abs() < 0.01, "{found:?}");
        look(100, 99, &mut found);
        assert_eq!((found.steps, found.late), (3, 1), "a little ahead is not late: {found:?}");
        assert!((found.error_px - 3.16).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn each_call_of_a_trial_changes_the_picture() {
        let mut hall = Hall::new(&Config::default(), Millis::ZERO);
        let size = Size { w: 640, h: 360 };
        let mut before = hall.scene(size);
        for _ in 0..8 {
            hall.call(BETWEEN);
            let after = hall.scene(size);
            assert_ne!(before.layers, after.layers);
            before = after;
        }
    }
}
