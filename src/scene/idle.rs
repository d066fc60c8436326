//! Pictures of the hall's own in the spotlight, once nobody has been called for a while. A call ends them at once.
//!
//! The number that was called last gives its place to them and goes to the last calls, where it can still be found. No
//! picture is shown while the numbers may be old or the hall is closed: then the board itself has something to say.

use std::sync::Arc;

use super::canvas::Canvas;
use super::{Art, Board, Image, Rect, motion};
use crate::board::view::Phase;
use crate::clock::Millis;

/// What is shown while nobody is called; nothing without pictures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Idle {
    /// How long nobody was called.
    pub after: Millis,
    /// How long one picture stays.
    pub each: Millis,
    /// In the order of their turns.
    pub pictures: Vec<Arc<Art>>,
}

/// The picture that is up.
pub struct Turn<'a> {
    art: &'a Arc<Art>,
    since: Millis,
    /// The one before it.
    before: Option<&'a Arc<Art>>,
}

/// The picture that is up, if one is, and when that changes by itself.
pub fn turn<'a>(board: &Board<'a>) -> (Option<Turn<'a>>, Option<Millis>) {
    let idle = &board.look.idle;
    let (count, each) = (idle.pictures.len(), idle.each.0.max(1));
    let Some(begin) = begin(board).filter(|_| count > 0) else { return (None, None) };
    let now = board.now.mono;
    if now < begin {
        return (None, Some(begin));
    }
    let turns = (now - begin).0 / each;
    let at = |turns: i64| begin + Millis(turns * each);
    // A day's time decides which is the first, so that the last ones of many have their turn in a busy hall too.
    let first = begin.0.div_euclid(each);
    let picture = |turns: i64| &idle.pictures[(first + turns).rem_euclid(count as i64) as usize];
    let before = (turns > 0 && count > 1).then(|| picture(turns - 1));
    let since = if count > 1 { at(turns) } else { begin };
    (Some(Turn { art: picture(turns), since, before }), (count > 1).then(|| at(turns + 1)))
}

/// When the pictures come up, if nobody is called until then.
fn begin(board: &Board<'_>) -> Option<Millis> {
    let view = board.view;
    if view.phase != Phase::Open || view.link.stale || view.spotlight_waiting > 0 {
        return None;
    }
    let calls = view.spotlight.iter().map(|spot| spot.since);
    let last = calls.chain(view.counters.iter().filter_map(|counter| counter.called_at)).max();
    Some(last.unwrap_or(Millis::ZERO) + board.look.idle.after)
}

/// Draws the picture whole, framed by a panel; what its shape leaves free is the panel's.
pub fn draw(canvas: &mut Canvas, board: &Board<'_>, area: Rect, turn: &Turn<'_>) {
    let (theme, px) = (&board.look.theme, board.px);
    canvas.fill(area, theme.panel, px.of(theme.radius_large));
    let room = area.inset(px.of(FRAME), px.of(FRAME));
    let image = |art: &Arc<Art>| Image {
        art: Arc::clone(art),
        rect: art.place(room),
        radius: px.of(theme.radius),
        opacity: 1.0,
    };
    let mark = motion::mark(canvas);
    canvas.layer.images.push(image(turn.art));
    motion::fade(canvas, board, mark, turn.since, turn.before.map(image));
}

/// Width of the frame at 1080 lines.
const FRAME: f32 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::view::{BoardView, ClosedReason, RecentCall, Spot};
    use crate::clock::Now;
    use crate::config::Config;
    use crate::scene::{Look, Scene, Size, compose};

    const SIZE: Size = Size { w: 1920, h: 1080 };
    const CALLED: Millis = Millis::from_secs(1000);

    fn look(count: u32) -> Look {
        let art = |n: u32| Arc::new(Art::new(Size { w: 400 + n, h: 300 }, Vec::new()));
        let look = Look::of(&Config::default());
        Look { idle: Idle { pictures: (0..count).map(art).collect(), ..look.idle.clone() }, ..look }
    }

    /// A hall in which A012 was called to counter 5, and nobody after it.
    fn view() -> BoardView {
        let counter = crate::board::call::Counter::parse("5").unwrap();
        let ticket = crate::board::call::Ticket::parse("A012").unwrap();
        let spot = Spot {
            call: crate::board::call::CallId::parse("c").unwrap(),
            ticket: ticket.clone(),
            counter: counter.clone(),
            kind: crate::board::call::Kind::Call,
            lane: crate::board::call::Lane::Regular,
            slot: None,
            holder: None,
            since: CALLED,
        };
        let recent = vec![RecentCall { ticket, counter, at: jiff::Timestamp::UNIX_EPOCH }];
        BoardView { spotlight: vec![spot], recent, ..BoardView::empty() }
    }

    fn scene(view: &BoardView, look: &Look, after_s: i64) -> Scene {
        let now = Now { mono: CALLED + Millis::from_secs(after_s), wall: jiff::Timestamp::UNIX_EPOCH };
        compose(view, look, SIZE, now)
    }

    /// Width of the picture that is up.
    fn shown(scene: &Scene) -> Option<u32> {
        assert!(scene.layers[0].images.len() < 2);
        scene.layers[0].images.first().map(|image| image.art.size().w)
    }

    fn says(scene: &Scene, text: &str) -> usize {
        scene.layers[0].texts.iter().filter(|run| &*run.text == text).count()
    }

    #[test]
    fn pictures_come_when_nobody_was_called_for_a_while_and_take_turns() {
        let (view, look) = (view(), look(3));
        let at = |s| shown(&scene(&view, &look, s));
        assert_eq!((at(0), at(179)), (None, None));
        let turns: Vec<u32> = (0..6).filter_map(|n| at(180 + n * 15)).collect();
        assert_eq!(turns.len(), 6);
        assert_eq!(turns[..3], turns[3..]);
        assert_eq!(turns.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
        assert_eq!(at(194), at(180), "each has its fifteen seconds");
    }

    #[test]
    fn the_scene_says_when_the_next_picture_comes() {
        let (view, look) = (view(), look(2));
        // Far from a minute's end, at which the clock changes too.
        let next = |s| scene(&view, &look, s).next_change.map(|at| at - CALLED);
        assert_eq!(next(130), Some(Millis::from_secs(180)));
        assert_eq!(next(200), Some(Millis::from_secs(210)));
    }

    #[test]
    fn the_last_number_is_found_among_the_last_calls_while_a_picture_is_up() {
        let (view, look) = (view(), look(1));
        let (before, after) = (scene(&view, &look, 10), scene(&view, &look, 200));
        let large = |scene: &Scene| scene.layers[0].texts.iter().any(|run| run.size > 200.0);
        assert!(large(&before) && !large(&after));
        assert_eq!((says(&before, "A012"), says(&after, "A012")), (1, 1));
        assert!(shown(&after).is_some());
    }

    #[test]
    fn a_call_ends_the_pictures_at_once() {
        let (mut view, look) = (view(), look(2));
        assert!(shown(&scene(&view, &look, 500)).is_some());
        view.spotlight[0].since = CALLED + Millis::from_secs(500);
        let called = scene(&view, &look, 500);
        assert!(shown(&called).is_none() && says(&called, "A012") == 1);
    }

    #[test]
    fn no_picture_hides_what_the_board_has_to_say() {
        let look = look(2);
        let up = |change: fn(&mut BoardView)| {
            let mut view = view();
            change(&mut view);
            shown(&scene(&view, &look, 500)).is_some()
        };
        assert!(up(|_| {}));
        assert!(!up(|view| view.link.stale = true));
        assert!(!up(|view| view.spotlight_waiting = 1));
        assert!(!up(|view| view.phase = Phase::Closed { reason: ClosedReason::Break, opens: None }));
    }

    #[test]
    fn one_picture_gives_way_to_the_next_within_a_second_and_at_rest_stands_alone() {
        let (view, look) = (view(), look(2));
        let still = scene(&view, &look, 195);
        let opacities = |ms: i64| -> Vec<f32> {
            let layers = still.layers_at(CALLED + Millis(195_000 + ms));
            layers[0].images.iter().map(|image| image.opacity).collect()
        };
        assert_eq!(
            (opacities(0), opacities(300), opacities(600)),
            (vec![1.0, 0.0], vec![0.5, 0.5], vec![1.0])
        );
        assert_eq!(still.next_step(CALLED + Millis(195_000)), Some(CALLED + Millis(195_075)));
        assert_eq!(still.next_step(CALLED + Millis(195_600)), None);
    }
}
