//! What a browser says over the WebSocket: lines, each a message of one session. The first byte says whether it has signed in.

use std::sync::{Arc, LazyLock};

use moiso::audio::shelf::Shelf;
use moiso::board::view::BoardView;
use moiso::clock::{Millis, Now};
use moiso::config::Config;
use moiso::control::auth::{Auth, Role};
use moiso::control::order::Around;
use moiso::control::session::{Session, Step};
use moiso::screens::Screens;

static CONFIG: LazyLock<Config> = LazyLock::new(Config::default);

/// Whatever is said, every answer is an object that says whether it went well, and nobody who has not signed in gets
/// anything done.
pub fn check(data: &[u8]) {
    let Some((choice, text)) = data.split_first() else { return };
    let (view, screens, shelf) = (BoardView::empty(), Screens::default(), Shelf::open("/nonexistent".into()));
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(7));
    let at = |ms: i64| {
        let wall = jiff::Timestamp::from_millisecond(1_795_000_000_000 + ms).expect("a valid time");
        Now { mono: Millis(5_000_000 + ms), wall }
    };
    let mut session = Session::new(at(0));
    if choice % 2 == 1 {
        let auth = Arc::new(Auth::in_memory());
        let token = auth.one_time(Role::Technician, "Kỹ thuật");
        let welcome = pollster::block_on(auth.verify(&token)).expect("its own token");
        session.admit(1, Ok(welcome));
    }
    for (number, line) in String::from_utf8_lossy(text).lines().enumerate() {
        // Slower than the pace that a session is held to.
        let around = Around {
            now: at(number as i64 * 1_000),
            view: &view,
            time_zone: &zone,
            counters: &CONFIG.counters,
            zones: &CONFIG.audio.zones,
            screens: &screens,
            shelf: &shelf,
            screen: "sanh-1",
            fresh_id: "fresh",
        };
        let entered = session.grant().is_some();
        for step in session.receive(line, &around) {
            match step {
                Step::Send(answer) => {
                    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
                    assert!(answer["ok"].is_boolean(), "{answer}");
                    assert!(entered || answer["ok"] == false, "{answer}");
                }
                Step::Verify { .. } | Step::Close(_) => {}
                other => assert!(entered, "{other:?} without a sign-in"),
            }
        }
    }
}
