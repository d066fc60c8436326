//! What goes round comes back, whatever it is.

use proptest::prelude::*;

use super::*;
use crate::board::call::RecordingId;

fn word(max: usize) -> impl Strategy<Value = String> {
    proptest::string::string_regex(&format!("[A-Za-z0-9ĐÁỀộ._-]{{1,{max}}}")).unwrap()
}

fn at() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_102_444_800_000).prop_map(|ms| Timestamp::from_millisecond(ms).unwrap())
}

fn time_of_day() -> impl Strategy<Value = civil::Time> {
    (0_i8..24, 0_i8..60).prop_map(|(h, m)| civil::time(h, m, 0, 0))
}

fn ticket() -> impl Strategy<Value = Ticket> {
    word(12).prop_map(|t| Ticket::parse(&t).unwrap())
}

fn lane() -> impl Strategy<Value = Lane> {
    proptest::sample::select(Lane::ALL.map(|(_, lane)| lane).to_vec())
}

fn call() -> impl Strategy<Value = Call> {
    let kinds = proptest::sample::select(Kind::ALL.map(|(_, kind)| kind).to_vec());
    let optional =
        (any::<Option<u64>>(), proptest::option::of(word(32)), proptest::option::of(time_of_day()));
    (word(128), ticket(), word(32), kinds, at(), lane(), optional).prop_map(
        |(id, ticket, counter, kind, at, lane, (seq, series, slot))| Call {
            id: CallId::parse(&id).unwrap(),
            ticket,
            counter: Counter::parse(&counter).unwrap(),
            kind,
            at,
            seq,
            series: series.map(|s| Series::parse(&s).unwrap()),
            lane,
            slot,
            holder: None,
        },
    )
}

fn counter_state() -> impl Strategy<Value = CounterState> {
    let modes = vec![CounterMode::Open, CounterMode::Paused, CounterMode::Closed];
    (
        proptest::sample::select(modes),
        proptest::option::of(ticket()),
        proptest::option::of(word(80)),
        proptest::option::of(proptest::collection::vec(lane(), 0..4)),
        proptest::option::of(time_of_day()),
        at(),
        any::<Option<u64>>(),
    )
        .prop_map(|(mode, ticket, label, lanes, reopens, at, seq)| CounterState {
            mode,
            ticket,
            label,
            lanes,
            reopens,
            at,
            seq,
        })
}

fn queue_state() -> impl Strategy<Value = QueueState> {
    (
        any::<u32>(),
        proptest::collection::vec(ticket(), 0..5),
        any::<Option<u32>>(),
        proptest::collection::vec(ticket(), 0..5),
        proptest::option::of(time_of_day()),
        any::<Option<u32>>(),
        at(),
    )
        .prop_map(|(waiting, next, wait_minutes, missed, slot, left_today, at)| QueueState {
            waiting,
            next,
            wait_minutes,
            missed,
            slot,
            left_today,
            at,
        })
}

fn notice() -> impl Strategy<Value = Notice> {
    let texts = (word(128), word(500), proptest::option::of(word(500)));
    let times = (proptest::option::of(at()), proptest::option::of(at()), at());
    let rest = (
        proptest::collection::vec(word(32), 0..3),
        (any::<bool>(), proptest::option::of("[0-9a-f]{32}")),
        proptest::option::of(word(300)),
        proptest::option::of(word(80)),
    );
    let levels = proptest::sample::select(vec![Level::Info, Level::Important, Level::Emergency]);
    (texts, levels, times, rest).prop_map(
        |((id, text, text_en), level, (from, until, at), (zones, (speak, recording), qr, author))| Notice {
            id: NoticeId::parse(&id).unwrap(),
            text,
            text_en,
            level,
            from,
            until,
            zones: zones.iter().map(|z| Zone::parse(z).unwrap()).collect(),
            speak,
            recording: recording.map(|id| RecordingId::parse(&id).unwrap()),
            qr,
            author,
            at,
        },
    )
}

proptest! {
    #[test]
    fn a_call_survives_the_wire(call in call()) {
        prop_assert_eq!(decode("call", &encode_call(&call)), Ok(Input::CallReceived(call)));
    }

    #[test]
    fn a_counter_state_survives_the_wire(name in word(32), state in counter_state()) {
        let counter = Counter::parse(&name).unwrap();
        let read = decode(&format!("counter/{counter}"), &encode_counter(&state));
        prop_assert_eq!(read, Ok(Input::CounterChanged { counter, state }));
    }

    #[test]
    fn a_queue_state_survives_the_wire(name in word(32), state in queue_state()) {
        let series = Series::parse(&name).unwrap();
        let read = decode(&format!("queue/{series}"), &encode_queue(&state));
        prop_assert_eq!(read, Ok(Input::QueueChanged { series, state }));
    }

    #[test]
    fn a_notice_survives_the_wire(notice in notice()) {
        let read = decode(&format!("notice/{}", notice.id), &encode_notice(&notice));
        prop_assert_eq!(read, Ok(Input::NoticePut(notice)));
    }

    #[test]
    fn any_bytes_on_any_topic_are_read_or_refused(topic in ".{0,40}", payload in any::<Vec<u8>>()) {
        for topic in [topic.as_str(), "call", "counter/5", "queue/A", "notice/n"] {
            let _ = decode(topic, &payload);
        }
        let _ = decode_command("screen/a/command", &payload);
        let _ = decode_sync("sync/state/a", &payload, &ZONE);
    }

    #[test]
    fn any_text_in_any_field_is_read_or_refused(
        field in proptest::sample::select(vec!["id", "ticket", "counter", "kind", "at", "seq", "series", "lane", "slot", "holder"]),
        text in any::<String>(),
    ) {
        let _ = read("call", &with(call_json(), field, json!(text)));
    }
}
