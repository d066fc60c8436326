//! The single task that owns the board and runs its effects. Everybody else talks to it through [`HubHandle`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tracing::{field, trace_span};

use crate::board::Board;
use crate::board::call::{CallId, Zone};
use crate::board::input::{
    Announcement, AnnouncementId, Effect, Form, IgnoreReason, Input, Message, Outcome,
};
use crate::board::state::Notice;
use crate::board::view::{SharedView, ZoneSpeech};
use crate::clock::{Clock, Millis, Now};
use crate::health::{Drawn, FrameReport, PanelState, ScreenStatus, SoundState};
use crate::journal::{Journal, Kept, Record};
use crate::metrics::Metrics;
use crate::screens::{ScreenReport, Screens};
use crate::speech::Utterance;
use crate::trace::STAGE;
use crate::voices::Voices;
use crate::wire::{self, Command, Proof};

mod stories;
mod turns;
mod undrawn;
mod unsent;

use stories::Story;
use undrawn::Undrawn;
use unsent::Unsent;

/// What the hub can be asked.
#[derive(Debug)]
pub enum Request {
    /// Something happened. The reply comes when the board has taken it.
    Input { input: Input, reply: Option<oneshot::Sender<Taken>> },
    /// The same, and the hall is told: the topic below the hall's prefix and the payload are published once taken.
    Push { input: Input, publish: Publication, by: String, reply: oneshot::Sender<Taken> },
    /// The hall is told without a change of the board: a command to another screen. Nothing is sent while the link is down.
    Send { publish: Publication, by: String, reply: oneshot::Sender<Sent> },
    /// Somebody at another screen has commanded this one.
    Commanded(Command),
    /// The live notices.
    Notices { reply: oneshot::Sender<Vec<Notice>> },
    /// A call came onto the glass.
    Drawn(Drawn),
    /// A payload was refused before it became an input.
    Rejected(wire::Rejection),
    /// What a screen of the hall says of itself; none: its word was taken back.
    ScreenHeard { screen: String, report: Option<Box<ScreenReport>> },
    /// A screen asks for the hall's state.
    SyncAsked { screen: String },
    /// What became of a call on a screen of the hall.
    ProofHeard { screen: String, proof: Proof },
}

/// Whether an input changed the board.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    Applied,
    Ignored(IgnoreReason),
}

/// What became of a message that has no use later.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    OnItsWay,
    NoLink,
}

/// A message for the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Below `{root}/{hall}/`.
    pub topic: String,
    pub payload: Vec<u8>,
    pub retain: bool,
}

/// The hub is gone: the process is stopping.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hub has stopped")]
pub struct Stopped;

/// A door to the hub, cheap to clone.
#[derive(Clone, Debug)]
pub struct HubHandle {
    pub requests: mpsc::Sender<Request>,
    pub views: watch::Receiver<SharedView>,
}

impl HubHandle {
    /// Sends an input and waits until the board has taken it.
    ///
    /// # Errors
    /// [`Stopped`] when the hub is gone.
    pub async fn input(&self, input: Input) -> Result<Taken, Stopped> {
        self.hand_over(input).await?.await.map_err(|_| Stopped)
    }

    /// Sends an input; the answer comes when the board has taken it and the journal has it.
    ///
    /// # Errors
    /// [`Stopped`] when the hub is gone.
    pub async fn hand_over(&self, input: Input) -> Result<oneshot::Receiver<Taken>, Stopped> {
        let (reply, taken) = oneshot::channel();
        self.requests.send(Request::Input { input, reply: Some(reply) }).await.map_err(|_| Stopped)?;
        Ok(taken)
    }

    /// Applies an input here and publishes it to the hall; `by` is who wants it.
    ///
    /// # Errors
    /// [`Stopped`] when the hub is gone.
    pub async fn push(&self, input: Input, publish: Publication, by: &str) -> Result<Taken, Stopped> {
        let (reply, taken) = oneshot::channel();
        let by = by.to_owned();
        self.requests.send(Request::Push { input, publish, by, reply }).await.map_err(|_| Stopped)?;
        taken.await.map_err(|_| Stopped)
    }

    /// Publishes to the hall what changes nothing here; `by` is who wants it.
    ///
    /// # Errors
    /// [`Stopped`] when the hub is gone.
    pub async fn send(&self, publish: Publication, by: &str) -> Result<Sent, Stopped> {
        let (reply, sent) = oneshot::channel();
        let by = by.to_owned();
        self.requests.send(Request::Send { publish, by, reply }).await.map_err(|_| Stopped)?;
        sent.await.map_err(|_| Stopped)
    }

    /// The live notices, in the order of the ticker.
    ///
    /// # Errors
    /// [`Stopped`] when the hub is gone.
    pub async fn notices(&self) -> Result<Vec<Notice>, Stopped> {
        let (reply, notices) = oneshot::channel();
        self.requests.send(Request::Notices { reply }).await.map_err(|_| Stopped)?;
        notices.await.map_err(|_| Stopped)
    }
}

/// Where the hub sends what is to be spoken; the audio supervisor answers with `SpeechStarted` and `SpeechEnded`.
pub trait Speaker: Send {
    fn say(&mut self, zone: &Zone, id: AnnouncementId, utterance: Arc<Utterance>);

    /// Lets background music be heard in a zone or not; false when that has to be said again later.
    fn music(&mut self, zone: &Zone, plays: bool) -> bool;
}

/// Turns what the board wants said into clips.
pub trait Planner: Send {
    fn plan(&self, message: &Message, repeats: u8, short: bool) -> Utterance;
}

/// Where the hub learns the rest of what the status says.
pub struct Probes {
    pub frame: Box<dyn Fn() -> FrameReport + Send>,
    /// The worst state over all zones.
    pub sound: Box<dyn Fn() -> SoundState + Send>,
    /// Address of the broker while the link is up.
    pub link: Box<dyn Fn() -> Option<String> + Send>,
    /// None: nobody turns the panel off and on.
    pub panel: Box<dyn Fn() -> Option<PanelState> + Send>,
}

/// The parts that the hub drives.
pub struct Outlets {
    pub planner: Box<dyn Planner>,
    pub speaker: Box<dyn Speaker>,
    pub publications: mpsc::Sender<Publication>,
    pub views: watch::Sender<SharedView>,
    pub status: watch::Sender<ScreenStatus>,
    /// Tells the main thread that there is a new view.
    pub wake: Box<dyn Fn() + Send>,
    pub probes: Probes,
    /// Gets every call and what became of it.
    pub journal: Journal,
    /// For whoever listens.
    pub proofs: broadcast::Sender<Proof>,
    /// The hall's screens as they tell of themselves.
    pub screens: watch::Sender<Screens>,
    /// What every zone says and will say.
    pub speech: watch::Sender<Speech>,
    pub metrics: Arc<Metrics>,
}

/// What every zone says and will say, and when that became so.
#[derive(Clone, Debug)]
pub struct Speech {
    pub zones: Vec<ZoneSpeech>,
    pub since: Now,
}

/// Owns the board; see [`Hub::run`].
pub struct Hub {
    board: Board,
    clock: Arc<dyn Clock>,
    outlets: Outlets,
    status: ScreenStatus,
    screen: String,
    /// Calls whose story has no end yet; the board ends each with one proof.
    stories: HashMap<CallId, Story>,
    undrawn: Undrawn,
    /// Which call an announcement that is being spoken belongs to.
    said: HashMap<AnnouncementId, CallId>,
    voices: Voices,
    /// Screens that wait for the hall's state, and when each is answered.
    asked: Vec<(Millis, String)>,
    /// Nobody has told this screen of the hall since its link came up.
    asks_again: bool,
    /// Where music plays, as the speaker was told.
    music: HashMap<Zone, bool>,
    /// Whether the picture reached the glass when it was looked at.
    lit: bool,
    unsent: Unsent,
    /// What the journal gets when all that came together is taken.
    facts: Vec<Record>,
}

/// How many waiting requests are taken before the view is published: a burst becomes one picture, not a thousand.
const BATCH: usize = 256;
/// The status is looked at again this often, also when nothing happens.
const STATUS_EVERY: Duration = Duration::from_secs(5);

impl Hub {
    pub fn new(
        board: Board,
        clock: Arc<dyn Clock>,
        outlets: Outlets,
        status: ScreenStatus,
        screen: &str,
    ) -> Self {
        let zones = board.zones().map(|(zone, _)| zone.clone());
        let voices = Voices::new(screen, status.rank, zones, clock.now().mono);
        Self {
            board,
            clock,
            outlets,
            status,
            screen: screen.to_owned(),
            stories: HashMap::new(),
            undrawn: Undrawn::default(),
            said: HashMap::new(),
            voices,
            asked: Vec::new(),
            asks_again: false,
            music: HashMap::new(),
            lit: true,
            unsent: Unsent::default(),
            facts: Vec::new(),
        }
    }

    /// Takes what an earlier life of the process knew, before anything new comes.
    pub fn remember(&mut self, kept: Vec<Kept>) {
        let known = kept.len();
        // Until all is told nothing is said: a later event may have ended what an earlier one asked for. The sound reports
        // itself once it works.
        let zones: Vec<Zone> = self.board.zones().map(|(zone, _)| zone.clone()).collect();
        for zone in zones {
            self.apply(Input::SoundChanged { zone: zone.clone(), works: false });
            self.apply(Input::VoiceChanged { zone, speaks: false, shared: false });
        }
        for Kept { call, received, began, drawn, proof } in kept {
            let (id, proven, drawn_before) = (call.id.clone(), proof.is_some(), drawn.is_some());
            let said = |proof: &Proof| matches!(proof.outcome, Outcome::Spoken | Outcome::OtherScreen);
            let (is_said, zone) = (proof.as_ref().is_some_and(said), self.board.zone_of(&call.counter));
            match proof {
                Some(proof) if !drawn_before => self.undrawn.keep(proof, None),
                // Only a summons gets a proof in the end.
                None if call.kind.summons() => {
                    let story = Story { again: began, drawn, ..Story::kept(call.kind, received) };
                    self.stories.insert(id.clone(), story);
                }
                _ => {}
            }
            // It is told on to those who ask, and to nobody as unsaid.
            if let Some(zone) = zone.filter(|_| is_said) {
                self.apply(Input::SpokenElsewhere { call: id.clone(), zone: Some(zone) });
            }
            let kept = Input::CallKept { call, proven, drawn: drawn_before };
            if let Taken::Ignored(_) = self.apply(kept).taken {
                self.stories.remove(&id);
            }
        }
        let open = self.stories.len();
        tracing::info!(known, open, "calls of before the start");
    }

    /// Runs until every handle is dropped; in the daemon the runtime ends it before that. Nothing else ever changes the board.
    pub async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        self.show();
        let mut batch = Vec::with_capacity(BATCH);
        let mut status_tick = tokio::time::interval(STATUS_EVERY);
        status_tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let deadline = self.until_deadline();
            tokio::select! {
                count = requests.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    self.take(&mut batch);
                }
                () = tokio::time::sleep(deadline) => {
                    if self.apply(Input::Ticked).shown {
                        self.show();
                    }
                }
                _ = status_tick.tick() => {}
            }
            self.take_turns(self.clock.now());
            self.look_at_glass();
            self.answer();
            self.let_music_play();
            self.tell_speech();
            self.write();
            self.report();
        }
    }

    fn until_deadline(&self) -> Duration {
        /// With nothing due, look again after this long: a wall clock that NTP moves changes the phase of the day.
        const AT_MOST: Duration = Duration::from_secs(20);
        let now = self.clock.now();
        let asked = self.asked.iter().map(|(due, _)| *due).min();
        let due = [self.board.next_deadline(now), self.voices.next_change(now.mono), asked];
        let due = due.into_iter().flatten().min();
        due.map_or(AT_MOST, |due| (due - now.mono).to_duration().min(AT_MOST))
    }

    fn take(&mut self, batch: &mut Vec<Request>) {
        let mut shown = false;
        let mut replies: Vec<(oneshot::Sender<Taken>, Taken)> = Vec::new();
        for request in batch.drain(..) {
            match request {
                Request::Input { input, reply } => {
                    let topic = self.unsent.topic_of(&input);
                    let done = self.apply(input);
                    self.told_back(topic, done.taken);
                    shown |= done.shown;
                    replies.extend(reply.map(|reply| (reply, done.taken)));
                }
                Request::Push { input, publish, by, reply } => {
                    let done = self.apply(input);
                    shown |= done.shown;
                    if done.taken == Taken::Applied {
                        self.audit(&publish, by);
                        self.keep_until_sent(&publish);
                        self.publish(publish);
                    }
                    replies.push((reply, done.taken));
                }
                Request::Send { publish, by, reply } => {
                    // Nor does one that wants to send.
                    let _ = reply.send(self.send(publish, by));
                }
                Request::Commanded(command) => self.keep_command(&command),
                Request::Notices { reply } => {
                    // A session that has gone meanwhile needs no answer.
                    let _ = reply.send(self.board.notices(self.clock.now()));
                }
                Request::Drawn(drawn) => self.drawn(drawn),
                Request::Rejected(rejection) => self.reject(rejection),
                Request::ScreenHeard { screen, report } => self.hear_of(&screen, report),
                Request::SyncAsked { screen } => self.be_asked(screen),
                Request::ProofHeard { screen, proof } => shown |= self.keep_proof_of(screen, proof),
            }
        }
        if shown {
            self.show();
        }
        self.write();
        if replies.is_empty() {
            return;
        }
        // Only what is written is acknowledged, so that a killed process gets again what it had not kept.
        self.outlets.journal.then(Box::new(|| {
            for (reply, taken) in replies {
                let _ = reply.send(taken);
            }
        }));
    }

    fn write(&mut self) {
        self.outlets.journal.write_all(std::mem::take(&mut self.facts));
    }

    fn send(&mut self, publish: Publication, by: String) -> Sent {
        if (self.outlets.probes.link)().is_none() {
            return Sent::NoLink;
        }
        self.audit(&publish, by);
        self.publish(publish);
        Sent::OnItsWay
    }

    fn keep_command(&mut self, command: &Command) {
        let (at, payload) = (self.clock.now().wall, wire::command_value(command).to_string());
        let who = command.by.clone().unwrap_or_else(|| "MQTT".to_owned());
        self.facts.push(Record::Audit { at, who, topic: "command".into(), payload });
    }

    fn audit(&mut self, publish: &Publication, who: String) {
        let (at, topic) = (self.clock.now().wall, publish.topic.clone());
        let payload = String::from_utf8_lossy(&publish.payload).into_owned();
        self.facts.push(Record::Audit { at, who, topic, payload });
    }

    fn reject(&mut self, rejection: wire::Rejection) {
        self.status.rejected += 1;
        self.outlets.metrics.rejected(rejection.reason);
        let wire::Rejection { topic, reason, field, detail } = rejection;
        // The detail may quote what was there.
        let detail = if field.as_deref() == Some("holder") { String::new() } else { detail };
        let (at, reason) = (self.clock.now().wall, reason.as_str());
        self.facts.push(Record::Rejected { at, topic, reason, field, detail });
    }

    fn apply(&mut self, input: Input) -> Done {
        let now = self.clock.now();
        self.take_turns(now);
        self.note(&input);
        let call = self.new_call(&input, now).cloned();
        let begun = call.as_ref().and_then(|call| self.begin(call, now));
        let effects = {
            let about = call.as_ref().map(|call| field::display(&call.id));
            let _stage = trace_span!(target: STAGE, "hub", call = about).entered();
            self.board.apply(now, input)
        };
        let refused = effects.iter().any(|effect| matches!(effect, Effect::Ignore { .. }));
        if let Some(call) = call.filter(|_| !refused) {
            self.facts.push(Record::Call { call, received: now.wall });
        }
        let done = self.carry_out(effects, now);
        if let (Some(call), Taken::Ignored(_)) = (begun, done.taken) {
            self.stories.remove(&call);
        }
        done
    }

    fn carry_out(&mut self, effects: Vec<Effect>, now: Now) -> Done {
        let mut done = Done { shown: false, taken: Taken::Applied };
        for effect in effects {
            match effect {
                Effect::Show => done.shown = true,
                Effect::Announce(announcement) => self.announce(&announcement),
                Effect::Prove { call, outcome } => self.prove(call, outcome, now),
                Effect::Ignore { reason } => {
                    self.outlets.metrics.ignored(reason);
                    done.taken = Taken::Ignored(reason);
                }
            }
        }
        done
    }

    fn announce(&mut self, announcement: &Announcement) {
        if let Message::Call { call, .. } = &announcement.message {
            self.said.insert(announcement.id, call.clone());
            if let Some(story) = self.stories.get_mut(call) {
                story.zone = Some(announcement.zone.clone());
            }
        }
        let short = announcement.form == Form::Short;
        let utterance = {
            let _stage = trace_span!(target: STAGE, "plan").entered();
            self.outlets.planner.plan(&announcement.message, announcement.repeats, short)
        };
        tracing::info!(zone = %announcement.zone, text = utterance.text, repeats = announcement.repeats, "announce");
        self.outlets.speaker.say(&announcement.zone, announcement.id, Arc::new(utterance));
    }

    fn publish(&self, publication: Publication) {
        if let Err(full) = self.outlets.publications.try_send(publication) {
            tracing::warn!(
                topic = full.into_inner().topic,
                "the link takes no more messages; this one is dropped"
            );
        }
    }

    /// Music is for a hall that is open, and for zones where calls are said.
    fn let_music_play(&mut self) {
        let open = self.board.is_open(self.clock.now());
        for (zone, silent) in self.board.zones() {
            let plays = open && !silent;
            if self.music.get(zone).copied().unwrap_or(false) != plays
                && self.outlets.speaker.music(zone, plays)
            {
                self.music.insert(zone.clone(), plays);
            }
        }
    }

    fn look_at_glass(&mut self) {
        let lit = (self.outlets.probes.frame)().is_seen();
        if std::mem::replace(&mut self.lit, lit) != lit && self.apply(Input::GlassChanged { lit }).shown {
            self.show();
        }
    }

    fn tell_speech(&self) {
        let zones = self.board.speech();
        self.outlets.speech.send_if_modified(|told| {
            let new = told.zones != zones;
            if new {
                *told = Speech { zones, since: self.clock.now() };
            }
            new
        });
    }

    fn show(&mut self) {
        let _stage = trace_span!(target: STAGE, "view").entered();
        self.outlets.views.send_replace(Arc::new(self.board.view(self.clock.now())));
        (self.outlets.wake)();
    }

    /// Renews the status; the link publishes it when it has changed in more than its time.
    fn report(&mut self) {
        let now = self.clock.now();
        let tally = self.board.tally();
        let probes = &self.outlets.probes;
        self.status.frame = (probes.frame)();
        self.status.audio = match (probes.sound)() {
            SoundState::Ok if self.board.is_muted() => SoundState::Muted,
            state => state,
        };
        self.status.journal = self.outlets.journal.state();
        self.status.link = (probes.link)().unwrap_or_else(|| "down".to_owned());
        self.status.panel = (probes.panel)();
        self.status.skew_ms = self.board.skew_ms();
        self.status.backlog_s = u32::try_from(self.board.worst_wait(now).0 / 1000).unwrap_or(0);
        (self.status.shown, self.status.spoken, self.status.expired) =
            (tally.shown, tally.spoken, tally.expired);
        (self.status.audible, self.status.speaks) = (self.voices.audible(), self.voices.speaks());
        self.status.next = self.voices.next();
        self.status.saying = self.said.values().map(ToString::to_string).collect();
        self.status.saying.sort();
        (self.status.at, self.status.renewed) = (now.wall, now.mono);
        self.outlets.status.send_replace(self.status.clone());
    }
}

struct Done {
    shown: bool,
    taken: Taken,
}
