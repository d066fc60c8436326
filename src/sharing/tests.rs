//! The passing on of sounds, between screens without a broker.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio::sync::watch;

use super::*;
use crate::board::call::NoticeId;
use crate::board::state::Notice;
use crate::board::view::BoardView;
use crate::clock::{Millis, Now};
use crate::screens::ScreenReport;

/// A screen whose hub only writes down what the board is told to wait for, and whose link goes nowhere.
struct Peer {
    door: SharingDoor,
    hub: HubHandle,
    shelf: Shelf,
    told: Arc<Mutex<Vec<(RecordingId, bool)>>>,
    link: mpsc::Receiver<Publication>,
    _folder: tempfile::TempDir,
}

impl Peer {
    /// Of a hall of three, whose ranks nobody has set.
    fn start(id: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(PathBuf::from(folder.path()));
        let mut config = Config::default();
        config.screen.id = id.to_owned();
        let (requests, mut inbox) = mpsc::channel(64);
        let (_, views) = watch::channel(Arc::new(BoardView::empty()));
        let hub = HubHandle { requests, views };
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        tokio::spawn(async move {
            while let Some(request) = inbox.recv().await {
                match request {
                    Request::Input { input: Input::RecordingAwaited { recording, awaited }, .. } => {
                        heard.lock().unwrap().push((recording, awaited));
                    }
                    Request::Notices { reply } => drop(reply.send(Vec::new())),
                    other => panic!("{other:?}"),
                }
            }
        });
        let (publications, link) = mpsc::channel(64);
        let (door, news) = door(&shelf);
        let mut screens = Screens::default();
        for name in ["a", "b", "c"] {
            let report =
                ScreenReport { online: true, rank: Some(config.screen.rank), ..ScreenReport::default() };
            screens.take(name, report, Now { mono: Millis::ZERO, wall: Timestamp::UNIX_EPOCH });
        }
        let (_, screens) = watch::channel(screens);
        let sharing = Sharing::new(&config, shelf.clone(), hub.clone(), publications, screens);
        tokio::spawn(sharing.run(news));
        Self { door, hub, shelf, told, link, _folder: folder }
    }

    async fn published(&mut self) -> Publication {
        let within = Duration::from_secs(30);
        tokio::time::timeout(within, self.link.recv()).await.expect("it says something").unwrap()
    }

    async fn is_silent_for(&mut self, span: Duration) -> bool {
        tokio::time::timeout(span, self.link.recv()).await.is_err()
    }

    async fn expect(&self, recording: &RecordingId, level: Level) {
        let notice = Notice {
            id: NoticeId::parse("n").unwrap(),
            text: "Mời công dân đến quầy 3".to_owned(),
            text_en: None,
            level,
            from: None,
            until: None,
            zones: Vec::new(),
            speak: true,
            recording: Some(recording.clone()),
            qr: None,
            author: None,
            at: Timestamp::UNIX_EPOCH,
        };
        self.door.expect(&Input::NoticePut(notice), &self.hub).await.unwrap();
    }

    async fn settled(&self, recording: &RecordingId) {
        let within = Duration::from_secs(60);
        let settled = async {
            while !self.told.lock().unwrap().contains(&(recording.clone(), false)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(within, settled).await.expect("the board waits no longer");
    }

    /// What the broker would bring it.
    fn hear(&self, publication: &Publication) {
        let parts: Vec<&str> = publication.topic.split('/').collect();
        match parts[..] {
            ["recording", id, "wanted"] => {
                let screen = wire::decode_asking(&publication.topic, &publication.payload).unwrap();
                self.door.asked(id, screen);
            }
            ["recording", id, "part", part, of] => {
                self.door.part(id, part.parse().unwrap(), of.parse().unwrap(), &publication.payload);
            }
            _ => panic!("{}", publication.topic),
        }
    }
}

/// Something like speech, as loud as the voice.
fn sound(seconds: usize) -> Vec<f32> {
    let voice = |n: usize| {
        let t = n as f32 / 48_000.0;
        let tone: f32 = (1..6).map(|k| (t * 1000.0 * k as f32).sin() / k as f32).sum();
        0.08 * (t * 6.0).sin().max(0.0) * tone
    };
    (0..seconds * 48_000).map(voice).collect()
}

#[tokio::test]
async fn a_sound_goes_from_one_screen_to_another_and_both_have_the_same() {
    let (mut one, mut other) = (Peer::start("a"), Peer::start("b"));
    let id = one.shelf.put(&sound(40), &BTreeSet::new()).unwrap();
    other.expect(&id, Level::Info).await;
    let asked = other.published().await;
    assert_eq!(*other.told.lock().unwrap(), [(id.clone(), true)], "the board waits");
    assert_eq!((asked.topic.as_str(), asked.retain), (recording_wanted(&id).as_str(), false));
    other.hear(&asked);
    one.hear(&asked);
    let mut pieces = vec![one.published().await];
    let of = pieces[0].topic.rsplit('/').next().unwrap().parse::<usize>().unwrap();
    assert!(of > 1, "it needs several messages");
    while pieces.len() < of {
        pieces.push(one.published().await);
    }
    // Twice and in another order, as a broker may deliver them.
    for piece in pieces.iter().rev().chain(&pieces) {
        assert!(!piece.retain && piece.payload.len() <= wire::PAYLOAD_MAX);
        other.hear(piece);
    }
    other.settled(&id).await;
    assert_eq!(other.shelf.file(&id), one.shelf.file(&id));
    assert_eq!(other.shelf.clip(&id).unwrap().frames, one.shelf.clip(&id).unwrap().frames);
    other.expect(&id, Level::Info).await;
    assert!(other.is_silent_for(Duration::from_secs(3)).await, "it asks for it no more");
}

#[tokio::test(start_paused = true)]
async fn of_two_that_have_it_one_answers_and_asking_often_gives_no_flood() {
    let (mut first, mut second) = (Peer::start("a"), Peer::start("b"));
    let id = first.shelf.put(&sound(2), &BTreeSet::new()).unwrap();
    second.shelf.put(&sound(2), &BTreeSet::new()).unwrap();
    for screen in [&first, &second] {
        for _ in 0..20 {
            screen.door.asked(id.as_str(), "c".to_owned());
        }
    }
    let piece = first.published().await;
    second.hear(&piece);
    assert!(second.is_silent_for(Duration::from_secs(5)).await);
    assert!(first.is_silent_for(Duration::from_secs(5)).await, "one answer for all who ask at once");
    second.door.asked(id.as_str(), "c".to_owned());
    assert_eq!(second.published().await.topic, piece.topic, "who has not got it asks again");
    second.door.asked("../../tokens", "c".to_owned());
    second.door.asked(&"0".repeat(32), "c".to_owned());
    assert!(second.is_silent_for(Duration::from_secs(5)).await, "nothing else is ever passed on");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_has_is_waited_for_six_seconds_and_an_emergency_not_at_all() {
    let mut screen = Peer::start("a");
    let id = RecordingId::parse(&"5e".repeat(16)).unwrap();
    screen.expect(&id, Level::Info).await;
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(3)).await;
    // As when the broker tells it again.
    screen.expect(&id, Level::Info).await;
    screen.settled(&id).await;
    let waited = start.elapsed();
    assert!((6000..6200).contains(&waited.as_millis()), "{waited:?}");
    let mut asked = 0;
    while !screen.is_silent_for(Duration::from_secs(1)).await {
        asked += 1;
    }
    assert_eq!(asked, 4);
    screen.told.lock().unwrap().clear();
    screen.expect(&id, Level::Emergency).await;
    screen.published().await;
    assert!(!screen.told.lock().unwrap().contains(&(id, true)));
}

#[tokio::test]
async fn what_is_not_the_sound_that_was_asked_for_is_not_kept() {
    let mut screen = Peer::start("a");
    let loud: Vec<f32> = sound(3).iter().map(|s| (s * 40.0).clamp(-1.0, 1.0)).collect();
    let elsewhere = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(elsewhere.path().to_owned());
    let (shout, short) = (
        shelf.put(&loud, &BTreeSet::new()).unwrap(),
        shelf.put(&sound(3)[..4800], &BTreeSet::new()).unwrap(),
    );
    for id in [&shout, &short] {
        screen.expect(id, Level::Info).await;
        screen.published().await;
        // Of another content than its name says.
        screen.door.part(id.as_str(), 0, 1, b"OggS");
        screen.door.part(id.as_str(), 0, 1, &shelf.file(id).unwrap());
        screen.settled(id).await;
        assert!(!screen.shelf.has(id));
    }
    // Nobody asked for this one.
    let id = shelf.put(&sound(2), &BTreeSet::new()).unwrap();
    screen.door.part(id.as_str(), 0, 1, &shelf.file(&id).unwrap());
    screen.expect(&id, Level::Emergency).await;
    screen.published().await;
    assert!(!screen.shelf.has(&id));
}
