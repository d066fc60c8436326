//! What an operator asks of the hall's state by hand while no queue system does: a counter paused, closed or opened, and
//! notices put into another order.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::fault::Fault;
use super::order::{Around, has_counter};
use crate::board::call::{Counter, NoticeId};
use crate::board::input::Input;
use crate::board::notices::LIVE;
use crate::board::state::{CounterState, Level, Notice};
use crate::board::view::CounterView;
use crate::wire::decode_object;

/// Reads the fields of `counter`: `counter`, `state` and `reopens`, and `ticket` where it is to change. What the request
/// leaves out stays as the board shows it: a pause must not take the number off the glass, nor another system's label.
///
/// # Errors
/// The first field that does not fit, or a counter that the hall does not have.
pub fn change(fields: &Map<String, Value>, around: &Around<'_>) -> Result<(Counter, CounterState), Fault> {
    let missing = || Fault::invalid("counter", "Chưa chọn quầy.");
    let name = fields.get("counter").and_then(Value::as_str).ok_or_else(missing)?;
    let counter = Counter::parse(name).map_err(|_| Fault::invalid("counter", "Quầy không hợp lệ."))?;
    if !has_counter(&counter, around) {
        return Err(Fault::invalid("counter", format!("Sảnh không có quầy {counter}.")));
    }
    let mut fields = fields.clone();
    fields.insert("at".into(), around.now.wall.to_string().into());
    // As for calls, only a queue system may number its events.
    fields.remove("seq");
    let topic = format!("counter/{counter}");
    let Input::CounterChanged { mut state, .. } =
        decode_object(&topic, &fields, around.time_zone).map_err(|e| Fault::rejected(&e))?
    else {
        return Err(Fault::malformed("Yêu cầu không hợp lệ."));
    };
    if let Some(cell) = around.view.counters.iter().find(|cell| cell.counter == counter) {
        keep(&mut state, cell, around);
    }
    Ok((counter, state))
}

fn keep(state: &mut CounterState, cell: &CounterView, around: &Around<'_>) {
    let config = around.counters.iter().find(|c| c.id == cell.counter);
    if state.ticket.is_none() {
        state.ticket.clone_from(&cell.ticket);
    }
    // What the config says anyway is left to it.
    if state.label.is_none() && config.is_none_or(|c| c.label != cell.label) {
        state.label.clone_from(&cell.label);
    }
    if state.lanes.is_none() && config.is_none_or(|c| c.lanes != cell.lanes) {
        state.lanes = Some(cell.lanes.clone());
    }
}

/// Reads the `ids` of `notice.order`.
///
/// # Errors
/// When there is no list of ids, or more of them than notices can be live.
pub fn order_of(fields: &Map<String, Value>) -> Result<Vec<NoticeId>, Fault> {
    let wrong = || Fault::invalid("ids", "Cần danh sách mã thông báo.");
    let ids =
        fields.get("ids").and_then(Value::as_array).filter(|ids| ids.len() <= LIVE).ok_or_else(wrong)?;
    ids.iter().map(|id| id.as_str().and_then(|id| NoticeId::parse(id).ok()).ok_or_else(wrong)).collect()
}

/// The notices of `ids`, told anew so that the ticker runs them in that order, each within its level. What has been
/// spoken is not spoken again for it; emergencies would be, and stay where they are.
pub fn reordered(live: &[Notice], ids: &[NoticeId], now: Timestamp) -> Vec<Notice> {
    let latest = live.iter().map(|notice| notice.at).max().unwrap_or(now);
    let step = |n: usize| SignedDuration::from_millis(1 + n as i64);
    let once = ids.iter().enumerate().filter(|(n, id)| !ids[..*n].contains(id));
    let moved = once.filter_map(|(_, id)| live.iter().find(|notice| notice.id == *id));
    let moved = moved.filter(|notice| notice.level != Level::Emergency).enumerate();
    let told = moved.map(|(n, notice)| Notice {
        at: latest.max(now).checked_add(step(n)).unwrap_or(notice.at),
        speak: notice.speak && notice.from.is_some_and(|from| from > now),
        ..notice.clone()
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Millis, Now};
    use crate::config::Config;
    use serde_json::json;

    fn notice(id: &str, level: Level, secs: i64) -> Notice {
        Notice {
            id: NoticeId::parse(id).unwrap(),
            text: id.to_owned(),
            text_en: None,
            level,
            from: None,
            until: None,
            zones: Vec::new(),
            speak: true,
            recording: None,
            qr: None,
            author: Some("Quầy 1".to_owned()),
            at: Timestamp::from_second(secs).unwrap(),
        }
    }

    #[test]
    fn notices_run_in_the_wanted_order_and_nothing_is_spoken_again() {
        let mut live = vec![
            notice("fire", Level::Emergency, 90),
            notice("a", Level::Info, 100),
            notice("b", Level::Info, 200),
            notice("c", Level::Info, 300),
        ];
        let wanted = ["c", "a", "gone", "fire", "a", "b", "c"].map(|id| NoticeId::parse(id).unwrap());
        let later = Timestamp::from_second(400).unwrap();
        live[3].from = Some(Timestamp::from_second(900).unwrap());
        // A clock that has been set back must not undo the order.
        for now in [later, Timestamp::from_second(50).unwrap()] {
            let told = reordered(&live, &wanted, now);
            let order: Vec<&str> = told.iter().map(|notice| notice.id.as_str()).collect();
            assert_eq!(order, ["c", "a", "b"]);
            assert!(told.windows(2).all(|pair| pair[0].at < pair[1].at));
            assert!(told.iter().all(|notice| notice.at > live[3].at));
            let speaks: Vec<bool> = told.iter().map(|notice| notice.speak).collect();
            assert_eq!(speaks, [true, false, false], "only what is still to come on will be spoken");
        }
    }

    #[test]
    fn no_list_of_ids_is_longer_than_the_ticker() {
        let ids = |count: usize| {
            let fields = json!({ "ids": vec!["a"; count] });
            order_of(fields.as_object().unwrap()).map(|ids| ids.len())
        };
        assert_eq!(ids(LIVE).unwrap(), LIVE);
        assert_eq!(ids(LIVE + 1).unwrap_err().field.as_deref(), Some("ids"));
    }

    #[test]
    fn a_pause_keeps_the_number_and_what_another_system_has_said() {
        let config = Config::default();
        let mut view = crate::board::view::BoardView::empty();
        let (wall, zone) = (Timestamp::from_second(1_800_000_000).unwrap(), jiff::tz::TimeZone::UTC);
        let now = Now { mono: Millis::ZERO, wall };
        let board = crate::board::Board::new(crate::board::Rules::of(&config), now);
        view.counters = board.view(now).counters;
        view.counters[0].ticket = crate::board::call::Ticket::parse("A012").ok();
        view.counters[1].label = Some("Chuyển tạm".to_owned());
        let around = Around {
            now,
            view: &view,
            time_zone: &zone,
            counters: &config.counters,
            zones: &config.audio.zones,
            screens: &crate::screens::Screens::default(),
            shelf: &crate::audio::shelf::Shelf::open("no such folder".into()),
            screen: "sanh-1",
            fresh_id: "x",
        };
        let ask = |fields: Value| change(fields.as_object().unwrap(), &around);
        let (counter, state) = ask(json!({"counter": "1", "state": "paused", "reopens": "10:00"})).unwrap();
        assert_eq!(
            (counter.as_str(), state.ticket.as_ref().map(crate::board::call::Ticket::as_str)),
            ("1", Some("A012"))
        );
        assert_eq!((state.label, state.lanes, state.at), (None, None, wall));
        assert_eq!(state.reopens.map(jiff::civil::Time::hour), Some(10));
        let (_, state) = ask(json!({"counter": "2", "state": "open", "seq": 9})).unwrap();
        assert_eq!((state.label.as_deref(), state.seq), (Some("Chuyển tạm"), None));
        for (fields, field) in [
            (json!({"state": "open"}), "counter"),
            (json!({"counter": "99", "state": "open"}), "counter"),
            (json!({"counter": "1"}), "state"),
            (json!({"counter": "1", "state": "asleep"}), "state"),
            (json!({"counter": "1", "state": "paused", "reopens": "soon"}), "reopens"),
        ] {
            assert_eq!(ask(fields.clone()).unwrap_err().field.as_deref(), Some(field), "{fields}");
        }
    }
}
