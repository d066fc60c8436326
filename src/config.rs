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
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        Config::read(text, Env::new()).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_defaults_are_the_dong_da_hall() {
        let config = Config::default();
        assert_eq!(config.counters.len(), 11);
        assert_eq!(config.series.len(), 5);
        assert_eq!(config.topic_prefix(), "moiso/dong-da");
        assert_eq!(config.client_id(), "moiso-dong-da-sanh-1");
        assert!(config.counters[4].lanes.contains(&Lane::Elderly));
    }

    #[test]
    fn the_volume_follows_the_time_of_day() {
        let text = "[audio]\nvolume_percent = 90\n[[audio.schedule]]\nspan = \"11:30-13:30\"\nvolume_percent = 50\n\
                    [[audio.schedule]]\nspan = \"20:00-07:00\"\n";
        let audio = Config::read(text, Env::new()).unwrap().audio;
        let volumes =
            ["06:59", "07:00", "11:30", "13:30", "23:00"].map(|t| audio.volume_at(time_of_day(t).unwrap()));
        assert_eq!(volumes, [60, 90, 50, 90, 60]);
        let wrong = problems("[[audio.schedule]]\nspan = \"noon\"\nvolume_percent = 0\n");
        assert_eq!(
            wrong,
            [
                "line 2: audio.schedule[1].span: \"noon\" is no span; it must be a span such as 11:30-13:30",
                "line 3: audio.schedule[1].volume_percent: must be a number from 1 to 100, not \"0\""
            ]
        );
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_repeated() {
        let wrong = problems("[mqtt]\nbrokers = [\"mqtt://board:secret@10.0.0.2\"]\n");
        assert_eq!(
            wrong,
            [
                "line 2: mqtt.brokers: each must be mqtt://HOST[:PORT] or mqtts://HOST[:PORT], without user and password, \
              not \"mqtt://…@10.0.0.2\""
            ]
        );
        let env = Env::from([("MQTT_BROKERS".to_owned(), "a,b".to_owned())]);
        let wrong = Config::read("", env).unwrap_err();
        assert!(wrong[0].to_string().ends_with("not \"a,b\"; separate several by `;`"), "{}", wrong[0]);
    }

    #[test]
    fn what_is_shown_is_normalised_however_it_was_typed() {
        use unicode_normalization::UnicodeNormalization;
        let typed = |text: &str| text.nfd().collect::<String>();
        let text = format!(
            "[hall]\ntitle = \"{0}\"\nmotto = \"{0}\"\n[board]\nticker_title = \"{0}\"\nidle_ticker = [\"{0}\"]\n\
             [[counter]]\nid = \"{0}\"\nnoun = \"{0}\"\nlabel = \"{0}\"\nlabel_en = \"{0}\"\n\
             [[series]]\nid = \"A\"\nlabel = \"{0}\"\n[hours]\nadvice = [\"{0}\"]\n",
            typed("Quầy Ễ Ộ Ữ")
        );
        assert!(!text.contains("Quầy"), "typed as letters and marks apart");
        let config = Config::read(&text, Env::new()).unwrap();
        let counter = &config.counters[0];
        let shown = [
            &config.hall.title,
            &config.hall.motto,
            &config.board.ticker_title,
            &config.board.idle_ticker[0],
            &counter.noun,
            counter.label.as_ref().unwrap(),
            counter.label_en.as_ref().unwrap(),
            config.series[0].label.as_ref().unwrap(),
            &config.hours.advice[0],
        ];
        assert_eq!(shown, ["Quầy Ễ Ộ Ữ"; 9]);
        assert_eq!(counter.id.as_str(), "Quầy Ễ Ộ Ữ");
    }

    #[test]
    fn vietnamese_comes_first() {
        for wrong in ["[\"en\"]", "[\"en\", \"vi\"]", "[\"vi\", \"vi\"]", "[]"] {
            let problems = problems(&format!("[speech]\nlanguages = {wrong}\n"));
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with("line 2: speech.languages: must be [\"vi\"]"), "{problems:?}");
        }
        assert!(problems("[speech]\ntemplate_en = \"{ticket}\"\n")[0].contains("has no {counter}"));
    }

    #[test]
    fn the_sample_file_equals_the_defaults() {
        let text = include_str!("../deploy/moiso.toml");
        assert_eq!(Config::read(text, Env::new()).unwrap(), Config::default());
    }

    /// Keys that have no default stand behind `#: `.
    #[test]
    fn the_sample_file_has_every_key_with_a_comment() {
        let text = include_str!("../deploy/moiso.toml");
        let plain: Vec<&str> = text.lines().map(|l| l.strip_prefix("#: ").unwrap_or(l)).collect();
        let plain = plain.join("\n");
        let (mut reading, root) = Reading::parse(&plain, Env::new());
        assert!(reading.problems.is_empty(), "{:?}", reading.problems);
        read::config(&mut reading, &root);
        let keys = std::mem::take(&mut reading.keys);
        let problems: Vec<String> = reading.finish().iter().map(ToString::to_string).collect();
        // Not all of them go together: a password and its file, certificates and a broker without TLS.
        let clash = |p: &String| p.contains("mqtt.") && p.contains("_file: ");
        assert!(problems.iter().all(clash), "{problems:#?}");
        let (mut section, mut above, mut commented) = (String::new(), false, Vec::new());
        for line in plain.lines() {
            let trimmed = line.trim_matches(['[', ']', ' ']);
            match line.split_once(" = ") {
                Some((key, _)) if !line.starts_with('#') => {
                    if std::mem::take(&mut above) {
                        commented.push(format!("{section}.{key}"));
                    }
                }
                _ if line.starts_with('[') => section = trimmed.to_owned(),
                _ => above = line.starts_with('#'),
            }
        }
        let without: Vec<&String> = keys.iter().filter(|key| !commented.contains(key)).collect();
        assert!(without.is_empty(), "no comment above: {without:#?}");
    }

    #[test]
    fn all_problems_are_reported_with_their_lines() {
        let found = problems(
            "[board]\ndwell_s = 0\nspeed = 3\n\n[screen]\npresent = \"gl\"\n\n[[counter]]\nid = \"1\"\nlanes = [\"old\"]\n[[counter]]\nnoun = \"Quầy\"\n[mqtt]\nbrokers = \"http://x\"\n[extra]\n",
        );
        assert_eq!(found[0], "line 2: board.dwell_s: must be a number from 1 to 120, not \"0\"");
        assert!(found[1].starts_with("line 3: board.speed: is not a key of [board]"), "{found:#?}");
        assert!(found[2].starts_with("line 6: screen.present: must be auto, surface, software or headless"));
        assert!(found[3].starts_with("line 10: counter[1].lanes: each must be"), "{found:#?}");
        assert!(found[4].starts_with("line 11: counter[2].id: is missing"), "{found:#?}");
        assert!(found[5].starts_with("line 14: mqtt.brokers: each must be"), "{found:#?}");
        assert!(found[6].starts_with("line 15: extra: is not a section"), "{found:#?}");
        assert_eq!(found.len(), 7);
    }

    #[test]
    fn rules_across_sections_name_the_line() {
        let found = problems(
            "[[counter]]\nid = \"1\"\n[[counter]]\nid = \"2\"\n[[counter]]\nid = \"1\"\n[[audio.zone]]\nid = \"a\"\ncounters = [\"2\", \"9\"]\n",
        );
        let starts = [
            "line 1: audio.zone: counter 1 is heard in no zone",
            "line 5: counter[3].id: 1 is given twice",
            "line 7: audio.zone[1].counters: 9 is not one of the counters",
        ];
        assert_eq!(found.len(), starts.len(), "{found:#?}");
        for (found, start) in found.iter().zip(starts) {
            assert!(found.starts_with(start), "{found} should start with {start}");
        }
    }

    #[test]
    fn an_open_broker_a_password_without_a_name_and_a_useless_certificate_are_problems() {
        let found = problems(
            "[mqtt]\npassword = \"x\"\nca_file = \"ca\"\nbrokers = \"mqtt://10.0.0.5:1884\"\n[mqtt.embedded]\nlisten = \"0.0.0.0:1883\"\n",
        );
        let starts = [
            "line 2: mqtt.password: needs a username",
            "line 3: mqtt.ca_file: is for TLS",
            "line 4: mqtt.brokers: none of them is the embedded broker",
            "line 6: mqtt.embedded.listen: everybody who reaches 0.0.0.0:1883",
        ];
        assert_eq!(found.len(), starts.len(), "{found:#?}");
        for (found, start) in found.iter().zip(starts) {
            assert!(found.starts_with(start), "{found} should start with {start}");
        }
    }

    #[test]
    fn a_daemon_with_a_broker_of_its_own_listens_to_it() {
        let listen = "[mqtt.embedded]\nlisten = \"0.0.0.0:1884\"\ninsecure = true\n";
        let config = Config::read(listen, Env::new()).unwrap();
        assert_eq!(
            config.mqtt.brokers[0],
            BrokerAddress { host: "127.0.0.1".into(), port: 1884, tls: false }
        );
    }

    #[test]
    fn text_that_is_not_toml_is_one_clear_problem() {
        let found = problems("[board\ndwell_s = 8\n");
        assert!(found[0].starts_with("line 1: is not valid TOML"), "{found:#?}");
    }

    #[test]
    fn the_environment_replaces_single_keys() {
        let env =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect::<Env>();
        let config = Config::read(
            "[board]\ndwell_s = 9\n",
            env(&[
                ("BOARD_DWELL_S", "12"),
                ("MQTT_BROKERS", "mqtt://a;mqtts://b:9"),
                ("MQTT_EMBEDDED_LISTEN", "127.0.0.1:1883"),
            ]),
        )
        .unwrap();
        assert_eq!(config.board.dwell, Millis::from_secs(12));
        assert_eq!(config.mqtt.brokers[1], BrokerAddress { host: "b".into(), port: 9, tls: true });
        assert!(config.mqtt.embedded.listen.is_some());
        let secret = Config::read("", env(&[("MQTT_USERNAME", "a;b"), ("MQTT_PASSWORD", "c;d")])).unwrap();
        assert_eq!(secret.mqtt.password.as_deref(), Some("c;d"), "only a list is split");
        let wrong = Config::read("[board]\ndwell_s = 9\n", env(&[("BOARD_DWELL_S", "0")])).unwrap_err();
        assert_eq!(wrong[0].to_string(), "MOISO_BOARD_DWELL_S: must be a number from 1 to 120, not \"0\"");
        let wrong = Config::read("", env(&[("BORED_DWELL_S", "12")])).unwrap_err();
        assert_eq!(wrong[0].to_string(), "MOISO_BORED_DWELL_S: no key of the config has this name");
    }
}
