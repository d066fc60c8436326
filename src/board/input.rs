//! What goes into the board and what comes out: inputs in the past tense, effects in the imperative.

use super::call::{Call, CallId, Counter, Kind, Lane, NoticeId, RecordingId, Series, Ticket, Zone};
use super::state::{CounterState, Notice, QueueState};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    CallReceived(Call),
    /// A call that an earlier life of this process took; a proven one is not announced again, and one that was drawn and
    /// proven holds the spotlight no more.
    CallKept {
        call: Call,
        proven: bool,
        drawn: bool,
    },
    /// A call that another screen has taken; only a young one is announced, and nothing is proved of another.
    CallTold(Call),
    CounterChanged {
        counter: Counter,
        state: CounterState,
    },
    /// An empty retained payload: nobody knows this counter's state any more.
    CounterCleared {
        counter: Counter,
    },
    QueueChanged {
        series: Series,
        state: QueueState,
    },
    QueueCleared {
        series: Series,
    },
    NoticePut(Notice),
    NoticeCleared {
        id: NoticeId,
    },
    /// The sound of a recorded message is on its way from another screen, or is not any more: it came, or nobody has it.
    RecordingAwaited {
        recording: RecordingId,
        awaited: bool,
    },
    /// The broker can be reached, or not any more.
    LinkChanged {
        up: bool,
    },
    /// Why the broker cannot be reached, where a technician must do something about it.
    LinkTroubled {
        trouble: LinkTrouble,
    },
    /// The loudspeakers of a zone work, or not any more; without them announcements wait until they expire.
    SoundChanged {
        zone: Zone,
        works: bool,
    },
    /// This screen speaks for a zone from now on, or another one of the hall does; `shared` when another could be heard there.
    VoiceChanged {
        zone: Zone,
        speaks: bool,
        shared: bool,
    },
    /// Another screen has said a call, in this zone if it told where; it may be one that has not come here yet.
    SpokenElsewhere {
        call: CallId,
        zone: Option<Zone>,
    },
    /// The first sample of an announcement has been handed to the sound card.
    SpeechStarted {
        zone: Zone,
        announcement: AnnouncementId,
    },
    /// The announcement is over: all of it was played, or the sound was lost before its end.
    SpeechEnded {
        zone: Zone,
        announcement: AnnouncementId,
        completed: bool,
    },
    /// A technician asked for silence, or ended it.
    MuteChanged {
        zone: Option<Zone>,
        muted: bool,
    },
    IdentifyRequested,
    /// The picture reaches the glass from now on, or does no more: no display answers, or the picture stands still.
    GlassChanged {
        lit: bool,
    },
    /// A deadline came; nothing else happened.
    Ticked,
}

impl Input {
    /// Whether it comes from the queue system or the operators, and so shows that their news arrives.
    pub fn is_news(&self) -> bool {
        match self {
            Self::CallReceived(_)
            | Self::CounterChanged { .. }
            | Self::CounterCleared { .. }
            | Self::QueueChanged { .. }
            | Self::QueueCleared { .. }
            | Self::NoticePut(_)
            | Self::NoticeCleared { .. } => true,
            Self::CallKept { .. }
            | Self::CallTold(_)
            | Self::LinkChanged { .. }
            | Self::LinkTroubled { .. }
            | Self::RecordingAwaited { .. }
            | Self::SoundChanged { .. }
            | Self::VoiceChanged { .. }
            | Self::SpokenElsewhere { .. }
            | Self::SpeechStarted { .. }
            | Self::SpeechEnded { .. }
            | Self::MuteChanged { .. }
            | Self::IdentifyRequested
            | Self::GlassChanged { .. }
            | Self::Ticked => false,
        }
    }
}

/// What keeps the link down until somebody mends it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum LinkTrouble {
    /// Another client has the same id, and the broker throws out one for the other.
    SameClient,
    /// The broker does not let this client in.
    Refused,
}

/// Identity of one announcement in this process.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnnouncementId(pub u64);

/// What one zone is to say next.
#[derive(Clone, Debug, PartialEq)]
pub struct Announcement {
    pub id: AnnouncementId,
    pub zone: Zone,
    pub message: Message,
    /// How often the sentence is said, at least 1.
    pub repeats: u8,
    pub form: Form,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    Call { call: CallId, ticket: Ticket, counter: Counter, kind: Kind, lane: Lane, series: Option<Series> },
    Notice { id: NoticeId, text: String, emergency: bool, recording: Option<RecordingId> },
}

/// How much is said.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Form {
    Full,
    /// Under load: "A không một hai, quầy năm".
    Short,
}

/// What became of a call on this screen.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Shown; too old to be spoken, or not to be spoken here.
    Shown,
    Spoken,
    /// Waited longer than `announce_max_age` for the loudspeakers, or could not be said.
    Expired,
    /// Replaced by a later event about the same ticket, or its counter had called a later one before it came.
    Superseded,
    Muted,
    /// Another screen of the hall has said it.
    OtherScreen,
}

impl Outcome {
    pub const ALLOWED: &'static str = "shown, spoken, expired, superseded, muted, other-screen";

    const ALL: [Self; 6] =
        [Self::Shown, Self::Spoken, Self::Expired, Self::Superseded, Self::Muted, Self::OtherScreen];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }

    /// The word of the wire contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Spoken => "spoken",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Muted => "muted",
            Self::OtherScreen => "other-screen",
        }
    }
}

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// The view changed; publish a new snapshot.
    Show,
    /// Say this now in its zone; the zone is silent at this moment.
    Announce(Announcement),
    /// A call's story is over.
    Prove { call: CallId, outcome: Outcome },
    /// The input was not taken, and why; it changed nothing.
    Ignore { reason: IgnoreReason },
}

/// Why the board did not take an input. All are normal in a running hall.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum IgnoreReason {
    /// The id has been seen: QoS 1 delivers at least once.
    Duplicate,
    /// A newer state of the same counter, series or notice is known.
    Stale,
    /// More than 50 live notices, or more than 200 counters.
    TooMany,
}

impl IgnoreReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Stale => "stale",
            Self::TooMany => "too-many",
        }
    }
}
