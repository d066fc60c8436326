//! What a call event does to every part of the board. Each event is taken once; one that is refused changes no picture:
//! one that came too late is remembered, and tells of the clocks.

use jiff::Timestamp;

use super::Board;
use super::call::{Call, Kind};
use super::cell::Standing;
use super::day::told;
use super::input::{IgnoreReason, Outcome};
use super::zone::Proof;
use crate::clock::Now;

/// How an event comes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Way {
    /// From the queue system.
    Live,
    /// From an earlier life of the process, or from another screen, perhaps after what came later; a proven one is over,
    /// but for what holds the spotlight if it has not been drawn there.
    Retold { proven: bool, drawn: bool },
}

impl Board {
    /// A call event. One of yesterday does not count, because ticket numbers begin anew, and its record says so: its
    /// sender's date may be wrong. On a settled link what comes is live, and then it is this screen's date that is wrong.
    pub(super) fn take_call(&mut self, now: Now, mut call: Call) -> Result<Vec<Proof>, IgnoreReason> {
        if self.ledger.knows(&call.id) {
            return Err(IgnoreReason::Duplicate);
        }
        self.link.keep_pace(call.at, self.fresh, now);
        if !self.is_of_today(call.at, now) && !self.link.is_settled(now) {
            if !call.kind.summons() {
                return Err(IgnoreReason::Stale);
            }
            self.ledger.remember(call.id.clone(), now.mono);
            return Ok(vec![(call.id, Outcome::Expired)]);
        }
        call.holder.take_if(|_| !self.show_holder);
        self.link.compare_clocks(call.at, self.fresh, now);
        self.carry_out(now, call, Way::Live)
    }

    /// A call that an earlier life of the process took, told at the start in the order of its coming: the counters and
    /// lists are as they were, a young call that was not proven is announced as if it came now, and one that was not
    /// drawn comes into the spotlight: it may have been said while the glass was dark.
    pub(super) fn take_kept(
        &mut self,
        now: Now,
        call: Call,
        proven: bool,
        drawn: bool,
    ) -> Result<Vec<Proof>, IgnoreReason> {
        if self.ledger.knows(&call.id) {
            return Err(IgnoreReason::Duplicate);
        }
        if !self.is_of_today(call.at, now) {
            self.ledger.remember(call.id.clone(), now.mono);
            // Yesterday's calls are over, and the record of each still has to say how it ended.
            let unproven = !proven && call.kind.summons();
            return if unproven { Ok(vec![(call.id, Outcome::Shown)]) } else { Err(IgnoreReason::Stale) };
        }
        self.carry_out(now, call, Way::Retold { proven, drawn })
    }

    /// A call that another screen has taken and this one may not have: as one of an earlier life.
    pub(super) fn take_told(&mut self, now: Now, call: Call) -> Result<Vec<Proof>, IgnoreReason> {
        let proven = !self.is_young(&call, now) || !self.is_of_today(call.at, now);
        self.take_kept(now, call, proven, proven)
    }

    /// Whether what is told at `at`, by the queue system's clock, is of this screen's today.
    pub(super) fn is_of_today(&self, at: Timestamp, now: Now) -> bool {
        self.day.counts(self.link.by_this_clock(at, now), now)
    }

    /// Whether a call would be announced, if it came now and nobody had said it.
    pub fn is_young(&self, call: &Call, now: Now) -> bool {
        self.link.age_of(call.at, now) <= self.fresh
    }

    fn carry_out(&mut self, now: Now, call: Call, way: Way) -> Result<Vec<Proof>, IgnoreReason> {
        let taken = match call.kind {
            Kind::Call | Kind::Recall | Kind::Transfer => self.summon(now, &call, way),
            Kind::Serving => self.serve(now, &call),
            Kind::Absent => self.miss(now, &call),
            Kind::Cancel => self.cancel(now, &call),
        };
        match taken {
            Ok(_) => self.events.add(&call, self.lanes.said_elsewhere(&call.id).into_iter().flatten()),
            // What came too late once did so for good, though what it came after may be forgotten when it comes again.
            Err(IgnoreReason::Stale) => {}
            Err(reason) => return Err(reason),
        }
        self.ledger.remember(call.id, now.mono);
        taken
    }

    /// A ticket is asked to a counter. A call that its counter has already passed is listed by its time and no more:
    /// it must not come before the later ticket, and its proof says so. One whose end is known is over before it began.
    fn summon(&mut self, now: Now, call: &Call, way: Way) -> Result<Vec<Proof>, IgnoreReason> {
        let proven = matches!(way, Way::Retold { proven: true, .. });
        let undrawn = matches!(way, Way::Retold { drawn: false, .. });
        let age = self.link.age_of(call.at, now);
        let young = self.is_young(call, now);
        let standing = self.counters.call(call, young && self.link.is_settled(now), now)?;
        if standing == Standing::Ended && proven {
            return Ok(Vec::new());
        }
        if standing == Standing::Ended {
            return Ok(vec![(call.id.clone(), Outcome::Superseded)]);
        }
        self.tally.shown += u64::from(!proven);
        let counts = standing == Standing::Current && young;
        let live = counts && !proven;
        let mut proofs = Vec::new();
        if call.kind == Kind::Transfer && standing == Standing::Current {
            proofs = self.redirect(now, call);
        }
        self.missed.remove(call);
        self.queues.answer(call);
        self.recent.add(call, told(call.at, now), live && way == Way::Live);
        if counts && (!proven || undrawn) {
            let drawn = matches!(way, Way::Retold { drawn: true, .. });
            self.spotlight.enter(call, drawn, now);
        }
        if live {
            self.day.called(now);
            proofs.extend(self.lanes.call(call, age, now.mono));
        } else if !proven {
            let outcome = if young { Outcome::Superseded } else { Outcome::Shown };
            proofs.push((call.id.clone(), outcome));
        }
        Ok(proofs)
    }

    /// The ticket moved: nothing may send its holder to the old counter any more.
    fn redirect(&mut self, now: Now, call: &Call) -> Vec<Proof> {
        self.counters.redirect(call, now);
        self.spotlight.redirect(call);
        self.recent.redirect(call);
        self.lanes.redirect(call)
    }

    /// The citizen came.
    fn serve(&mut self, now: Now, call: &Call) -> Result<Vec<Proof>, IgnoreReason> {
        self.counters.serve(call, now)?;
        self.spotlight.served(call);
        self.missed.remove(call);
        self.queues.answer(call);
        Ok(self.lanes.withdraw(call))
    }

    /// Nobody came.
    fn miss(&mut self, now: Now, call: &Call) -> Result<Vec<Proof>, IgnoreReason> {
        self.counters.miss(call, now)?;
        self.spotlight.absent(call);
        self.missed.add(call, told(call.at, now));
        Ok(self.lanes.withdraw(call))
    }

    /// The call was a mistake: every trace of it goes.
    fn cancel(&mut self, now: Now, call: &Call) -> Result<Vec<Proof>, IgnoreReason> {
        self.counters.cancel(call, now)?;
        self.spotlight.cancel(call);
        self.recent.remove(call);
        self.missed.remove(call);
        self.queues.answer(call);
        Ok(self.lanes.withdraw(call))
    }
}
