//! The show under a manual clock, with a canvas that does what a test tells it to.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::sync::watch;

use super::*;
use crate::board::call::{Counter, Kind, Lane, Ticket};
use crate::board::view::{BoardView, SharedView, Spot};
use crate::clock::{Clock, ManualClock};
use crate::present::port::{self, PortHandle};

const SIZE: Size = Size { w: 64, h: 36 };

/// What the fake canvas answers next, and what happened to it.
#[derive(Default)]
struct Script {
    opens: Vec<Result<(), &'static str>>,
    shows: Vec<Result<Shown, &'static str>>,
    opened: usize,
    ways: Vec<Way>,
    shown: usize,
    dropped: usize,
    warmed: usize,
    growths: u64,
    /// The next canvas is the processor's.
    is_software: bool,
}

struct Fake(Rc<RefCell<Script>>, Option<Raster>);

impl Canvas for Fake {
    fn show(&mut self, _: &Scene) -> Result<Shown, Fault> {
        let mut script = self.0.borrow_mut();
        script.shown += 1;
        let next = if script.shows.is_empty() { Ok(Shown::Frame) } else { script.shows.remove(0) };
        next.map_err(|why| Fault::Device(why.into()))
    }

    fn picture(&mut self, scene: &Scene) -> Result<Picture, Fault> {
        let Size { w, h } = scene.size;
        Ok(Picture { w, h, rgba: vec![7; (w * h * 4) as usize] })
    }

    fn forget(&mut self) {}

    fn warm(&mut self, runs: &dyn Fn() -> Vec<TextRun>) {
        let runs = runs();
        assert!(!runs.is_empty());
        self.0.borrow_mut().warmed += 1;
    }

    fn growths(&self) -> u64 {
        self.0.borrow().growths
    }

    fn raster(&mut self) -> Option<&mut Raster> {
        self.1.as_mut()
    }

    fn gpu(&self) -> &'static str {
        "a fake"
    }

    fn kind(&self) -> &'static str {
        "headless"
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.0.borrow_mut().dropped += 1;
    }
}

struct Hall {
    show: Show,
    script: Rc<RefCell<Script>>,
    clock: Arc<ManualClock>,
    handle: PortHandle,
    views: watch::Sender<SharedView>,
    /// The calls that came onto the glass, and in which frame.
    drawn: Arc<Mutex<Vec<(String, u64)>>>,
}

impl Hall {
    fn new() -> Self {
        let mut config = Config::default();
        config.screen.present = PresentMode::Headless;
        Self::with(&config)
    }

    fn with(config: &Config) -> Self {
        let clock = Arc::new(ManualClock::at("2026-11-24T02:15:20Z".parse().unwrap()));
        let (views, seen) = watch::channel(Arc::new(BoardView::empty()));
        let (handle, mut port) = port::channel(seen, Arc::clone(&clock) as Arc<dyn Clock>);
        let drawn = Arc::<Mutex<Vec<_>>>::default();
        port.drawn = Box::new({
            let drawn = Arc::clone(&drawn);
            move |Drawn { call, frame }| lock(&drawn).push((call.to_string(), frame.number))
        });
        let show = Show::new(config, port);
        Self { show, script: Rc::default(), clock, handle, views, drawn }
    }

    /// Publishes a view with these calls in the spotlight.
    fn call(&self, ids: &[&str]) {
        self.change(BoardView { spotlight: ids.iter().map(|id| spot(id)).collect(), ..BoardView::empty() });
    }

    fn change(&self, view: BoardView) {
        self.views.send_replace(Arc::new(view));
    }

    fn drawn(&self) -> Vec<(String, u64)> {
        lock(&self.drawn).clone()
    }

    fn step(&mut self) -> Option<Millis> {
        let script = Rc::clone(&self.script);
        self.show.step(SIZE, &mut move |_, way| {
            let mut now = script.borrow_mut();
            now.opened += 1;
            now.ways.push(way);
            let next = if now.opens.is_empty() { Ok(()) } else { now.opens.remove(0) };
            next.map_err(|why| Fault::NoAdapter(why.into()))?;
            let raster = now.is_software.then(Raster::default);
            Ok(Box::new(Fake(Rc::clone(&script), raster)))
        })
    }

    /// Sleeps as long as the show asks, and steps again.
    fn sleep(&mut self, span: Option<Millis>) -> Option<Millis> {
        self.clock.advance(span.unwrap());
        self.step()
    }
}

fn spot(id: &str) -> Spot {
    Spot {
        call: CallId::parse(id).unwrap(),
        ticket: Ticket::parse("A012").unwrap(),
        counter: Counter::parse("5").unwrap(),
        kind: Kind::Call,
        lane: Lane::Regular,
        slot: None,
        holder: None,
        since: Millis::ZERO,
    }
}

#[test]
fn a_call_is_drawn_when_its_frame_was_taken_and_told_once() {
    let mut hall = Hall::new();
    hall.step();
    hall.call(&["c-1"]);
    hall.script.borrow_mut().shows = vec![Ok(Shown::Refused), Ok(Shown::Hidden), Err("unplugged")];
    let mut due = hall.step();
    for _ in 0..2 {
        due = hall.sleep(due);
    }
    assert_eq!(hall.drawn(), [], "a frame that nobody took shows nothing");
    hall.sleep(due);
    assert_eq!(hall.drawn(), [("c-1".to_owned(), 2)]);
    hall.call(&["c-2", "c-1"]);
    hall.step();
    hall.step();
    assert_eq!(hall.drawn()[1..], [("c-2".to_owned(), 3)]);
}

#[test]
fn a_call_whose_view_was_skipped_or_covered_is_not_drawn() {
    let mut hall = Hall::new();
    hall.step();
    hall.call(&["c-1"]);
    hall.call(&["c-2"]);
    hall.step();
    let dark = BoardView { dark: true, spotlight: vec![spot("c-3")], ..BoardView::empty() };
    hall.change(dark);
    hall.step();
    assert_eq!(hall.drawn(), [("c-2".to_owned(), 2)]);
    hall.call(&["c-3"]);
    hall.step();
    assert_eq!(hall.drawn()[1..], [("c-3".to_owned(), 4)], "the panel is lit again");
}

#[test]
fn a_call_that_finds_its_number_on_the_glass_is_drawn_by_the_frame_that_is_there() {
    let mut hall = Hall::new();
    hall.call(&["c-1"]);
    hall.step();
    hall.call(&["c-2"]);
    hall.script.borrow_mut().shows = vec![Ok(Shown::Same)];
    hall.step();
    assert_eq!(hall.drawn(), [("c-1".to_owned(), 1), ("c-2".to_owned(), 1)]);
}

#[test]
fn off_screen_nothing_is_drawn_while_a_display_is_waited_for() {
    let mut hall = Hall::with(&Config::default());
    hall.call(&["c-1"]);
    hall.step();
    let report = hall.handle.report();
    assert_eq!((report.frames, report.unseen, hall.drawn()), (1, true, vec![]));
}

#[test]
fn a_machine_without_a_gpu_is_asked_again_ever_more_rarely_and_for_ever() {
    let mut hall = Hall::new();
    hall.script.borrow_mut().opens = vec![Err("none"); 9];
    let mut due = hall.step();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        pauses.push(due.unwrap().0);
        due = hall.sleep(due);
    }
    assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    assert!(hall.handle.report().gpu.starts_with("rebuilding: "), "{:?}", hall.handle.report());
    hall.sleep(due);
    let report = hall.handle.report();
    assert_eq!((report.gpu.as_str(), report.present, report.frames), ("a fake", "headless", 1));
}

#[test]
fn news_while_there_is_no_gpu_does_not_hasten_the_next_attempt() {
    let mut hall = Hall::new();
    hall.script.borrow_mut().opens = vec![Err("none")];
    hall.step();
    hall.views.send_replace(Arc::new(BoardView::empty()));
    hall.step();
    assert_eq!(hall.script.borrow().opened, 1);
}

#[test]
fn a_lost_device_is_dropped_before_another_is_opened_and_the_same_scene_is_shown_again() {
    let mut hall = Hall::new();
    hall.step();
    let before = hall.handle.report();
    hall.script.borrow_mut().shows = vec![Err("unplugged")];
    let due = hall.step();
    assert_eq!((hall.script.borrow().opened, hall.script.borrow().dropped), (1, 1));
    hall.sleep(due);
    let after = hall.handle.report();
    assert_eq!((hall.script.borrow().opened, after.rebuilds), (2, 1));
    assert_eq!((after.frames, after.frame_hash), (before.frames + 1, before.frame_hash));
}

#[test]
fn a_device_that_dies_at_once_again_and_again_is_not_rebuilt_in_a_tight_loop() {
    let mut hall = Hall::new();
    hall.script.borrow_mut().shows = vec![Err("dead"); 3];
    let mut due = hall.step();
    let mut pauses = Vec::new();
    for _ in 0..3 {
        pauses.push(due.unwrap().0);
        due = hall.sleep(due);
    }
    assert_eq!(pauses, [250, 500, 1000]);
    hall.clock.advance(SOUND_AFTER);
    hall.script.borrow_mut().shows = vec![Err("dead")];
    assert_eq!(hall.step(), Some(FIRST_PAUSE), "a canvas that lived long was sound");
}

#[test]
fn a_gpu_that_opens_and_never_lasts_gives_way_to_the_spare_way_for_ten_minutes() {
    let mut hall = Hall::new();
    hall.script.borrow_mut().shows = vec![Err("dead"); 3];
    let mut due = hall.step();
    for _ in 0..3 {
        due = hall.sleep(due);
    }
    let ways = |hall: &Hall| hall.script.borrow().ways.clone();
    assert_eq!(ways(&hall), [Way::Usual, Way::Usual, Way::Usual, Way::Spare]);
    hall.clock.advance(Millis(SPARE_FOR.0 - 2_000));
    hall.step();
    assert_eq!(ways(&hall).len(), 4, "the spare way goes on");
    hall.clock.advance(Millis(2_000));
    hall.script.borrow_mut().shows = vec![Err("still dead")];
    let due = hall.step();
    assert_eq!(ways(&hall)[4..], [Way::Usual]);
    hall.sleep(due);
    assert_eq!(ways(&hall)[5..], [Way::Spare], "one more failure is enough");
}

#[test]
fn when_the_spare_way_is_closed_too_the_usual_one_is_tried_again() {
    let mut hall = Hall::new();
    hall.script.borrow_mut().shows = vec![Err("dead"); 3];
    hall.script.borrow_mut().opens = vec![Ok(()), Ok(()), Ok(()), Err("no renderer")];
    let mut due = hall.step();
    for _ in 0..4 {
        due = hall.sleep(due);
    }
    assert_eq!(hall.script.borrow().ways[3..], [Way::Spare, Way::Usual]);
}

#[test]
fn a_surface_that_refuses_is_tried_ten_times_a_second_and_rebuilt_in_the_end() {
    let mut hall = Hall::new();
    hall.script.borrow_mut().shows = vec![Ok(Shown::Refused); REFUSALS as usize];
    let mut due = hall.step();
    for _ in 1..REFUSALS {
        assert_eq!(due, Some(RETRY));
        due = hall.sleep(due);
    }
    assert_eq!((due, hall.script.borrow().dropped), (Some(FIRST_PAUSE), 1));
    assert_eq!(hall.handle.report().frames, 0);
}

#[test]
fn a_hidden_window_is_no_fault_however_long_it_stays_hidden() {
    let mut hall = Hall::new();
    hall.script.borrow_mut().shows = vec![Ok(Shown::Hidden); 500];
    let mut due = hall.step();
    for _ in 1..500 {
        assert_eq!(due, Some(HIDDEN_RETRY));
        due = hall.sleep(due);
    }
    assert_eq!(hall.script.borrow().dropped, 0);
}

#[test]
fn a_picture_that_is_there_already_is_not_counted() {
    let mut hall = Hall::new();
    hall.step();
    hall.script.borrow_mut().shows = vec![Ok(Shown::Same)];
    hall.step();
    assert_eq!(hall.handle.report().frames, 1);
}

#[tokio::test]
async fn all_who_wait_for_a_snapshot_get_the_same_picture() {
    let mut hall = Hall::new();
    let (a, b) = (hall.handle.clone(), hall.handle.clone());
    let both = tokio::spawn(async move { tokio::join!(a.snapshot(), b.snapshot()) });
    while hall.handle.waker().unanswered().is_zero() {
        tokio::task::yield_now().await;
    }
    hall.step();
    let (a, b) = both.await.unwrap();
    let (a, b) = (a.unwrap(), b.unwrap());
    assert!(Arc::ptr_eq(&a, &b));
    assert_eq!(Picture::from_png(&a).unwrap().rgba[..3], [7, 7, 7]);
}

#[tokio::test]
async fn a_snapshot_without_a_gpu_says_why() {
    let mut hall = Hall::new();
    hall.script.borrow_mut().opens = vec![Err("none")];
    let handle = hall.handle.clone();
    let asked = tokio::spawn(async move { handle.snapshot().await });
    while hall.handle.waker().unanswered().is_zero() {
        tokio::task::yield_now().await;
    }
    hall.step();
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "no picture: no adapter: none");
}

#[test]
fn text_is_drawn_ahead_once_after_the_first_frame_and_growth_after_that_is_told() {
    let mut hall = Hall::new();
    hall.script.borrow_mut().growths = 5;
    hall.step();
    assert_eq!((hall.script.borrow().shown, hall.script.borrow().warmed), (1, 1));
    hall.step();
    assert_eq!((hall.script.borrow().warmed, hall.handle.report().atlas_growths), (1, 0));
    hall.script.borrow_mut().growths = 7;
    hall.step();
    assert_eq!(hall.handle.report().atlas_growths, 2);
    hall.script.borrow_mut().shows = vec![Err("unplugged")];
    let due = hall.step();
    hall.script.borrow_mut().growths = 1;
    hall.sleep(due);
    hall.step();
    let told = (hall.script.borrow().warmed, hall.handle.report().atlas_growths);
    assert_eq!(told, (2, 2), "another canvas is warmed anew");
}

#[test]
fn the_processor_draws_ahead_in_turns_a_second_after_the_first_frame_and_then_wakes_nobody() {
    let mut hall = Hall::new();
    let minute = hall.step();
    let mut hall = Hall::new();
    hall.script.borrow_mut().is_software = true;
    assert_eq!(hall.step(), Some(Millis::from_secs(1)), "the board and its news come first");
    let (mut due, mut turns) = (Some(Millis::from_secs(1)), 0);
    while due.is_some_and(|due| due <= Millis::from_secs(1)) && turns < 10_000 {
        due = hall.sleep(due);
        assert!(turns > 0 || due == Some(Millis(16)), "not all in one turn: {due:?}");
        turns += 1;
    }
    let passed = hall.show.stage.now().mono;
    assert_eq!(due, minute.map(|minute| minute - passed), "as without it, after {turns} turns");
}
