//! What a screen says about itself.

use jiff::Timestamp;

use crate::board::call::CallId;
use crate::clock::{Millis, Now};
use crate::config::Config;

pub mod parts;

/// The state of the sound.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum SoundState {
    Ok,
    /// No device; it is looked for without end.
    Lost,
    Muted,
    /// Turned off in the config.
    Off,
}

impl SoundState {
    /// The word of the wire contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Lost => "lost",
            Self::Muted => "muted",
            Self::Off => "off",
        }
    }
}

/// What the voice can say of what the hall needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VoiceState {
    /// This screen does not speak.
    #[default]
    Off,
    Ok,
    /// Not all; what not.
    Lacking(String),
    /// The configured voice cannot be used, and why.
    Broken(String),
}

/// Whether what happens is written to the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum JournalState {
    #[default]
    Ok,
    /// They wait in memory, and why.
    Degraded(String),
}

impl JournalState {
    /// `ok` or `degraded`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded(_) => "degraded",
        }
    }
}

/// What the panel was last told, and whether that went well.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PanelState {
    On,
    Off,
    /// Nothing here turns it off and on, or what does has failed.
    Unknown,
}

impl PanelState {
    /// `on`, `off` or `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Unknown => "unknown",
        }
    }
}

/// A frame that was handed over: to the display, or off screen where the config asks for no more.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub at: Timestamp,
    /// From 1 since the start of the process.
    pub number: u64,
    /// As [`FrameReport::frame_hash`].
    pub hash: u64,
}

/// The first frame in which a call held the spotlight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    pub call: CallId,
    pub frame: Frame,
}

/// The last frame that reached the glass (or the headless picture).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameReport {
    /// Frames handed over since the start.
    pub frames: u64,
    pub frame_at: Option<Timestamp>,
    /// FNV-1a of the scene, the ticker's motion left aside; equal pictures have equal hashes.
    pub frame_hash: u64,
    /// Adapter, backend and device type, in words; or `rebuilding: …` while there is none.
    pub gpu: String,
    /// surface, software or headless.
    pub present: &'static str,
    /// Drawn off screen although a display is wanted: none answers.
    pub unseen: bool,
    /// How often the device or the surface was lost and built anew.
    pub rebuilds: u64,
    /// How often a frame had to make the glyph atlas larger, although text is drawn ahead: each draws all glyphs anew.
    pub atlas_growths: u64,
    /// Whole seconds that the main thread has not answered a ring, as when a panel is off; 0 while it does.
    pub unanswered_s: u64,
}

/// A main thread that has not answered for this long stands still in presenting, as while a panel is off. Nothing is
/// restarted for that: the voice goes on.
const STALLED_AFTER_S: u64 = 10;

/// A picture that stands still for this long shows no call that comes meanwhile.
const UNSEEN_AFTER_S: u64 = 2;

/// How [`FrameReport::gpu`] begins while there is no device.
const REBUILDING: &str = "rebuilding: ";

impl FrameReport {
    /// Whether the board is on the glass: it was drawn, nothing has been lost since, and the picture does not stand still.
    pub fn is_drawn(&self) -> bool {
        self.frame_at.is_some() && !self.is_rebuilding() && !self.is_stalled()
    }

    /// Whether what is drawn now reaches whoever looks.
    pub fn is_seen(&self) -> bool {
        !self.unseen && !self.is_rebuilding() && self.unanswered_s < UNSEEN_AFTER_S
    }

    /// Whether the device or the surface is lost and not there again yet.
    pub fn is_rebuilding(&self) -> bool {
        self.gpu.starts_with(REBUILDING)
    }

    /// Whether what is on the glass may be old, whatever was drawn last.
    pub fn is_stalled(&self) -> bool {
        self.unanswered_s >= STALLED_AFTER_S
    }
}

/// Everything that `screen/{screen}/status` carries.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreenStatus {
    pub online: bool,
    /// Grows with every start of the process: the start time in Unix milliseconds.
    pub session: i64,
    pub at: Timestamp,
    /// The same moment on the monotonic clock, which nobody sets; it is not published.
    pub renewed: Millis,
    pub version: &'static str,
    pub rank: u32,
    pub zones: Vec<String>,
    /// Zones where it could be heard now, were it its turn to speak.
    pub audible: Vec<String>,
    /// Zones that it speaks for.
    pub speaks: Vec<String>,
    /// Zones that it is about to speak for.
    pub next: Vec<String>,
    /// Calls that it is saying.
    pub saying: Vec<String>,
    pub frame: FrameReport,
    pub audio: SoundState,
    pub journal: JournalState,
    /// None: nobody turns the panel off and on.
    pub panel: Option<PanelState>,
    /// Address of the broker, or `down`.
    pub link: String,
    pub skew_ms: i64,
    pub backlog_s: u32,
    pub shown: u64,
    pub spoken: u64,
    pub expired: u64,
    pub rejected: u64,
}

impl ScreenStatus {
    /// That of a screen that has just started: nothing is drawn, heard or linked yet.
    pub fn first(config: &Config, now: Now) -> Self {
        Self {
            online: true,
            session: now.wall.as_millisecond(),
            at: now.wall,
            renewed: now.mono,
            version: env!("CARGO_PKG_VERSION"),
            rank: config.screen.rank,
            zones: config.audio.zones.iter().map(|z| z.id.to_string()).collect(),
            audible: Vec::new(),
            speaks: Vec::new(),
            next: Vec::new(),
            saying: Vec::new(),
            frame: FrameReport::default(),
            audio: SoundState::Off,
            journal: JournalState::default(),
            panel: None,
            link: "down".into(),
            skew_ms: 0,
            backlog_s: 0,
            shown: 0,
            spoken: 0,
            expired: 0,
            rejected: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_seen_unless_it_is_off_screen_lost_or_stands_still() {
        let seen = FrameReport::default();
        assert!(seen.is_seen(), "before the first frame nobody has missed one");
        assert!(FrameReport { unanswered_s: 1, ..seen.clone() }.is_seen());
        assert!(!FrameReport { unanswered_s: 2, ..seen.clone() }.is_seen());
        assert!(!FrameReport { unseen: true, ..seen.clone() }.is_seen());
        assert!(!FrameReport { gpu: format!("{REBUILDING}lost"), ..seen }.is_seen());
    }
}
