//! Turns an operator's request into the hall's words: fills in what a person at a page leaves out (id, time, author),
//! lets the wire contract judge the rest, and says in Vietnamese what does not fit.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::look::since;
use crate::audio::shelf::Shelf;
use crate::board::call::{Call, Counter, NoticeId, Ticket, Zone};
use crate::board::input::Input;
use crate::board::state::Notice;
use crate::board::view::BoardView;
use crate::clock::Now;
use crate::config::{CounterConfig, ZoneConfig, time_of_day, topic_level};
use crate::journal::Query;
use crate::screens::Screens;
use crate::wire::{Action, Command, decode_command_object, decode_object};

/// Longest time that a notice may be asked to stay, in seconds: a month.
const FOR_MAX_S: u64 = 31 * 24 * 3600;

/// What a request is judged against.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    pub now: Now,
    pub view: &'a BoardView,
    pub time_zone: &'a TimeZone,
    pub counters: &'a [CounterConfig],
    pub zones: &'a [ZoneConfig],
    /// The hall's screens, which may have other zones.
    pub screens: &'a Screens,
    pub shelf: &'a Shelf,
    /// Name of this screen.
    pub screen: &'a str,
    /// A text that no other request has, for ids that the client leaves out.
    pub fresh_id: &'a str,
}

/// Reads the fields of `notice.put`: those of the topic, with `text` as a text or `{vi, en}`, `from` and `until` also as
/// `HH:MM` of the hall's today or as `YYYY-MM-DDTHH:MM` of its clock, `for_s` instead of `until` (from the start on),
/// and `id`, `level`, `speak` and `recording` optional.
///
/// # Errors
/// The first field that does not fit.
pub fn notice(fields: &Map<String, Value>, author: &str, around: &Around<'_>) -> Result<Notice, Fault> {
    let mut fields = fields.clone();
    let id = match fields.remove("id") {
        None | Some(Value::Null) => around.fresh_id.to_owned(),
        Some(id) => notice_id(&id)?,
    };
    if let Some(text @ Value::String(_)) = fields.get("text").cloned() {
        fields.insert("text".into(), json!({ "vi": text }));
    }
    usually(&mut fields, "level", "info");
    let from = moment(&fields, "from", "Giờ bắt đầu", around)?;
    let until = ending(&fields, from, around)?;
    for (field, at) in [("from", from), ("until", until)] {
        fields.insert(field.into(), at.map_or(Value::Null, |at| at.to_string().into()));
    }
    fields.insert("author".into(), author.into());
    fields.insert("at".into(), around.now.wall.to_string().into());
    let topic = format!("notice/{id}");
    match decode_object(&topic, &fields, around.time_zone).map_err(|e| Fault::rejected(&e))? {
        Input::NoticePut(notice) => sensible(notice, around),
        _ => Err(Fault::malformed("Yêu cầu không hợp lệ.")),
    }
}

/// What a field is where the request leaves it out; `null` is left out too.
fn usually(fields: &mut Map<String, Value>, field: &str, value: &str) {
    if fields.get(field).is_none_or(Value::is_null) {
        fields.insert(field.to_owned(), value.into());
    }
}

fn notice_id(id: &Value) -> Result<String, Fault> {
    let wrong = || Fault::invalid("id", "Mã thông báo chỉ gồm chữ, số, dấu “-”, “_” và “.”.");
    id.as_str().and_then(topic_level).ok_or_else(wrong)
}

/// Reads the `id` of `notice.delete`.
///
/// # Errors
/// When it is missing or cannot be one.
pub fn notice_to_end(fields: &Map<String, Value>) -> Result<NoticeId, Fault> {
    let wrong = |_| Fault::invalid("id", "Mã thông báo không hợp lệ.");
    let id = fields.get("id").ok_or_else(|| Fault::invalid("id", "Chưa chọn thông báo."))?;
    NoticeId::parse(&notice_id(id)?).map_err(wrong)
}

fn ending(
    fields: &Map<String, Value>,
    from: Option<Timestamp>,
    around: &Around<'_>,
) -> Result<Option<Timestamp>, Fault> {
    let Some(span) = fields.get("for_s").filter(|v| !v.is_null()) else {
        return moment(fields, "until", "Giờ kết thúc", around);
    };
    let wrong = || Fault::invalid("for_s", "Thời gian hiện phải từ 1 giây đến 31 ngày.");
    let seconds = span.as_u64().filter(|s| (1..=FOR_MAX_S).contains(s)).ok_or_else(wrong)?;
    let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let start = from.map_or(around.now.wall, |from| from.max(around.now.wall));
    start.checked_add(span).map(Some).map_err(|_| wrong())
}

/// A moment as people or programs write it; empty is none.
fn moment(
    fields: &Map<String, Value>,
    field: &str,
    label: &str,
    around: &Around<'_>,
) -> Result<Option<Timestamp>, Fault> {
    let wrong = || Fault::invalid(field, format!("{label} không hợp lệ, ví dụ đúng: 16:30."));
    let text = match fields.get(field) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text.trim(),
        Some(_) => return Err(wrong()),
    };
    let today = || around.time_zone.to_datetime(around.now.wall).date();
    let local = match time_of_day(text) {
        Some(time) => today().to_datetime(time),
        None => match text.parse::<Timestamp>() {
            Ok(at) => return Ok(Some(at)),
            Err(_) => text.parse::<DateTime>().map_err(|_| wrong())?,
        },
    };
    around.time_zone.to_timestamp(local).map(Some).map_err(|_| wrong())
}

fn sensible(notice: Notice, around: &Around<'_>) -> Result<Notice, Fault> {
    if notice.until.is_some_and(|until| until <= around.now.wall) {
        return Err(Fault::invalid("until", "Giờ kết thúc đã qua."));
    }
    if notice.from.zip(notice.until).is_some_and(|(from, until)| until <= from) {
        return Err(Fault::invalid("until", "Giờ kết thúc phải sau giờ bắt đầu."));
    }
    if notice.recording.as_ref().is_some_and(|recording| !around.shelf.has(recording)) {
        return Err(Fault::invalid("recording", "Không còn bản ghi âm này, hãy ghi lại."));
    }
    let elsewhere = |zone: &Zone| {
        around.screens.iter().any(|(_, screen)| screen.report.zones.iter().any(|z| z == zone.as_str()))
    };
    let here = |zone: &Zone| around.zones.iter().any(|z| z.id == *zone);
    let unknown = notice.zones.iter().find(|zone| !here(zone) && !elsewhere(zone));
    match unknown {
        Some(zone) => Err(Fault::invalid("zones", format!("Không có khu {zone}."))),
        None => Ok(notice),
    }
}

/// Reads the fields of `call`: those of the topic, with `id`, `kind` and `at` optional. An `id` that the client chose
/// makes the request safe to repeat.
///
/// # Errors
/// The first field that does not fit, or a counter that the hall does not have.
pub fn call(fields: &Map<String, Value>, around: &Around<'_>) -> Result<Call, Fault> {
    let mut fields = fields.clone();
    usually(&mut fields, "id", around.fresh_id);
    usually(&mut fields, "kind", "call");
    fields.insert("at".into(), around.now.wall.to_string().into());
    // Only a queue system may number its events; a page's number would outrank or lose to them by chance.
    fields.remove("seq");
    let Input::CallReceived(call) =
        decode_object("call", &fields, around.time_zone).map_err(|e| Fault::rejected(&e))?
    else {
        return Err(Fault::malformed("Yêu cầu không hợp lệ."));
    };
    if has_counter(&call.counter, around) {
        Ok(call)
    } else {
        Err(Fault::invalid("counter", format!("Sảnh không có quầy {}.", call.counter)))
    }
}

/// Whether the hall has this counter. A mistyped one would send a citizen, and the loudspeakers, to a place that is not
/// there.
pub fn has_counter(counter: &Counter, around: &Around<'_>) -> bool {
    let (view, config) = (&around.view.counters, around.counters);
    (view.is_empty() && config.is_empty())
        || config.iter().any(|c| c.id == *counter)
        || view.iter().any(|c| c.counter == *counter)
}

/// A command and the screen that it is for; none: this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub screen: Option<String>,
    pub command: Command,
}

/// Reads the fields of `command`: those of the topic, with `id` and `screen` optional; `by` is who signed in.
///
/// # Errors
/// The first field that does not fit.
pub fn command(fields: &Map<String, Value>, by: &str, around: &Around<'_>) -> Result<Order, Fault> {
    let mut fields = fields.clone();
    let screen = fields.remove("screen").filter(|screen| !screen.is_null());
    let screen = screen.map(|screen| {
        let wrong = || Fault::invalid("screen", "Tên màn hình không hợp lệ.");
        screen.as_str().and_then(topic_level).ok_or_else(wrong)
    });
    let screen = screen.transpose()?.filter(|screen| screen != around.screen);
    usually(&mut fields, "id", around.fresh_id);
    fields.insert("by".into(), by.into());
    let command = decode_command_object("command", &fields).map_err(|e| Fault::rejected(&e))?;
    match zone_of(&command) {
        Some(zone) if screen.is_none() && around.zones.iter().all(|z| z.id != *zone) => Err(no_zone(zone)),
        _ => Ok(Order { screen, command }),
    }
}

/// Whether another screen can carry out a command now: one that is off would be startled by it hours later.
///
/// # Errors
/// Why not.
pub fn reachable(screen: &str, command: &Command, screens: &Screens, now: Now) -> Result<(), Fault> {
    let unknown = || Fault::invalid("screen", format!("Sảnh không có màn hình {screen}."));
    let known =
        screens.iter().find(|(name, _)| *name == screen).map(|(_, known)| known).ok_or_else(unknown)?;
    if !known.report.online || known.is_silent(now) {
        return Err(Fault::invalid("screen", format!("Màn hình {screen} đang tắt hoặc không trả lời.")));
    }
    match zone_of(command) {
        Some(zone) if known.report.zones.iter().all(|z| z != zone.as_str()) => Err(no_zone(zone)),
        _ => Ok(()),
    }
}

fn zone_of(command: &Command) -> Option<&Zone> {
    match &command.action {
        Action::Mute(zone) | Action::Unmute(zone) => zone.as_ref(),
        _ => None,
    }
}

fn no_zone(zone: &Zone) -> Fault {
    Fault::invalid("value", format!("Không có khu {zone}."))
}

/// Calls of a history that are told without a `limit`, and at most.
const HISTORY: usize = 100;
const HISTORY_MAX: usize = 1000;

/// Reads the fields of `history`: `ticket`, `since` (RFC 3339, or all of today), `until`, `limit`, each optional.
///
/// # Errors
/// The first field that does not fit.
pub fn history(fields: &Map<String, Value>, around: &Around<'_>) -> Result<Query, Fault> {
    let given = |name: &str| fields.get(name).filter(|value| !value.is_null());
    let ticket = given("ticket").map(|value| {
        let text = value.as_str().map(str::to_uppercase).unwrap_or_default();
        Ticket::parse(&text).map_err(|_| Fault::invalid("ticket", "Số thứ tự không hợp lệ."))
    });
    let until = given("until").map(|value| {
        let at = value.as_str().and_then(|text| text.parse().ok());
        at.ok_or_else(|| Fault::invalid("until", "Thời điểm không hợp lệ."))
    });
    let limit = given("limit").map(|value| {
        let limit = value.as_u64().and_then(|n| usize::try_from(n).ok());
        let limit = limit.filter(|n| (1..=HISTORY_MAX).contains(n));
        limit.ok_or_else(|| Fault::invalid("limit", format!("Phải từ 1 đến {HISTORY_MAX}.")))
    });
    Ok(Query {
        ticket: ticket.transpose()?,
        since: since(fields, around)?,
        until: until.transpose()?.unwrap_or(Timestamp::MAX),
        limit: limit.transpose()?.unwrap_or(HISTORY),
    })
}

/// Reads the `topics` of `subscribe`.
///
/// # Errors
/// When there are none, or one that is not known.
pub fn topics(fields: &Map<String, Value>) -> Result<Topics, Fault> {
    let wrong = || Fault::invalid("topics", "Cần danh sách: view, notices, health, proofs, screens, speech.");
    let names = fields.get("topics").and_then(Value::as_array).filter(|names| !names.is_empty());
    let mut topics = Topics::default();
    for name in names.ok_or_else(wrong)? {
        match name.as_str() {
            Some("view") => topics.view = true,
            Some("notices") => topics.notices = true,
            Some("health") => topics.health = true,
            Some("proofs") => topics.proofs = true,
            Some("screens") => topics.screens = true,
            Some("speech") => topics.speech = true,
            _ => return Err(wrong()),
        }
    }
    Ok(topics)
}

/// What a session wants to be told.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    pub view: bool,
    pub notices: bool,
    pub health: bool,
    pub proofs: bool,
    pub screens: bool,
    pub speech: bool,
}

impl Topics {
    /// These and `more`.
    pub fn with(self, more: Self) -> Self {
        Self {
            view: self.view || more.view,
            notices: self.notices || more.notices,
            health: self.health || more.health,
            proofs: self.proofs || more.proofs,
            screens: self.screens || more.screens,
            speech: self.speech || more.speech,
        }
    }
}
