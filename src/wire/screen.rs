//! What other screens of the hall publish: `screen/{screen}/status` and `screen/{screen}/proof`, and all of it as JSON
//! for the operators' page.

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::object::{Object, Reader};
use super::{Fault, Proof, Rejection, object_of};
use crate::board::call::{CallId, WordError, Zone};
use crate::board::input::Outcome;
use crate::clock::Now;
use crate::health::Frame;
use crate::screens::{Screen, ScreenReport, Screens};

/// Longest text that is taken from a status, in characters; an adapter's name is the longest.
const TEXT_MAX: usize = 200;
/// Most zones that are taken from a status.
const ZONES_MAX: usize = 32;

fn read<T>(
    topic: &str,
    payload: &[u8],
    read: impl Fn(&Object<'_>) -> Result<T, Fault>,
) -> Result<T, Rejection> {
    let fields = object_of(payload).map_err(|fault| fault.at(topic))?;
    let reader = Reader { zone: &TimeZone::UTC, spared: None };
    read(&Object { fields: &fields, reader: &reader }).map_err(|fault| fault.at(topic))
}

/// Reads a screen's status or will. What is wrong beside `online`, `session` and `at` counts as left out: an older or
/// newer version may write it otherwise.
///
/// # Errors
/// The first of the three that does not fit.
pub fn decode_status(topic: &str, payload: &[u8]) -> Result<ScreenReport, Rejection> {
    read(topic, payload, |o| {
        let text = |field| o.optional_text(field, TEXT_MAX).ok().flatten();
        let count = |field| o.optional_count(field, u64::MAX).ok().flatten();
        let small = |field| o.optional_u32(field).ok().flatten();
        let words = |field, most| {
            let all = o.words(field, |text| Ok::<_, WordError>(text.to_owned())).ok().flatten();
            all.map(|all| all.into_iter().take(most).collect::<Vec<String>>())
        };
        let zones = words("zones", ZONES_MAX).unwrap_or_default();
        Ok(ScreenReport {
            online: o.flag("online")?,
            session: i64::try_from(o.count("session", i64::MAX as u64)?).unwrap_or(i64::MAX),
            at: o.time("at")?,
            version: text("version"),
            rank: small("rank"),
            zones,
            audible: words("audible", ZONES_MAX),
            speaks: words("speaks", ZONES_MAX),
            next: words("next", ZONES_MAX).unwrap_or_default(),
            saying: words("saying", ZONES_MAX).unwrap_or_default(),
            frame_at: o.optional_time("frame_at").ok().flatten(),
            gpu: text("gpu"),
            present: text("present"),
            audio: text("audio"),
            journal: text("journal"),
            link: text("link"),
            skew_ms: o.fields.get("skew_ms").and_then(Value::as_i64),
            backlog_s: small("backlog_s"),
            shown: count("shown"),
            spoken: count("spoken"),
            expired: count("expired"),
            rejected: count("rejected"),
        })
    })
}

/// Reads what became of a call on another screen.
///
/// # Errors
/// The first thing that does not fit the wire contract.
pub fn decode_proof(topic: &str, payload: &[u8]) -> Result<Proof, Rejection> {
    let outcome = |text: &str| Outcome::parse(text).ok_or(WordError::Unknown { allowed: Outcome::ALLOWED });
    read(topic, payload, |o| {
        Ok(Proof {
            call: o.word("call", CallId::parse)?,
            received: o.time("received")?,
            drawn: drawn(o)?,
            speech_from: o.optional_time("speech_from")?,
            speech_to: o.optional_time("speech_to")?,
            outcome: o.word("outcome", outcome)?,
            zone: o.optional_word("zone", Zone::parse)?,
            again: o.flag("again")?,
        })
    })
}

/// The frame that `drawn`, `frame` and `frame_hash` name together.
fn drawn(o: &Object<'_>) -> Result<Option<Frame>, Fault> {
    let number = o.optional_count("frame", u64::MAX)?;
    let hash = o.optional_text("frame_hash", 16)?.and_then(|word| u64::from_str_radix(&word, 16).ok());
    let Some(at) = o.optional_time("drawn")? else { return Ok(None) };
    Ok(number.zip(hash).map(|(number, hash)| Frame { at, number, hash }))
}

/// `[{"screen","own","online","silent","heard_at","session","at",…}]`, in the order of the names; `own` is the screen
/// that answers. What a screen has not said is left out.
pub fn screens_value(screens: &Screens, own: &str, now: Now) -> Value {
    screens.iter().map(|(name, screen)| screen_value(name, screen, name == own, now)).collect()
}

fn screen_value(name: &str, screen: &Screen, own: bool, now: Now) -> Value {
    let report = &screen.report;
    let all = json!({
        "screen": name,
        "own": own,
        "online": report.online,
        "silent": screen.is_silent(now),
        "heard_at": screen.heard.wall.to_string(),
        "session": report.session,
        "at": report.at.to_string(),
        "version": report.version,
        "rank": report.rank,
        "zones": report.zones,
        "audible": report.audible,
        "speaks": report.speaks,
        "frame_at": report.frame_at.map(|at| at.to_string()),
        "gpu": report.gpu,
        "present": report.present,
        "audio": report.audio,
        "journal": report.journal,
        "link": report.link,
        "skew_ms": report.skew_ms,
        "backlog_s": report.backlog_s,
        "shown": report.shown,
        "spoken": report.spoken,
        "expired": report.expired,
        "rejected": report.rejected,
    });
    let Value::Object(fields) = all else { return all };
    Value::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;

    const TOPIC: &str = "screen/sanh-2/status";
    const NOW: Now = Now { mono: Millis::ZERO, wall: jiff::Timestamp::UNIX_EPOCH };

    #[test]
    fn a_will_says_little_and_a_status_that_is_partly_strange_is_taken_for_the_rest() {
        let will = json!({"online": false, "session": 5, "at": "2026-11-24T08:30:00+07:00"});
        let report = decode_status(TOPIC, will.to_string().as_bytes()).unwrap();
        assert_eq!((report.online, report.session, report.gpu), (false, 5, None));
        let odd = json!({"online": true, "session": 6, "at": "2026-11-24T08:30:00Z", "gpu": 7, "skew_ms": -40,
            "zones": "sanh", "audio": "ok", "shown": -1, "more": {}});
        let report = decode_status(TOPIC, odd.to_string().as_bytes()).unwrap();
        assert_eq!((report.gpu, report.skew_ms, report.audio.as_deref()), (None, Some(-40), Some("ok")));
        for missing in ["session", "at"] {
            let mut less = will.clone();
            less.as_object_mut().unwrap().remove(missing);
            let refused = decode_status(TOPIC, less.to_string().as_bytes()).unwrap_err();
            assert_eq!((refused.field.as_deref(), refused.topic.as_str()), (Some(missing), TOPIC));
        }
    }

    #[test]
    fn screens_are_told_without_what_they_have_not_said() {
        let mut screens = Screens::default();
        let report = ScreenReport { online: true, audio: Some("lost".into()), ..ScreenReport::default() };
        screens.take("sanh-2", report, NOW);
        let value = screens_value(&screens, "sanh-1", NOW);
        assert_eq!((&value[0]["audio"], &value[0]["own"]), (&json!("lost"), &json!(false)));
        assert!(value[0].get("gpu").is_none(), "{value}");
    }

    #[test]
    fn a_proof_goes_round() {
        let at = "2026-11-24T01:30:00Z".parse().unwrap();
        let proof = Proof {
            call: CallId::parse("c-1").unwrap(),
            received: at,
            drawn: Some(Frame { at, number: 7, hash: 0xab }),
            speech_from: None,
            speech_to: None,
            outcome: Outcome::Spoken,
            zone: Some(Zone::parse("sanh").unwrap()),
            again: false,
        };
        assert_eq!(decode_proof("screen/a/proof", &super::super::encode_proof(&proof)).unwrap(), proof);
    }
}
