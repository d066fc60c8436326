//! A recorded stretch of a day, played into a board under its own times. Pure: text in, board out.
//!
//! A recording is JSON lines: `{"t":"2026-11-24T09:40:12+07:00","topic":"moiso/dong-da/call","payload":{…}}`, where an
//! absent or `null` payload clears what was retained, `{"t":…,"link":false}` for the link going down (or up again), and
//! `{"t":…,"end":true}` for a moment at which nothing happens, up to which the recording goes.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use thiserror::Error;

use crate::board::input::{Effect, Input};
use crate::board::{Board, Rules};
use crate::clock::{Millis, Now};
use crate::wire::{self, Rejection};

/// A line that is no event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {what}")]
pub struct BadLine {
    /// From 1.
    pub line: usize,
    pub what: String,
}

/// One recorded message.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub at: Timestamp,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Topic below the hall's prefix; an empty payload clears.
    Message {
        topic: String,
        payload: Vec<u8>,
    },
    Link {
        up: bool,
    },
    /// Nothing; the recording goes up to here.
    End,
}

/// A board that has lived through a recording.
#[derive(Clone, Debug)]
pub struct Replay {
    pub board: Board,
    pub now: Now,
    /// What the board wanted done, with the time.
    pub effects: Vec<(Now, Effect)>,
    pub rejected: Vec<(Timestamp, Rejection)>,
    zone: TimeZone,
}

/// Reads a recording. Messages of other halls are left out; `prefix` is `{root}/{hall}`.
///
/// # Errors
/// Every line that is not an event, in order.
pub fn read(text: &str, prefix: &str) -> Result<Vec<Event>, Vec<BadLine>> {
    let mut events = Vec::new();
    let mut bad = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        match event(text, prefix) {
            Ok(event) => events.extend(event),
            Err(what) => bad.push(BadLine { line, what }),
        }
    }
    // A recording of several brokers or hands may not be in order; equal times keep theirs.
    events.sort_by_key(|event: &Event| event.at);
    if bad.is_empty() { Ok(events) } else { Err(bad) }
}

fn event(text: &str, prefix: &str) -> Result<Option<Event>, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| format!("is not JSON: {e}"))?;
    let at = value.get("t").and_then(Value::as_str).ok_or("t is missing")?;
    let at: Timestamp =
        at.parse().map_err(|_| format!("t must be an RFC 3339 time with an offset, not {at:?}"))?;
    if let Some(link) = value.get("link") {
        let up = link.as_bool().ok_or("link must be true or false")?;
        return Ok(Some(Event { at, what: What::Link { up } }));
    }
    if let Some(end) = value.get("end") {
        let is_end = end.as_bool() == Some(true);
        return is_end.then_some(Some(Event { at, what: What::End })).ok_or("end must be true".to_owned());
    }
    let topic = value.get("topic").and_then(Value::as_str).ok_or("topic is missing")?;
    let Some(topic) = topic.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')) else {
        return Ok(None);
    };
    let payload = match value.get("payload") {
        None | Some(Value::Null) => Vec::new(),
        Some(payload) => payload.to_string().into_bytes(),
    };
    Ok(Some(Event { at, what: What::Message { topic: topic.to_owned(), payload } }))
}

/// Plays `events` until `until`, with a tick at every deadline of the board; the link is up from the start.
pub fn play(rules: Rules, events: &[Event], until: Timestamp) -> Replay {
    let start = events.first().map_or(until, |event| event.at.min(until));
    let mut replay = Replay::begin(rules, start);
    for event in events.iter().take_while(|event| event.at <= until) {
        replay.advance(event.at);
        replay.happen(event);
    }
    replay.advance(until);
    replay
}

impl Replay {
    /// A board at `start` with its link up, before anything happened.
    pub fn begin(rules: Rules, start: Timestamp) -> Self {
        let now = Now { mono: Millis::ZERO, wall: start };
        let zone = rules.time_zone.clone();
        let board = Board::new(rules, now);
        let mut replay = Self { board, now, effects: Vec::new(), rejected: Vec::new(), zone };
        replay.apply(Input::LinkChanged { up: true });
        replay
    }

    /// An event happens now, whatever its own time.
    pub fn happen(&mut self, event: &Event) {
        match &event.what {
            What::Link { up } => self.apply(Input::LinkChanged { up: *up }),
            What::End => {}
            What::Message { topic, payload } => match wire::decode(topic, payload, &self.zone) {
                Ok(decoded) => {
                    self.rejected.extend(decoded.spared.into_iter().map(|spared| (event.at, spared)));
                    self.apply(decoded.input);
                }
                Err(rejection) => self.rejected.push((event.at, rejection)),
            },
        }
    }

    pub fn apply(&mut self, input: Input) {
        let effects = self.board.apply(self.now, input);
        self.effects.extend(effects.into_iter().map(|effect| (self.now, effect)));
    }

    /// Lets time pass up to `wall`, with all ticks that fall due.
    pub fn advance(&mut self, wall: Timestamp) {
        let target = self.now.after(Millis(-self.now.age_of(wall).0));
        while let Some(due) = self.board.next_deadline(self.now).filter(|due| *due <= target.mono) {
            // A deadline in the past is due now; one millisecond at least passes, so that this ends.
            let step = (due - self.now.mono).max(Millis(1));
            self.now = self.now.after(step);
            self.apply(Input::Ticked);
        }
        if self.now.mono < target.mono {
            self.now = target;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const PREFIX: &str = "moiso/dong-da";

    fn call(second: u32, ticket: &str, counter: &str) -> String {
        format!(
            r#"{{"t":"2026-11-24T09:40:{second:02}+07:00","topic":"moiso/dong-da/call","payload":{{"id":"{ticket}-{second}","ticket":"{ticket}","counter":"{counter}","kind":"call","at":"2026-11-24T09:40:{second:02}+07:00"}}}}"#
        )
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn played(lines: &[String], until: &str) -> Replay {
        play(Rules::of(&Config::default()), &read(&lines.join("\n"), PREFIX).unwrap(), at(until))
    }

    #[test]
    fn calls_are_shown_at_their_own_time() {
        let lines = [call(0, "A012", "5"), call(2, "B107", "2"), call(40, "C001", "3")];
        let replay = played(&lines, "2026-11-24T09:40:03+07:00");
        let view = replay.board.view(replay.now);
        let spot: Vec<&str> = view.spotlight.iter().map(|s| s.ticket.as_str()).collect();
        assert_eq!(spot, ["B107", "A012"], "the third call has not come yet");
        assert_eq!(replay.now.wall, at("2026-11-24T09:40:03+07:00"));
    }

    #[test]
    fn the_link_that_goes_down_makes_the_board_stale() {
        let down = r#"{"t":"2026-11-24T09:40:10+07:00","link":false}"#.to_owned();
        let lines = [call(0, "A012", "5"), down];
        let stale = |until: &str| {
            let replay = played(&lines, until);
            replay.board.view(replay.now).link.stale
        };
        assert!(!stale("2026-11-24T09:40:12+07:00"));
        assert!(stale("2026-11-24T09:41:00+07:00"));
    }

    #[test]
    fn a_recording_may_go_on_to_a_quiet_moment() {
        let end = |value: &str| format!("{{\"t\":\"2026-11-24T09:41:00+07:00\",\"end\":{value}}}");
        let events = read(&[call(0, "A012", "5"), end("true")].join("\n"), PREFIX).unwrap();
        assert_eq!(events.last().map(|event| event.at), Some(at("2026-11-24T09:41:00+07:00")));
        assert_eq!(read(&end("false"), PREFIX).unwrap_err()[0].what, "end must be true");
    }

    #[test]
    fn lines_that_are_no_events_are_all_named() {
        let bad = read("{\n\n{\"t\":\"gestern\",\"topic\":\"x\"}\n{\"topic\":\"x\"}", PREFIX).unwrap_err();
        let lines: Vec<usize> = bad.iter().map(|b| b.line).collect();
        assert_eq!(lines, [1, 3, 4]);
        assert!(bad[1].to_string().contains("t must be an RFC 3339 time"), "{}", bad[1]);
    }

    #[test]
    fn other_halls_are_left_out_and_wrong_payloads_are_kept_as_rejections() {
        let other = call(0, "A012", "5").replace("dong-da", "cau-giay");
        let wrong = call(1, "A012", "5").replace("\"kind\":\"call\"", "\"kind\":\"shout\"");
        let replay = played(&[other, wrong], "2026-11-24T09:41:00+07:00");
        assert!(replay.board.view(replay.now).recent.is_empty());
        assert_eq!(replay.rejected.len(), 1);
    }
}
