//! Every part of a screen: how it is and why, and one word for all of them.

use super::{JournalState, PanelState, ScreenStatus, SoundState, VoiceState};
use crate::board::call::Zone;
use crate::clock::Millis;

/// The hub renews the status every five seconds; four times that without one means that it is stuck.
pub const STUCK_AFTER: Millis = Millis::from_secs(20);
/// A clock that is further off than this is somebody's to mend.
const SKEW_MS: i64 = 30_000;
/// Announcements that wait for longer are late.
const BACKLOG_S: u32 = 30;
/// Below this the journal of some months no longer fits; below the second one nothing does.
const DISK_LOW: u64 = 256 << 20;
const DISK_FULL: u64 = 16 << 20;
/// Where small PCs begin to slow themselves down.
const HOT_C: i64 = 90;

/// How a part is, the best first.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartState {
    /// Not wanted here.
    Off,
    Ok,
    /// It works, and somebody should look at it.
    Degraded,
    Failed,
}

impl PartState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
        }
    }
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub state: PartState,
    /// What is so, or what is wrong and what to do about it.
    pub why: String,
}

/// What the parts are judged by.
#[derive(Copy, Clone, Debug)]
pub struct Seen<'a> {
    pub status: &'a ScreenStatus,
    /// Since the hub has renewed the status.
    pub renewed: Millis,
    /// What is wrong with the link, and what to do.
    pub link_problem: Option<(&'a str, &'a str)>,
    /// Each zone with a card.
    pub zones: &'a [(Zone, SoundState)],
    pub voice: &'a VoiceState,
    pub machine: Machine,
}

/// The PC itself; none: it does not say.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Free in the folder of the journal, for a program without privileges.
    pub free_bytes: Option<u64>,
    /// The hottest of its sensors.
    pub hottest_c: Option<i64>,
}

/// All parts, always in the same order.
pub fn parts(seen: &Seen<'_>) -> Vec<Part> {
    let mut parts = vec![hub(seen), link(seen), journal(seen), gpu(seen), present(seen)];
    parts.extend(audio(seen));
    parts.extend(voice(seen));
    parts.push(backlog(seen));
    parts.push(clock(seen));
    parts.extend(panel(seen));
    parts.extend(seen.machine.free_bytes.map(disk));
    parts.extend(seen.machine.hottest_c.map(temperature));
    parts
}

/// The word for all of them.
pub fn worst(parts: &[Part]) -> PartState {
    parts.iter().map(|part| part.state).fold(PartState::Ok, PartState::max)
}

fn part(name: impl Into<String>, state: PartState, why: impl Into<String>) -> Part {
    Part { name: name.into(), state, why: why.into() }
}

fn hub(seen: &Seen<'_>) -> Part {
    if seen.renewed < STUCK_AFTER {
        return part("hub", PartState::Ok, "answers");
    }
    part("hub", PartState::Failed, format!("has not answered for {} s", seen.renewed.0 / 1000))
}

fn link(seen: &Seen<'_>) -> Part {
    let up = seen.status.link != "down";
    let state = match (up, seen.link_problem) {
        (true, None) => PartState::Ok,
        (true, Some(_)) => PartState::Degraded,
        (false, _) => PartState::Failed,
    };
    let why = match seen.link_problem {
        Some((what, advice)) => format!("{what}; {advice}"),
        None if up => seen.status.link.clone(),
        None => "no broker is reached".to_owned(),
    };
    part("link", state, why)
}

fn journal(seen: &Seen<'_>) -> Part {
    match &seen.status.journal {
        JournalState::Ok => part("journal", PartState::Ok, "is written"),
        // It waits in memory, and nothing else waits for it.
        JournalState::Degraded(why) => part("journal", PartState::Degraded, why),
    }
}

fn gpu(seen: &Seen<'_>) -> Part {
    let gpu = seen.status.frame.gpu.as_str();
    let state = match gpu {
        "" => PartState::Degraded,
        _ if seen.status.frame.is_rebuilding() => PartState::Failed,
        _ => PartState::Ok,
    };
    part("gpu", state, if gpu.is_empty() { "none is open yet" } else { gpu })
}

fn present(seen: &Seen<'_>) -> Part {
    let frame = &seen.status.frame;
    if frame.is_stalled() {
        let why = format!("the picture has stood still for {} s; is the panel off?", frame.unanswered_s);
        return part("present", PartState::Failed, why);
    }
    match frame.frame_at {
        None => part("present", PartState::Degraded, "nothing has been drawn yet"),
        Some(_) if frame.unseen => part(
            "present",
            PartState::Degraded,
            "no display answers; the board is drawn off screen until one does",
        ),
        Some(_) => part("present", PartState::Ok, frame.present),
    }
}

fn audio(seen: &Seen<'_>) -> Vec<Part> {
    if seen.zones.is_empty() {
        return vec![part("audio", PartState::Off, "this screen does not speak")];
    }
    let muted = seen.status.audio == SoundState::Muted;
    let one = |(zone, state): &(Zone, SoundState)| {
        let (state, why) = match state {
            SoundState::Lost => (PartState::Failed, "no sound card; it is looked for without end"),
            SoundState::Off => (PartState::Off, "not spoken to"),
            _ if muted => (PartState::Degraded, "muted by a technician"),
            _ => (PartState::Ok, "plays"),
        };
        part(format!("audio {zone}"), state, why)
    };
    seen.zones.iter().map(one).collect()
}

fn voice(seen: &Seen<'_>) -> Option<Part> {
    Some(match seen.voice {
        VoiceState::Off => return None,
        VoiceState::Ok => part("voice", PartState::Ok, "can say what the hall needs"),
        VoiceState::Lacking(what) => part("voice", PartState::Degraded, what),
        VoiceState::Broken(why) => part("voice", PartState::Failed, why),
    })
}

fn backlog(seen: &Seen<'_>) -> Part {
    let waits = seen.status.backlog_s;
    let state = if waits > BACKLOG_S { PartState::Degraded } else { PartState::Ok };
    part("backlog", state, format!("the oldest announcement waits for {waits} s"))
}

fn clock(seen: &Seen<'_>) -> Part {
    let skew = seen.status.skew_ms;
    let state = if skew.abs() > SKEW_MS { PartState::Degraded } else { PartState::Ok };
    part("clock", state, format!("{skew} ms ahead of the queue system"))
}

fn panel(seen: &Seen<'_>) -> Option<Part> {
    Some(match seen.status.panel? {
        PanelState::Unknown => {
            part("panel", PartState::Degraded, "it cannot be turned off and on; the log says why")
        }
        told => part("panel", PartState::Ok, told.as_str()),
    })
}

fn disk(free: u64) -> Part {
    let state = match free {
        _ if free < DISK_FULL => PartState::Failed,
        _ if free < DISK_LOW => PartState::Degraded,
        _ => PartState::Ok,
    };
    part("disk", state, format!("{} MB free for the journal", free / 1_000_000))
}

fn temperature(hottest: i64) -> Part {
    let state = if hottest >= HOT_C { PartState::Degraded } else { PartState::Ok };
    part("temperature", state, format!("{hottest} °C"))
}
