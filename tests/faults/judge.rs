//! The laws, and the figures of the table.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::Spell;
use crate::ear::Heard;
use crate::hall::{Figures, Hall};
use crate::ledger::{self, Ledger, Told};

/// What a card and its recorder still hold when the process is stopped or the card suspended, which comes out when that
/// ends, and what a process that wakes has handed over.
const FADES: Duration = Duration::from_millis(700);
/// Within this time of that end it comes out and is heard.
const RESUMES: Duration = Duration::from_secs(2);
/// Less may be the click of a card that two tones are seen in.
const CLICK: Duration = Duration::from_millis(120);
/// From a proof at the broker to its arrival at whoever is about to speak, and from there to its card.
const PROOF_TAKES: Duration = Duration::from_secs(3);
/// A screen that was cut off may be taken for gone this long, and what it began then is heard a while longer.
const UNKNOWN_FOR: Duration = Duration::from_secs(20);
/// Calls this long after a fault are counted with it: another screen has taken over by then.
const AFTERMATH: Duration = Duration::from_secs(20);
/// What a process that did its work may hold more than soon after its start.
const MORE_THREADS: i64 = 2;
const MORE_DESCRIPTORS: i64 = 8;
const MORE_KIB: i64 = 40 * 1024;

/// The figures of one kind of fault, or of all.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub times: usize,
    pub on_voice: usize,
    pub sent: usize,
    pub shown: usize,
    pub spoken: usize,
    /// Not heard, and the record says why.
    pub told_why: usize,
    pub lost: usize,
    /// Heard whole more than once, before the proof of the first time could be known.
    pub again: usize,
    /// Heard after its proof.
    pub twice: usize,
    /// From a call to its first sound.
    pub gap: Duration,
    /// From the mending to a screen that is linked, heard and keeps its journal.
    pub well_after: Duration,
    pub threads: i64,
    pub descriptors: i64,
    pub resident_kib: i64,
}

/// What became of one call.
#[derive(Copy, Clone, Debug, Default)]
struct Fate {
    shown: bool,
    told_why: bool,
    heard: usize,
    twice: bool,
    gap: Duration,
}

#[derive(Default)]
pub struct Report {
    pub rows: BTreeMap<&'static str, Row>,
    pub all: Row,
    /// How long each call waited for its first sound.
    pub gaps: Vec<Duration>,
    /// Calls that a screen's journal has not.
    pub unknown_to_one: usize,
    /// Two screens at once, one of which was cut off.
    pub overlaps: usize,
    /// Ends and starts of a process because of its display.
    pub ends: usize,
    pub wrong: Vec<String>,
}

impl Row {
    fn add(&mut self, fate: Fate) {
        self.sent += 1;
        self.shown += usize::from(fate.shown);
        self.spoken += usize::from(fate.heard > 0);
        self.told_why += usize::from(fate.heard == 0 && fate.told_why);
        self.lost += usize::from(fate.heard == 0 && !fate.told_why);
        self.again += usize::from(fate.heard > 1 && !fate.twice);
        self.twice += usize::from(fate.twice);
        self.gap = self.gap.max(fate.gap);
    }

    fn grow(&mut self, before: Figures, after: Figures) {
        if before.process == after.process {
            self.threads = self.threads.max(after.threads - before.threads);
            self.descriptors = self.descriptors.max(after.descriptors - before.descriptors);
            self.resident_kib = self.resident_kib.max(after.resident_kib - before.resident_kib);
        }
    }

    fn and(mut self, other: &Self) -> Self {
        self.times += other.times;
        self.on_voice += other.on_voice;
        self.sent += other.sent;
        self.shown += other.shown;
        self.spoken += other.spoken;
        self.told_why += other.told_why;
        self.lost += other.lost;
        self.again += other.again;
        self.twice += other.twice;
        self.gap = self.gap.max(other.gap);
        self.well_after = self.well_after.max(other.well_after);
        self.threads = self.threads.max(other.threads);
        self.descriptors = self.descriptors.max(other.descriptors);
        self.resident_kib = self.resident_kib.max(other.resident_kib);
        self
    }
}

impl Report {
    pub fn and(mut self, other: Self) -> Self {
        for (name, row) in &other.rows {
            let mine = self.rows.remove(name).unwrap_or_default();
            self.rows.insert(*name, mine.and(row));
        }
        self.all = self.all.and(&other.all);
        self.gaps.extend(other.gaps);
        self.unknown_to_one += other.unknown_to_one;
        self.overlaps += other.overlaps;
        self.ends += other.ends;
        self.wrong.extend(other.wrong);
        self
    }
}

pub fn judge(hall: &Hall, ledger: &Ledger, spells: &[Spell], first: &[Figures]) -> Report {
    let all = ledger::heard(hall);
    let published = ledger.told.lock().unwrap().clone();
    let kept = ledger::kept(hall);
    let mut report = Report { wrong: hall.wrong.clone(), ..Report::default() };
    let fates: Vec<Fate> = (0..ledger.sent.len())
        .map(|call| fate(call, hall, ledger, &all, &published, &kept, &mut report))
        .collect();
    for fate in &fates {
        report.all.add(*fate);
    }
    report.gaps = fates.iter().filter(|fate| fate.heard > 0).map(|fate| fate.gap).collect();
    for spell in spells {
        let until = spell.mended.unwrap_or(spell.mend_at) + AFTERMATH;
        let row = report.rows.entry(spell.fault.name).or_default();
        for (sent, fate) in ledger.sent.iter().zip(&fates) {
            if (spell.from..until).contains(&sent.at) {
                row.add(*fate);
            }
        }
        for row in [row, &mut report.all] {
            row.times += 1;
            row.on_voice += usize::from(spell.on_voice);
            if let (Some(mended), Some(well)) = (spell.mended, spell.well) {
                row.well_after = row.well_after.max(well - mended);
            }
            let figures = spell.before.iter().zip(spell.after.iter().flatten());
            figures.for_each(|(before, after)| {
                if let (Some(before), Some(after)) = (before, after) {
                    row.grow(*before, *after);
                }
            });
        }
        if spell.well.is_none() {
            report.wrong.push(format!("{:?} on {:?} was not recovered from", spell.fault, spell.screens));
        }
    }
    judge_overlaps(hall, &all, &mut report);
    judge_screens(hall, ledger, first, &mut report);
    report
}

fn fate(
    call: usize,
    hall: &Hall,
    ledger: &Ledger,
    all: &[(usize, Heard)],
    published: &[Told],
    kept: &[Told],
    report: &mut Report,
) -> Fate {
    let told: Vec<&Told> = published.iter().chain(kept).filter(|told| told.call == call).collect();
    let spoken = told.iter().filter(|told| told.outcome == "spoken");
    let proofs: Vec<(usize, Instant)> =
        spoken.clone().filter_map(|told| Some((hall.number_of(&told.screen)?, told.at?))).collect();
    let whole: Vec<&(usize, Heard)> =
        ledger.of_call(call, all).filter(|(_, heard)| heard.is_whole()).collect();
    let gap = whole.first().map(|(_, heard)| heard.from.saturating_duration_since(ledger.sent[call].at));
    let mut fate = Fate {
        // One that says it is old comes onto the board, not into the spotlight.
        shown: told.iter().any(|told| told.drawn || (told.outcome == "shown" && ledger.sent[call].says_old)),
        told_why: told.iter().any(|told| ledger.is_reason(told)),
        heard: whole.len(),
        twice: false,
        gap: gap.unwrap_or_default(),
    };
    for (screen, heard) in ledger.of_call(call, all) {
        let is_said = is_said(heard.from, heard.to, &hall.screens[*screen].resumed);
        // Two records of one call may have come over different brokers.
        let knew = |(prover, proven): &&(usize, Instant)| {
            let could_not = was_cut_off(hall, *screen, *proven, heard.from)
                || were_apart(hall, *prover, *screen, *proven, heard.from)
                || hall.screens[*screen].knew_nobody(heard.from, PROOF_TAKES)
                || (prover == screen && has_forgotten(hall, *screen, *proven, heard.from));
            heard.from > *proven + PROOF_TAKES && !could_not
        };
        if let Some((_, proven)) = proofs.iter().filter(knew).min_by_key(|(_, proven)| *proven)
            && is_said
        {
            fate.twice = true;
            let name = &hall.screens[*screen].name;
            let (after, long) = (heard.from - *proven, heard.to - heard.from);
            report.wrong.push(format!(
                "call {call} was said on {name} {after:?} after its proof, for {long:?}: {told:?}"
            ));
        }
    }
    if fate.heard == 0 && !fate.told_why {
        report.wrong.push(format!("call {call} was never heard: {told:?}"));
    }
    let says_so = |told: &&Told| match told.outcome.as_str() {
        "spoken" => true,
        "expired" | "muted" | "superseded" => told.begun,
        _ => false,
    };
    let is_told = told.iter().any(says_so);
    if fate.heard > 0 && !is_told {
        report.wrong.push(format!("call {call} was heard and nobody's record says so: {told:?}"));
    }
    // One that came to every screen after its counter had called a later ticket is listed, and may not stand before that one.
    let passed = !told.is_empty() && told.iter().all(|told| told.outcome == "superseded");
    // One that says that it is a day old may be taken for yesterday's, until the sender's clock is known.
    if !fate.shown && !ledger.sent[call].says_old && !passed {
        report.wrong.push(format!("call {call} was never drawn: {told:?}"));
    }
    for told in spoken {
        let screen = hall.number_of(&told.screen);
        if !whole.iter().any(|(heard_on, _)| Some(*heard_on) == screen) {
            let heard: Vec<_> = ledger.of_call(call, all).collect();
            report
                .wrong
                .push(format!("call {call} was not heard where its proof says it was: {told:?}, {heard:?}"));
        }
    }
    let unknown =
        hall.screens.iter().filter(|screen| kept.iter().all(|k| k.call != call || k.screen != screen.name));
    report.unknown_to_one += unknown.count();
    fate
}

/// Whether more was heard than what a card, or a process, that was stopped gave out when it went on.
fn is_said(from: Instant, to: Instant, resumed: &[Instant]) -> bool {
    let held = resumed.iter().any(|at| (*at..*at + RESUMES).contains(&from));
    to - from > if held { FADES } else { CLICK }
}

#[test]
fn what_a_card_held_is_no_second_time_only_when_it_has_just_gone_on() {
    let resumed = Instant::now();
    let heard = |after: Duration, long: u64| {
        let from = resumed + after;
        is_said(from, from + Duration::from_millis(long), &[resumed])
    };
    assert!(!heard(Duration::from_millis(100), 700) && heard(Duration::from_millis(100), 701));
    assert!(heard(RESUMES, 700) && heard(Duration::from_secs(60), 300), "nothing was held any more");
    assert!(!heard(RESUMES, 120), "a click");
    assert!(is_said(resumed, resumed + Duration::from_millis(300), &[]));
}

fn was_cut_off(hall: &Hall, screen: usize, from: Instant, to: Instant) -> bool {
    let cut = &hall.screens[screen].cut;
    cut.iter().any(|(began, ended)| *began <= to && ended.is_none_or(|ended| ended >= from))
}

/// Whether what one said then could not have come to the other by a later time: they were at two brokers whose bridge was
/// down.
fn were_apart(hall: &Hall, one: usize, other: usize, from: Instant, to: Instant) -> bool {
    let broker = |screen: usize| hall.screens[screen].broker_at(from);
    let apart = |(one, other)| one != other;
    broker(one).zip(broker(other)).is_some_and(apart) && hall.bridge.was_down(from, to, PROOF_TAKES)
}

/// Whether what it knew then was not written when it was killed, and nobody was there to tell it since.
fn has_forgotten(hall: &Hall, screen: usize, proven: Instant, from: Instant) -> bool {
    let own = &hall.screens[screen];
    let lost = own.forgotten.iter().find(|(full, killed)| (*full..*killed).contains(&proven));
    lost.is_some_and(|(_, killed)| {
        let mut others = hall.screens.iter().filter(|other| other.name != own.name);
        !others.any(|other| own.met(other, *killed, from, PROOF_TAKES))
    })
}

fn judge_overlaps(hall: &Hall, all: &[(usize, Heard)], report: &mut Report) {
    for (index, (screen, first)) in all.iter().enumerate() {
        for (other, second) in all[index + 1..].iter().take_while(|(_, second)| second.from < first.to) {
            let overlap = first.to.min(second.to).saturating_duration_since(second.from);
            if screen == other || overlap <= FADES {
                continue;
            }
            let since = second.from.checked_sub(UNKNOWN_FOR).unwrap_or(second.from);
            let knew_nobody = |screen: &usize| hall.screens[*screen].knew_nobody(second.from, PROOF_TAKES);
            if [screen, other].iter().any(|screen| was_cut_off(hall, **screen, since, second.from))
                || [screen, other].iter().any(|screen| knew_nobody(screen))
                || were_apart(hall, *screen, *other, second.from, second.from)
            {
                report.overlaps += 1;
            } else {
                let tickets = (first.ticket, second.ticket);
                report
                    .wrong
                    .push(format!("{tickets:?} sounded at once on {screen} and {other} for {overlap:?}"));
            }
        }
    }
}

fn judge_screens(hall: &Hall, ledger: &Ledger, first: &[Figures], report: &mut Report) {
    let expected = ledger::last_tickets(&ledger.sent);
    for screen in &hall.screens {
        let name = &screen.name;
        report.ends += screen.ends;
        let log = screen.log();
        for line in log.lines().filter(|line| line.contains("panicked") || line.contains("a part has ended"))
        {
            report.wrong.push(format!("{name}: {line}"));
        }
        // Xlib's own words, and winit's.
        let told = log.matches("X connection to").count() + log.matches("the display is gone").count();
        let told = told + log.matches("XIO:  fatal IO error").count();
        if told < screen.ends {
            report.wrong.push(format!(
                "{name} ended with its display {} times and says so {told} times",
                screen.ends
            ));
        }
        let view = screen.ask("/api/view");
        let shown: BTreeMap<String, String> = view["counters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|counter| {
                let ticket = counter["ticket"].as_str()?.to_owned();
                Some((counter["counter"].as_str()?.to_owned(), ticket))
            })
            .collect();
        if shown != expected {
            report.wrong.push(format!("{name} shows {shown:?}, not {expected:?}"));
        }
        let Some(now) = screen.figures() else { continue };
        let Some(first) = first.iter().find(|first| first.process == now.process) else { continue };
        let grown = (
            now.threads - first.threads,
            now.descriptors - first.descriptors,
            now.resident_kib - first.resident_kib,
        );
        if grown.0 > MORE_THREADS || grown.1 > MORE_DESCRIPTORS || grown.2 > MORE_KIB {
            report
                .wrong
                .push(format!("{name} holds more than at its start, threads, descriptors, KiB: {grown:?}"));
        }
    }
}
