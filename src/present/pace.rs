//! How the ticker moves: by equal steps of whole pixels, so that the eye sees no judder. Pure.

use crate::clock::Millis;

/// A speed as whole pixels a step, and steps at a rate that no frame limit is below.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    px_s: u32,
    /// Pixels a step.
    step_px: u32,
}

impl Pace {
    /// The pace of `px_s` pixels a second with at most `max_fps` steps a second; none when it stands still.
    pub fn new(px_s: u32, max_fps: u32) -> Option<Self> {
        (px_s > 0).then(|| Self { px_s, step_px: px_s.div_ceil(max_fps.max(1)) })
    }

    pub fn step_px(self) -> u32 {
        self.step_px
    }

    /// When the last step up to `now` was due: the time that the line's place is taken from.
    pub fn last_step(self, now: Millis) -> Millis {
        self.due(self.steps_at(now))
    }

    /// When the step after `now` is due.
    pub fn next_step(self, now: Millis) -> Millis {
        self.due(self.steps_at(now) + 1)
    }

    fn steps_at(self, now: Millis) -> i64 {
        (now.0 * i64::from(self.px_s)).div_euclid(self.px_ms_of_a_step())
    }

    /// The first millisecond in which the line has made this many steps.
    fn due(self, steps: i64) -> Millis {
        let px_s = i64::from(self.px_s);
        Millis((steps * self.px_ms_of_a_step() + px_s - 1).div_euclid(px_s))
    }

    /// Pixels a second times milliseconds: a thousand for each pixel.
    fn px_ms_of_a_step(self) -> i64 {
        1000 * i64::from(self.step_px)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Where the moving line is: its own rule, whole pixels since the start of the clock.
    fn place(px_s: u32, at: Millis) -> i64 {
        (at.0 * i64::from(px_s)).div_euclid(1000)
    }

    #[test]
    fn the_usual_speed_is_two_pixels_a_sixtieth_of_a_second() {
        let pace = Pace::new(120, 60).unwrap();
        let (mut now, mut due) = (Millis::ZERO, Vec::new());
        for _ in 0..6 {
            let next = pace.next_step(now);
            assert_eq!(place(120, next) - place(120, now), 2);
            now = next;
            due.push(now.0);
        }
        assert_eq!(due, [17, 34, 50, 67, 84, 100]);
        assert_eq!(pace.last_step(Millis(83)), Millis(67));
    }

    #[test]
    fn a_ticker_without_speed_stands_still() {
        assert_eq!(Pace::new(0, 60), None);
    }

    proptest! {
        /// However late a picture is drawn, it shows the line less than a step from where it should be then: what is late
        /// never adds up.
        #[test]
        fn a_picture_that_is_drawn_at_any_time_has_the_line_within_one_step_of_its_place(
            px_s in 1u32..1000, fps in 1u32..240, at in 0i64..1_000_000_000,
        ) {
            let pace = Pace::new(px_s, fps).unwrap();
            let ideal_mpx = at * i64::from(px_s);
            let away_mpx = ideal_mpx - 1000 * place(px_s, pace.last_step(Millis(at)));
            prop_assert!((0..1000 * i64::from(pace.step_px)).contains(&away_mpx), "{away_mpx} mpx");
        }

        #[test]
        fn steps_are_equal_keep_the_speed_and_stay_below_the_frame_limit(
            px_s in 1u32..1000, fps in 1u32..240, start in 0i64..1_000_000_000,
        ) {
            let pace = Pace::new(px_s, fps).unwrap();
            let first = pace.next_step(Millis(start));
            prop_assert!(first.0 > start);
            let (mut now, mut steps) = (first, 0u64);
            while now.0 < first.0 + 3000 {
                let next = pace.next_step(now);
                prop_assert_eq!(pace.last_step(next), next);
                prop_assert_eq!(place(px_s, next) - place(px_s, now), i64::from(pace.step_px));
                (now, steps) = (next, steps + 1);
            }
            let span_s = (now - first).as_secs_f64();
            prop_assert!(steps as f64 <= f64::from(fps) * span_s + 1.0);
        }
    }
}
