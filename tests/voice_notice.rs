//! A recorded message in a real hall: a browser with a microphone, the daemon, a broker and a sound card.

#![allow(clippy::unwrap_used)]

mod support;

#[path = "support/browser.rs"]
mod browser;

use std::path::{Path, PathBuf};
use std::time::Duration;

use browser::Browser;
use moiso::audio::clips::decode;
use serde_json::json;
use support::daemon::Daemon;
use support::mosquitto::Mosquitto;
use support::pulse::Pulse;
use support::sound::{find, read_wav};
use support::{call, moiso, until};

const SOON: Duration = Duration::from_secs(10);
/// Some calls and a message, one after the other.
const SPOKEN: Duration = Duration::from_secs(90);

/// What is said into the microphone: a voice, with some silence before it.
fn speech(folder: &Path) -> PathBuf {
    let (said, speech) = (folder.join("said.wav"), folder.join("speech.wav"));
    assert!(moiso(&["say", "C023", "--counter", "3", "--wav", said.to_str().unwrap()]).status.success());
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i", said.to_str().unwrap()])
        .args([
            "-af",
            "atrim=start=1.5,asetpts=PTS-STARTPTS,volume=0.5,adelay=3000,apad=pad_dur=30",
            "-c:a",
            "pcm_s16le",
        ])
        .arg(&speech)
        .status();
    assert!(made.unwrap().success());
    speech
}

/// The sounds that a daemon keeps, as the hall hears them, the last one last.
fn recordings(daemon: &Daemon) -> Vec<Vec<f32>> {
    let files = std::fs::read_dir(daemon.state_folder().join("recordings")).into_iter().flatten();
    let files =
        files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "opus"));
    let mut files: Vec<_> = files.collect();
    files.sort_by_key(|path| path.metadata().unwrap().modified().unwrap());
    files.iter().map(|path| decode(path).unwrap()).collect()
}

/// Records a message on the page, and gives what the daemon keeps of it.
async fn record(page: &Browser, daemon: &Daemon) -> Vec<f32> {
    let before = recordings(daemon).len();
    page.click("#record").await;
    page.until("document.getElementById('recording-note').textContent.startsWith('Đang ghi: 10 ')").await;
    assert_eq!(page.value("document.getElementById('record').textContent").await, "■ Dừng ghi");
    page.click("#record").await;
    page.until("document.getElementById('recording-note').textContent.startsWith('Bản ghi dài ')").await;
    let mut kept = recordings(daemon);
    assert_eq!(kept.len(), before + 1);
    kept.pop().expect("a recording, the last")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_speaks_into_the_microphone_and_the_hall_hears_it_between_the_calls() {
    let folder = tempfile::tempdir().unwrap();
    let (broker, pulse) = (Mosquitto::start(), Pulse::start());
    let mut daemon = Daemon::start(&broker, Some(&pulse), "");
    until(SOON, "the link comes up", || daemon.is_linked());
    let address = daemon.page(&format!("/#token={}", daemon.token()));
    let speech = speech(folder.path());
    let page = Browser::open_with_microphone(&speech, &address, 1440, 1000).await;
    page.until("document.querySelectorAll('#pad li').length === 11").await;
    page.value("location.hash = '#thong-bao'").await;
    page.until("document.getElementById('record').checkVisibility()").await;

    // Recorded, and heard back here alone.
    page.value("document.getElementById('text').value = 'Mời công dân có hồ sơ đất đai đến quầy 3'").await;
    let said = read_wav(&speech);
    let mut tries = 0;
    let message = loop {
        let message = record(&page, &daemon).await;
        tries += 1;
        match find(&said, &message, 0) {
            Ok(_) => break message,
            // The browser's make-believe microphone slips by 10 ms now and then; the operator records again.
            Err(why) => assert!(tries < 3, "it is what was said into the microphone: {why}"),
        }
    };
    let message = &message;
    assert_eq!(page.value("document.getElementById('speak').checked").await, true);
    page.click("#notice-listen").await;
    page.until("document.getElementById('listen-words').textContent.startsWith('Loa đọc: “Mời công dân')")
        .await;
    assert!(find(message, &pulse.recording(), 0).is_err(), "the hall has heard nothing of it");

    // Put while calls are being said: it waits for them, is heard whole after its chime, and no call is said over it.
    for (n, (ticket, counter)) in [("A012", "5"), ("B107", "2")].into_iter().enumerate() {
        broker.publish("moiso/dong-da/call", &call(&format!("c-{n}"), ticket, counter, "call"), &[]);
    }
    let put = pulse.recording().len();
    page.click("#notice-send").await;
    page.until("document.querySelectorAll('#notice-list li').length === 1").await;
    let facts = page.value("document.querySelector('#notice-list small').textContent").await;
    assert!(facts.as_str().unwrap().contains("có ghi âm"), "{facts}");
    until(SPOKEN, "the calls are spoken", || daemon.status()["spoken"] == 2);
    broker.publish("moiso/dong-da/call", &call("c-2", "C024", "4", "call"), &[]);
    until(SPOKEN, "the third call too", || daemon.status()["spoken"] == 3);
    until(SPOKEN, "the message is heard", || find(message, &pulse.recording(), put).is_ok());
    let heard = pulse.recording();
    let there = find(message, &heard, put).unwrap();
    for (ticket, counter) in [("A012", "5"), ("B107", "2"), ("C024", "4")] {
        let call = pulse.find(&daemon.announcement_once(ticket, counter), 0);
        assert!(
            call.end <= there.start || call.start >= there.end,
            "{ticket} {call:?} over the message {there:?}"
        );
    }
    let chime = &daemon.announcement("A012", "5")[..48_000];
    // Within the two seconds before it, so that no other call's chime is taken for it.
    let before = there.start.saturating_sub(2 * 48_000);
    find(chime, &heard[..there.start], before).expect("its chime comes first");
    until(SOON, "who recorded is kept", || {
        daemon.kept("audit", "who = 'Quầy hướng dẫn' AND topic LIKE 'recording/%'") == 1
    });

    assert_eq!(page.complaints().await, Vec::<String>::new());

    // The message outlives the process, and is heard again when somebody wants it.
    let reload = heard.len();
    daemon.kill();
    daemon.start_again(Some(&pulse));
    until(SOON, "the link comes up again", || daemon.is_linked());
    page.until("document.getElementById('link').textContent === '● Đang hoạt động'").await;
    page.until("document.querySelector('#notice-list [data-spot$=\"/again\"]')").await;
    page.click("#notice-list [data-spot$=\"/again\"]").await;
    until(SPOKEN, "it is heard again", || find(message, &pulse.recording(), reload).is_ok());
    page.click("#notice-list [data-spot$=\"/end\"]").await;
    page.until("document.querySelectorAll('#notice-list li').length === 0").await;
}

#[test]
fn a_message_is_heard_in_its_zone_whichever_screen_recorded_it() {
    let folder = tempfile::tempdir().unwrap();
    let (broker, pulse) = (Mosquitto::start(), Pulse::start());
    let speaks = Daemon::start(&broker, Some(&pulse), "");
    let mut records = Daemon::silent("tang-2", &broker);
    until(SOON, "both links come up", || speaks.is_linked() && records.is_linked());
    let speech = speech(folder.path());
    let words = "Mời công dân có hồ sơ đất đai đến quầy 3";
    records.cli(&["notice", "put", words, "--speak", "--sound", speech.to_str().unwrap(), "--id", "n"]);
    until(SOON, "its sound is passed on", || recordings(&speaks).len() == 1);
    let kept = recordings(&speaks);
    find(&read_wav(&speech), &kept[0], 0).expect("it is what was recorded at the other screen");
    until(SPOKEN, "the hall hears it", || find(&kept[0], &pulse.recording(), 0).is_ok());
    assert_eq!(speaks.detail()["unheard"], json!([]));
    // A call goes on as ever, and the message is heard once.
    broker.publish("moiso/dong-da/call", &call("c-1", "A012", "5", "call"), &[]);
    until(SPOKEN, "a call is spoken", || speaks.status()["spoken"] == 1);
    let heard = pulse.recording();
    let first = find(&kept[0], &heard, 0).unwrap();
    assert!(find(&kept[0], &heard, first.end).is_err(), "once, and not again");
    // Whoever comes later gets it from whoever has it, when the screen that recorded it is gone.
    records.kill();
    let mqtt = format!("brokers = [\"mqtt://127.0.0.1:{}\"]", broker.port);
    let later = Daemon::named("tang-3", &mqtt, None, "");
    until(SPOKEN, "the newcomer has it too", || recordings(&later).len() == 1);
    assert_eq!(recordings(&later), kept, "the very same sound");
}

#[test]
fn a_screen_without_the_sound_shows_the_notice_and_says_why_it_is_silent() {
    let (broker, pulse) = (Mosquitto::start(), Pulse::start());
    let daemon = Daemon::start(&broker, Some(&pulse), "");
    until(SOON, "the link comes up", || daemon.is_linked());
    let id = "5e".repeat(16);
    let notice = json!({
        "text": { "vi": "Mời công dân đến quầy 3" }, "level": "info", "speak": true, "recording": id,
        "at": jiff::Timestamp::now().to_string(),
    });
    broker.publish("moiso/dong-da/notice/n", &notice.to_string(), &["-r"]);
    until(SOON, "it is on the ticker", || daemon.view()["ticker"][0]["text"] == "Mời công dân đến quầy 3");
    until(SOON, "it is told", || daemon.detail()["unheard"] == json!([id]));
    until(SOON, "it is logged", || daemon.log().contains("not heard: its sound is on no screen"));
    // The zone goes on at once.
    broker.publish("moiso/dong-da/call", &call("c-1", "A012", "5", "call"), &[]);
    until(SPOKEN, "a call is spoken", || daemon.status()["spoken"] == 1);
    assert_eq!(daemon.log().matches("not heard: its sound").count(), 1, "it is not tried again and again");
}
