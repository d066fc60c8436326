//! The player against cards that the test owns: they ask when the test says so, vanish, hang and come back on cue.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sound_bank;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use moiso::audio::card::{Card, CardError, Cards, Wish};
use moiso::audio::feed::{Feed, Gauges, ring};
use moiso::audio::{self, Handle};
use moiso::board::call::{Kind, Lane, Zone};
use moiso::board::input::{AnnouncementId, Form, Input};
use moiso::clock::Millis;
use moiso::config::Config;
use moiso::health::SoundState;
use moiso::hub::{Request, Speaker};
use moiso::speech::{Part, RATE_HZ, Utterance};
use sound_bank::{SoundBank, call, find};
use tokio::sync::mpsc;

const CHANNELS: usize = 2;
/// What the card holds in its own buffer.
const LATENCY: u64 = 4096;

/// What is plugged in, and the callback's end of every open card.
#[derive(Default)]
struct Rack {
    /// Names of the devices; the first is the default.
    devices: Vec<&'static str>,
    /// Devices that are there and cannot be opened.
    refused: Vec<&'static str>,
    open: Vec<Open>,
    /// How often a card was asked for.
    asked_for: u32,
    closed: Vec<&'static str>,
}

struct Open {
    name: &'static str,
    feed: Feed,
    gauges: Arc<Gauges>,
}

#[derive(Clone, Default)]
struct Cabinet(Arc<Mutex<Rack>>);

/// Tells the rack that the stream was dropped; hangs if it is told to.
struct Stream(Cabinet, &'static str, Arc<AtomicBool>);

impl Drop for Stream {
    fn drop(&mut self) {
        while self.2.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.0.0.lock().unwrap().closed.push(self.1);
    }
}

struct TestCards {
    cabinet: Cabinet,
    hang: Arc<AtomicBool>,
}

impl Cards for TestCards {
    fn open(&mut self, wish: &Wish) -> Result<Card, CardError> {
        let mut rack = self.cabinet.0.lock().unwrap();
        rack.asked_for += 1;
        let wished = wish.device.as_deref().and_then(|w| rack.devices.iter().find(|d| **d == w));
        let preferred = wished.is_some() || wish.device.is_none();
        let name: &'static str = wished.or(rack.devices.first()).copied().ok_or(CardError::None)?;
        if rack.refused.contains(&name) {
            return Err(CardError::Refused { name: name.into(), why: "busy".into() });
        }
        let (ring, feed, gauges) = ring(24_000, CHANNELS);
        rack.open.push(Open { name, feed, gauges: Arc::clone(&gauges) });
        let stream = Box::new(Stream(self.cabinet.clone(), name, Arc::clone(&self.hang)));
        Ok(Card {
            name: name.into(),
            preferred,
            rate_hz: RATE_HZ,
            channels: CHANNELS,
            latency_frames: LATENCY,
            ring,
            gauges,
            stream,
        })
    }

    fn is_there(&mut self, wish: &Wish) -> bool {
        self.cabinet.0.lock().unwrap().devices.iter().any(|d| Some(*d) == wish.device.as_deref())
    }
}

struct Hall {
    bank: SoundBank,
    config: Config,
    audio: Handle,
    heard: mpsc::Receiver<Request>,
    cabinet: Cabinet,
    hang: Arc<AtomicBool>,
}

fn wait_until(what: &str, mut fact: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !fact() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

impl Hall {
    fn with(devices: &[&'static str], more: &str) -> Self {
        Self::with_room(64, devices, more)
    }

    /// The hub leaves `room` messages unread.
    fn with_room(room: usize, devices: &[&'static str], more: &str) -> Self {
        let bank = SoundBank::new();
        let config = bank.config(more);
        let cabinet = Cabinet::default();
        cabinet.0.lock().unwrap().devices = devices.to_vec();
        let hang = Arc::new(AtomicBool::new(false));
        let (requests, heard) = mpsc::channel(room);
        let cards = || -> Box<dyn Cards> {
            Box::new(TestCards { cabinet: cabinet.clone(), hang: Arc::clone(&hang) })
        };
        let audio = audio::spawn_with(&config, bank.dir.clone(), requests, cards).unwrap();
        Self { bank, config, audio, heard, cabinet, hang }
    }

    /// A hall with one card that has proved that it plays.
    fn playing(more: &str) -> Self {
        Self::with(&["hdmi"], more).proven()
    }

    fn proven(mut self) -> Self {
        self.prove(0);
        assert_eq!(self.next(), self.changed(true));
        self
    }

    /// Waits for the card to be open and lets it ask once.
    fn prove(&self, card: usize) {
        wait_until("the card is open", || self.cabinet.0.lock().unwrap().open.len() > card);
        self.ask(card, 480);
    }

    /// The callback of an open card, once.
    fn ask(&self, card: usize, frames: usize) -> Vec<f32> {
        let mut out = vec![9.0; frames * CHANNELS];
        self.cabinet.0.lock().unwrap().open[card].feed.fill(&mut out, 0.0, |s| s);
        out.chunks_exact(CHANNELS).map(|frame| frame[0]).collect()
    }

    /// Asks as long as the player gives sound, until `frames` of an announcement were played.
    fn listen(&self, card: usize, frames: u64) -> Vec<f32> {
        let gauges = Arc::clone(&self.cabinet.0.lock().unwrap().open[card].gauges);
        let from = gauges.played.load(Ordering::Acquire);
        let mut sound = Vec::new();
        wait_until("the player gives sound", || {
            let before = gauges.played.load(Ordering::Acquire);
            let chunk = self.ask(card, 240);
            let played = gauges.played.load(Ordering::Acquire) - before;
            sound.extend_from_slice(&chunk[..played as usize]);
            gauges.played.load(Ordering::Acquire) - from >= frames
        });
        sound
    }

    fn next(&mut self) -> Input {
        let mut found = None;
        wait_until("the player reports something", || {
            if let Ok(Request::Input { input, .. }) = self.heard.try_recv() {
                found = Some(input);
            }
            found.is_some()
        });
        found.unwrap()
    }

    fn assert_quiet(&mut self) {
        assert!(self.heard.try_recv().is_err(), "nothing is reported yet");
    }

    fn utterance(&self) -> Utterance {
        let message = call("A012", "5", Kind::Call, Lane::Regular);
        self.bank.voice(&self.config).plan_message(&message, 1, Form::Full).utterance
    }

    fn say(&mut self, in_zone: &str, id: u64, utterance: &Utterance) {
        self.audio.say(&zone(in_zone), AnnouncementId(id), Arc::new(utterance.clone()));
    }

    fn changed(&self, works: bool) -> Input {
        Input::SoundChanged { zone: self.config.audio.zones[0].id.clone(), works }
    }
}

fn started(id: u64) -> Input {
    Input::SpeechStarted { zone: zone("sanh"), announcement: AnnouncementId(id) }
}

fn ended(id: u64, completed: bool) -> Input {
    Input::SpeechEnded { zone: zone("sanh"), announcement: AnnouncementId(id), completed }
}

#[test]
fn the_end_is_told_only_when_the_last_sample_has_left_the_card() {
    let mut hall = Hall::playing("");
    let utterance = hall.utterance();
    hall.say("sanh", 1, &utterance);
    let wake_up = 300 * 48;
    let mut sound = hall.listen(0, wake_up + 1);
    assert_eq!(hall.next(), started(1));
    let left = wake_up + utterance.frames(RATE_HZ) - sound.len() as u64;
    sound.extend(hall.listen(0, left));
    // The last sample lies in the card's own buffer now; the card asks on as it sounds.
    std::thread::sleep(Duration::from_millis(50));
    hall.assert_quiet();
    hall.ask(0, LATENCY as usize);
    wait_until("the card has asked past its own buffer", || {
        hall.ask(0, 240);
        !hall.heard.is_empty()
    });
    assert_eq!(hall.next(), ended(1, true));
    let mut at = 0;
    for (_, clip) in utterance.clips(RATE_HZ) {
        let samples = &hall.bank.samples[&*clip.file];
        at = find(&sound, samples, at).expect("every clip is heard, in order") + samples.len();
    }
    let counters = hall.audio.counters(&zone("sanh"));
    assert_eq!((counters.card.as_str(), counters.opened, counters.starved_frames), ("hdmi", 1, 0));
}

#[test]
fn a_card_that_dies_in_mid_sentence_is_told_before_the_sentence_is_given_up() {
    let mut hall = Hall::playing("");
    let utterance = hall.utterance();
    hall.say("sanh", 1, &utterance);
    hall.listen(0, 20_000);
    assert_eq!(hall.next(), started(1));
    hall.cabinet.0.lock().unwrap().open[0].gauges.gone.store(true, Ordering::Relaxed);
    assert_eq!(hall.next(), hall.changed(false));
    assert_eq!(hall.next(), ended(1, false));
    hall.prove(1);
    assert_eq!(hall.next(), hall.changed(true));
    assert_eq!(hall.cabinet.0.lock().unwrap().closed, ["hdmi"]);
    hall.say("sanh", 2, &utterance);
    hall.listen(1, 300 * 48 + utterance.frames(RATE_HZ));
    assert_eq!(hall.next(), started(2));
}

#[test]
fn a_card_that_asks_for_nothing_is_opened_again() {
    let mut hall = Hall::playing("");
    assert_eq!(hall.next(), hall.changed(false), "it has asked for nothing for two seconds");
    hall.prove(1);
    assert_eq!(hall.next(), hall.changed(true));
}

#[test]
fn a_storm_of_errors_counts_as_gone_and_a_burst_that_it_survives_does_not() {
    let mut hall = Hall::playing("");
    let gauges = Arc::clone(&hall.cabinet.0.lock().unwrap().open[0].gauges);
    gauges.errors.fetch_add(300, Ordering::Relaxed);
    let until = Instant::now() + Duration::from_millis(700);
    wait_until("some looks have passed", || {
        hall.ask(0, 240);
        Instant::now() > until
    });
    hall.assert_quiet();
    let unasked_since = Instant::now();
    gauges.errors.fetch_add(300, Ordering::Relaxed);
    let until = Instant::now() + Duration::from_millis(700);
    wait_until("a burst alone has passed", || Instant::now() > until);
    hall.assert_quiet();
    let mut told = None;
    wait_until("the storm is noticed", || {
        gauges.errors.fetch_add(1, Ordering::Relaxed);
        told = hall.heard.try_recv().ok();
        told.is_some()
    });
    let Some(Request::Input { input, .. }) = told else { panic!("an input is told") };
    assert_eq!(input, hall.changed(false));
    assert!(unasked_since.elapsed() < Duration::from_secs(2), "not merely because it asks for nothing");
}

#[test]
fn without_a_card_it_is_looked_for_without_end_and_nothing_is_taken() {
    let mut hall = Hall::with(&[], "");
    assert_eq!(hall.next(), hall.changed(false));
    assert_eq!(hall.audio.state(&zone("sanh")), SoundState::Lost);
    let utterance = hall.utterance();
    hall.say("sanh", 1, &utterance);
    assert_eq!(hall.next(), ended(1, false));
    wait_until("it was looked for again", || hall.cabinet.0.lock().unwrap().asked_for >= 3);
    hall.cabinet.0.lock().unwrap().devices = vec!["usb"];
    hall.prove(0);
    assert_eq!(hall.next(), hall.changed(true));
    assert_eq!(hall.audio.state(&zone("sanh")), SoundState::Ok);
    assert_eq!(hall.audio.overall(), SoundState::Ok);
}

#[test]
fn another_card_serves_until_the_wished_one_is_back() {
    let mut hall = Hall::with(&["hdmi"], "[[audio.zone]]\nid = \"sanh\"\ndevice = \"usb\"\n");
    hall.prove(0);
    assert_eq!(hall.next(), hall.changed(true));
    hall.cabinet.0.lock().unwrap().devices = vec!["hdmi", "usb"];
    wait_until("the wished card is taken", || {
        hall.ask(0, 240);
        hall.cabinet.0.lock().unwrap().open.len() == 2
    });
    assert_eq!(hall.cabinet.0.lock().unwrap().open[1].name, "usb");
    assert_eq!(hall.cabinet.0.lock().unwrap().closed, ["hdmi"]);
    hall.prove(1);
    hall.assert_quiet();
    assert_eq!(hall.audio.state(&zone("sanh")), SoundState::Ok, "the hall never lost its sound");
}

#[test]
fn another_card_serves_while_the_wished_one_cannot_be_opened() {
    let mut hall = Hall::with(&[], "[[audio.zone]]\nid = \"sanh\"\ndevice = \"usb\"\n");
    assert_eq!(hall.next(), hall.changed(false));
    let mut rack = hall.cabinet.0.lock().unwrap();
    (rack.devices, rack.refused) = (vec!["hdmi", "usb"], vec!["usb"]);
    drop(rack);
    hall.prove(0);
    assert_eq!(hall.next(), hall.changed(true));
    assert_eq!(hall.cabinet.0.lock().unwrap().open[0].name, "hdmi");
    wait_until("the wished card is tried again", || {
        hall.ask(0, 240);
        hall.cabinet.0.lock().unwrap().open.len() == 2
    });
    assert_eq!(hall.cabinet.0.lock().unwrap().open[1].name, "hdmi");
    hall.prove(1);
    hall.assert_quiet();
    assert_eq!(hall.audio.state(&zone("sanh")), SoundState::Ok, "the hall never lost its sound");
}

struct BrokenCards;

impl Cards for BrokenCards {
    fn open(&mut self, _wish: &Wish) -> Result<Card, CardError> {
        panic!("on purpose")
    }

    fn is_there(&mut self, _wish: &Wish) -> bool {
        false
    }
}

#[test]
fn a_thread_that_dies_is_noticed() {
    let bank = SoundBank::new();
    let (requests, _heard) = mpsc::channel(64);
    let config = bank.config("");
    let audio = audio::spawn_with(&config, bank.dir.clone(), requests, || Box::new(BrokenCards)).unwrap();
    wait_until("the end is noticed", || audio.has_ended());
    assert_eq!(audio.overall(), SoundState::Lost);
}

#[test]
fn zones_with_a_card_each_do_not_wait_for_each_other() {
    let zones = "[[audio.zone]]\nid = \"sanh\"\ndevice = \"hdmi\"\n[[audio.zone]]\nid = \"lau\"\ndevice = \"usb\"\n\
                 counters = [\"5\"]\n";
    let mut hall = Hall::with(&["hdmi", "usb"], zones);
    hall.prove(0);
    hall.prove(1);
    let mut changed = [hall.next(), hall.next()];
    changed.sort_by_key(|input| format!("{input:?}"));
    assert_eq!(changed[0], Input::SoundChanged { zone: zone("lau"), works: true });
    let utterance = hall.utterance();
    hall.say("sanh", 1, &utterance);
    hall.say("lau", 2, &utterance);
    for card in [0, 1] {
        hall.listen(card, 300 * 48 + 1);
    }
    let mut both = [hall.next(), hall.next()];
    both.sort_by_key(|input| format!("{input:?}"));
    assert_eq!(both[0], Input::SpeechStarted { zone: zone("lau"), announcement: AnnouncementId(2) });
    assert_eq!(both[1], started(1));
}

#[test]
fn a_clip_that_cannot_be_read_leaves_the_chime_and_the_request_to_look_and_is_told() {
    let mut hall = Hall::playing("");
    hall.bank.write("north/không_một_hai.wav", b"not a sound");
    let utterance = hall.utterance();
    hall.say("sanh", 1, &utterance);
    let sound = hall.listen(0, (300 + 500 + 150 + 800) * 48);
    let chime = &hall.bank.samples["chimes/two-tone.wav"];
    let at = find(&sound, chime, 0).expect("the chime") + chime.len();
    let look = &hall.bank.samples["north/mời_công_dân_xem_bảng.wav"];
    assert_eq!(find(&sound, look, at), Some(at + 150 * 48));
    assert_eq!(hall.next(), started(1));
    wait_until("the end is told", || {
        hall.ask(0, 240);
        !hall.heard.is_empty()
    });
    assert_eq!(hall.next(), ended(1, false));
}

#[test]
fn where_nothing_else_can_be_read_the_chime_is_heard() {
    let mut hall = Hall::playing("");
    hall.bank.write("north/không_một_hai.wav", b"not a sound");
    hall.bank.write("north/mời_công_dân_xem_bảng.wav", b"");
    let utterance = hall.utterance();
    hall.say("sanh", 1, &utterance);
    let sound = hall.listen(0, (300 + 500) * 48);
    assert!(find(&sound, &hall.bank.samples["chimes/two-tone.wav"], 0).is_some());
    assert_eq!(hall.next(), started(1));
}

#[test]
fn an_utterance_without_sound_is_not_called_spoken() {
    let mut hall = Hall::playing("");
    hall.say("sanh", 1, &Utterance::default());
    assert_eq!(hall.next(), ended(1, false));
    hall.say("sanh", 2, &Utterance { parts: vec![Part::Gap(Millis(0))], ..Utterance::default() });
    assert_eq!(hall.next(), ended(2, false));
}

#[test]
fn without_audio_nothing_is_opened_and_nothing_hangs() {
    let mut hall = Hall::with(&["hdmi"], "[audio]\nenabled = false\n");
    let utterance = hall.utterance();
    hall.say("sanh", 1, &utterance);
    assert_eq!(hall.next(), ended(1, false));
    assert_eq!(hall.cabinet.0.lock().unwrap().asked_for, 0);
    assert_eq!(hall.audio.overall(), SoundState::Off);
    hall.audio.stop();
}

#[test]
fn stopping_takes_less_than_a_second_even_when_a_stream_does_not_close() {
    let mut hall = Hall::playing("");
    let utterance = hall.utterance();
    hall.say("sanh", 1, &utterance);
    hall.listen(0, 300 * 48 + 1);
    assert_eq!(hall.next(), started(1));
    hall.hang.store(true, Ordering::Relaxed);
    let from = Instant::now();
    hall.audio.stop();
    assert!(from.elapsed() < Duration::from_secs(1), "{:?}", from.elapsed());
    assert_eq!(hall.next(), ended(1, false));
    hall.hang.store(false, Ordering::Relaxed);
}

#[test]
fn a_hub_that_is_slow_to_listen_gets_everything_in_order() {
    const ROOM: usize = 8;
    let mut hall = Hall::with_room(ROOM, &["hdmi"], "").proven();
    let empty = Utterance::default();
    for id in 0..200 {
        // The card's queue is bounded too; the board never has more than one announcement a zone under way.
        hall.say("sanh", id, &empty);
        if id % 25 == 24 {
            wait_until("the hub takes no more", || hall.heard.len() == ROOM);
            for told in id - 24..=id {
                hall.ask(0, 240);
                assert_eq!(hall.next(), ended(told, false));
            }
        }
    }
}

fn mean(sound: &[f32]) -> f32 {
    sound.iter().sum::<f32>() / sound.len() as f32
}

#[test]
fn music_plays_where_it_may_and_makes_room_for_a_call() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("a.wav")).unwrap();
    audio::wav::write(file, &vec![0.25; 48_000], RATE_HZ).unwrap();
    let path = folder.path().display();
    let mut hall = Hall::playing(&format!(
        "[audio.background]\nfolder = \"{path}\"\nvolume_percent = 100\nduck_db = 20\n"
    ));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(hall.ask(0, 2400), [0.0; 2400], "nobody has let it play yet");

    assert!(hall.audio.set_music(&zone("sanh"), true));
    let before = hall.listen(0, 96_000);
    let level = mean(&before[91_200..]);
    assert!((level - 0.25).abs() < 0.02, "faded in to {level}");

    let utterance = hall.utterance();
    hall.say("sanh", 1, &utterance);
    wait_until("the call begins", || {
        hall.ask(0, 240);
        !hall.heard.is_empty()
    });
    assert_eq!(hall.next(), started(1));
    let during = hall.listen(0, 24_000);
    let level = mean(&during[4_800..]);
    assert!(level < 0.06, "ducked to {level}");

    wait_until("the call ends", || {
        hall.ask(0, 240);
        !hall.heard.is_empty()
    });
    assert_eq!(hall.next(), ended(1, true));
    let after = hall.listen(0, 96_000);
    let level = mean(&after[91_200..]);
    assert!((level - 0.25).abs() < 0.02, "back to {level}");

    assert!(hall.audio.set_music(&zone("sanh"), false));
    wait_until("the music has gone", || hall.ask(0, 2400).iter().all(|s| *s == 0.0));
}
