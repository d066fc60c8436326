//! The WebSocket: one reading and one writing future a peer, a bounded outbox between them, and a time limit on
//! everything that a peer could drag out.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, sleep_until, timeout};

use super::counter::reordered;
use super::fault::Fault;
use super::order::{self, Topics};
use super::session::{
    Ending, Session, Step, deleted, ending_of, listed, looked, obeyed, publication_for, publication_of, sent,
    told,
};
use super::{Console, Peer, Place};
use crate::board::input::Input;
use crate::control::auth::token::new_id;
use crate::hub::{Sent, Stopped};
use crate::journal::Record;
use crate::wire::{Command, Proof, command_value, proof_value};

/// Largest message and frame (wire contract).
const MESSAGE_MAX: usize = 64 * 1024;
/// What may wait inside the WebSocket library: the longest list of notices and the largest view fit.
const WRITE_MAX: usize = 1024 * 1024;
/// Replies that may wait for a peer before it is dropped.
const OUTBOX: usize = 32;
/// Time for the peer to say hello, from the upgrade on; checking the token is our own time.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// A message that the peer has not taken by then is its last.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the peer may take to answer our goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
const PING_EVERY: Duration = Duration::from_secs(15);
/// Pings in a row that nothing at all has come back for.
const MISSES_MAX: u32 = 2;

/// Upgrades `/ws`, for the console's own page and for programs.
pub async fn upgrade(
    State(console): State<Arc<Console>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !is_own(&headers) {
        tracing::info!(peer = %peer.0, "a foreign page asked for the WebSocket");
        return (StatusCode::FORBIDDEN, "the Origin is not this console's own").into_response();
    }
    let place = console.greeting_crowd.enter(peer.0);
    let permit = Arc::clone(&console.greetings).try_acquire_owned().ok();
    let Some(greeting) =
        permit.zip(place).map(|(permit, place)| Room { _permit: permit, _place: Some(place) })
    else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many are signing in").into_response();
    };
    upgrade
        .max_message_size(MESSAGE_MAX)
        .max_frame_size(MESSAGE_MAX)
        // Nothing is held back to be written later, so the cap is for what the peer has not taken.
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_MAX)
        .on_upgrade(move |socket| talk(socket, peer.0, console, greeting))
}

/// Whether the request comes from this console's page, or from a program that sends no `Origin`.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let text = |value: &axum::http::HeaderValue| value.to_str().ok().map(str::to_ascii_lowercase);
    let (Some(origin), Some(host)) = (text(origin), headers.get(header::HOST).and_then(text)) else {
        return false;
    };
    match origin.split_once("://") {
        Some((scheme @ ("http" | "https"), authority)) => {
            let port = if scheme == "http" { ":80" } else { ":443" };
            bare(authority, port) == bare(&host, port)
        }
        _ => false,
    }
}

fn bare<'a>(authority: &'a str, default_port: &str) -> &'a str {
    authority.strip_suffix(default_port).unwrap_or(authority)
}

/// What a socket holds as long as it is open: of the greetings, then of the sessions.
struct Room {
    _permit: OwnedSemaphorePermit,
    /// Only while it has not signed in.
    _place: Option<Place>,
}

/// From the reading to the writing side.
enum Out {
    Say(Utf8Bytes),
    Tell(Topics),
    Close(Ending),
}

/// How a conversation ended.
enum End {
    /// We closed it; the peer is still to answer.
    Closed,
    /// The peer left, or the connection broke.
    Gone,
    /// The peer reads too slowly for its own replies.
    Slow,
}

async fn talk(socket: WebSocket, peer: IpAddr, console: Arc<Console>, greeting: Room) {
    let (sink, stream) = socket.split();
    let (outbox, outgoing) = mpsc::channel(OUTBOX);
    let misses = AtomicU32::new(0);
    let now = console.control.clock.now();
    let reader = Reader {
        stream,
        outbox,
        session: Session::new(now),
        room: greeting,
        peer,
        console: &console,
        misses: &misses,
    };
    let mut writing = std::pin::pin!(write(sink, outgoing, &console, &misses));
    let mut reader = std::pin::pin!(reader.run());
    tokio::select! {
        (end, mut rest) = reader.as_mut() => match end {
            End::Closed => {
                drop(rest.outbox);
                let _ = timeout(CLOSE_TIMEOUT, writing).await;
                // The goodbye is complete, and seen by the peer, once its own has been read.
                let drain = async { while let Some(Ok(_)) = rest.stream.next().await {} };
                let _ = timeout(CLOSE_TIMEOUT, drain).await;
            }
            End::Gone => {}
            End::Slow => tracing::info!(%peer, "a session was too slow and is dropped"),
        },
        () = writing.as_mut() => tracing::info!(%peer, "a session took nothing more and is dropped"),
    }
}

struct Reader<'a> {
    stream: SplitStream<WebSocket>,
    outbox: mpsc::Sender<Out>,
    session: Session,
    room: Room,
    peer: IpAddr,
    console: &'a Console,
    misses: &'a AtomicU32,
}

/// What is left to do when the reading is over.
struct Rest {
    stream: SplitStream<WebSocket>,
    outbox: mpsc::Sender<Out>,
    /// Held until the goodbye is over, so that a stop waits for it.
    _room: Room,
}

impl Reader<'_> {
    async fn run(mut self) -> (End, Rest) {
        let end = match self.converse().await {
            Ok(ending) => match self.outbox.try_send(Out::Close(ending)) {
                Ok(()) => End::Closed,
                Err(_) => End::Slow,
            },
            Err(end) => end,
        };
        (end, Rest { stream: self.stream, outbox: self.outbox, _room: self.room })
    }

    /// Reads until something ends it: `Ok` when we close, `Err` when the peer is gone or lost.
    async fn converse(&mut self) -> Result<Ending, End> {
        let deadline = Instant::now() + HELLO_TIMEOUT;
        let mut stop = self.console.stop.clone();
        let mut tokens = self.console.control.auth.changes();
        loop {
            let silent = self.session.grant().is_none();
            let message = tokio::select! {
                message = self.stream.next() => message,
                () = sleep_until(deadline), if silent => return Ok(Ending::NoHello),
                _ = stop.wait_for(|stop| *stop) => return Ok(Ending::Stopping),
                _ = tokens.changed() => {
                    if self.is_revoked() {
                        return Ok(Ending::Revoked);
                    }
                    continue;
                }
            };
            self.misses.store(0, Ordering::Relaxed);
            match message {
                Some(Ok(Message::Text(text))) => {
                    if let Some(ending) = self.hear(&text).await? {
                        return Ok(ending);
                    }
                }
                Some(Ok(Message::Binary(_))) => return Ok(Ending::NotText),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Err(error)) if is_too_large(&error) => return Ok(Ending::TooLarge),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(End::Gone),
            }
        }
    }

    fn is_revoked(&self) -> bool {
        self.session.grant().is_some_and(|grant| !self.console.control.auth.stands(grant))
    }

    async fn hear(&mut self, text: &str) -> Result<Option<Ending>, End> {
        let steps = {
            let control = &self.console.control;
            let view = Arc::clone(&control.hub.views.borrow());
            let screens = control.screens.borrow();
            let fresh_id = format!("console-{}", new_id());
            self.session.receive(text, &control.around(&view, &screens, &fresh_id))
        };
        for step in steps {
            if let Some(ending) = self.step(step).await? {
                return Ok(Some(ending));
            }
        }
        Ok(None)
    }

    async fn step(&mut self, step: Step) -> Result<Option<Ending>, End> {
        let hub = &self.console.control.hub;
        match step {
            Step::Send(text) => self.say(text)?,
            Step::Verify { req, token } => {
                for step in self.verify(req, &token).await {
                    match step {
                        Step::Send(text) => self.say(text)?,
                        Step::Close(ending) => return Ok(Some(ending)),
                        _ => {}
                    }
                }
            }
            Step::Push(push) => {
                let taken = hub.push(push.input.clone(), push.publication.clone(), self.who()).await;
                self.console.feed.poke();
                self.say(push.answer(taken))?;
            }
            Step::Delete { req, id } => {
                let live = hub.notices().await.is_ok_and(|all| all.iter().any(|n| n.id == id));
                let ended = Input::NoticeCleared { id: id.clone() };
                let taken = hub.push(ended, ending_of(&id), self.who()).await;
                self.console.feed.poke();
                self.say(deleted(req, &id, live, taken))?;
            }
            Step::Reorder { req, ids } => {
                let live = hub.notices().await.unwrap_or_default();
                for notice in reordered(&live, &ids, self.console.control.clock.now().wall) {
                    let publication = publication_of(&notice);
                    if hub.push(Input::NoticePut(notice), publication, self.who()).await.is_err() {
                        break;
                    }
                }
                self.console.feed.poke();
                self.say(listed(req, hub.notices().await))?;
            }
            Step::List { req } => {
                let notices: Result<_, Stopped> = hub.notices().await;
                self.say(listed(req, notices))?;
            }
            Step::Command { req, command } => self.command(req, command).await?,
            Step::CommandElsewhere { req, screen, command } => {
                let outcome = self.command_elsewhere(&screen, &command).await;
                self.say(sent(req, outcome))?;
            }
            Step::History { req, query } => {
                let journal = self.console.control.journal.clone();
                // Reads a file.
                let stories = tokio::task::spawn_blocking(move || journal?.stories(&query).ok()).await;
                self.say(told(req, stories.ok().flatten()))?;
            }
            Step::Look { req, look } => {
                let journal = self.console.control.journal.clone();
                // Reads a file.
                let found = tokio::task::spawn_blocking(move || look.run(&journal?)).await;
                self.say(looked(req, found.ok().flatten()))?;
            }
            Step::Subscribe(topics) => self.put(Out::Tell(topics))?,
            Step::Close(ending) => return Ok(Some(ending)),
        }
        Ok(None)
    }

    /// Checks a token and takes a place among the sessions.
    async fn verify(&mut self, req: u64, token: &str) -> Vec<Step> {
        let (console, peer) = (self.console, self.peer);
        let attempts = || console.attempts.lock().expect("nothing panics while it counts");
        let mono = console.control.clock.now().mono;
        if !attempts().allowed(peer, mono) {
            tracing::warn!(%peer, "too many failed sign-ins");
            return self.session.admit(req, Err(Fault::too_many_attempts()));
        }
        // First the place: a one-time token is used up by the check.
        let place = Arc::clone(&console.sessions).try_acquire_owned();
        let Ok(place) = place else {
            let mut steps = self.session.admit(req, Err(Fault::full()));
            steps.retain(|step| !matches!(step, Step::Close(_)));
            steps.push(Step::Close(Ending::Full));
            return steps;
        };
        let Ok(welcome) = console.control.auth.verify(token).await else {
            attempts().failed(peer, mono);
            tracing::info!(%peer, "a sign-in failed");
            return self.session.admit(req, Err(Fault::unauthorised()));
        };
        self.room = Room { _permit: place, _place: None };
        tracing::info!(%peer, name = %welcome.grant.name, role = welcome.grant.role.as_str(), "signed in");
        self.session.admit(req, Ok(welcome))
    }

    /// The board's own commands go to the hub, the others to whom they concern.
    async fn command(&self, req: u64, command: Command) -> Result<(), End> {
        let control = &self.console.control;
        let payload = command_value(&command).to_string();
        let taken = match command.action.input() {
            Some(input) => control.hub.input(input).await.is_ok(),
            None => control.commands.try_send(command).is_ok(),
        };
        if let Some(journal) = control.journal.as_ref().filter(|_| taken) {
            let (at, who) = (control.clock.now().wall, self.who().to_owned());
            journal.write(Record::Audit { at, who, topic: "command".into(), payload });
        }
        self.say(obeyed(req, taken))
    }

    async fn command_elsewhere(&self, screen: &str, command: &Command) -> Result<Sent, Fault> {
        let control = &self.console.control;
        let screens = control.screens.borrow().clone();
        order::reachable(screen, command, &screens, control.clock.now())?;
        let sent = control.hub.send(publication_for(screen, command), self.who()).await;
        sent.map_err(|Stopped| Fault::stopping())
    }

    fn who(&self) -> &str {
        self.session.grant().map_or("", |grant| &grant.name)
    }

    fn say(&self, text: String) -> Result<(), End> {
        self.put(Out::Say(text.into()))
    }

    fn put(&self, out: Out) -> Result<(), End> {
        self.outbox.try_send(out).map_err(|_| End::Slow)
    }
}

/// Axum hides the error's type behind a box; the library's own words are matched.
fn is_too_large(error: &axum::Error) -> bool {
    error.to_string().contains("Space limit exceeded")
}

/// Sends replies, events and pings until the outbox closes, a goodbye is said, or the peer takes nothing more.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut outgoing: mpsc::Receiver<Out>,
    console: &Console,
    misses: &AtomicU32,
) {
    let feed = &console.feed;
    let (mut view, mut notices, mut health) = (feed.view(), feed.notices(), feed.health());
    let (mut screens, mut speech) = (feed.screens(), feed.speech());
    let mut proofs = console.control.proofs.subscribe();
    let mut topics = Topics::default();
    let mut ping = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            biased;
            out = outgoing.recv() => match out {
                None => return,
                Some(Out::Say(text)) => Message::Text(text),
                Some(Out::Tell(more)) => {
                    topics = topics.with(more);
                    if more.health {
                        feed.ask_health(&console.control);
                    }
                    // Whoever subscribes gets first how things stand.
                    for (new, feed) in [
                        (more.view, &mut view),
                        (more.notices, &mut notices),
                        (more.health, &mut health),
                        (more.screens, &mut screens),
                        (more.speech, &mut speech),
                    ] {
                        if new {
                            feed.mark_changed();
                        }
                    }
                    continue;
                }
                Some(Out::Close(ending)) => {
                    let frame = CloseFrame { code: ending.code(), reason: ending.reason().into() };
                    let _ = timeout(SEND_TIMEOUT, sink.send(Message::Close(Some(frame)))).await;
                    return;
                }
            },
            _ = ping.tick() => {
                if misses.fetch_add(1, Ordering::Relaxed) >= MISSES_MAX {
                    return;
                }
                Message::Ping(axum::body::Bytes::new())
            }
            text = next(&mut view), if topics.view => Message::Text(text),
            text = next(&mut notices), if topics.notices => Message::Text(text),
            text = next(&mut health), if topics.health => Message::Text(text),
            text = next(&mut screens), if topics.screens => Message::Text(text),
            text = next(&mut speech), if topics.speech => Message::Text(text),
            proof = proofs.recv() => match proof {
                Ok(proof) if topics.proofs => Message::Text(proof_event(&proof)),
                // A peer that reads slowly misses some: the journal has them all.
                Ok(_) | Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            },
        };
        if !matches!(timeout(SEND_TIMEOUT, sink.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
}

fn proof_event(proof: &Proof) -> Utf8Bytes {
    serde_json::json!({ "event": "proof", "proof": proof_value(proof) }).to_string().into()
}

async fn next(feed: &mut watch::Receiver<Utf8Bytes>) -> Utf8Bytes {
    if feed.changed().await.is_err() {
        // The feed lives as long as the console, and every session holds the console.
        std::future::pending::<()>().await;
    }
    feed.borrow_and_update().clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(pairs: &[(&str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers
                .insert(axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        is_own(&headers)
    }

    #[test]
    fn only_the_consoles_own_page_and_programs_may_connect() {
        assert!(own(&[("host", "127.0.0.1:8088")]));
        assert!(own(&[("host", "127.0.0.1:8088"), ("origin", "http://127.0.0.1:8088")]));
        assert!(own(&[("host", "sanh.example"), ("origin", "https://Sanh.example:443")]));
        assert!(own(&[("host", "[::1]:8088"), ("origin", "http://[::1]:8088")]));
        assert!(!own(&[("host", "127.0.0.1:8088"), ("origin", "http://127.0.0.1:8089")]));
        assert!(!own(&[("host", "127.0.0.1:8088"), ("origin", "http://evil.example")]));
        assert!(!own(&[("host", "127.0.0.1:8088"), ("origin", "null")]));
        assert!(!own(&[("host", "a"), ("origin", "file://a")]));
        assert!(!own(&[("origin", "http://127.0.0.1:8088")]));
    }
}
