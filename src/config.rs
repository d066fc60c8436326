//! The typed config: one struct a section, every key with its default and its check.
//!
//! [`Config::read`] never stops at the first problem: it returns all of them with their lines. The defaults describe
//! the Đống Đa hall, and `deploy/moiso.toml` spells them out (a test holds the two equal).

use std::path::PathBuf;

use jiff::civil;

use crate::board::call::{Counter, Lane, Series, Zone, clean};
use crate::clock::Millis;
use crate::scene::Theme;

pub mod hours;
pub mod load;
mod read;
pub mod section;

use hours::Hours;
use section::{Env, Problem, Reading};

/// Everything that a hall can set.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub hall: HallConfig,
    pub screen: ScreenConfig,
    /// What `screen.theme` names; a file is read by [`load`], and is navy until then.
    pub theme: Theme,
    pub board: BoardConfig,
    pub hours: Hours,
    pub counters: Vec<CounterConfig>,
    pub series: Vec<SeriesConfig>,
    pub mqtt: MqttConfig,
    pub speech: SpeechConfig,
    pub audio: AudioConfig,
    pub control: ControlConfig,
    pub journal: JournalConfig,
    pub power: PowerConfig,
    pub paths: PathsConfig,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HallConfig {
    /// Level of the topics, `{root}/{id}/…`.
    pub id: String,
    pub title: String,
    pub motto: String,
    pub time_zone: String,
}

/// How frames reach the glass.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PresentMode {
    /// Headless without a display; else by the kind of adapter.
    Auto,
    Surface,
    Software,
    Headless,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ScreenConfig {
    pub id: String,
    pub present: PresentMode,
    /// Size in pixels when headless, and of the window when not full screen.
    pub width: u32,
    pub height: u32,
    pub full_screen: bool,
    /// Name of the monitor, or its number from 1; none takes the current one.
    pub monitor: Option<String>,
    /// Name of a built-in theme, or a theme's file.
    pub theme: String,
    /// Which screen of the hall speaks first, 1 before 2.
    pub rank: u32,
    pub diagonal_inches: f32,
    pub farthest_seat_m: f32,
    pub max_fps: u32,
}

/// Whether new things on the board move.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Motion {
    /// A new call slides in and breathes while it keeps the spotlight; pages that turn slide.
    Calm,
    None,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BoardConfig {
    /// How long a call keeps the spotlight.
    pub dwell: Millis,
    /// How long a page of counters stays.
    pub page: Millis,
    /// Most counters of a page; 0 leaves it to the reading distance.
    pub page_counters: usize,
    /// How long the link may be silent before the board says so.
    pub stale_after: Millis,
    pub show_holder: bool,
    pub english: bool,
    /// Ticker speed at 1080 lines, px/s.
    pub ticker_px_s: u32,
    /// Where phones find their page: a code on the board leads there; none shows none.
    pub phone_qr: Option<String>,
    /// Head of the ticker.
    pub ticker_title: String,
    /// What runs on the ticker when no notice does.
    pub idle_ticker: Vec<String>,
    /// A picture in place of the emblem.
    pub logo: Option<PathBuf>,
    /// A folder of pictures that take the spotlight while nobody is called; none: the board stays.
    pub idle_pictures: Option<PathBuf>,
    /// How long nobody was called when they come.
    pub idle_after: Millis,
    /// How long one of them stays.
    pub idle_picture: Millis,
    pub motion: Motion,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CounterConfig {
    pub id: Counter,
    pub noun: String,
    pub label: Option<String>,
    pub label_en: Option<String>,
    pub lanes: Vec<Lane>,
}

/// How a series' tickets are read aloud.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum SeriesMode {
    /// Digits when the code has a letter or a leading zero, otherwise as a number.
    Auto,
    Digits,
    Number,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SeriesConfig {
    pub id: Series,
    pub label: Option<String>,
    pub mode: SeriesMode,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MqttConfig {
    pub root: String,
    /// `mqtt://host:1883` or `mqtts://host:8883`, tried in turn.
    pub brokers: Vec<BrokerAddress>,
    /// Empty: made of the hall's and the screen's id.
    pub client_id: String,
    pub username: Option<String>,
    /// The password, or `password_file` with it.
    pub password: Option<String>,
    pub password_file: Option<PathBuf>,
    pub ca_file: Option<PathBuf>,
    pub cert_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    pub keep_alive: Millis,
    pub embedded: EmbeddedConfig,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerAddress {
    pub host: String,
    pub port: u16,
    pub tls: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedConfig {
    /// Address and port; none: no broker inside.
    pub listen: Option<std::net::SocketAddr>,
    /// The same over WebSocket, for browsers.
    pub websocket: Option<std::net::SocketAddr>,
    /// `name:password` lines; none: everybody on that address may connect.
    pub users_file: Option<PathBuf>,
    /// Others may reach the address without a users file.
    pub insecure: bool,
}

impl EmbeddedConfig {
    /// Where this daemon itself reaches its broker.
    pub fn address(&self) -> Option<BrokerAddress> {
        let listen = self.listen?;
        let host = if listen.ip().is_unspecified() { "127.0.0.1".into() } else { listen.ip().to_string() };
        Some(BrokerAddress { host, port: listen.port(), tls: false })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct SpeechConfig {
    pub voice: String,
    /// The voice of what is said in English after the Vietnamese; none: nothing is.
    pub english: Option<String>,
    pub template: String,
    pub template_en: String,
    /// Said before the sentence of a recall.
    pub recall: String,
    pub recall_en: String,
    pub chime: Option<String>,
    /// How often a sentence is said when the hall is calm.
    pub repeats: u8,
    pub repeat_pause: Millis,
    /// A call older than this is shown and not spoken.
    pub announce_max_age: Millis,
    /// Lanes that are named in the sentence.
    pub spoken_lanes: Vec<Lane>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AudioConfig {
    pub enabled: bool,
    pub volume_percent: u32,
    pub background: BackgroundConfig,
    /// Other volumes at times of the day; the first that fits counts.
    pub schedule: Vec<VolumeSpan>,
    /// Frames that the card asks for at once.
    pub buffer_frames: u32,
    pub zones: Vec<ZoneConfig>,
}

impl AudioConfig {
    /// The volume at a local time.
    pub fn volume_at(&self, time: civil::Time) -> u32 {
        let scheduled = self.schedule.iter().find(|entry| entry.span.contains(time));
        scheduled.map_or(self.volume_percent, |entry| entry.volume_percent)
    }
}

/// Music while the hall is open.
#[derive(Clone, Debug, PartialEq)]
pub struct BackgroundConfig {
    /// Files that are played one after the other; none: no music.
    pub folder: Option<PathBuf>,
    /// On top of the hall's volume.
    pub volume_percent: u32,
    /// How much softer it becomes while something is said.
    pub duck_db: f32,
}

/// A volume for a part of every day.
#[derive(Clone, Debug, PartialEq)]
pub struct VolumeSpan {
    pub span: hours::Span,
    pub volume_percent: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ZoneConfig {
    pub id: Zone,
    /// Counters heard there; empty means all that no other zone names.
    pub counters: Vec<Counter>,
    /// Name of the output device, or part of it; none takes the default.
    pub device: Option<String>,
    /// Channels of the device, from 1; empty means all.
    pub channels: Vec<u16>,
    pub gain_db: f32,
    /// Local times of every day at which only emergencies are spoken.
    pub quiet: Vec<hours::Span>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ControlConfig {
    /// None: no page and no WebSocket.
    pub listen: Option<std::net::SocketAddr>,
    /// Allows an address that others can reach without TLS.
    pub insecure: bool,
    /// Token hashes; empty: `tokens.toml` in the state folder.
    pub tokens_file: Option<PathBuf>,
    /// None: plain HTTP.
    pub tls: Option<TlsConfig>,
}

/// Where the console's certificate lies, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The certificate and those between it and its root.
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// What happens to the panel while the hall is closed for long.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct PowerConfig {
    pub panel: PanelSwitch,
    /// Before an opening the panel is on this long: who comes early reads when the hall opens.
    pub on_before: Millis,
    /// It stays on this long after the last closing of the day.
    pub off_after: Millis,
}

/// By what the panel is turned off and on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PanelSwitch {
    /// It is always on and shows the closed screen.
    Never,
    /// By all that this PC has: the display's power saving, and HDMI-CEC.
    Auto,
    /// X11's power saving, by `xset`.
    Xset,
    /// A wlroots compositor's, by `wlopm` or `wlr-randr`.
    Wlroots,
    /// The television's own standby, by `cec-client`.
    Cec,
    /// It stays on and is black.
    Black,
}

#[derive(Clone, Debug, PartialEq)]
pub struct JournalConfig {
    /// How long calls, proofs and what operators did are kept.
    pub keep_days: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PathsConfig {
    /// Where the daemon keeps what must last.
    pub state: Option<PathBuf>,
    /// Folder of the voices and chimes.
    pub sounds: Option<PathBuf>,
}

impl Config {
    /// Reads a whole file. `env` has the `MOISO_…` variables without their prefix.
    ///
    /// # Errors
    /// All problems, in the order of their lines.
    pub fn read(text: &str, env: Env) -> Result<Self, Vec<Problem>> {
        let (config, problems) = Self::read_all(text, env);
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// The same, with the defaults in place of what is wrong: for whoever wants to find more that is.
    pub fn read_all(text: &str, env: Env) -> (Self, Vec<Problem>) {
        let (mut reading, root) = Reading::parse(text, env);
        let config = read::config(&mut reading, &root);
        (config, reading.finish())
    }

    /// `{root}/{hall}`.
    pub fn topic_prefix(&self) -> String {
        format!("{}/{}", self.mqtt.root, self.hall.id)
    }

    /// The client id that the broker knows this screen by.
    pub fn client_id(&self) -> String {
        if self.mqtt.client_id.is_empty() {
            format!("moiso-{}-{}", self.hall.id, self.screen.id)
        } else {
            self.mqtt.client_id.clone()
        }
    }

    /// The zone whose loudspeakers a counter is called on: the one that names it, else the first that names none.
    pub fn zone_of(&self, counter: &Counter) -> Option<&Zone> {
        let zones = &self.audio.zones;
        zones
            .iter()
            .find(|z| z.counters.contains(counter))
            .or_else(|| zones.iter().find(|z| z.counters.is_empty()))
            .map(|z| &z.id)
    }

    /// The counter's noun, for instance `Quầy`.
    pub fn noun_of(&self, counter: &Counter) -> &str {
        self.counters.iter().find(|c| c.id == *counter).map_or("Quầy", |c| &c.noun)
    }

    /// How the tickets of `series` are read, or of the series that the ticket's first letter names.
    pub fn series_mode(&self, series: Option<&str>, ticket: &str) -> SeriesMode {
        let letters: String = ticket.chars().take_while(|c| c.is_alphabetic()).collect();
        let name = series.unwrap_or(&letters);
        self.series.iter().find(|s| s.id.as_str() == name).map_or(SeriesMode::Auto, |s| s.mode)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::read("", Env::new()).expect("the defaults are valid, which a test shows")
    }
}

/// A name that can stand in a topic: letters, digits, `-` and `_`.
pub fn topic_level(text: &str) -> Option<String> {
    let text = clean(text, 64).ok()?;
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')).then_some(text)
}

/// `07:30`.
pub fn time_of_day(text: &str) -> Option<civil::Time> {
    civil::Time::strptime("%H:%M", text).ok()
}

#[cfg(test)]
mod tests;
