//! Whether the daemon is well, as `/healthz`, `/readyz` and the operators' page are told.

use crate::board::call::RecordingId;
use crate::clock::Millis;
use crate::health::{JournalState, ScreenStatus};
use crate::{control, mqtt, wire};

/// The hub renews the status every five seconds; four times that without one means that it is stuck.
const STUCK_AFTER: Millis = Millis::from_secs(20);

/// What the status does not say of the sound.
#[derive(Debug, Default)]
pub struct Heard {
    pub volume_percent: Option<u32>,
    /// Recordings of live notices that only another screen has.
    pub unheard: Vec<RecordingId>,
}

/// Alive while the hub renews the status; ready when calls reach the hall. Here `online` says whether the broker is
/// reached: that this screen runs is plain from its answer; `link_problem` says why it is not, and what to do.
pub fn verdict(
    status: &ScreenStatus,
    link: &mqtt::LinkState,
    sound: &Heard,
    now: Millis,
) -> control::Verdict {
    let live = now - status.renewed < STUCK_AFTER;
    let linked = status.link != "down";
    let mut screen = wire::status_value(status);
    screen["online"] = linked.into();
    let problem = link.problem.as_ref();
    let problem =
        problem.map(|p| serde_json::json!({ "code": p.code(), "what": p.to_string(), "advice": p.advice() }));
    let journal = match &status.journal {
        JournalState::Ok => None,
        JournalState::Degraded(why) => Some(why),
    };
    let detail = serde_json::json!({
        "screen": screen,
        "journal_problem": journal,
        "link_problem": problem,
        "stalled": status.frame.is_stalled(),
        "unanswered_s": status.frame.unanswered_s,
        "rebuilds": status.frame.rebuilds,
        "volume_percent": sound.volume_percent,
        "unheard": sound.unheard.iter().map(RecordingId::as_str).collect::<Vec<_>>(),
    });
    control::Verdict { live, ready: live && status.frame.is_drawn() && linked, detail }
}

#[cfg(test)]
mod tests {
    use super::super::first_status;
    use super::*;
    use crate::clock::Clock as _;
    use crate::clock::system::SystemClock;
    use crate::config::Config;

    #[test]
    fn a_hub_that_renews_nothing_is_not_alive_whatever_the_wall_clock_does() {
        let now = SystemClock::new().now();
        let (status, link) = (first_status(&Config::default(), now), mqtt::LinkState::new());
        assert!(verdict(&status, &link, &Heard::default(), now.mono).live);
        assert!(!verdict(&status, &link, &Heard::default(), now.mono + STUCK_AFTER).live);
    }

    #[test]
    fn a_screen_is_ready_when_it_is_linked_and_the_board_is_on_the_glass() {
        let now = SystemClock::new().now();
        let (mut status, mut link) = (first_status(&Config::default(), now), mqtt::LinkState::new());
        link.problem = Some(mqtt::LinkError::ThrownOut);
        let detail = verdict(&status, &link, &Heard::default(), now.mono).detail;
        assert!(
            detail["link_problem"]["advice"].as_str().is_some_and(|a| a.contains("client_id")),
            "{detail}"
        );
        status.frame.frame_at = Some(now.wall);
        assert_eq!(verdict(&status, &link, &Heard::default(), now.mono).detail["screen"]["online"], false);
        status.link = "broker:1883".into();
        assert!(verdict(&status, &link, &Heard::default(), now.mono).ready);
        assert_eq!(verdict(&status, &link, &Heard::default(), now.mono).detail["screen"]["online"], true);
        status.frame.unanswered_s = 10;
        let stalled = verdict(&status, &link, &Heard::default(), now.mono);
        assert!(stalled.live && !stalled.ready && stalled.detail["stalled"] == true, "{}", stalled.detail);
        status.frame.unanswered_s = 9;
        assert!(verdict(&status, &link, &Heard::default(), now.mono).ready);
        status.frame.gpu = "rebuilding: the device is lost".into();
        assert!(!verdict(&status, &link, &Heard::default(), now.mono).ready);
    }
}
