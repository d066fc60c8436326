//! Halls of one or three daemons with real brokers and recorded sound cards, in which everything breaks that can: processes,
//! cables, brokers, disks, sound cards, a display server, clocks. Whatever happens, every call is shown and heard, none is
//! heard again after its proof, no two screens talk at once, and no process holds more than before.
//!
//! By default every hall gets its faults once. `FAULTS=500 cargo test --test faults -- --ignored --nocapture hundreds` runs long, in
//! `FAULTS_HALLS` halls at once (4), and writes the table of docs/faults.md to the file that `FAULTS_TABLE` names.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bridge;
mod ear;
mod fault;
mod hall;
mod judge;
mod ledger;
#[path = "../support/proxy.rs"]
mod proxy;
#[path = "../support/mod.rs"]
mod support;
mod table;
#[path = "../glass/xvfb.rs"]
#[allow(dead_code, reason = "the tests of the window use the rest")]
mod xvfb;

use std::time::{Duration, Instant};

use ear::TICKETS;
use fault::{Fault, Hits, Kind, ONE_SCREEN, THREE_SCREENS, TWO_BROKERS, WRONG_CLOCK};
use hall::{Figures, Hall, Plan};
use judge::Report;
use ledger::Ledger;

/// A process holds what it needs this long after it has recovered.
const SETTLES: Duration = Duration::from_secs(5);
/// A client that was thrown out again and again waits up to two minutes.
const RECOVERS_WITHIN: Duration = Duration::from_secs(180);

/// Numbers that look random and are the same each time.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

/// A line of the run's own log, in the time of the logs of the daemons.
pub fn tell(what: &str) {
    eprintln!("{:.6} {}: {what}", jiff::Timestamp::now(), std::thread::current().name().unwrap_or(""));
}

/// One fault, from its beginning until all is well again.
pub struct Spell {
    fault: &'static Fault,
    /// Whom it hits.
    screens: Vec<usize>,
    /// Those of them that have not recovered.
    ill: Vec<usize>,
    /// The first of them spoke.
    on_voice: bool,
    from: Instant,
    turn_at: Option<Instant>,
    mend_at: Instant,
    mended: Option<Instant>,
    well: Option<Instant>,
    before: Vec<Option<Figures>>,
    after: Option<Vec<Option<Figures>>>,
}

impl Spell {
    fn is_over(&self) -> bool {
        self.well.is_some()
    }
}

/// Faults in the order in which they are to come.
struct Deck {
    faults: Vec<&'static Fault>,
    left: Vec<&'static Fault>,
    /// Each as often as its share, in any order; else each once, in this one.
    long: bool,
}

impl Deck {
    fn refill(&mut self, dice: &mut Dice) {
        if !self.left.is_empty() {
            return;
        }
        let times = |fault: &Fault| if self.long { fault.share } else { 1 };
        self.left = self.faults.iter().flat_map(|fault| std::iter::repeat_n(*fault, times(fault))).collect();
        if self.long {
            for place in (1..self.left.len()).rev() {
                self.left.swap(place, dice.roll(place as u64 + 1) as usize);
            }
        }
    }
}

struct Run {
    hall: Hall,
    dice: Dice,
    deck: Deck,
    spells: Vec<Spell>,
    ledger: Ledger,
    /// Of each process, when it was first measured.
    first: Vec<Figures>,
}

impl Run {
    fn start(seed: u64, kind: &Kind, long: bool) -> Self {
        let Kind { screens, brokers, faults } = *kind;
        let display = faults.iter().any(|fault| fault.hits == Hits::Display);
        let hall = Hall::start(Plan { screens, tickets: TICKETS - 1, brokers, display });
        hall.until_one_speaks(Duration::from_secs(90));
        let ledger = Ledger::open(&hall);
        // The records of the ledger are in this time.
        tell(&format!("it is {:?}", Instant::now()));
        let deck = Deck { faults: faults.to_vec(), left: Vec::new(), long };
        Self { hall, dice: Dice::new(seed), deck, spells: Vec::new(), ledger, first: Vec::new() }
    }

    /// Faults one after the other, about `apart`; returns when all are mended and everything has been said.
    fn run(&mut self, faults: usize, apart: Duration) {
        let mut next_call = Instant::now();
        // Processes are measured before the first fault.
        let mut next_fault = Instant::now() + Duration::from_secs(16);
        let is_lost = |spell: &Spell| {
            spell.well.is_none() && spell.mended.is_some_and(|at| at.elapsed() > RECOVERS_WITHIN)
        };
        // What never recovers is judged, and nothing more is broken.
        while self.spells.len() < faults && !self.spells.iter().any(is_lost) {
            let now = Instant::now();
            if now >= next_call {
                self.ledger.call(&self.hall);
                next_call = now + Duration::from_millis(3_300 + self.dice.roll(2_400));
            }
            if now >= next_fault && self.fault() {
                next_fault =
                    now + apart / 2 + Duration::from_millis(self.dice.roll(apart.as_millis() as u64));
            }
            self.step();
        }
        let waits = Instant::now();
        while self.spells.iter().any(|spell| !spell.is_over()) && waits.elapsed() < RECOVERS_WITHIN {
            if Instant::now() >= next_call {
                self.ledger.call(&self.hall);
                next_call = Instant::now() + Duration::from_secs(4);
            }
            self.step();
        }
        let waits = Instant::now();
        while waits.elapsed() < ledger::SAID_WITHIN && !self.ledger.is_all_told(&self.hall) {
            self.step();
        }
        let settles = Instant::now();
        while settles.elapsed() < SETTLES + Duration::from_secs(1) {
            self.step();
        }
    }

    fn step(&mut self) {
        self.hall.tend();
        self.measure();
        self.turn_and_mend();
        std::thread::sleep(Duration::from_millis(50));
    }

    /// Begins the next fault that suits; false when none does now.
    fn fault(&mut self) -> bool {
        self.deck.refill(&mut self.dice);
        let voice = self.hall.voice();
        // Mostly the one that speaks.
        let number = self.hall.screens.len();
        let any = self.dice.roll(number as u64) as usize;
        let preferred = voice.filter(|_| self.dice.roll(3) > 0).unwrap_or(any);
        let choices: Vec<usize> = (0..number).map(|n| (preferred + n) % number).collect();
        let found = self.deck.left.iter().enumerate().find_map(|(place, fault)| {
            let screen = choices.iter().find(|screen| self.suits(fault, **screen))?;
            Some((place, *screen))
        });
        let Some((place, screen)) = found else { return false };
        let fault = self.deck.left.remove(place);
        let screens: Vec<usize> = if fault.hits == Hits::Hall { (0..number).collect() } else { vec![screen] };
        let before = screens.iter().map(|screen| self.hall.screens[*screen].figures()).collect();
        let (shortest, longest) = fault.span_ms;
        let span = Duration::from_millis(shortest + self.dice.roll(longest - shortest));
        let from = Instant::now();
        tell(&format!("{} {fault:?} on {screens:?}, voice {voice:?}, for {span:?}", self.spells.len()));
        (fault.begin)(&mut self.hall, screen, &mut self.dice);
        if fault.hits != Hits::Hall {
            self.hall.screens[screen].trouble = Some(fault);
        }
        if fault.hits == Hits::Link {
            self.hall.screens[screen].is_cut_off();
        }
        self.spells.push(Spell {
            fault,
            on_voice: voice.is_some_and(|voice| fault.hits != Hits::Hall && voice == screen),
            ill: screens.clone(),
            screens,
            from,
            turn_at: fault.turn.map(|_| from + span / 2),
            mend_at: from + span,
            mended: None,
            well: None,
            before,
            after: None,
        });
        true
    }

    /// Whether a fault hits what is well, and leaves a screen that can speak where there are several.
    fn suits(&self, fault: &Fault, screen: usize) -> bool {
        let screens = &self.hall.screens;
        let mut hall_faults = self.spells.iter().filter(|spell| spell.fault.hits == Hits::Hall);
        let is_mended = hall_faults.clone().all(|spell| spell.mended.is_some());
        // A broker that dies with its store before anybody has fetched what it took loses that; and a screen with a fault
        // of its own may not have come back from the last one.
        let is_well = hall_faults.all(Spell::is_over) && screens.iter().any(hall::Screen::is_well);
        let mut others = screens.iter().enumerate().filter(|(other, _)| *other != screen);
        let others = screens.len() == 1 || others.any(|(_, other)| other.can_speak());
        match fault.hits {
            Hits::Hall => is_well && others,
            Hits::Display => screen == 0 && screens[0].is_well() && others,
            Hits::Aside => screens[screen].is_well(),
            Hits::Link => is_mended && screens[screen].is_well() && others,
            Hits::Voice => screens[screen].is_well() && others,
        }
    }

    fn turn_and_mend(&mut self) {
        let now = Instant::now();
        for spell in &mut self.spells {
            let screen = spell.screens[0];
            if let (Some(turn), Some(_)) = (spell.fault.turn, spell.turn_at.take_if(|at| *at <= now)) {
                turn(&mut self.hall, screen);
            }
            if spell.mended.is_none() && spell.mend_at <= now {
                (spell.fault.mend)(&mut self.hall, screen);
                tell(&format!("{:?} on {:?} is mended", spell.fault, spell.screens));
                spell.mended = Some(Instant::now());
            }
            if let (Some(mended), None) = (spell.mended, spell.well) {
                let hall_wide = spell.fault.hits == Hits::Hall;
                let Self { hall, .. } = self;
                // Who has a fault of its own besides has its own time.
                let has_own =
                    |hall: &Hall, screen: usize| hall_wide && hall.screens[screen].trouble.is_some();
                spell.ill.retain(|screen| !has_own(hall, *screen) && !hall.has_recovered(*screen, mended));
                if spell.ill.is_empty() {
                    tell(&format!("{:?} on {:?} is over", spell.fault, spell.screens));
                    spell.well = Some(Instant::now());
                    if !hall_wide {
                        hall.screens[screen].trouble = None;
                    }
                }
            }
            if spell.after.is_none() && spell.well.is_some_and(|well| well + SETTLES <= now) {
                let figures = |screen: &usize| self.hall.screens[*screen].figures();
                spell.after = Some(spell.screens.iter().map(figures).collect());
            }
        }
    }

    /// Keeps the first figures of every process, when it has all that it needs: without its card it holds less.
    fn measure(&mut self) {
        for screen in self.hall.screens.iter().filter(|screen| screen.is_well()) {
            if screen.id().is_some_and(|id| self.first.iter().all(|first| first.process != id)) {
                self.first.extend(screen.figures());
            }
        }
    }

    fn judge(&self) -> Report {
        judge::judge(&self.hall, &self.ledger, &self.spells, &self.first)
    }
}

fn hall(seed: u64, kind: &Kind, faults: usize, apart: Duration, long: bool) -> Report {
    let mut run = Run::start(seed, kind, long);
    run.run(faults, apart);
    let report = run.judge();
    if !report.wrong.is_empty() {
        eprintln!("{}", run.hall.logs());
    }
    report
}

fn accept(report: &Report) {
    println!("{}", table::of(report));
    assert!(report.wrong.is_empty(), "{:#?}", report.wrong);
    assert!(report.all.sent > 0 && report.all.spoken > 0, "nothing was called");
}

/// Halls that are broken at the same time.
fn together(
    halls: impl IntoIterator<Item = (u64, &'static Kind, usize)>,
    apart: Duration,
    long: bool,
) -> Report {
    let one = |(n, (seed, kind, faults))| {
        let named = std::thread::Builder::new().name(format!("hall {n}"));
        named.spawn(move || hall(seed, kind, faults, apart, long)).unwrap()
    };
    let threads: Vec<_> = halls.into_iter().enumerate().map(one).collect();
    let reports = threads.into_iter().map(|thread| thread.join().unwrap());
    reports.reduce(Report::and).expect("a hall")
}

#[test]
fn every_call_is_shown_and_heard_and_none_twice_when_everything_breaks_once() {
    let kinds = [
        (0x9e37_79b9_7f4a_7c15, &THREE_SCREENS),
        (0x94d0_49bb_1331_11eb, &TWO_BROKERS),
        (0xbf58_476d_1ce4_e5b9, &ONE_SCREEN),
        (0xd6e8_feb8_6659_fd93, &WRONG_CLOCK),
    ];
    let halls = kinds.map(|(seed, kind)| (seed, kind, kind.faults.len()));
    accept(&together(halls, Duration::from_secs(8), false));
}

#[test]
#[ignore = "runs long: FAULTS=500 cargo test --test faults -- --ignored --nocapture hundreds"]
fn the_same_for_hundreds_of_faults() {
    let number =
        |name: &str, default: usize| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (faults, halls) = (number("FAULTS", 500), number("FAULTS_HALLS", 4));
    let began = Instant::now();
    let kinds = [&THREE_SCREENS, &TWO_BROKERS, &THREE_SCREENS, &ONE_SCREEN];
    let each = |n: usize| faults / halls + usize::from(n < faults % halls);
    let seed = |n: usize| 0x2545_f491_4f6c_dd1d ^ (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let all = (0..halls).map(|n| (seed(n), kinds[n % kinds.len()], each(n)));
    let all = all.chain([(seed(halls), &WRONG_CLOCK, 4)]);
    let report = together(all, Duration::from_secs(6), true);
    if let Some(file) = std::env::var_os("FAULTS_TABLE") {
        std::fs::write(file, table::page(&report, halls + 1, began.elapsed())).unwrap();
    }
    accept(&report);
}
