//! The whole picture in memory, for a display without a GPU behind it: only what changed is drawn and read back; the
//! moving line and the steps of a breath are copied from what was drawn before.

use tracing::trace_span;

use super::area::Area;
use super::headless::Drawn;
use super::line::{Line, copy_row};
use super::pose::Poses;
use super::show::Fault;
use crate::gpu::{Gpu, Picture};
use crate::scene::{Damage, Rect, Scene, Size, TextRun, damage, damage_but_line};
use crate::trace::STAGE;

pub(super) struct Frame {
    drawn: Drawn,
    line: Option<Line>,
    /// How far the line in the frame has moved.
    offset: Option<u32>,
    poses: Poses,
    size: Size,
    /// Rows of words as a display wants them.
    pixels: Vec<u32>,
    /// What the pixels show, with a line that is copied at its beginning; none while nobody can say.
    scene: Option<Scene>,
    /// Where the pixels have changed since they were taken.
    changed: Vec<Area>,
}

impl Frame {
    pub fn new(gpu: Gpu, size: Size) -> Result<Self, Fault> {
        Ok(Self {
            drawn: Drawn::new(gpu, size)?,
            line: None,
            offset: None,
            poses: Poses::default(),
            size,
            pixels: vec![0; size.w as usize * size.h as usize],
            scene: None,
            changed: Vec::new(),
        })
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

    pub fn warm(&mut self, runs: &[TextRun]) {
        self.drawn.warm(runs);
    }

    pub fn growths(&self) -> u64 {
        self.drawn.growths()
    }

    /// Draws the scene off screen.
    pub fn picture(&mut self, scene: &Scene) -> Result<Picture, Fault> {
        self.drawn.picture(scene)
    }

    pub fn info(&self) -> &str {
        self.drawn.info()
    }

    /// Brings the pixels up to date.
    pub fn update(&mut self, scene: &Scene) -> Result<(), Fault> {
        if scene.size != self.size {
            self.size = scene.size;
            self.pixels = vec![0; self.size.w as usize * self.size.h as usize];
            self.scene = None;
            self.changed.clear();
        }
        if !self.line.as_ref().is_some_and(|line| line.is_of(scene)) {
            self.change_line(scene)?;
        }
        let differs = if self.line.is_some() { damage_but_line } else { damage };
        match self.scene.as_ref().map_or(Damage::All, |old| differs(old, scene)) {
            Damage::Nothing => {}
            Damage::Parts(parts) => {
                let parts = parts.into_iter().map(|part| Area::within(part, self.size));
                self.redraw(scene, parts.filter(|area| area.w > 0 && area.h > 0).collect())?;
            }
            Damage::All => self.redraw(scene, vec![Area::all(self.size)])?,
        }
        self.copy_line(scene);
        Ok(())
    }

    fn change_line(&mut self, scene: &Scene) -> Result<(), Fault> {
        let copied = self.line.take().is_some();
        self.line = Line::of(scene, &mut self.drawn)?;
        self.offset = None;
        if copied && self.line.is_none() {
            // The pixels have the line where it was copied to, and not where the scene has it.
            self.scene = None;
        }
        Ok(())
    }

    /// Draws parts of the scene, or copies them where they have been drawn before.
    fn redraw(&mut self, scene: &Scene, parts: Vec<Area>) -> Result<(), Fault> {
        let mut scene = scene.clone();
        if let (Some(_), Some(strip)) = (&self.line, &mut scene.strip) {
            strip.offset = 0;
        }
        if !self.poses.copy(&scene, &parts, &mut self.pixels) {
            self.scene = None;
            self.drawn.draw(&scene)?;
            let stage = trace_span!(target: STAGE, "read back").entered();
            for part in &parts {
                self.read(part.rect())?;
            }
            drop(stage);
            self.poses.keep(&scene, &parts, &self.pixels);
        }
        self.scene = Some(scene);
        self.changed.extend(parts);
        Ok(())
    }

    /// Reads a part of the drawn picture.
    fn read(&mut self, part: Rect) -> Result<(), Fault> {
        let (pixels, w) = (&mut self.pixels, self.size.w as usize);
        self.drawn.read(part, |row| {
            let start = row.y as usize * w + row.x as usize;
            copy_row(&mut pixels[start..start + row.rgba.len() / 4], row.rgba);
        })
    }

    /// Copies the line to where it is now, if it moved or was drawn over.
    fn copy_line(&mut self, scene: &Scene) {
        let (Some(line), Some(strip)) = (&self.line, &scene.strip) else { return };
        let place = Area::within(strip.rect, scene.size);
        if self.offset == Some(strip.offset) && !self.changed.iter().any(|area| area.meets(place)) {
            return;
        }
        self.offset = Some(strip.offset);
        self.changed.push(line.copy(strip.offset, &mut self.pixels, self.size));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Rules;
    use crate::clock::{Millis, Now};
    use crate::config::Config;
    use crate::gpu::Offscreen;
    use crate::replay;
    use crate::scene::{Look, compose};

    const SIZE: Size = Size { w: 640, h: 360 };

    fn gpu() -> Gpu {
        Gpu::open(&Gpu::instance(), None).expect("a GPU or a software renderer")
    }

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

    fn words(picture: &Picture) -> Vec<u32> {
        let mut words = vec![0; picture.rgba.len() / 4];
        copy_row(&mut words, &picture.rgba);
        words
    }

    #[test]
    fn whatever_was_copied_the_pixels_are_those_of_the_whole_picture() {
        let mut frame = Frame::new(gpu(), SIZE).unwrap();
        let other = gpu();
        let mut whole = Offscreen::new(&other, SIZE).unwrap();
        let mut areas = Vec::new();
        // Slides, two breaths, calls in the midst of one, and the end of the first dwell; off the beat of any step.
        let times = (0..50).map(|n| n * 33).chain((0..40).map(|n| 1_650 + n * 119)).chain([8_500, 12_000]);
        for ms in times {
            let scene = scene_at(ms);
            frame.update(&scene).unwrap();
            frame.take_changed(&mut areas);
            whole.draw(&other, &scene, None).unwrap();
            assert!(frame.pixels() == words(&whole.picture(&other).unwrap()), "after {ms} ms");
        }
    }

    #[test]
    fn a_second_breath_is_copied_and_not_drawn() {
        let mut frame = Frame::new(gpu(), SIZE).unwrap();
        // The last call comes after 3.1 s, slides, and has breathed once well before 5 s.
        for ms in (0..=32).map(|n| 1_000 + n * 125) {
            frame.update(&scene_at(ms)).unwrap();
        }
        let drawn = frame.drawn.scene().cloned();
        for ms in (1..=16).map(|n| 5_000 + n * 125) {
            frame.update(&scene_at(ms)).unwrap();
            assert!(frame.drawn.scene().cloned() == drawn, "drawn again after {ms} ms");
        }
    }

    #[test]
    fn another_size_is_another_picture() {
        let mut frame = Frame::new(gpu(), SIZE).unwrap();
        frame.update(&scene_at(0)).unwrap();
        let small = Scene { size: Size { w: 320, h: 180 }, strip: None, ..scene_at(Millis::from_secs(9).0) };
        frame.update(&small).unwrap();
        assert_eq!(frame.pixels().len(), 320 * 180);
        let whole = words(&frame.picture(&small).unwrap());
        assert!(frame.pixels() == whole);
    }
}
