//! From a parsed table to the typed config: each key once, with its default and what is allowed.

use std::net::SocketAddr;

use toml::de::DeTable;

use super::hours::Hours;
use super::section::{Reading, Section};
use super::{
    AudioConfig, BackgroundConfig, BoardConfig, BrokerAddress, Config, ControlConfig, CounterConfig,
    EmbeddedConfig, HallConfig, JournalConfig, Motion, MqttConfig, PanelSwitch, PathsConfig, PowerConfig,
    PresentMode, ScreenConfig, SeriesConfig, SeriesMode, SpeechConfig, TlsConfig, VolumeSpan, ZoneConfig,
    topic_level,
};
use crate::board::call::{Counter, Lane, NAME_MAX, Series, Zone, clean};
use crate::clock::Millis;
use crate::scene::Theme;
use crate::speech::template::Template;

const SECTIONS: [&str; 13] = [
    "hall", "screen", "board", "hours", "counter", "series", "mqtt", "speech", "audio", "control", "journal",
    "power", "paths",
];
const LEVEL: &str = "letters, digits, '-', '_' and '.', at most 64";
/// Most counters of a hall (wire contract).
const COUNTERS_MAX: usize = 200;

pub(super) fn config<'a>(reading: &mut Reading<'_>, root: &'a DeTable<'a>) -> Config {
    reading.only(root, &SECTIONS);
    let screen = screen(Section::of(reading, root, "screen"));
    let config = Config {
        hall: hall(Section::of(reading, root, "hall")),
        // A theme's file is not read here.
        theme: Theme::named(&screen.theme).unwrap_or_else(Theme::navy),
        screen,
        board: board(Section::of(reading, root, "board")),
        hours: Hours::read(Section::of(reading, root, "hours")),
        counters: Section::list(reading, root, "counter", "counter", counter)
            .unwrap_or_else(default_counters),
        series: Section::list(reading, root, "series", "series", series).unwrap_or_else(default_series),
        mqtt: mqtt(Section::of(reading, root, "mqtt")),
        speech: speech(Section::of(reading, root, "speech")),
        audio: audio(Section::of(reading, root, "audio")),
        control: control(Section::of(reading, root, "control")),
        journal: journal(Section::of(reading, root, "journal")),
        power: power(Section::of(reading, root, "power")),
        paths: paths(Section::of(reading, root, "paths")),
    };
    across(reading, &config);
    config
}

/// Rules that concern more than one section.
fn across(reading: &mut Reading<'_>, config: &Config) {
    let counters: Vec<&Counter> = config.counters.iter().map(|c| &c.id).collect();
    twice(reading, "counter", &counters);
    if counters.len() > COUNTERS_MAX {
        let message = format!("{} counters; at most {COUNTERS_MAX} are allowed", counters.len());
        reading.problem(reading.line_of_item("counter", COUNTERS_MAX), "counter", message);
    }
    let series: Vec<&Series> = config.series.iter().map(|s| &s.id).collect();
    twice(reading, "series", &series);
    let zones: Vec<&Zone> = config.audio.zones.iter().map(|z| &z.id).collect();
    twice(reading, "audio.zone", &zones);
    for (index, zone) in config.audio.zones.iter().enumerate() {
        for unknown in zone.counters.iter().filter(|c| !counters.contains(c)) {
            let line = reading.line_of_item("audio.zone", index);
            let key = format!("audio.zone[{}].counters", index + 1);
            reading.problem(line, key, format!("{unknown} is not one of the counters"));
        }
    }
    for (index, counter) in counters.iter().enumerate() {
        let first = !counters[..index].contains(counter);
        if first && config.audio.enabled && config.zone_of(counter).is_none() {
            let message =
                format!("counter {counter} is heard in no zone; name it or leave one zone's list empty");
            reading.problem(reading.line_of_item("counter", index), "audio.zone", message);
        }
    }
}

/// Reports the items of a list that an earlier one has named.
fn twice<T: PartialEq + std::fmt::Display>(reading: &mut Reading<'_>, path: &str, ids: &[&T]) {
    for (index, id) in ids.iter().enumerate() {
        if ids[..index].contains(id) {
            let line = reading.line_of_item(path, index);
            reading.problem(line, format!("{path}[{}].id", index + 1), format!("{id} is given twice"));
        }
    }
}

fn hall(mut s: Section<'_, '_, '_>) -> HallConfig {
    let level = |t: &str| topic_level(t);
    let out = HallConfig {
        id: s.parsed("id", "dong-da".into(), LEVEL, level),
        title: s.words("title", "Chi nhánh số 3 · Điểm tiếp nhận Đống Đa"),
        motto: s.words("motto", "Hành chính thông minh – tận tâm phục vụ"),
        time_zone: s.parsed(
            "time_zone",
            "Asia/Ho_Chi_Minh".into(),
            "a time zone such as Asia/Ho_Chi_Minh",
            |t| jiff::tz::TimeZone::get(t).ok().map(|_| t.to_owned()),
        ),
    };
    s.finish();
    out
}

fn screen(mut s: Section<'_, '_, '_>) -> ScreenConfig {
    let (width, height) = s.parsed("size", (1920, 1080), "WIDTHxHEIGHT, each from 360 to 7680", size);
    let out = ScreenConfig {
        id: s.parsed("id", "sanh-1".into(), LEVEL, topic_level),
        present: s.parsed("present", PresentMode::Auto, "auto, surface, software or headless", |t| match t {
            "auto" => Some(PresentMode::Auto),
            "surface" => Some(PresentMode::Surface),
            "software" => Some(PresentMode::Software),
            "headless" => Some(PresentMode::Headless),
            _ => None,
        }),
        width,
        height,
        full_screen: s.flag("full_screen", true),
        monitor: s.optional("monitor"),
        theme: s.parsed(
            "theme",
            "navy".into(),
            "navy, paper or a file such as /etc/moiso/themes/hall.toml",
            |t| (Theme::NAMES.contains(&t) || Theme::is_file(t)).then(|| t.to_owned()),
        ),
        rank: s.number("rank", 1, 1..=99),
        diagonal_inches: s.number("diagonal_inches", 55.0, 10.0..=200.0),
        farthest_seat_m: s.number("farthest_seat_m", 9.0, 1.0..=60.0),
        max_fps: s.number("max_fps", 60, 1..=240),
    };
    s.finish();
    out
}

fn size(text: &str) -> Option<(u32, u32)> {
    let (w, h) = text.split_once('x')?;
    let (w, h) = (w.parse().ok()?, h.parse().ok()?);
    ((360..=7680).contains(&w) && (360..=7680).contains(&h)).then_some((w, h))
}

/// What runs when no operator has written a notice.
const IDLE_TICKER: [&str; 2] = [
    "Công dân được gửi xe miễn phí, nước uống miễn phí, hướng dẫn kê khai miễn phí",
    "Lấy số trực tuyến qua ứng dụng iHanoi để biết trước khung giờ phục vụ",
];

fn board(mut s: Section<'_, '_, '_>) -> BoardConfig {
    let secs =
        |s: &mut Section<'_, '_, '_>, key, default, max| Millis::from_secs(s.number(key, default, 1..=max));
    let out = BoardConfig {
        dwell: secs(&mut s, "dwell_s", 8, 120),
        page: secs(&mut s, "page_s", 10, 300),
        page_counters: s.number("page_counters", 0, 0..=COUNTERS_MAX),
        stale_after: secs(&mut s, "stale_after_s", 10, 600),
        show_holder: s.flag("show_holder", false),
        english: s.flag("english", false),
        ticker_px_s: s.number("ticker_px_s", 120, 40..=400),
        phone_qr: s.optional("phone_qr"),
        ticker_title: s.words("ticker_title", "THÔNG BÁO"),
        idle_ticker: s.texts(
            "idle_ticker",
            IDLE_TICKER.map(str::to_owned).to_vec(),
            "a text of at most 500 characters",
            |t| clean(t, crate::board::state::TEXT_MAX).ok(),
        ),
        logo: s.optional("logo").map(Into::into),
        idle_pictures: s.optional("idle_pictures").map(Into::into),
        idle_after: secs(&mut s, "idle_after_s", 180, 7200),
        idle_picture: secs(&mut s, "idle_picture_s", 15, 600),
        motion: s.parsed("motion", Motion::Calm, "calm or none", |t| match t {
            "calm" => Some(Motion::Calm),
            "none" => Some(Motion::None),
            _ => None,
        }),
    };
    if out.phone_qr.as_ref().is_some_and(|address| address.chars().count() > crate::wire::QR_MAX) {
        s.problem("phone_qr", format!("must have at most {} characters", crate::wire::QR_MAX));
    }
    s.finish();
    out
}

fn word<T>(
    parse: impl Fn(&str) -> Result<T, crate::board::call::WordError>,
) -> impl Fn(&str) -> Result<T, String> {
    move |text| parse(text).map_err(|why| format!("{text:?} {why}"))
}

fn counter(s: &mut Section<'_, '_, '_>) -> Option<CounterConfig> {
    let id = s.required("id", "the counter's number or name, such as 5", word(Counter::parse));
    let noun = s.words("noun", "Quầy");
    let label = s.optional_words("label");
    let label_en = s.optional_words("label_en");
    let lanes = s.texts("lanes", Vec::new(), Lane::ALLOWED, |t| Lane::parse(t).ok());
    Some(CounterConfig { id: id?, noun, label, label_en, lanes })
}

fn default_counters() -> Vec<CounterConfig> {
    use Lane::{Authorised, Elderly, Merit, Owner};
    let labels: [(&str, &[Lane]); 11] = [
        ("Đất đai · chính chủ", &[Owner]),
        ("Đất đai · chính chủ", &[Owner]),
        ("Người được ủy quyền", &[Authorised]),
        ("Đăng ký thế chấp", &[]),
        ("Ưu tiên", &[Elderly, Merit]),
        ("Hộ tịch", &[]),
        ("Đăng ký kinh doanh", &[]),
        ("Tiếp nhận hồ sơ", &[]),
        ("Xây dựng · đô thị", &[]),
        ("Trả kết quả", &[]),
        ("Trả kết quả", &[]),
    ];
    let labels = labels.iter().enumerate();
    labels
        .filter_map(|(index, (label, lanes))| {
            Some(CounterConfig {
                id: Counter::parse(&(index + 1).to_string()).ok()?,
                noun: "Quầy".into(),
                label: Some((*label).into()),
                label_en: None,
                lanes: lanes.to_vec(),
            })
        })
        .collect()
}

fn series(s: &mut Section<'_, '_, '_>) -> Option<SeriesConfig> {
    let id = s.required("id", "the letters that its tickets begin with, such as A", word(Series::parse));
    let label = s.optional_words("label");
    let mode = s.parsed("mode", SeriesMode::Auto, "auto, digits or number", |t| match t {
        "auto" => Some(SeriesMode::Auto),
        "digits" => Some(SeriesMode::Digits),
        "number" => Some(SeriesMode::Number),
        _ => None,
    });
    Some(SeriesConfig { id: id?, label, mode })
}

fn default_series() -> Vec<SeriesConfig> {
    let all = [
        ("A", "Đất đai"),
        ("B", "Đăng ký thế chấp"),
        ("C", "Ủy quyền"),
        ("D", "Hộ tịch, kinh doanh, xây dựng"),
        ("E", "Trả kết quả"),
    ];
    all.iter()
        .filter_map(|(id, label)| {
            let id = Series::parse(id).ok()?;
            Some(SeriesConfig { id, label: Some((*label).into()), mode: SeriesMode::Auto })
        })
        .collect()
}

const ADDRESS: &str = "an address and port such as 127.0.0.1:1883";

fn address(s: &mut Section<'_, '_, '_>, key: &'static str, default: &str) -> Option<SocketAddr> {
    let text = s.text(key, default);
    if text.is_empty() {
        return None;
    }
    let parsed = text.parse().ok();
    if parsed.is_none() {
        s.problem(key, format!("must be {ADDRESS}, or empty, not {text:?}"));
    }
    parsed
}

fn broker(text: &str) -> Option<BrokerAddress> {
    let (tls, rest) = match text.split_once("://") {
        Some(("mqtt" | "tcp", rest)) => (false, rest),
        Some(("mqtts" | "ssl", rest)) => (true, rest),
        _ => return None,
    };
    let rest = rest.trim_end_matches('/');
    let default = if tls { 8883 } else { 1883 };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (rest, default),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty() && !host.contains(['/', '@', ' '])).then(|| BrokerAddress {
        host: host.into(),
        port,
        tls,
    })
}

fn mqtt(mut s: Section<'_, '_, '_>) -> MqttConfig {
    let mut e = s.child("embedded");
    let embedded = EmbeddedConfig {
        listen: address(&mut e, "listen", ""),
        websocket: address(&mut e, "websocket", ""),
        users_file: e.optional("users_file").map(Into::into),
        insecure: e.flag("insecure", false),
    };
    for (key, open) in [("listen", embedded.listen), ("websocket", embedded.websocket)] {
        if let Some(open) = open.filter(|a| !a.ip().is_loopback())
            && embedded.users_file.is_none()
            && !embedded.insecure
        {
            let message = format!(
                "everybody who reaches {open} could call numbers; give a users_file, or set insecure = true"
            );
            e.problem(key, message);
        }
    }
    if embedded.websocket.is_some() && embedded.listen.is_none() {
        e.problem("websocket", "needs listen as well");
    }
    e.finish();
    // A broker of one's own is the one to listen to.
    let local =
        embedded.address().unwrap_or(BrokerAddress { host: "127.0.0.1".into(), port: 1883, tls: false });
    let out = MqttConfig {
        root: s.parsed("root", "moiso".into(), LEVEL, topic_level),
        brokers: s.texts(
            "brokers",
            vec![local],
            "mqtt://HOST[:PORT] or mqtts://HOST[:PORT], without user and password",
            broker,
        ),
        client_id: s.text("client_id", ""),
        username: s.optional("username"),
        password: s.optional("password"),
        password_file: s.optional("password_file").map(Into::into),
        ca_file: s.optional("ca_file").map(Into::into),
        cert_file: s.optional("cert_file").map(Into::into),
        key_file: s.optional("key_file").map(Into::into),
        keep_alive: Millis::from_secs(s.number("keep_alive_s", 10, 5..=300)),
        embedded,
    };
    if out.brokers.is_empty() {
        s.problem("brokers", "must name at least one broker");
    }
    if let Some(own) = out.embedded.address()
        && own.port != 0
        && !out.brokers.iter().any(|b| b.port == own.port && !b.tls)
    {
        s.problem("brokers", format!("none of them is the embedded broker, port {}", own.port));
    }
    if out.embedded.users_file.is_some() && out.embedded.listen.is_some() && out.username.is_none() {
        s.problem(
            "username",
            "is missing: the embedded broker has a users_file, and this daemon is its client",
        );
    }
    if out.cert_file.is_some() != out.key_file.is_some() {
        s.problem("cert_file", "cert_file and key_file go together");
    }
    if out.password.is_some() && out.password_file.is_some() {
        s.problem("password_file", "give either password or password_file");
    }
    for (key, given) in [("password", out.password.is_some()), ("password_file", out.password_file.is_some())]
    {
        if given && out.username.is_none() {
            s.problem(key, "needs a username");
        }
    }
    for (key, file) in [("ca_file", &out.ca_file), ("cert_file", &out.cert_file)] {
        if file.is_some() && !out.brokers.iter().any(|b| b.tls) {
            s.problem(key, "is for TLS, but no broker is written mqtts://");
        }
    }
    s.finish();
    out
}

fn speech(mut s: Section<'_, '_, '_>) -> SpeechConfig {
    let lanes = vec![Lane::Elderly, Lane::Merit, Lane::Disabled, Lane::Pregnant, Lane::Child];
    let languages =
        s.texts("languages", vec!["vi"], "vi or en", |t| ["vi", "en"].into_iter().find(|l| *l == t));
    if !languages.starts_with(&["vi"]) || languages.len() > 2 || languages.get(1) == Some(&"vi") {
        s.problem("languages", "must be [\"vi\"] or [\"vi\", \"en\"]: Vietnamese comes first");
    }
    let english = s.parsed("english_voice", "english".into(), LEVEL, topic_level);
    let out = SpeechConfig {
        english: languages.contains(&"en").then_some(english),
        voice: s.parsed("voice", "north".into(), LEVEL, topic_level),
        template: s.text(
            "template",
            "{chime} Mời công dân có số thứ tự {ticket}, {lane?} đến {counter_noun} số {counter}.",
        ),
        template_en: s.text(
            "template_en",
            "{chime} Ticket number {ticket}, {lane?}, please go to {counter_noun} {counter}.",
        ),
        recall: s.text("recall", "Nhắc lại:"),
        recall_en: s.text("recall_en", "Once again:"),
        chime: Some(s.text("chime", "two-tone")).filter(|c| c != "none"),
        repeats: s.number("repeats", 2, 1..=5),
        repeat_pause: Millis(s.number("repeat_pause_ms", 600, 0..=10_000)),
        announce_max_age: Millis::from_secs(s.number("announce_max_age_s", 120, 10..=3600)),
        spoken_lanes: s.texts("spoken_lanes", lanes, Lane::ALLOWED, |t| Lane::parse(t).ok()),
    };
    for (key, template) in [("template", &out.template), ("template_en", &out.template_en)] {
        for problem in Template::parse(template).err().unwrap_or_default() {
            s.problem(key, problem);
        }
    }
    s.finish();
    out
}

fn audio(mut s: Section<'_, '_, '_>) -> AudioConfig {
    let zones = s.children("zone", zone);
    let schedule = s.children("schedule", |s| {
        let span = s.required("span", "a span such as 11:30-13:30", |text| {
            super::hours::span_of_any_day(text).ok_or_else(|| format!("{text:?} is no span"))
        });
        // Silence is what a zone's quiet hours are for: they let emergencies through.
        let volume_percent = s.number("volume_percent", 60, 1..=100);
        Some(VolumeSpan { span: span?, volume_percent })
    });
    let mut b = s.child("background");
    let background = BackgroundConfig {
        folder: b.optional("folder").map(Into::into),
        volume_percent: b.number("volume_percent", 40, 1..=100),
        duck_db: b.number("duck_db", 18.0, 6.0..=60.0),
    };
    b.finish();
    let out = AudioConfig {
        background,
        enabled: s.flag("enabled", true),
        volume_percent: s.number("volume_percent", 100, 0..=100),
        schedule: schedule.unwrap_or_default(),
        buffer_frames: s.number("buffer_frames", 2048, 256..=16_384),
        zones: zones.unwrap_or_else(|| Zone::parse("sanh").ok().map(default_zone).into_iter().collect()),
    };
    s.finish();
    out
}

fn default_zone(id: Zone) -> ZoneConfig {
    ZoneConfig {
        id,
        counters: Vec::new(),
        device: None,
        channels: Vec::new(),
        gain_db: 0.0,
        quiet: Vec::new(),
    }
}

fn zone(s: &mut Section<'_, '_, '_>) -> Option<ZoneConfig> {
    let id = s.required("id", "the zone's name, such as sanh", word(Zone::parse));
    let counters = s.texts("counters", Vec::new(), "a counter", |t| Counter::parse(t).ok());
    let device = s.optional("device");
    let channels = s.texts("channels", Vec::new(), "a channel from 1 to 64", |t| {
        t.parse().ok().filter(|c| (1..=64).contains(c))
    });
    let gain_db = s.number("gain_db", 0.0, -60.0..=12.0);
    let quiet = s.texts("quiet", Vec::new(), "a span such as 11:30-13:30", super::hours::span_of_any_day);
    let id = id?;
    debug_assert!(id.as_str().chars().count() <= NAME_MAX);
    Some(ZoneConfig { counters, device, channels, gain_db, quiet, ..default_zone(id) })
}

fn control(mut s: Section<'_, '_, '_>) -> ControlConfig {
    let out = ControlConfig {
        listen: address(&mut s, "listen", "127.0.0.1:8088"),
        insecure: s.flag("insecure", false),
        tokens_file: s.optional("tokens_file").map(Into::into),
        tls: tls(s.child("tls")),
    };
    if let Some(listen) = out.listen
        && !listen.ip().is_loopback()
        && !out.insecure
        && out.tls.is_none()
    {
        s.problem(
            "listen",
            format!(
                "{listen} can be reached from outside; set control.tls.cert and control.tls.key, or insecure = true to \
                 allow it without TLS"
            ),
        );
    }
    s.finish();
    out
}

fn tls(mut s: Section<'_, '_, '_>) -> Option<TlsConfig> {
    let (cert, key) = (s.optional("cert"), s.optional("key"));
    match (&cert, &key) {
        (Some(_), None) => s.problem("key", "is missing: a certificate needs its key"),
        (None, Some(_)) => s.problem("cert", "is missing: a key needs its certificate"),
        _ => {}
    }
    s.finish();
    Some(TlsConfig { cert: cert?.into(), key: key?.into() })
}

fn journal(mut s: Section<'_, '_, '_>) -> JournalConfig {
    let out = JournalConfig { keep_days: s.number("keep_days", 90, 1..=3650) };
    s.finish();
    out
}

fn power(mut s: Section<'_, '_, '_>) -> PowerConfig {
    let minutes = |n: i64| Millis::from_secs(n * 60);
    let out =
        PowerConfig {
            panel: s.parsed("panel", PanelSwitch::Never, "never, auto, xset, wlroots, cec or black", |t| {
                match t {
                    "never" => Some(PanelSwitch::Never),
                    "auto" => Some(PanelSwitch::Auto),
                    "xset" => Some(PanelSwitch::Xset),
                    "wlroots" => Some(PanelSwitch::Wlroots),
                    "cec" => Some(PanelSwitch::Cec),
                    "black" => Some(PanelSwitch::Black),
                    _ => None,
                }
            }),
            on_before: minutes(s.number("on_before_min", 60, 0..=720)),
            off_after: minutes(s.number("off_after_min", 30, 0..=720)),
        };
    s.finish();
    out
}

fn paths(mut s: Section<'_, '_, '_>) -> PathsConfig {
    let out = PathsConfig {
        state: s.optional("state").map(Into::into),
        sounds: s.optional("sounds").map(Into::into),
    };
    s.finish();
    out
}
