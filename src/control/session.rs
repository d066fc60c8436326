//! The protocol of one WebSocket session, without its socket: texts in, steps out. It decides who may ask what, and
//! never sends, hashes, waits or reads a clock itself.

use serde_json::{Map, Value, json};

use super::auth::{Grant, Role, Welcome};
use super::counter;
use super::fault::{Code, Fault};
use super::limits::Pace;
use super::look::{self, Found, Look};
use super::order::{self, Around, Topics};
use crate::board::call::{Counter, NoticeId};
use crate::board::input::Input;
use crate::board::state::{CounterState, Notice};
use crate::clock::Now;
use crate::hub::{Publication, Sent, Stopped, Taken};
use crate::journal::{Query, Story};
use crate::wire::{
    Command, deed_value, encode_call, encode_command, encode_counter, encode_notice, notice_value,
    refusal_value, story_value,
};

/// Requests over the pace that are answered; a client that goes on is cut off.
const STRIKES_MAX: u32 = 50;
/// Bytes of the entries of one reply: a larger message than a client or a peer's buffer takes would end the session.
const REPLY_MAX: usize = 512 * 1024;

/// Something for the socket's task to do, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Send(String),
    /// Check the token, then call [`Session::admit`].
    Verify {
        req: u64,
        token: String,
    },
    /// Hand the input to the hub, then send what [`Push::answer`] says.
    Push(Box<Push>),
    /// Ask the hub for the notices; push the end of the notice; then send what [`deleted`] says.
    Delete {
        req: u64,
        id: NoticeId,
    },
    /// Ask the hub for the notices; push those of [`counter::reordered`]; then send what [`listed`] says.
    Reorder {
        req: u64,
        ids: Vec<NoticeId>,
    },
    /// Ask the hub for the notices, then send what [`listed`] says.
    List {
        req: u64,
    },
    /// Carry it out, then send what [`obeyed`] says.
    Command {
        req: u64,
        command: Command,
    },
    /// If that screen can be reached, have the hub send it, then send what [`sent`] says.
    CommandElsewhere {
        req: u64,
        screen: String,
        command: Command,
    },
    /// Look into the journal, then send what [`told`] says.
    History {
        req: u64,
        query: Query,
    },
    /// Look into the journal, then send what [`looked`] says.
    Look {
        req: u64,
        look: Look,
    },
    /// From now on tell these, beginning with how they stand.
    Subscribe(Topics),
    Close(Ending),
}

/// Why a session ends; the numbers are those of RFC 6455.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Stopping,
    /// Only text is spoken here.
    NotText,
    TooLarge,
    NoHello,
    Refused,
    Revoked,
    TooFast,
    Full,
}

impl Ending {
    pub fn code(self) -> u16 {
        match self {
            Self::Stopping => 1001,
            Self::NotText => 1003,
            Self::TooLarge => 1009,
            Self::NoHello | Self::Refused | Self::Revoked | Self::TooFast => 1008,
            Self::Full => 1013,
        }
    }

    pub fn reason(self) -> &'static str {
        match self {
            Self::Stopping => "stopping",
            Self::NotText => "text only",
            Self::TooLarge => "message too large",
            Self::NoHello => "no hello in time",
            Self::Refused => "token refused",
            Self::Revoked => "token revoked",
            Self::TooFast => "too many requests",
            Self::Full => "too many sessions",
        }
    }
}

/// An input on its way to the board and the hall.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    pub input: Input,
    pub publication: Publication,
    req: u64,
    /// Goes into the reply when it is taken.
    told: Map<String, Value>,
}

impl Push {
    /// The reply, once the hub has answered.
    pub fn answer(self, taken: Result<Taken, Stopped>) -> String {
        match taken {
            Err(Stopped) => fail(self.req, &Fault::stopping()),
            Ok(Taken::Applied) => done(self.req, self.told),
            Ok(Taken::Ignored(reason)) => {
                if let Some(fault) = Fault::ignored(reason) {
                    return fail(self.req, &fault);
                }
                let mut told = self.told;
                told.insert("duplicate".into(), true.into());
                done(self.req, told)
            }
        }
    }
}

/// The reply to `notice.list`.
pub fn listed(req: u64, notices: Result<Vec<Notice>, Stopped>) -> String {
    match notices {
        Err(Stopped) => fail(req, &Fault::stopping()),
        Ok(notices) => done(req, notices_value(&notices)),
    }
}

/// The reply to `notice.delete`: whether the notice was live, and whether the hub took its end.
pub fn deleted(req: u64, id: &NoticeId, was_live: bool, taken: Result<Taken, Stopped>) -> String {
    match taken {
        Err(Stopped) => fail(req, &Fault::stopping()),
        Ok(_) if was_live => done(req, fields([("id", id.as_str().into())])),
        Ok(_) => fail(
            req,
            &Fault {
                field: Some("id".into()),
                ..Fault::new(Code::NotFound, "Không có thông báo này, có thể đã kết thúc.")
            },
        ),
    }
}

/// The reply to `command`; false: it cannot be carried out now.
pub fn obeyed(req: u64, taken: bool) -> String {
    if taken { done(req, Map::new()) } else { fail(req, &Fault::busy()) }
}

/// The reply to `command` for another screen: whether the hall's broker has been given it.
pub fn sent(req: u64, outcome: Result<Sent, Fault>) -> String {
    match outcome {
        Ok(Sent::OnItsWay) => done(req, Map::new()),
        Ok(Sent::NoLink) => fail(req, &Fault::no_link()),
        Err(fault) => fail(req, &fault),
    }
}

/// A command on its way to another screen. It is not retained: a screen that starts later must not obey it.
pub fn publication_for(screen: &str, command: &Command) -> Publication {
    Publication { topic: format!("screen/{screen}/command"), payload: encode_command(command), retain: false }
}

/// The reply to `history`: what became of calls, newest first; none when the journal cannot be read.
pub fn told(req: u64, stories: Option<Vec<Story>>) -> String {
    match stories {
        None => fail(req, &Fault::new(Code::Unsupported, "Không đọc được nhật ký của màn hình này.")),
        Some(stories) => done(req, bounded("calls", stories.iter().map(story_value))),
    }
}

/// As many entries as fit into one message, the first of them first; `more` where some are left out.
fn bounded(name: &str, entries: impl Iterator<Item = Value>) -> Map<String, Value> {
    let (mut told, mut bytes, mut more) = (Vec::new(), 0, false);
    for entry in entries {
        bytes += entry.to_string().len() + 1;
        if bytes > REPLY_MAX {
            more = true;
            break;
        }
        told.push(entry);
    }
    let mut out = fields([(name, told.into())]);
    if more {
        out.insert("more".into(), true.into());
    }
    out
}

/// The reply to `audit` and `rejected`; none when the journal cannot be read.
pub fn looked(req: u64, found: Option<Found>) -> String {
    match found {
        None => told(req, None),
        Some(Found::Deeds(deeds)) => done(req, bounded("deeds", deeds.iter().map(deed_value))),
        Some(Found::Refusals(refusals)) => done(req, bounded("rejected", refusals.iter().map(refusal_value))),
    }
}

/// `{"notices":[…]}`, as in the reply and the event.
pub fn notices_value(notices: &[Notice]) -> Map<String, Value> {
    fields([("notices", notices.iter().map(notice_value).collect())])
}

/// The end of a notice: an empty retained payload.
pub fn ending_of(id: &NoticeId) -> Publication {
    Publication { topic: format!("notice/{id}"), payload: Vec::new(), retain: true }
}

/// One client's conversation.
#[derive(Debug)]
pub struct Session {
    grant: Option<Grant>,
    /// A hello is being checked.
    checking: bool,
    pace: Pace,
    strikes: u32,
}

impl Session {
    pub fn new(now: Now) -> Self {
        Self { grant: None, checking: false, pace: Pace::new(now.mono), strikes: 0 }
    }

    /// Who it is, once signed in.
    pub fn grant(&self) -> Option<&Grant> {
        self.grant.as_ref()
    }

    /// Takes one text message.
    pub fn receive(&mut self, text: &str, around: &Around<'_>) -> Vec<Step> {
        let read = envelope(text);
        // What cannot be read counts too: it costs as much.
        if !self.pace.take(around.now.mono) {
            self.strikes += 1;
            let req = read.map_or_else(|(req, _)| req, |(req, _)| Some(req));
            let mut steps = vec![Step::Send(fail(req, &Fault::busy()))];
            if self.strikes > STRIKES_MAX {
                steps.push(Step::Close(Ending::TooFast));
            }
            return steps;
        }
        let (req, fields) = match read {
            Ok(read) => read,
            Err((req, fault)) => return self.refuse(req, &fault),
        };
        let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
        match (kind, self.grant.clone()) {
            ("hello", None) => self.hello(req, &fields),
            ("hello", Some(_)) => vec![Step::Send(fail(req, &Fault::malformed("Đã đăng nhập rồi.")))],
            (_, None) => self.refuse(Some(req), &Fault::not_signed_in()),
            (kind, Some(grant)) => match ask(kind, req, &fields, &grant, around) {
                Ok(steps) => steps,
                Err(fault) => vec![Step::Send(fail(req, &fault))],
            },
        }
    }

    /// Takes the outcome of a [`Step::Verify`].
    pub fn admit(&mut self, req: u64, outcome: Result<Welcome, Fault>) -> Vec<Step> {
        self.checking = false;
        match outcome {
            Err(fault) => self.refuse(Some(req), &fault),
            Ok(welcome) => {
                let Welcome { grant, session } = welcome;
                let mut told = fields([
                    ("role", grant.role.as_str().into()),
                    ("role_vi", grant.role.vietnamese().into()),
                    ("name", grant.name.as_str().into()),
                    ("version", env!("CARGO_PKG_VERSION").into()),
                ]);
                if let Some(session) = session {
                    told.insert("session".into(), session.into());
                }
                self.grant = Some(grant);
                vec![Step::Send(done(req, told))]
            }
        }
    }

    fn hello(&mut self, req: u64, fields: &Map<String, Value>) -> Vec<Step> {
        if self.checking {
            return vec![Step::Send(fail(req, &Fault::busy()))];
        }
        let Some(token) = fields.get("token").and_then(Value::as_str) else {
            return self.refuse(Some(req), &Fault::invalid("token", "Chưa nhập mã truy cập."));
        };
        self.checking = true;
        vec![Step::Verify { req, token: token.trim().to_owned() }]
    }

    /// Before the sign-in every mistake ends the session; after it a mistake is only answered.
    fn refuse(&self, req: Option<u64>, fault: &Fault) -> Vec<Step> {
        let reply = Step::Send(fail(req, fault));
        match self.grant {
            Some(_) => vec![reply],
            None => vec![reply, Step::Close(Ending::Refused)],
        }
    }
}

type Envelope = (u64, Map<String, Value>);

fn envelope(text: &str) -> Result<Envelope, (Option<u64>, Fault)> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(text) else {
        return Err((None, Fault::malformed("Tin nhắn phải là một đối tượng JSON.")));
    };
    let Some(req) = fields.remove("req").as_ref().and_then(Value::as_u64) else {
        return Err((None, Fault::malformed("Thiếu số “req”.")));
    };
    if fields.get("type").and_then(Value::as_str).is_none() {
        return Err((Some(req), Fault::malformed("Thiếu “type”.")));
    }
    Ok((req, fields))
}

fn ask(
    kind: &str,
    req: u64,
    fields: &Map<String, Value>,
    grant: &Grant,
    around: &Around<'_>,
) -> Result<Vec<Step>, Fault> {
    let needed = match kind {
        "subscribe" | "notice.list" => Role::Viewer,
        "notice.put" | "notice.delete" | "notice.order" | "call" | "counter" | "history" | "audit"
        | "rejected" => Role::Operator,
        "command" => Role::Technician,
        _ => return Err(Fault::new(Code::UnknownType, format!("Không có yêu cầu loại “{}”.", shown(kind)))),
    };
    if grant.role < needed {
        return Err(Fault::forbidden());
    }
    match kind {
        "subscribe" => {
            let topics = order::topics(fields)?;
            Ok(vec![Step::Send(done(req, Map::new())), Step::Subscribe(topics)])
        }
        "notice.list" => Ok(vec![Step::List { req }]),
        "notice.put" => Ok(vec![Step::Push(Box::new(put(req, order::notice(fields, &grant.name, around)?)))]),
        "notice.delete" => Ok(vec![Step::Delete { req, id: order::notice_to_end(fields)? }]),
        "call" => {
            let call = order::call(fields, around)?;
            let publication =
                Publication { topic: "call".into(), payload: encode_call(&call), retain: false };
            let told = self::fields([("id", call.id.as_str().into())]);
            let push = Push { input: Input::CallReceived(call), publication, req, told };
            Ok(vec![Step::Push(Box::new(push))])
        }
        "counter" => Ok(vec![Step::Push(Box::new(change(req, counter::change(fields, around)?)))]),
        "notice.order" => Ok(vec![Step::Reorder { req, ids: counter::order_of(fields)? }]),
        "audit" => Ok(vec![Step::Look { req, look: look::audit(fields, around)? }]),
        "rejected" => Ok(vec![Step::Look { req, look: look::rejected(fields, around)? }]),
        "command" => {
            let order = order::command(fields, &grant.name, around)?;
            let command = order.command;
            Ok(vec![match order.screen {
                None => Step::Command { req, command },
                Some(screen) => Step::CommandElsewhere { req, screen, command },
            }])
        }
        _ => Ok(vec![Step::History { req, query: order::history(fields, around)? }]),
    }
}

fn change(req: u64, (counter, state): (Counter, CounterState)) -> Push {
    let (topic, payload) = (format!("counter/{counter}"), encode_counter(&state));
    let told = fields([("counter", counter.as_str().into()), ("state", state.mode.as_str().into())]);
    let input = Input::CounterChanged { counter, state };
    Push { input, publication: Publication { topic, payload, retain: true }, req, told }
}

/// A notice on its way to the hall.
pub fn publication_of(notice: &Notice) -> Publication {
    Publication { topic: format!("notice/{}", notice.id), payload: encode_notice(notice), retain: true }
}

fn put(req: u64, notice: Notice) -> Push {
    let publication = publication_of(&notice);
    let told = fields([("id", notice.id.as_str().into()), ("notice", notice_value(&notice))]);
    Push { input: Input::NoticePut(notice), publication, req, told }
}

/// What a stranger sent, short enough to repeat.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(32).collect()
}

fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn done(req: u64, told: Map<String, Value>) -> String {
    let mut out = fields([("re", req.into()), ("ok", true.into())]);
    out.extend(told);
    Value::Object(out).to_string()
}

fn fail(req: impl Into<Option<u64>>, fault: &Fault) -> String {
    json!({ "re": req.into(), "ok": false, "error": fault.to_value() }).to_string()
}

#[cfg(test)]
mod tests;
