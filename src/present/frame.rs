//! The whole picture in memory, drawn by the processor: only what changed is drawn, and the moving line is copied from
//! what was drawn before.

use tracing::trace_span;

use super::line::Line;
use crate::gpu::Picture;
use crate::raster::{self, Area, Raster};
use crate::scene::{Damage, Scene, Size, damage, damage_but_line};
use crate::trace::STAGE;

/// Who draws, where a device would be named.
pub(super) const INFO: &str = "none, the processor draws";

#[derive(Default)]
pub(super) struct Frame {
    raster: Raster,
    line: Option<Line>,
    /// How far the line in the frame has moved.
    offset: Option<u32>,
    /// Rows of words as a display wants them.
    pixels: Vec<u32>,
    /// What the pixels show, with a line that is copied at its beginning.
    scene: Option<Scene>,
    /// Where the pixels have changed since they were taken.
    changed: Vec<Area>,
}

impl Frame {
    pub fn raster(&mut self) -> &mut Raster {
        &mut self.raster
    }

    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Where it has changed since the last time; `areas` is emptied and takes its place.
    pub fn take_changed(&mut self, areas: &mut Vec<Area>) {
        areas.clear();
        std::mem::swap(&mut self.changed, areas);
    }

    /// The whole picture with this scene on it.
    pub fn picture(&mut self, scene: &Scene) -> Picture {
        self.update(scene);
        raster::picture(&self.pixels, scene.size)
    }

    /// Brings the pixels up to date.
    pub fn update(&mut self, scene: &Scene) {
        let Size { w, h } = scene.size;
        if self.scene.as_ref().is_none_or(|old| old.size != scene.size) {
            self.pixels = vec![0; w as usize * h as usize];
            self.scene = None;
            self.changed.clear();
        }
        if !self.line.as_ref().is_some_and(|line| line.is_of(scene)) {
            self.change_line(scene);
        }
        let differs = if self.line.is_some() { damage_but_line } else { damage };
        let parts = match self.scene.as_ref().map_or(Damage::All, |old| differs(old, scene)) {
            Damage::Nothing => Vec::new(),
            Damage::Parts(parts) => {
                let parts = parts.into_iter().map(|part| Area::within(part, scene.size));
                parts.filter(|area| area.w > 0 && area.h > 0).collect()
            }
            Damage::All => vec![Area::all(scene.size)],
        };
        if !parts.is_empty() {
            self.redraw(scene, parts);
        }
        self.copy_line(scene);
    }

    fn change_line(&mut self, scene: &Scene) {
        let copied = self.line.take().is_some();
        self.line = Line::of(scene, &mut self.raster);
        self.offset = None;
        if copied && self.line.is_none() {
            // The pixels have the line where it was copied to, and not where the scene has it.
            self.scene = None;
        }
    }

    fn redraw(&mut self, scene: &Scene, parts: Vec<Area>) {
        let pixels = || parts.iter().map(|area| area.w * area.h).sum::<u32>();
        let _stage = trace_span!(target: STAGE, "draw", pixels = pixels()).entered();
        let mut scene = scene.clone();
        let strip = scene.strip.take_if(|_| self.line.is_some());
        self.raster.draw(&scene, &parts, &mut self.pixels);
        if let Some(mut strip) = strip {
            strip.offset = 0;
            scene.strip = Some(strip);
        }
        self.scene = Some(scene);
        self.changed.extend(parts);
    }

    /// Copies the line to where it is now, if it moved or was drawn over.
    fn copy_line(&mut self, scene: &Scene) {
        let (Some(line), Some(strip)) = (&self.line, &scene.strip) else { return };
        let place = Area::within(strip.rect, scene.size);
        if self.offset == Some(strip.offset) && !self.changed.iter().any(|area| area.meets(place)) {
            return;
        }
        self.offset = Some(strip.offset);
        self.changed.push(line.copy(strip.offset, &mut self.pixels, scene.size));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Rules;
    use crate::clock::{Millis, Now};
    use crate::config::Config;
    use crate::replay;
    use crate::scene::{Look, compose};

    const SIZE: Size = Size { w: 640, h: 360 };

    /// What a board with three calls shows so many milliseconds after the first.
    fn scene_at(ms: i64) -> Scene {
        let config = Config::default();
        let call = |ms: i64, ticket: &str, counter: u8| {
            let at = format!("2026-11-24T09:41:{:02}.{:03}+07:00", 10 + ms / 1000, ms % 1000);
            let call = format!(
                r#"{{"id":"{ticket}","ticket":"{ticket}","counter":"{counter}","kind":"call","at":"{at}"}}"#
            );
            (ms, format!(r#"{{"t":"{at}","topic":"moiso/dong-da/call","payload":{call}}}"#))
        };
        let all = [call(0, "A012", 5), call(3_000, "B108", 9), call(3_100, "C007", 1)];
        let came: Vec<_> = all.iter().filter(|(at, _)| *at <= ms).map(|(_, line)| line.as_str()).collect();
        let events = replay::read(&came.join("\n"), &config.topic_prefix()).unwrap();
        let start = replay::read(&all[0].1, &config.topic_prefix()).unwrap()[0].at;
        let end = start.checked_add(jiff::SignedDuration::from_millis(ms)).unwrap();
        let played = replay::play(Rules::of(&config), &events, end);
        let now: Now = played.now;
        compose(&played.board.view(now), &Look::of(&config), SIZE, now).moved(now.mono)
    }

    #[test]
    fn whatever_was_copied_the_pixels_are_those_of_the_whole_picture() {
        let mut frame = Frame::default();
        // Slides, breaths, calls in the midst of one, and the end of the first dwell; off the beat of any step.
        let times = (0..50).map(|n| n * 33).chain((0..40).map(|n| 1_650 + n * 119)).chain([8_500, 12_000]);
        for ms in times {
            let scene = scene_at(ms);
            frame.update(&scene);
            let mut whole = vec![0; (SIZE.w * SIZE.h) as usize];
            Raster::default().draw(&scene, &[Area::all(SIZE)], &mut whole);
            assert!(frame.pixels() == whole, "after {ms} ms");
        }
    }

    #[test]
    fn what_has_changed_is_told_and_nothing_else_has() {
        let mut frame = Frame::default();
        let mut areas = Vec::new();
        frame.update(&scene_at(2_900));
        frame.take_changed(&mut areas);
        let before = frame.pixels().to_vec();
        frame.update(&scene_at(3_050));
        frame.take_changed(&mut areas);
        assert!(!areas.is_empty() && !areas.contains(&Area::all(SIZE)));
        let differing = before.iter().zip(frame.pixels()).enumerate().filter(|(_, (a, b))| a != b);
        for (at, _) in differing {
            let (x, y) = (at as u32 % SIZE.w, at as u32 / SIZE.w);
            assert!(areas.iter().any(|a| a.meets(Area { x, y, w: 1, h: 1 })), "{x}, {y}");
        }
        frame.update(&scene_at(3_050));
        assert!(!frame.has_changed());
    }

    #[test]
    fn another_size_is_another_picture() {
        let mut frame = Frame::default();
        frame.update(&scene_at(0));
        let small = Scene { size: Size { w: 320, h: 180 }, strip: None, ..scene_at(Millis::from_secs(9).0) };
        let picture = frame.picture(&small);
        assert_eq!((picture.w, picture.h, frame.pixels().len()), (320, 180, 320 * 180));
        assert!(picture == Frame::default().picture(&small));
    }
}
