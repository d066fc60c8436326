//! What an operator records or uploads becomes a message of the hall, or is refused with the reason.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use moiso::control::auth::{Auth, Role};
use moiso::journal::Journal;
use serde_json::{Value, json};

#[path = "support/console.rs"]
mod console;
#[allow(dead_code, reason = "a part is used here")]
#[path = "support/sound.rs"]
mod sound;

use console::{Answer, Client, Console, Parts, now};
use sound::{find, pcm16, read_wav};

/// Five seconds of a real voice, with silence around it.
static SPEECH: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let (said, speech) = (folder.path().join("said.wav"), folder.path().join("speech.wav"));
    let say = Command::new(env!("CARGO_BIN_EXE_moiso"))
        .args(["say", "B107", "--counter", "9", "--wav", said.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(say.status.success(), "{say:?}");
    // Without the chime, as soft as somebody far from the microphone, and with two seconds of nothing at either end.
    ffmpeg(
        &said,
        &["-af", "atrim=start=1.5,asetpts=PTS-STARTPTS,volume=0.2,adelay=2000,apad=pad_dur=2"],
        &speech,
    );
    (folder, speech)
});

fn ffmpeg(from: &Path, args: &[&str], to: &Path) {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-i", from.to_str().unwrap()]).args(args).arg(to);
    let made = command.output().unwrap();
    assert!(made.status.success(), "{made:?}");
}

/// The speech as another file.
fn as_file(name: &str, args: &[&str]) -> Vec<u8> {
    let to = SPEECH.0.path().join(name);
    ffmpeg(&SPEECH.1, args, &to);
    std::fs::read(to).unwrap()
}

async fn session(console: &Console, role: Role) -> String {
    let token = console.auth.one_time(role, "Quầy hướng dẫn");
    let mut client = Client::connect(&console.url()).await;
    let reply = client.ask(json!({ "type": "hello", "token": token })).await;
    format!("Authorization: Bearer {}\r\n", reply["session"].as_str().unwrap())
}

fn refusal(answer: &Answer) -> (u16, String) {
    let error = &answer.json()["error"];
    assert!(error["message"].as_str().unwrap().ends_with(['.', ')']), "a whole sentence: {error}");
    (answer.status, error["field"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn every_common_file_is_taken_and_heard_behind_the_chime_as_loud_as_the_voice() {
    let console = Console::start().await;
    let operator = session(&console, Role::Operator).await;
    let spoken = read_wav(&SPEECH.1);
    let loud = |samples: &[f32]| samples.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
    for (name, args) in [
        ("plain.wav", &[][..]),
        ("float-stereo.wav", &["-c:a", "pcm_f32le", "-ar", "44100", "-ac", "2"]),
        ("deep.wav", &["-c:a", "pcm_s24le", "-ar", "96000"]),
        ("telephone.wav", &["-ar", "16000"]),
        ("a.flac", &["-ar", "44100"]),
        ("vorbis.ogg", &["-c:a", "libvorbis", "-b:a", "96k"]),
        ("a.opus", &["-c:a", "libopus", "-b:a", "48k"]),
        ("a.mp3", &["-c:a", "libmp3lame", "-b:a", "128k", "-ar", "44100"]),
    ] {
        let taken = console.post("/api/recording", &operator, &as_file(name, args)).await;
        assert_eq!(taken.status, 200, "{name}: {}", String::from_utf8_lossy(&taken.body));
        let taken = taken.json();
        let seconds = taken["seconds"].as_f64().unwrap();
        assert!((3.0..7.0).contains(&seconds), "{name}: {seconds} s, without its silences");
        let path = format!("/api/announcement?notice=Mời&recording={}", taken["recording"].as_str().unwrap());
        let heard = console.get(&path, &operator).await;
        assert_eq!(heard.status, 200, "{name}");
        let heard = pcm16(&heard.body[44..]);
        let there = find(&spoken, &heard, 0).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(there.start > 48_000 / 2, "{name}: the chime comes first, {there:?}");
        assert!(heard.len() - there.end < 48_000 / 4, "{name}: nothing after it");
        assert!(loud(&heard[there]) > 3.0 * loud(&spoken), "{name}: it is raised");
    }
    assert_eq!(std::fs::read_dir(console.recordings.path().join("recordings")).unwrap().count(), 8);
}

#[tokio::test]
async fn a_file_that_nobody_should_hear_is_refused_in_words() {
    let console = Console::start().await;
    let operator = session(&console, Role::Operator).await;
    let overdriven = as_file("overdriven.wav", &["-af", "volume=60dB", "-c:a", "pcm_s16le"]);
    let long = as_file("long.wav", &["-af", "aloop=loop=12:size=400000", "-ar", "16000"]);
    let silent = as_file("silent.wav", &["-af", "volume=-90dB"]);
    let short = as_file("short.wav", &["-af", "atrim=start=2.2:end=2.6"]);
    let whole = as_file("whole.mp3", &["-c:a", "libmp3lame"]);
    for (file, words) in [
        (&overdriven[..], "vỡ"),
        (&long, "dài quá 60 giây"),
        (&silent, "Không nghe thấy"),
        (&short, "quá ngắn"),
        (b"", "Không đọc được"),
        (b"#!/bin/sh\nrm -rf /\n", "Không đọc được"),
        (&whole[..40], "Không đọc được"),
        (&[0xff; 10_000], "Không đọc được"),
    ] {
        let answer = console.post("/api/recording", &operator, file).await;
        assert_eq!(refusal(&answer), (422, "recording".to_owned()), "{words}");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(words), "{words}: {message}");
    }
    let large = vec![7; 10 * 1024 * 1024 + 1];
    assert_eq!(refusal(&console.post("/api/recording", &operator, &large).await).0, 413);
    // The same without saying beforehand how much comes.
    let mut chunked = format!("{:x}\r\n", large.len()).into_bytes();
    chunked.extend(&large);
    chunked.extend(b"\r\n0\r\n\r\n");
    let headers = format!("{operator}Transfer-Encoding: chunked\r\n");
    let answer = console.request("POST", "/api/recording", &headers, &chunked).await;
    assert_eq!(refusal(&answer).0, 413);
    assert!(!console.recordings.path().join("recordings").exists(), "nothing of it is kept");
}

#[tokio::test]
async fn only_an_operator_at_the_own_page_may_send_and_the_journal_knows_who() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(folder.path(), 90, now()).unwrap();
    let parts = Parts { journal: Some(journal.clone()), ..Parts::default() };
    let console = Console::with_parts(parts).await;
    let operator = session(&console, Role::Operator).await;
    let viewer = session(&console, Role::Viewer).await;
    let stranger = "Authorization: Bearer moiso_nobody_guess\r\n".to_owned();
    let foreign = format!("{operator}Origin: http://evil.example\r\n");
    for (headers, status) in [(&String::new(), 401), (&stranger, 401), (&viewer, 403), (&foreign, 403)] {
        assert_eq!(refusal(&console.post("/api/recording", headers, b"RIFF").await).0, status, "{headers}");
    }
    assert_eq!(console.get("/api/recording", &operator).await.status, 405);
    let own = format!("{operator}Origin: http://{}\r\n", console.address);
    let taken = console.post("/api/recording", &own, &as_file("who.wav", &[])).await.json();
    let (done, written) = std::sync::mpsc::channel();
    journal.then(Box::new(move || done.send(()).unwrap()));
    tokio::task::spawn_blocking(move || written.recv().unwrap()).await.unwrap();
    let deeds = journal.deeds("recording/", now(), 10).unwrap();
    assert_eq!(deeds.len(), 1);
    assert_eq!(deeds[0].who, "Quầy hướng dẫn");
    assert_eq!(deeds[0].topic, format!("recording/{}", taken["recording"].as_str().unwrap()));
}

#[tokio::test]
async fn a_notice_names_a_recording_that_is_here_and_nothing_else() {
    let console = Console::start().await;
    let operator = session(&console, Role::Operator).await;
    let taken = console.post("/api/recording", &operator, &as_file("named.wav", &[])).await.json();
    let id = taken["recording"].as_str().unwrap();
    let mut client = console.signed_in(Role::Operator).await;
    let put = |recording: &str| json!({ "type": "notice.put", "id": "n", "text": "Mời", "speak": true, "recording": recording });
    for wrong in [
        "../../etc/passwd",
        "..%2f..%2ftokens.toml",
        "/etc/passwd",
        &id.to_uppercase(),
        &id[1..],
        &"0".repeat(32),
        "",
    ] {
        let reply = client.ask(put(wrong)).await;
        assert_eq!(
            (&reply["error"]["code"], &reply["error"]["field"]),
            (&json!("invalid"), &json!("recording")),
            "{wrong}"
        );
        let path = format!("/api/announcement?notice=a&recording={wrong}");
        if !wrong.is_empty() {
            assert_eq!(console.get(&path, &operator).await.status, 400, "{wrong}");
        }
    }
    let reply = client.ask(put(id)).await;
    assert_eq!((&reply["ok"], &reply["notice"]["recording"]), (&json!(true), &json!(id)), "{reply}");
    let published = console.given.lock().unwrap().published.pop().unwrap();
    let payload: Value = serde_json::from_slice(&published.payload).unwrap();
    assert_eq!(
        (published.topic.as_str(), &payload["recording"], published.payload.len() < 1000),
        ("notice/n", &json!(id), true)
    );
}

#[tokio::test]
async fn damaged_files_from_many_at_once_end_nobody() {
    let console = std::sync::Arc::new(Console::with(Auth::in_memory(), Vec::new()).await);
    let operator = session(&console, Role::Operator).await;
    let files = [
        as_file("d.flac", &[]),
        as_file("d.ogg", &["-c:a", "libvorbis"]),
        as_file("d.opus", &["-c:a", "libopus"]),
        as_file("d.mp3", &[]),
    ];
    let mut seed = 7_u64;
    let mut all = Vec::new();
    for n in 0..24 {
        let mut file = files[n % files.len()].clone();
        for _ in 0..12 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 33) as usize % if n % 2 == 0 { 400 } else { file.len() };
            file[at] ^= (seed >> 20) as u8;
        }
        let (console, operator) = (std::sync::Arc::clone(&console), operator.clone());
        all.push(tokio::spawn(async move { console.post("/api/recording", &operator, &file).await.status }));
    }
    for one in all {
        let status = one.await.unwrap();
        assert!([200, 422, 503].contains(&status), "{status}");
    }
    let whole = console.post("/api/recording", &operator, &files[0]).await;
    assert_eq!(whole.status, 200, "the door is open as before");
}
