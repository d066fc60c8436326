//! Looking back: what operators did and what was refused, from the journal.

use jiff::Timestamp;
use jiff::civil::Time;
use serde_json::{Map, Value};

use super::fault::Fault;
use super::order::Around;
use crate::journal::{Deed, Journal, Refusal};

/// Entries that are told without a `limit`, and at most.
const USUAL: usize = 50;
const MOST: usize = 500;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// What was pushed or commanded on topics that begin with `about`.
    Deeds {
        about: &'static str,
        since: Timestamp,
        limit: usize,
    },
    Refusals {
        since: Timestamp,
        limit: usize,
    },
}

/// What was found, newest first.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    Deeds(Vec<Deed>),
    Refusals(Vec<Refusal>),
}

impl Look {
    /// Reads a file; none when it cannot be read.
    pub fn run(&self, journal: &Journal) -> Option<Found> {
        match self {
            Self::Deeds { about, since, limit } => {
                journal.deeds(about, *since, *limit).ok().map(Found::Deeds)
            }
            Self::Refusals { since, limit } => journal.refusals(*since, *limit).ok().map(Found::Refusals),
        }
    }
}

/// Reads the fields of `audit`: `about` (notice, recording, call, counter or command; left out, all), `since`, `limit`.
///
/// # Errors
/// The first field that does not fit.
pub fn audit(fields: &Map<String, Value>, around: &Around<'_>) -> Result<Look, Fault> {
    let about = match fields.get("about").filter(|value| !value.is_null()).map(Value::as_str) {
        None => "",
        Some(Some("notice")) => "notice/",
        Some(Some("recording")) => "recording/",
        Some(Some("call")) => "call",
        Some(Some("counter")) => "counter/",
        Some(Some("command")) => "command",
        Some(_) => {
            return Err(Fault::invalid("about", "Chỉ có: notice, recording, call, counter, command."));
        }
    };
    Ok(Look::Deeds { about, since: since(fields, around)?, limit: limit(fields)? })
}

/// Reads the fields of `rejected`: `since`, `limit`.
///
/// # Errors
/// The first field that does not fit.
pub fn rejected(fields: &Map<String, Value>, around: &Around<'_>) -> Result<Look, Fault> {
    Ok(Look::Refusals { since: since(fields, around)?, limit: limit(fields)? })
}

/// `since`, RFC 3339; left out, the midnight before.
///
/// # Errors
/// When it is no time.
pub fn since(fields: &Map<String, Value>, around: &Around<'_>) -> Result<Timestamp, Fault> {
    let Some(given) = fields.get("since").filter(|value| !value.is_null()) else {
        let today = around.time_zone.to_datetime(around.now.wall).date();
        let midnight = around.time_zone.to_timestamp(today.to_datetime(Time::midnight()));
        return Ok(midnight.unwrap_or(Timestamp::UNIX_EPOCH));
    };
    let at = given.as_str().and_then(|text| text.parse().ok());
    at.ok_or_else(|| Fault::invalid("since", "Thời điểm không hợp lệ."))
}

fn limit(fields: &Map<String, Value>) -> Result<usize, Fault> {
    let Some(given) = fields.get("limit").filter(|value| !value.is_null()) else { return Ok(USUAL) };
    let limit = given.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| (1..=MOST).contains(n));
    limit.ok_or_else(|| Fault::invalid("limit", format!("Phải từ 1 đến {MOST}.")))
}
