//! The thread that decodes announcements ahead of need, so that the player never waits for a file.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tracing::trace_span;

use super::Ended;
use super::clips::{ClipError, Clips};
use super::mixer::{Piece, Track};
use super::notes::Notes;
use super::player::{Command, Decoded};
use crate::board::input::AnnouncementId;
use crate::speech::{Part, Utterance};
use crate::trace::STAGE;

/// Announcements that may wait to be decoded.
const JOBS: usize = 64;
/// A sentence and the picture of its call come at the same instant, and on two processors the one waits for the other. The picture
/// goes first; of the sixty milliseconds that a call may take until it is heard this is a tenth.
const PICTURE_FIRST: Duration = Duration::from_millis(6);
/// Folder of the chimes below the sounds folder.
const CHIMES: &str = "chimes/";

pub(super) struct Job {
    /// Which opening of the card asks.
    pub opening: u64,
    pub line: usize,
    pub id: AnnouncementId,
    pub utterance: Arc<Utterance>,
    pub rate_hz: u32,
    pub reply: SyncSender<Command>,
}

pub(super) fn spawn(clips: Clips, notes: Notes, ended: Ended) -> io::Result<SyncSender<Job>> {
    let (sender, jobs) = sync_channel(JOBS);
    thread::Builder::new().name("decoder".into()).spawn(move || {
        let _ended = ended;
        run(clips, &jobs, &notes);
    })?;
    Ok(sender)
}

fn run(mut clips: Clips, jobs: &Receiver<Job>, notes: &Notes) {
    while let Ok(job) = jobs.recv() {
        thread::sleep(PICTURE_FIRST);
        let (track, whole) = decode(&mut clips, &job, notes);
        let decoded = Decoded { opening: job.opening, line: job.line, id: job.id, track, whole };
        // A player that has stopped needs no answer.
        let _ = job.reply.send(Command::Decoded(decoded));
    }
}

/// The whole announcement; or what is said instead of it, when a clip cannot be read; or at least its chime.
fn decode(clips: &mut Clips, job: &Job, notes: &Notes) -> (Option<Track>, bool) {
    if job.utterance.parts.is_empty() {
        return (None, false);
    }
    let _stage = trace_span!(target: STAGE, "clips").entered();
    match clips.track(job.id, &job.utterance, job.rate_hz) {
        Ok(track) => (Some(track), true),
        Err(error) => {
            tracing::error!(%error, sentence = job.utterance.text, "a clip cannot be played; the hall is told to look");
            notes.unsaid(error.to_string());
            let instead = Utterance { parts: job.utterance.instead.clone(), ..Utterance::default() };
            let track = clips.track(job.id, &instead, job.rate_hz);
            (track.ok().or_else(|| chime(clips, job).ok().flatten()), false)
        }
    }
}

fn chime(clips: &mut Clips, job: &Job) -> Result<Option<Track>, ClipError> {
    let first = job.utterance.parts.first();
    let Some(Part::Clip(clip)) =
        first.filter(|part| matches!(part, Part::Clip(c) if c.file.starts_with(CHIMES)))
    else {
        return Ok(None);
    };
    let sound = Piece::Sound(clips.get(clip, job.rate_hz)?);
    Ok(Some(Track { id: job.id, pieces: vec![sound] }))
}
