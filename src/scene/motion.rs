//! Motion as a function of time: where a thing that has just come is on its way to its place, and how a call breathes.
//! The layers of a scene are the picture at rest; what moves is told beside them, so that a step costs no new layout.
//!
//! Nothing is hidden or unreadable at any step. Steps are few, so that a PC without a GPU redraws little: thirty a
//! second while something slides, for a third of a second, and eight a second while a call breathes.

use std::ops::Range;

use super::canvas::Canvas;
use super::{Board, Colour, Image, Layer, Scene, Shape};
use crate::clock::Millis;
use crate::config::Motion;

/// How long a thing slides (BOARD rule: under 400 ms), and one step of it.
const SLIDE: Millis = Millis(330);
const SLIDE_STEP: Millis = Millis(33);
/// How far it slides across and down, at 1080 lines; less than the margins of the board and the gaps of its stack.
const ACROSS: f32 = 26.0;
const DOWN: f32 = 14.0;
/// How long one picture takes to give way to another, and one step of it.
const FADE: Millis = Millis(600);
const FADE_STEP: Millis = Millis(75);
/// One breath (BOARD rule: nothing flashes faster than 1 Hz), and one step of it.
const BREATH: Millis = Millis(1000);
const BREATH_STEP: Millis = Millis(125);
/// How far the box of a breathing call goes towards the call's colour, as far as the contrast allows.
const DEEP: [f32; 4] = [0.16, 0.12, 0.08, 0.04];
/// Contrast that text keeps at any step (BOARD rule).
const CONTRAST: f32 = 7.0;

/// Quads, images and texts of the first layer that move together.
#[derive(Clone, Debug, PartialEq)]
pub struct Moving {
    quads: Range<usize>,
    images: Range<usize>,
    texts: Range<usize>,
    since: Millis,
    end: Millis,
    way: Way,
}

#[derive(Clone, Debug, PartialEq)]
enum Way {
    /// How many pixels from its place it begins.
    Slide { x: f32, y: f32 },
    /// At the height of a breath: the colour of the boxes, and how far to the right the icons are.
    Breath { fill: Colour, x: f32 },
    /// The image that goes while the other one comes.
    Fade { out: Option<Image> },
}

/// Where a thing comes from.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum From {
    Left,
    Right,
    Above,
}

/// How much a canvas holds at some time.
#[derive(Copy, Clone, Debug)]
pub(super) struct Mark {
    quads: usize,
    images: usize,
    texts: usize,
}

pub(super) fn mark(canvas: &Canvas) -> Mark {
    let layer = &canvas.layer;
    Mark { quads: layer.quads.len(), images: layer.images.len(), texts: layer.texts.len() }
}

/// Lets all that was drawn after `mark` slide to its place, where it is to be a third of a second after `since`.
pub(super) fn slide(canvas: &mut Canvas, board: &Board<'_>, mark: Mark, since: Millis, from: From) {
    let px = board.px;
    let (x, y) = match from {
        From::Left => (-px.of(ACROSS), 0.0),
        From::Right => (px.of(ACROSS), 0.0),
        From::Above => (0.0, -px.of(DOWN)),
    };
    add(canvas, board, mark, [since, since + SLIDE], Way::Slide { x, y });
}

/// Lets the boxes drawn after `mark` go towards the call's colour and back once a second, and the icons `x` pixels to
/// the right, while the newest call has its dwell.
pub(super) fn breathe(canvas: &mut Canvas, board: &Board<'_>, mark: Mark, x: f32) {
    let theme = &board.look.theme;
    let Some(newest) = board.view.spotlight.first() else { return };
    let fill = deepest(theme.call_ink, theme.call);
    add(canvas, board, mark, [newest.since, newest.since + board.look.dwell], Way::Breath { fill, x });
}

/// Lets the images drawn after `mark` come into sight from `since` on, while `out`, if there is one, goes.
pub(super) fn fade(canvas: &mut Canvas, board: &Board<'_>, mark: Mark, since: Millis, out: Option<Image>) {
    add(canvas, board, mark, [since, since + FADE], Way::Fade { out });
}

fn add(canvas: &mut Canvas, board: &Board<'_>, mark: Mark, [since, end]: [Millis; 2], way: Way) {
    if board.look.motion == Motion::None || board.now.mono >= end {
        return;
    }
    let now = self::mark(canvas);
    let (quads, images, texts) = (mark.quads..now.quads, mark.images..now.images, mark.texts..now.texts);
    canvas.moving.push(Moving { quads, images, texts, since, end, way });
}

/// The ground of a breathing box at its height: `ink` is its colour at rest, `call` that of the text on it.
fn deepest(ink: Colour, call: Colour) -> Colour {
    let mixed = DEEP.map(|deep| ink.towards(call, deep));
    mixed.into_iter().find(|ground| ground.contrast(call) >= CONTRAST).unwrap_or(ink)
}

impl Scene {
    /// The picture with all that moves where it is at `mono`.
    pub fn moved(self, mono: Millis) -> Self {
        Self { layers: self.layers_at(mono), ..self }
    }

    /// The layers with all that moves where it is at `mono`.
    pub fn layers_at(&self, mono: Millis) -> Vec<Layer> {
        let mut layers = self.layers.clone();
        if let Some(layer) = layers.first_mut() {
            self.moving.iter().for_each(|moving| moving.apply(layer, mono));
        }
        layers
    }

    /// When something moves next after `mono`.
    pub fn next_step(&self, mono: Millis) -> Option<Millis> {
        self.moving.iter().filter_map(|moving| moving.next_step(mono)).min()
    }
}

impl Moving {
    fn apply(&self, layer: &mut Layer, mono: Millis) {
        let age = mono - self.since;
        if mono >= self.end || age < Millis::ZERO {
            return;
        }
        let (quads, texts) = (&mut layer.quads[self.quads.clone()], &mut layer.texts[self.texts.clone()]);
        match &self.way {
            Way::Slide { x, y } => {
                let left = way_left(age);
                let (x, y) = ((x * left).round(), (y * left).round());
                let rects =
                    quads.iter_mut().map(|q| &mut q.rect).chain(texts.iter_mut().map(|t| &mut t.rect));
                rects.for_each(|rect| (rect.x, rect.y) = (rect.x + x, rect.y + y));
            }
            Way::Breath { fill, x } => {
                let breath = breath(age);
                for quad in quads {
                    if quad.shape == Shape::Box {
                        quad.fill = quad.fill.towards(*fill, breath);
                    } else {
                        quad.rect.x += (x * breath).round();
                    }
                }
            }
            Way::Fade { out } => {
                let come = share(age, FADE, FADE_STEP);
                layer.images[self.images.clone()].iter_mut().for_each(|image| image.opacity = come);
                let out = out.iter().map(|image| Image { opacity: 1.0 - come, ..image.clone() });
                layer.images.splice(self.images.start..self.images.start, out);
            }
        }
    }

    /// The first step after `mono`, up to and with the one at the end.
    fn next_step(&self, mono: Millis) -> Option<Millis> {
        if mono >= self.end {
            return None;
        }
        let every = match self.way {
            Way::Slide { .. } => SLIDE_STEP,
            Way::Breath { .. } => BREATH_STEP,
            Way::Fade { .. } => FADE_STEP,
        };
        let steps = (mono - self.since).0.max(-1).div_euclid(every.0) + 1;
        Some((self.since + Millis(steps * every.0)).min(self.end))
    }
}

/// What is left of the way at an age, from 1 to 0: it comes quickly and settles slowly.
fn way_left(age: Millis) -> f32 {
    let left = 1.0 - share(age, SLIDE, SLIDE_STEP);
    left * left * left
}

/// How much of `whole` has passed at an age, in steps.
fn share(age: Millis, whole: Millis, step: Millis) -> f32 {
    (age.0 / step.0 * step.0) as f32 / whole.0 as f32
}

/// From 0 to 1 and back once a second.
fn breath(age: Millis) -> f32 {
    let step = age.0 % BREATH.0 / BREATH_STEP.0;
    let half = BREATH.0 / BREATH_STEP.0 / 2;
    (half - (step - half).abs()) as f32 / half as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::view::BoardView;
    use crate::clock::Now;
    use crate::config::Config;
    use crate::replay;
    use crate::scene::{Damage, Look, Rect, Size, Theme, compose, damage};

    const SIZE: Size = Size { w: 1920, h: 1080 };

    fn look(motion: Motion) -> Look {
        Look { motion, ..Look::of(&Config::default()) }
    }

    /// Calls of these milliseconds after 09:41:10, and the board at the last of them.
    fn called(calls: &[(&str, i64)]) -> (BoardView, Now) {
        let config = Config::default();
        let lines = calls.iter().zip(1..).map(|((ticket, ms), counter)| {
            let at = format!("2026-11-24T09:41:{:02}.{:03}+07:00", 10 + ms / 1000, ms % 1000);
            let payload = format!(
                r#"{{"id":"{ticket}","ticket":"{ticket}","counter":"{counter}","kind":"call","at":"{at}"}}"#
            );
            format!(r#"{{"t":"{at}","topic":"moiso/dong-da/call","payload":{payload}}}"#)
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        let events = replay::read(&text, &config.topic_prefix()).unwrap();
        let last = events.last().unwrap().at;
        let replay = replay::play(crate::board::Rules::of(&config), &events, last);
        (replay.board.view(replay.now), replay.now)
    }

    fn scene(view: &BoardView, motion: Motion, now: Now) -> Scene {
        compose(view, &look(motion), SIZE, now).moved(now.mono)
    }

    /// Where the number stands in the spotlight.
    fn number(scene: &Scene, ticket: &str) -> Rect {
        let texts = scene.layers.iter().flat_map(|layer| &layer.texts);
        texts.filter(|run| &*run.text == ticket).max_by(|a, b| a.size.total_cmp(&b.size)).unwrap().rect
    }

    #[test]
    fn a_new_call_is_readable_from_its_first_frame_and_at_rest_within_four_tenths_of_a_second() {
        let (view, now) = called(&[("A012", 0)]);
        let still = number(&scene(&view, Motion::None, now), "A012");
        let way = |ms: i64| still.x - number(&scene(&view, Motion::Calm, now.after(Millis(ms))), "A012").x;
        let ways: Vec<f32> = (0..=12).map(|n| way(n * 33)).collect();
        assert!(ways[0] > 10.0 && ways[0] < 40.0, "{ways:?}");
        assert!(ways.windows(2).all(|pair| pair[1] <= pair[0]), "it never turns back: {ways:?}");
        assert!(way(399).abs() < 0.1, "{ways:?}");
        assert!(ways.iter().all(|way| way.fract() == 0.0), "whole pixels keep the glyphs few: {ways:?}");
    }

    #[test]
    fn those_who_share_the_spotlight_ease_down_when_another_comes() {
        let (view, now) = called(&[("A012", 0), ("B108", 2000)]);
        let still = scene(&view, Motion::None, now);
        let first = scene(&view, Motion::Calm, now);
        let way = |ticket: &str| {
            let (from, to) = (number(&first, ticket), number(&still, ticket));
            (to.x - from.x, to.y - from.y)
        };
        assert_eq!((way("A012"), way("B108")), ((0.0, 14.0), (26.0, 0.0)));
        let rest = scene(&view, Motion::Calm, now.after(Millis(400)));
        assert_eq!(number(&rest, "A012"), number(&still, "A012"));
    }

    #[test]
    fn a_call_breathes_once_a_second_and_stands_still_after_its_dwell() {
        let (view, now) = called(&[("A012", 0)]);
        let calm = compose(&view, &look(Motion::Calm), SIZE, now);
        let mut at = now.mono;
        let mut steps = Vec::new();
        while let Some(next) = calm.next_step(at) {
            at = next;
            steps.push(at - now.mono);
        }
        assert_eq!(steps.last(), Some(&look(Motion::Calm).dwell));
        assert!(steps.len() < 85, "{} steps in eight seconds", steps.len());
        let light = |ms: i64| {
            let layers = calm.layers_at(now.mono + Millis(ms));
            let is_box = |q: &&crate::scene::Quad| q.rect.h > 130.0 && q.rect.h < 150.0 && q.rect.w > 600.0;
            layers[0].quads.iter().find(is_box).unwrap().fill.luminance()
        };
        assert!((light(1000) - light(2000)).abs() < 1e-6 && light(1500) > 1.5 * light(1000));
        let lights: Vec<f32> = (8..16).map(|n| light(n * 125)).collect();
        let turns = lights.windows(3).filter(|w| (w[1] - w[0]) * (w[2] - w[1]) < 0.0).count();
        assert_eq!(turns, 1, "up once and down once: {lights:?}");
    }

    #[test]
    fn a_step_of_a_breath_redraws_a_twentieth_of_the_picture_at_most() {
        let (view, now) = called(&[("A012", 0)]);
        let calm = compose(&view, &look(Motion::Calm), SIZE, now);
        let at = |ms: i64| Scene { layers: calm.layers_at(now.mono + Millis(ms)), ..calm.clone() };
        let share = |a: i64, b: i64| match damage(&at(a), &at(b)) {
            Damage::Parts(parts) => parts.iter().map(|r| r.w * r.h).sum::<f32>() / (1920.0 * 1080.0),
            other => panic!("{other:?}"),
        };
        assert!(share(1000, 1125) < 0.06, "{}", share(1000, 1125));
        assert!(share(0, 33) < 0.35, "a slide redraws the spotlight only: {}", share(0, 33));
    }

    #[test]
    fn nothing_moves_where_the_config_says_none() {
        let (view, now) = called(&[("A012", 0)]);
        let first = compose(&view, &look(Motion::None), SIZE, now);
        assert_eq!((first.next_step(now.mono), first.moving.len()), (None, 0));
        for ms in [33, 125, 500, 3_000] {
            assert_eq!(first.layers_at(now.mono + Millis(ms)), first.layers);
        }
    }

    #[test]
    fn at_rest_a_moving_board_is_the_same_as_one_that_never_moves() {
        let (view, now) = called(&[("A012", 0)]);
        let later = now.after(Millis(9_000));
        let [calm, still] = [Motion::Calm, Motion::None].map(|m| compose(&view, &look(m), SIZE, later));
        assert_eq!(calm, still);
        let calm = compose(&view, &look(Motion::Calm), SIZE, now);
        assert_eq!(calm.layers_at(later.mono), still.layers, "also one that was composed before");
    }

    #[test]
    fn the_counter_keeps_its_contrast_at_every_step_of_a_breath() {
        for name in Theme::NAMES {
            let theme = Theme::named(name).unwrap();
            let height = deepest(theme.call_ink, theme.call);
            assert_ne!(height, theme.call_ink, "{name} breathes");
            for step in 0..=4u8 {
                let ground = theme.call_ink.towards(height, f32::from(step) / 4.0);
                assert!(theme.call.contrast(ground) >= 7.0, "{name} at step {step}");
            }
        }
    }
}
