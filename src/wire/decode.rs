//! From JSON objects to the hall's words, one function a topic.

use super::object::Object;
use super::{Action, Command, Fault, LABEL_MAX, QR_MAX, Reason};
use crate::board::call::{
    Call, CallId, Counter, Holder, Kind, Lane, NAME_MAX, NoticeId, RecordingId, Series, Ticket, WordError,
    Zone,
};
use crate::board::state::{CounterMode, CounterState, Level, Notice, QueueState, TEXT_MAX};

pub(super) fn call(o: &Object<'_>) -> Result<Call, Fault> {
    Ok(Call {
        id: o.word("id", CallId::parse)?,
        ticket: o.word("ticket", Ticket::parse)?,
        counter: o.word("counter", Counter::parse)?,
        kind: o.word("kind", Kind::parse)?,
        at: o.time("at")?,
        seq: o.spare(|o| o.optional_count("seq", u64::MAX))?,
        series: o.spare(|o| o.optional_word("series", Series::parse))?,
        lane: o.spare(|o| o.optional_word("lane", Lane::parse))?.unwrap_or(Lane::Regular),
        slot: o.spare(|o| o.optional_time_of_day("slot"))?,
        holder: o.spare(|o| o.optional_word("holder", Holder::mask))?,
    })
}

pub(super) fn counter(o: &Object<'_>) -> Result<CounterState, Fault> {
    let mode =
        |text: &str| CounterMode::parse(text).ok_or(WordError::Unknown { allowed: CounterMode::ALLOWED });
    Ok(CounterState {
        mode: o.word("state", mode)?,
        ticket: o.optional_word("ticket", Ticket::parse)?,
        label: o.spare(|o| o.optional_text("label", LABEL_MAX))?,
        lanes: o.spare(|o| o.words("lanes", Lane::parse))?,
        reopens: o.spare(|o| o.optional_time_of_day("reopens"))?,
        at: o.time("at")?,
        seq: o.spare(|o| o.optional_count("seq", u64::MAX))?,
    })
}

pub(super) fn queue(o: &Object<'_>) -> Result<QueueState, Fault> {
    let waiting = o.optional_u32("waiting")?;
    Ok(QueueState {
        waiting: waiting.ok_or_else(|| Fault::of(Reason::Missing, "waiting", "is missing"))?,
        next: o.spare(|o| o.words("next", Ticket::parse))?.unwrap_or_default(),
        wait_minutes: o.spare(|o| o.optional_u32("wait_minutes"))?,
        missed: o.spare(|o| o.words("missed", Ticket::parse))?.unwrap_or_default(),
        slot: o.spare(|o| o.optional_time_of_day("slot"))?,
        left_today: o.spare(|o| o.optional_u32("left_today"))?,
        at: o.time("at")?,
    })
}

pub(super) fn notice(id: NoticeId, o: &Object<'_>) -> Result<Notice, Fault> {
    let text = o.inner("text")?;
    let inside = |fault: Fault| Fault { field: fault.field.map(|f| format!("text.{f}")), ..fault };
    let level = |text: &str| Level::parse(text).ok_or(WordError::Unknown { allowed: Level::ALLOWED });
    Ok(Notice {
        id,
        text: text.text("vi", TEXT_MAX).map_err(inside)?,
        text_en: text.optional_text("en", TEXT_MAX).map_err(inside)?,
        level: o.word("level", level)?,
        from: o.optional_time("from")?,
        until: o.optional_time("until")?,
        zones: o.words("zones", Zone::parse)?.unwrap_or_default(),
        speak: o.flag("speak")?,
        recording: o.optional_word("recording", RecordingId::parse)?,
        qr: o.optional_text("qr", QR_MAX)?,
        author: o.optional_text("author", LABEL_MAX)?,
        at: o.time("at")?,
    })
}

pub(super) fn command(o: &Object<'_>) -> Result<Command, Fault> {
    let id = o.word("id", CallId::parse)?;
    let zone = || o.optional_word("value", Zone::parse);
    let action = match o.text("do", NAME_MAX)?.as_str() {
        "mute" => Action::Mute(zone()?),
        "unmute" => Action::Unmute(zone()?),
        "volume" => {
            let percent = o.count("value", 100)?;
            Action::VolumePercent(u8::try_from(percent).expect("the count is at most 100"))
        }
        "identify" => Action::Identify,
        "test-call" => Action::TestCall,
        "reload" => Action::Reload,
        "snapshot" => Action::Snapshot,
        _ => return Err(Fault::word("do", &WordError::Unknown { allowed: Action::ALLOWED })),
    };
    Ok(Command { id, action, by: o.optional_text("by", LABEL_MAX)? })
}
