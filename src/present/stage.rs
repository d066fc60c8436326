//! Which picture is due now, and when the next one is. Knows views, clocks and scenes; no GPU and no window.

use std::fmt::Write;
use std::sync::Arc;

use tokio::sync::watch;
use tracing::trace_span;

use super::album::Album;
use super::pace::Pace;
use super::port::Waker;
use crate::board::call::{CallId, Series};
use crate::board::view::{BoardView, SharedView};
use crate::clock::{Clock, Millis, Now};
use crate::config::Config;
use crate::pictures::with_logo;
use crate::scene::{Look, Scene, Size, Strip, TextRun, coming, compose, idle_room, rehearsal, texts_of};
use crate::trace::STAGE;

pub struct Stage {
    views: watch::Receiver<SharedView>,
    clock: Arc<dyn Clock>,
    look: Look,
    max_fps: u32,
    /// Headless nobody watches: the ticker only moves when something else is drawn, and calls are at rest.
    animated: bool,
    composed: Option<Composed>,
    album: Option<Album>,
    series: Vec<Series>,
}

struct Composed {
    scene: Scene,
    /// The picture at rest and when something of it moves next; none while nothing moves.
    moving: Option<(Scene, Millis)>,
    /// Made when it is asked for: the glass is not to wait for it.
    hash: Option<u64>,
    calls: Vec<CallId>,
}

impl Stage {
    /// Reads the logo; the bell rings when other pictures of the hall's have been read.
    pub fn new(
        config: &Config,
        views: watch::Receiver<SharedView>,
        clock: Arc<dyn Clock>,
        waker: &Waker,
    ) -> Self {
        let album = config.board.idle_pictures.clone().map(|folder| Album::new(folder, waker.clone()));
        Self {
            views,
            clock,
            look: with_logo(Look::of(config), config),
            max_fps: config.screen.max_fps.max(1),
            animated: true,
            composed: None,
            album,
            series: config.series.iter().map(|series| series.id.clone()).collect(),
        }
    }

    pub fn animate(&mut self, animated: bool) {
        self.animated = animated;
    }

    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// The picture at this instant; composed anew only when the view, the size or the time asks for it.
    pub fn scene(&mut self, size: Size) -> &Scene {
        let now = self.now();
        let pictures = self.read_pictures(size);
        if pictures || self.must_compose(size, now.mono) {
            self.compose(size, now);
        } else if self.animated {
            self.move_ticker(now.mono);
            self.move_calls(now.mono);
        }
        &self.composed.as_ref().expect("composed above when there was none").scene
    }

    /// The present picture with the ticker where it is now, as a snapshot wants it.
    pub fn scene_now(&mut self, size: Size) -> &Scene {
        self.scene(size);
        self.move_ticker(self.now().mono);
        &self.composed.as_ref().expect("composed by `scene`").scene
    }

    /// The text that the day may bring to a screen of this size.
    pub fn rehearsal(&self, size: Size) -> Vec<TextRun> {
        rehearsal(&self.views.borrow(), &self.look, size)
    }

    /// Boards with the calls that may come next.
    pub fn coming(&self) -> impl Iterator<Item = BoardView> + use<> {
        coming(&self.views.borrow(), &self.series)
    }

    /// The texts that such a board has on a screen of this size.
    pub fn texts_of(&self, board: &BoardView, size: Size) -> Vec<TextRun> {
        texts_of(board, &self.look, size, self.now())
    }

    /// FNV-1a of the picture at rest, without the ticker's motion.
    pub fn hash(&mut self) -> u64 {
        let Some(Composed { scene, moving, hash, .. }) = &mut self.composed else { return 0 };
        let still = moving.as_ref().map_or(&*scene, |(still, _)| still);
        *hash.get_or_insert_with(|| hash_of(still))
    }

    /// The calls that the picture shows large.
    pub fn calls(&self) -> &[CallId] {
        self.composed.as_ref().map_or(&[], |composed| &composed.calls)
    }

    /// When the picture changes without a new view; never earlier than one frame from `now`.
    pub fn next_change(&self, now: Millis) -> Option<Millis> {
        let composed = self.composed.as_ref()?;
        let frame = Millis((1000 / i64::from(self.max_fps)).max(1));
        let change = composed.scene.next_change.map(|at| at.max(now + frame));
        let pace = composed.scene.strip.as_ref().filter(|_| self.animated).and_then(|strip| self.pace(strip));
        let step = composed.moving.as_ref().map(|(_, at)| (*at).max(now + frame));
        change.into_iter().chain(pace.map(|pace| pace.next_step(now))).chain(step).min()
    }

    /// Takes the pictures that have been read for a screen of this size; returns whether there are other ones than before.
    fn read_pictures(&mut self, size: Size) -> bool {
        let Some(album) = &mut self.album else { return false };
        album.ask(idle_room(&self.look, size, self.views.borrow().counters.len()));
        let Some(pictures) = album.take() else { return false };
        self.look.idle.pictures = pictures;
        true
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
        let _stage = trace_span!(target: STAGE, "scene").entered();
        let view = Arc::clone(&self.views.borrow_and_update());
        let mut scene = compose(&view, &self.look, size, now);
        let step = scene.strip.as_ref().map_or(now.mono, |strip| self.step(strip, now.mono));
        if let Some(old) = &self.composed {
            scene.follow(&old.scene, step);
        }
        if let Some(strip) = &mut scene.strip {
            strip.slide(step);
        }
        let moving = (self.animated && !scene.moving.is_empty()).then(|| (scene.clone(), now.mono));
        let calls = view.called().iter().map(|spot| spot.call.clone()).collect();
        self.composed = Some(Composed { scene, moving, hash: None, calls });
        self.move_calls(now.mono);
    }

    /// Brings what moves to where it is now, if a step is due.
    fn move_calls(&mut self, now: Millis) {
        let Some(composed) = &mut self.composed else { return };
        let Some((still, due)) = composed.moving.as_mut().filter(|(_, due)| *due <= now) else { return };
        composed.scene.layers = still.layers_at(now);
        match still.next_step(now) {
            Some(next) => *due = next,
            None => composed.moving = None,
        }
    }

    fn move_ticker(&mut self, now: Millis) {
        let Some(mut composed) = self.composed.take() else { return };
        if let Some(strip) = &mut composed.scene.strip {
            strip.slide(self.step(strip, now));
        }
        self.composed = Some(composed);
    }

    /// The time of the line's last step up to `now`.
    fn step(&self, strip: &Strip, now: Millis) -> Millis {
        self.pace(strip).map_or(now, |pace| pace.last_step(now))
    }

    fn pace(&self, strip: &Strip) -> Option<Pace> {
        Pace::new(strip.px_per_s, self.max_fps)
    }
}

/// FNV-1a over the scene's words. The destructuring makes a new field of the scene a decision here.
fn hash_of(scene: &Scene) -> u64 {
    let Scene { size, background, layers, strip, next_change: _, moving: _ } = scene;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::call::{CallId, Counter, Kind, Lane, NoticeId, Ticket};
    use crate::board::state::Level;
    use crate::board::view::{BoardView, Spot, TickerItem};
    use crate::clock::ManualClock;

    const SIZE: Size = Size { w: 1920, h: 1080 };

    /// A board whose line is longer than the screen is wide.
    fn view(revision: u64, notices: &[&str]) -> SharedView {
        let ticker = notices.iter().map(|text| TickerItem {
            id: NoticeId::parse(text).unwrap(),
            text: format!("{text} ").repeat(60),
            text_en: None,
            level: Level::Info,
            qr: None,
            until: None,
        });
        Arc::new(BoardView { revision, ticker: ticker.collect(), ..BoardView::empty() })
    }

    struct Hall {
        stage: Stage,
        clock: Arc<ManualClock>,
        views: watch::Sender<SharedView>,
    }

    impl Hall {
        fn new() -> Self {
            // Twenty seconds into a minute.
            let clock = Arc::new(ManualClock::at("2026-11-24T02:15:20Z".parse().unwrap()));
            let (views, seen) = watch::channel(view(1, &["một"]));
            let stage =
                Stage::new(&Config::default(), seen, Arc::clone(&clock) as Arc<dyn Clock>, &Waker::default());
            Self { stage, clock, views }
        }

        fn scene(&mut self) -> Scene {
            self.stage.scene(SIZE).clone()
        }

        fn offset(&mut self) -> u32 {
            self.scene().strip.expect("a line").offset
        }

        fn next(&mut self) -> Option<Millis> {
            let now = self.stage.now().mono;
            self.stage.next_change(now)
        }
    }

    #[test]
    fn the_line_moves_two_pixels_sixty_times_a_second_and_the_rest_stands_still() {
        let mut hall = Hall::new();
        let (first, hash) = (hall.scene(), hall.stage.hash());
        let mut offset = hall.offset();
        for _ in 0..60 {
            let due = hall.next().expect("a line moves");
            hall.clock.advance(due - hall.stage.now().mono);
            assert_eq!(hall.offset(), offset + 2);
            offset += 2;
        }
        assert_eq!(hall.stage.now().mono, Millis::from_secs(1));
        assert_eq!((hall.scene().layers, hall.stage.hash()), (first.layers, hash));
    }

    #[test]
    fn nothing_is_due_without_a_display_before_the_clock_shows_another_minute() {
        let mut hall = Hall::new();
        hall.stage.animate(false);
        let first = hall.scene();
        assert_eq!(hall.next(), Some(Millis::from_secs(40)));
        hall.clock.advance(Millis::from_secs(39));
        assert_eq!(hall.scene(), first);
        hall.clock.advance(Millis::from_secs(1));
        assert_ne!(hall.scene().layers, first.layers);
        assert_eq!(hall.next(), Some(Millis::from_secs(100)));
    }

    #[test]
    fn a_snapshot_has_the_line_where_it_is_now_even_where_nobody_watches_it() {
        let mut hall = Hall::new();
        hall.stage.animate(false);
        let before = hall.offset();
        hall.clock.advance(Millis::from_secs(2));
        let now = hall.stage.scene_now(SIZE).strip.as_ref().unwrap().offset;
        assert_eq!(now, before + 240);
    }

    #[test]
    fn a_line_that_is_being_read_does_not_jump_when_a_call_comes() {
        let mut hall = Hall::new();
        hall.offset();
        hall.clock.advance(Millis(50));
        let before = hall.offset();
        hall.views.send_replace(view(2, &["một"]));
        assert_eq!(hall.offset(), before);
    }

    #[test]
    fn the_hash_is_of_the_picture_and_not_of_the_revision() {
        let mut hall = Hall::new();
        hall.scene();
        let first = hall.stage.hash();
        let mut hashes = Vec::new();
        for (revision, notices) in [(2, ["hai"]), (3, ["một"])] {
            hall.views.send_replace(view(revision, &notices));
            hall.scene();
            hashes.push(hall.stage.hash());
        }
        assert_ne!(hashes[0], first);
        assert_eq!(hashes[1], first);
    }

    fn called(revision: u64, since: Millis) -> SharedView {
        let spot = Spot {
            call: CallId::parse("c").unwrap(),
            ticket: Ticket::parse("A012").unwrap(),
            counter: Counter::parse("5").unwrap(),
            kind: Kind::Call,
            lane: Lane::Regular,
            slot: None,
            holder: None,
            since,
        };
        let view = BoardView { revision, spotlight: vec![spot], ticker: Vec::new(), ..BoardView::empty() };
        Arc::new(BoardView { spotlight_since: since, ..view })
    }

    #[test]
    fn a_call_moves_in_a_window_for_its_dwell_only_and_its_hash_is_that_of_the_picture_at_rest() {
        let mut hall = Hall::new();
        hall.views.send_replace(called(2, Millis::ZERO));
        let first = hall.scene();
        let hash = hall.stage.hash();
        let mut pictures = Vec::new();
        while let Some(due) = hall.next().filter(|due| *due < Millis::from_secs(40)) {
            hall.clock.advance(due - hall.stage.now().mono);
            pictures.push(hall.scene().layers);
            assert_eq!(hall.stage.hash(), hash);
        }
        assert!((60..85).contains(&pictures.len()), "{} steps", pictures.len());
        assert_eq!(hall.stage.now().mono, Millis::from_secs(8));
        assert_ne!(pictures[20], *pictures.last().unwrap(), "half a breath later");
        hall.stage.animate(false);
        hall.views.send_replace(called(3, Millis::from_secs(8)));
        let still = hall.scene();
        assert_eq!((still.layers, hall.stage.hash()), (pictures.pop().unwrap(), hash));
        assert_ne!(first.layers, hall.scene().layers, "it came from the left");
        assert_eq!(hall.next(), Some(Millis::from_secs(40)), "headless nothing moves");
    }

    #[test]
    fn the_last_view_stays_when_the_hub_is_gone() {
        let mut hall = Hall::new();
        let first = hall.scene();
        let Hall { mut stage, views, .. } = hall;
        drop(views);
        assert_eq!(*stage.scene(SIZE), first);
        assert_ne!(stage.scene(Size { w: 1280, h: 720 }).size, first.size);
    }
}
