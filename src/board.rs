//! The board: what every counter serves, who is called, what is said next. Pure: `apply` takes an input with its time
//! and returns effects; it never reads a clock, does IO or knows how things are drawn, spoken or sent.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::clock::{Millis, Now};
use crate::config::hours::Hours;
use crate::config::{Config, CounterConfig, PanelSwitch, PowerConfig, SeriesConfig, ZoneConfig};
use crate::voices::Sound;

pub mod call;
mod calls;
mod cell;
mod counters;
mod day;
mod events;
mod history;
pub mod input;
mod lanes;
pub mod ledger;
mod link;
pub(crate) mod notices;
mod queues;
mod spotlight;
pub mod state;
pub mod view;
mod zone;

use call::{Counter, Ticket, Zone};
use counters::Counters;
use day::Day;
use events::Events;
use history::{Missed, Recent};
use input::{Effect, IgnoreReason, Input, Outcome};
use lanes::Lanes;
use ledger::Ledger;
use link::Link;
use notices::Notices;
use queues::Queues;
use spotlight::Spotlight;
use state::{Knowledge, Notice};
use view::{BoardView, Phase, ZoneSpeech};
use zone::Proof;

/// The part of the config that decides what the board does.
#[derive(Clone, Debug)]
pub struct Rules {
    pub dwell: Millis,
    pub stale_after: Millis,
    pub announce_max_age: Millis,
    pub repeats: u8,
    pub show_holder: bool,
    pub hours: Hours,
    /// None: the panel is never dark.
    pub power: Option<PowerConfig>,
    pub time_zone: TimeZone,
    pub counters: Vec<CounterConfig>,
    pub series: Vec<SeriesConfig>,
    pub zones: Vec<ZoneConfig>,
    /// False: nothing is ever announced.
    pub speaks: bool,
    pub idle_ticker: Vec<String>,
}

impl Rules {
    pub fn of(config: &Config) -> Self {
        Self {
            dwell: config.board.dwell,
            stale_after: config.board.stale_after,
            announce_max_age: config.speech.announce_max_age,
            repeats: config.speech.repeats,
            show_holder: config.board.show_holder,
            hours: config.hours.clone(),
            power: Some(config.power).filter(|power| power.panel != PanelSwitch::Never),
            time_zone: TimeZone::get(&config.hall.time_zone).unwrap_or(TimeZone::UTC),
            counters: config.counters.clone(),
            series: config.series.clone(),
            zones: config.audio.zones.clone(),
            speaks: config.audio.enabled,
            idle_ticker: config.board.idle_ticker.clone(),
        }
    }
}

/// How long a screen shows its name after an `identify` command.
const IDENTIFY: Millis = Millis::from_secs(10);

/// The wall clock can be set under a running board: what hangs on it is looked at again after this time at the latest.
const RECHECK: Millis = Millis::from_secs(60);

/// When the wall clock runs away from the monotonic one by this much between two inputs, somebody has set it.
const CLOCK_SET: Millis = Millis::from_secs(5);

/// What this screen has done since its start.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls, recalls and transfers that came onto the board.
    pub shown: u64,
    /// Of these, said to their end.
    pub spoken: u64,
    /// Of these, never said because the loudspeakers were busy or lost for too long.
    pub expired: u64,
}

/// The state of one screen. Each part is one module, with its rules; here they only meet.
#[derive(Clone, Debug)]
pub struct Board {
    /// A call older than this is shown and not announced.
    fresh: Millis,
    show_holder: bool,
    day: Day,
    ledger: Ledger,
    events: Events,
    counters: Counters,
    spotlight: Spotlight,
    recent: Recent,
    missed: Missed,
    queues: Queues,
    lanes: Lanes,
    notices: Notices,
    link: Link,
    identify_until: Option<Millis>,
    tally: Tally,
    /// The time of the last input.
    applied: Now,
    /// The view after the last input.
    shown: BoardView,
}

impl Board {
    pub fn new(rules: Rules, now: Now) -> Self {
        let zones = rules.zones.iter().map(|z| z.id.clone()).collect();
        let mut board = Self {
            fresh: rules.announce_max_age,
            show_holder: rules.show_holder,
            day: Day::new(rules.hours, rules.power, rules.time_zone, now),
            ledger: Ledger::default(),
            events: Events::default(),
            counters: Counters::new(rules.counters),
            spotlight: Spotlight::new(rules.dwell, rules.announce_max_age),
            recent: Recent::default(),
            missed: Missed::default(),
            queues: Queues::new(rules.series),
            lanes: Lanes::new(&rules.zones, rules.speaks, rules.repeats, rules.announce_max_age),
            notices: Notices::new(zones, &rules.idle_ticker),
            link: Link::new(rules.stale_after, now),
            identify_until: None,
            tally: Tally::default(),
            applied: now,
            shown: BoardView::empty(),
        };
        board.shown = board.view(now);
        board
    }

    /// Takes one input; inputs must come in the order of their time.
    ///
    /// [`Effect::Show`] comes first, and only when the view has changed. An input that is refused changes no picture; the
    /// effects beside its [`Effect::Ignore`] are those of the time that has passed.
    pub fn apply(&mut self, now: Now, input: Input) -> Vec<Effect> {
        let now = Now { mono: now.mono.max(self.applied.mono), wall: now.wall };
        let mut effects = self.pass_time(now);
        match self.take(now, input) {
            Ok(proofs) => effects.extend(proven(proofs)),
            Err(reason) => effects.push(Effect::Ignore { reason }),
        }
        self.spotlight.settle(now.mono);
        self.speak_notices(now);
        effects.extend(self.lanes.start(now.mono).into_iter().map(Effect::Announce));
        self.applied = now;
        self.count(&effects);
        if self.has_changed(now) {
            effects.insert(0, Effect::Show);
        }
        effects
    }

    /// What the time alone brings.
    fn pass_time(&mut self, now: Now) -> Vec<Effect> {
        let drift = drift(self.applied, now);
        if drift.0.abs() > CLOCK_SET.0 {
            self.link.clock_set(drift);
        }
        if self.day.turn(now) {
            let day = &self.day;
            self.recent.retain(|at| day.is_today(at, now));
            self.missed.retain(|at| day.is_today(at, now));
            self.events.retain(|at| day.is_today(at, now));
            self.counters.turn(|at| day.outlives_midnight(at, now));
            self.spotlight.turn(|at| day.outlives_midnight(at, now), now.mono);
        }
        self.ledger.forget(now.mono);
        self.spotlight.settle(now.mono);
        self.identify_until.take_if(|until| *until <= now.mono);
        let mut proofs = self.lanes.pass_time(self.day.local(now.wall).time());
        proofs.extend(self.lanes.expire(now.mono));
        proven(proofs)
    }

    fn take(&mut self, now: Now, input: Input) -> Result<Vec<Proof>, IgnoreReason> {
        let is_news = input.is_news();
        let mut proofs = Vec::new();
        match input {
            Input::CallReceived(call) => proofs = self.take_call(now, call)?,
            Input::CallKept { call, proven, drawn } => proofs = self.take_kept(now, call, proven, drawn)?,
            Input::CallTold(call) => proofs = self.take_told(now, call)?,
            Input::CounterChanged { counter, state } => {
                let counts = self.is_of_today(state.at, now) || self.link.is_settled(now);
                // It may be from an operator's page, and then tells nothing of the queue system's clock.
                self.counters.changed(&counter, state, counts, now)?;
            }
            Input::CounterCleared { counter } => self.counters.cleared(&counter),
            Input::QueueChanged { series, state } => {
                let at = state.at;
                self.queues.changed(series, state, now)?;
                self.link.compare_clocks(at, self.fresh, now);
            }
            Input::QueueCleared { series } => self.queues.cleared(&series),
            Input::NoticePut(notice) => self.notices.put(notice, now)?,
            Input::NoticeCleared { id } => self.notices.clear(&id),
            Input::RecordingAwaited { recording, awaited } => self.notices.awaited(recording, awaited),
            Input::LinkChanged { up } => self.link.changed(up, now),
            Input::LinkTroubled { trouble } => self.link.troubled(trouble),
            Input::SoundChanged { zone, works } => self.lanes.sound_changed(&zone, works),
            Input::VoiceChanged { zone, speaks, shared } => self.lanes.voice_changed(&zone, speaks, shared),
            Input::SpokenElsewhere { call, zone } => {
                if let Some(zone) = &zone {
                    self.events.spoken(&call, zone);
                }
                proofs = self.lanes.spoken_elsewhere(&call, zone);
            }
            Input::SpeechStarted { zone, announcement } => self.lanes.started(&zone, announcement, now.mono),
            Input::SpeechEnded { zone, announcement, completed } => {
                proofs = self.lanes.ended(&zone, announcement, completed, now.mono);
                let spoken = proofs.iter().filter(|(_, outcome)| *outcome == Outcome::Spoken);
                spoken.for_each(|(call, _)| self.events.spoken(call, &zone));
            }
            Input::MuteChanged { zone, muted } => proofs = self.lanes.mute(zone.as_ref(), muted),
            Input::GlassChanged { lit } => self.spotlight.glass_changed(lit, now.mono),
            Input::IdentifyRequested => self.identify_until = Some(now.mono + IDENTIFY),
            Input::Ticked => {}
        }
        if is_news {
            self.link.news(now);
        }
        Ok(proofs)
    }

    fn speak_notices(&mut self, now: Now) {
        let notices = &self.notices;
        self.lanes.keep_notices(|id, version| notices.is_on(id, version, now));
        for notice in self.notices.speak(self.fresh, self.link.lateness(now), now) {
            self.lanes.notice(&notice, now);
        }
    }

    fn count(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Prove { outcome: Outcome::Spoken, .. } => self.tally.spoken += 1,
                Effect::Prove { outcome: Outcome::Expired, .. } => self.tally.expired += 1,
                _ => {}
            }
        }
    }

    /// Brings the view up to date. The counters are the larger part of it, and an input touches few of them.
    fn has_changed(&mut self, now: Now) -> bool {
        let mut counters = std::mem::take(&mut self.shown.counters);
        self.spotlight.take_touched().iter().for_each(|counter| self.counters.touch(counter));
        let holds = |counter: &Counter, ticket: &Ticket| self.spotlight.holds(counter, ticket);
        let mut changed = self.counters.renew(&mut counters, holds);
        let around = self.around(now);
        changed |= around != self.shown;
        let revision = self.shown.revision + u64::from(changed);
        self.shown = BoardView { revision, counters, ..around };
        debug_assert_eq!(self.shown, self.view(now), "what was not touched looks as before");
        changed
    }

    /// When [`Input::Ticked`] is due next: a dwell ends, a call expires, a notice starts or ends, the hall opens. After
    /// a tick at that time it lies later. A deadline that has been missed lies in the past.
    pub fn next_deadline(&self, now: Now) -> Option<Millis> {
        let seen = self.applied;
        let on_the_wall = [self.day.next_change(seen.wall), self.notices.next_change(seen.wall)];
        let on_the_wall = on_the_wall.into_iter().flatten().min().map(|at| mono_of(at, now));
        let parts = [
            on_the_wall,
            self.spotlight.next_change(),
            self.lanes.next_change(),
            self.link.next_change(seen),
            self.day.overtime_end(seen),
            self.identify_until,
            Some(seen.mono + RECHECK),
        ];
        parts.into_iter().flatten().min()
    }

    /// The snapshot at `now`, with the revision of the last input.
    pub fn view(&self, now: Now) -> BoardView {
        let counters = self.counters.views(|counter, ticket| self.spotlight.holds(counter, ticket));
        BoardView { counters, ..self.around(now) }
    }

    /// All of the view but the counters.
    fn around(&self, now: Now) -> BoardView {
        let today = |at| self.day.is_today(at, now);
        let emergency = self.notices.emergency(now);
        BoardView {
            revision: self.shown.revision,
            phase: self.day.phase(now),
            dark: self.day.is_dark(now) && emergency.is_none() && self.identify_until.is_none(),
            spotlight: self.spotlight.spots(),
            spotlight_since: self.spotlight.since(),
            spotlight_waiting: self.spotlight.waiting(),
            recent: self.recent.list(),
            missed: self.missed.list(self.queues.missed(today)),
            counters: Vec::new(),
            queues: self.queues.views(today),
            ticker: self.notices.ticker(now),
            emergency,
            link: self.link.view(now),
            identify_until: self.identify_until,
        }
    }

    /// The notices that are on or to come, in the order of the ticker.
    pub fn notices(&self, now: Now) -> Vec<Notice> {
        self.notices.live(now)
    }

    /// What another screen of the hall may want to know.
    pub fn knowledge(&self, now: Now) -> Knowledge {
        Knowledge {
            counters: self.counters.states(),
            queues: self.queues.states(),
            notices: self.notices(now),
            calls: self.events.list(),
        }
    }

    /// How the sound of each zone is, in the order of the config.
    pub fn sounds(&self) -> impl Iterator<Item = Sound> {
        self.lanes.sounds()
    }

    /// The zone where this screen's voice says the calls to a counter.
    pub fn zone_of(&self, counter: &Counter) -> Option<Zone> {
        self.lanes.zone_of(counter).cloned()
    }

    /// Every zone of this screen's voice, and whether this screen says no calls there now.
    pub fn zones(&self) -> impl Iterator<Item = (&Zone, bool)> {
        self.lanes.zones()
    }

    /// What every zone says and will say, in the order of the config.
    pub fn speech(&self) -> Vec<ZoneSpeech> {
        self.lanes.speech()
    }

    /// Whether the hall is open.
    pub fn is_open(&self, now: Now) -> bool {
        self.day.phase(now) == Phase::Open
    }

    /// Whether every zone of this screen has been muted.
    pub fn is_muted(&self) -> bool {
        self.lanes.are_muted()
    }

    /// How long the oldest announcement has been waiting for its loudspeakers.
    pub fn worst_wait(&self, now: Now) -> Millis {
        self.lanes.worst_wait(now.mono)
    }

    /// How far this screen's clock is ahead of the queue system's, in milliseconds: the median of the last nine fresh
    /// events, the way here included.
    pub fn skew_ms(&self) -> i64 {
        self.link.skew_ms()
    }

    pub fn tally(&self) -> Tally {
        self.tally
    }
}

fn proven(proofs: Vec<Proof>) -> Vec<Effect> {
    proofs.into_iter().map(|(call, outcome)| Effect::Prove { call, outcome }).collect()
}

/// How far the wall clock has run away from the monotonic one; negative when it was set back.
fn drift(before: Now, now: Now) -> Millis {
    now.age_of(before.wall) - (now.mono - before.mono)
}

/// When the monotonic clock will show the wall-clock time `at`, if neither is set meanwhile; never too early.
fn mono_of(at: Timestamp, now: Now) -> Millis {
    let nanos = at.as_nanosecond() - now.wall.as_nanosecond();
    let millis = (nanos + 999_999).div_euclid(1_000_000);
    now.mono + Millis(i64::try_from(millis).unwrap_or(i64::MAX))
}
