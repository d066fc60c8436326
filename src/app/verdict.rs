//! Whether the daemon is well, as `/healthz`, `/readyz` and the operators' page are told.

use serde_json::json;

use crate::board::call::{RecordingId, Zone};
use crate::clock::Millis;
use crate::health::parts::{Machine, STUCK_AFTER, Seen, parts, worst};
use crate::health::{JournalState, ScreenStatus, SoundState, VoiceState};
use crate::{control, mqtt, wire};

/// What else is looked at.
#[derive(Clone, Debug, Default)]
pub struct Around {
    pub volume: Option<u32>,
    pub zones: Vec<(Zone, SoundState)>,
    pub voice: VoiceState,
    /// Recordings of live notices that were to be heard and that no screen has passed on.
    pub unheard: Vec<RecordingId>,
    pub machine: Machine,
}

/// Alive while the hub renews the status; ready when calls reach the hall. Here `online` says whether the broker is
/// reached: that this screen runs is plain from its answer; `link_problem` says why it is not, and what to do.
pub fn verdict(
    status: &ScreenStatus,
    link: &mqtt::LinkState,
    around: &Around,
    now: Millis,
) -> control::Verdict {
    let renewed = now - status.renewed;
    let live = renewed < STUCK_AFTER;
    let linked = status.link != "down";
    let problem = link.problem.as_ref().map(|p| (p.code(), p.to_string(), p.advice()));
    let link_problem = problem.as_ref().map(|(_, what, advice)| (what.as_str(), *advice));
    let (zones, voice, machine) = (&around.zones[..], &around.voice, around.machine);
    let parts = parts(&Seen { status, renewed, link_problem, zones, voice, machine });
    let mut screen = wire::status_value(status);
    screen["online"] = linked.into();
    let journal = match &status.journal {
        JournalState::Ok => None,
        JournalState::Degraded(why) => Some(why),
    };
    let told = parts.iter().map(|p| json!({ "part": p.name, "state": p.state.as_str(), "why": p.why }));
    let detail = json!({
        "verdict": worst(&parts).as_str(),
        "parts": told.collect::<Vec<_>>(),
        "screen": screen,
        "journal_problem": journal,
        "link_problem": problem.map(|(code, what, advice)| json!({ "code": code, "what": what, "advice": advice })),
        "stalled": status.frame.is_stalled(),
        "unanswered_s": status.frame.unanswered_s,
        "rebuilds": status.frame.rebuilds,
        "volume_percent": around.volume,
        "unheard": around.unheard.iter().map(RecordingId::as_str).collect::<Vec<_>>(),
        "free_bytes": machine.free_bytes,
        "hottest_c": machine.hottest_c,
    });
    control::Verdict { live, ready: live && status.frame.is_drawn() && linked, parts, detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock as _;
    use crate::clock::system::SystemClock;
    use crate::config::Config;
    use crate::health::parts::PartState;

    fn judged(status: &ScreenStatus, link: &mqtt::LinkState, now: Millis) -> control::Verdict {
        verdict(status, link, &Around::default(), now)
    }

    #[test]
    fn a_hub_that_renews_nothing_is_not_alive_whatever_the_wall_clock_does() {
        let now = SystemClock::new().now();
        let (status, link) = (ScreenStatus::first(&Config::default(), now), mqtt::LinkState::new());
        assert!(judged(&status, &link, now.mono).live);
        let stuck = judged(&status, &link, now.mono + STUCK_AFTER);
        assert!(!stuck.live && stuck.words().contains("hub: has not answered for 20 s"), "{}", stuck.words());
    }

    #[test]
    fn a_screen_is_ready_when_it_is_linked_and_the_board_is_on_the_glass() {
        let now = SystemClock::new().now();
        let (mut status, mut link) = (ScreenStatus::first(&Config::default(), now), mqtt::LinkState::new());
        link.problem = Some(mqtt::LinkError::ThrownOut);
        let detail = judged(&status, &link, now.mono).detail;
        assert!(
            detail["link_problem"]["advice"].as_str().is_some_and(|a| a.contains("client_id")),
            "{detail}"
        );
        link.problem = None;
        (status.frame.frame_at, status.frame.gpu) = (Some(now.wall), "a GPU".into());
        assert_eq!(judged(&status, &link, now.mono).detail["screen"]["online"], false);
        status.link = "broker:1883".into();
        let well = judged(&status, &link, now.mono);
        assert!(well.ready && well.detail["verdict"] == "ok" && well.words() == "ok", "{}", well.words());
        assert_eq!(well.detail["screen"]["online"], true);
        status.frame.unanswered_s = 10;
        let stalled = judged(&status, &link, now.mono);
        assert!(stalled.live && !stalled.ready && stalled.detail["stalled"] == true, "{}", stalled.detail);
        status.frame.unanswered_s = 9;
        assert!(judged(&status, &link, now.mono).ready);
        status.frame.gpu = "rebuilding: the device is lost".into();
        assert!(!judged(&status, &link, now.mono).ready);
    }

    #[test]
    fn every_part_has_a_state_and_the_worst_is_the_word_for_all() {
        let now = SystemClock::new().now();
        let mut status = ScreenStatus::first(&Config::default(), now);
        (status.frame.frame_at, status.frame.gpu) = (Some(now.wall), "a GPU".into());
        (status.link, status.skew_ms) = ("broker:1883".into(), 31_000);
        status.journal = JournalState::Degraded("disk full".into());
        let zones = [("sanh", SoundState::Ok), ("tang-2", SoundState::Lost)];
        let zones = zones.map(|(id, state)| (Zone::parse(id).unwrap(), state)).to_vec();
        let machine = Machine { free_bytes: Some(100 << 20), hottest_c: Some(95) };
        let voice = VoiceState::Lacking("no clip for: bảy".into());
        let around = Around { zones, voice, machine, ..Around::default() };
        let judged = verdict(&status, &mqtt::LinkState::new(), &around, now.mono);
        let state = |name: &str| judged.parts.iter().find(|part| part.name == name).map(|part| part.state);
        for (name, expected) in [
            ("hub", PartState::Ok),
            ("journal", PartState::Degraded),
            ("audio sanh", PartState::Ok),
            ("audio tang-2", PartState::Failed),
            ("voice", PartState::Degraded),
            ("clock", PartState::Degraded),
            ("disk", PartState::Degraded),
            ("temperature", PartState::Degraded),
        ] {
            assert_eq!(state(name), Some(expected), "{name}");
        }
        assert_eq!(judged.detail["verdict"], "failed");
    }
}
