//! What stands under the spotlight: the last calls, who waits, and the remarks; who gets a row, and who takes turns.

use super::canvas::Canvas;
use super::layout::{self, Track};
use super::queues::Queues;
use super::{Board, Rect, Shape, idle, qr, recent, spotlight};
use crate::clock::Millis;

/// Height of one remark at 1080 lines.
pub const REMARK: f32 = 54.0;
/// Height of the row of the last calls at 1080 lines, and with a code in it: the larger the code, the fewer have to get up
/// and come near to scan it.
const RECENT: f32 = 172.0;
const RECENT_WITH_CODE: f32 = 250.0;

/// Draws the spotlight and the rows under it; returns when one of them turns.
///
/// Those who wait have a row of their own where that leaves the called numbers as large as ever; else they take turns
/// with the last calls, which nobody does while calls wait for the spotlight or a code is to be scanned.
pub fn draw(
    canvas: &mut Canvas,
    board: &Board<'_>,
    area: Rect,
    remarks: &[(Shape, String)],
) -> Option<Millis> {
    let (px, sizes) = (board.px, board.look.theme.sizes);
    let (spot, below) = (board.sized(sizes.spotlight), board.sized(sizes.recent));
    let code = qr::wanted(&below, recent::card_width(&below, area.w));
    let any = !recent::calls(board).is_empty() || code.is_some();
    let least = code.as_ref().map_or(0.0, |code| qr::least_side(&below, code));
    let recent = any.then_some(Track::Px(below.px.of(RECENT).max(least)));
    let others = || recent.into_iter().chain(remarks.iter().map(|_| Track::Px(px.of(REMARK))));
    let queues = Queues::of(board);
    let gap = |with_queues: bool| px.of(if remarks.is_empty() && !with_queues { 22.0 } else { 16.0 });
    let own = queues.as_ref().filter(|_| {
        let used: f32 = others().map(|track| height(track) + gap(true)).sum();
        let left = area.h - used - below.px.of(Queues::ROW) - gap(true);
        left >= spotlight::least_height(&spot, area.w)
    });
    let used: f32 = others().map(|track| height(track) + gap(own.is_some())).sum();
    let used = used + own.map_or(0.0, |_| below.px.of(Queues::ROW) + gap(true));
    // A code takes what no called number needs.
    let spare = (area.h - used - spotlight::least_height(&spot, area.w)).floor();
    let recent = match recent {
        Some(Track::Px(h)) if code.is_some() => {
            Some(Track::Px((h + spare.max(0.0)).min(below.px.of(RECENT_WITH_CODE)).max(h)))
        }
        other => other,
    };
    let mut tracks = vec![Track::Share(1.0)];
    tracks.extend(recent);
    tracks.extend(own.map(|_| Track::Px(below.px.of(Queues::ROW))));
    tracks.extend(remarks.iter().map(|_| Track::Px(px.of(REMARK))));
    let places = layout::rows(area, &tracks, gap(own.is_some()));
    let (picture, turns) = idle::turn(board);
    match &picture {
        Some(picture) => idle::draw(canvas, board, places[0], picture),
        None => spotlight::draw(canvas, &spot, places[0]),
    }
    for (remark, place) in remarks.iter().rev().zip(places.iter().rev()) {
        recent::remark(canvas, board, *place, remark);
    }
    let own_place = places.get(1 + usize::from(recent.is_some()));
    if let (Some(queues), Some(place)) = (own, own_place) {
        queues.draw(canvas, &below, *place, queues.turn(board, 0));
    }
    let shares = own.is_none() && code.is_none() && board.view.spotlight_waiting == 0;
    let shared = queues.as_ref().filter(|_| shares && recent.is_some());
    match shared.map(|queues| (queues, queues.turn(board, 1))) {
        // The first turn is that of the last calls.
        Some((queues, turn)) if turn.index > 0 => queues.draw(canvas, &below, places[1], turn),
        _ if recent.is_some() => recent::draw(canvas, &below, places[1], code.as_ref()),
        _ => {}
    }
    let queues = own.map(|queues| queues.turn(board, 0)).or(shared.map(|queues| queues.turn(board, 1)));
    [turns, queues.and_then(|turn| turn.next)].into_iter().flatten().min()
}

fn height(track: Track) -> f32 {
    match track {
        Track::Px(px) => px,
        Track::Share(_) => 0.0,
    }
}
