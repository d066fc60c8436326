//! Small parts of the picture as they were drawn. A breath takes the same few steps every second, and without a GPU
//! copying one costs a small part of drawing it.

use std::collections::VecDeque;

use super::area::Area;
use crate::scene::{Scene, Size};

/// Steps that are kept: a breath has five.
const KEPT: usize = 6;
/// What is kept is at most this part of the picture: the boxes of three calls that breathe are a ninth of it. A single
/// call that slides is a quarter, and its steps never come back.
const SHARE: usize = 6;

#[derive(Default)]
pub(super) struct Poses(VecDeque<Pose>);

struct Pose {
    scene: Scene,
    parts: Vec<Area>,
    /// Of one part after the other.
    pixels: Vec<u32>,
}

impl Poses {
    /// Copies the parts of a scene to a frame of its size, if they are known.
    pub fn copy(&self, scene: &Scene, parts: &[Area], frame: &mut [u32]) -> bool {
        let Some(pose) = self.0.iter().find(|pose| pose.parts == parts && pose.scene == *scene) else {
            return false;
        };
        let mut rest = &pose.pixels[..];
        for row in rows(parts, scene.size) {
            let (now, after) = rest.split_at(row.len());
            frame[row].copy_from_slice(now);
            rest = after;
        }
        true
    }

    /// Keeps the parts of a scene that a frame of its size shows. A large change makes all that is kept worthless.
    pub fn keep(&mut self, scene: &Scene, parts: &[Area], frame: &[u32]) {
        let pixels: usize = rows(parts, scene.size).map(|row| row.len()).sum();
        if pixels > frame.len() / SHARE {
            return self.0.clear();
        }
        self.0.truncate(KEPT - 1);
        let pixels = rows(parts, scene.size).flat_map(|row| &frame[row]).copied().collect();
        self.0.push_front(Pose { scene: scene.clone(), parts: parts.to_vec(), pixels });
    }
}

fn rows(parts: &[Area], size: Size) -> impl Iterator<Item = std::ops::Range<usize>> {
    parts.iter().flat_map(move |part| (part.y..part.y + part.h).map(move |y| part.row(y, size)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Colour;

    const SIZE: Size = Size { w: 20, h: 8 };
    const PART: Area = Area { x: 3, y: 2, w: 4, h: 2 };

    /// A step of something that moves.
    fn scene(step: u8) -> Scene {
        Scene {
            size: SIZE,
            background: Colour([step, 0, 0, 255]),
            layers: Vec::new(),
            strip: None,
            next_change: None,
            moving: Vec::new(),
        }
    }

    fn frame(value: u32) -> Vec<u32> {
        vec![value; (SIZE.w * SIZE.h) as usize]
    }

    #[test]
    fn a_step_that_was_drawn_once_is_copied_to_its_place_and_nowhere_else() {
        let mut poses = Poses::default();
        poses.keep(&scene(1), &[PART], &frame(1));
        poses.keep(&scene(2), &[PART], &frame(2));
        let mut now = frame(7);
        assert!(!poses.copy(&scene(3), &[PART], &mut now), "a step that nobody has drawn");
        assert!(!poses.copy(&scene(1), &[Area { x: 4, ..PART }], &mut now), "another part");
        assert_eq!(now, frame(7));
        assert!(poses.copy(&scene(1), &[PART], &mut now));
        let there: Vec<usize> = (0..now.len()).filter(|at| now[*at] == 1).collect();
        assert_eq!(there, [43, 44, 45, 46, 63, 64, 65, 66]);
    }

    #[test]
    fn a_large_change_forgets_all_and_more_steps_than_a_breath_has_are_not_kept() {
        let mut poses = Poses::default();
        for step in 0..20 {
            poses.keep(&scene(step), &[PART], &frame(1));
        }
        assert_eq!(poses.0.len(), KEPT);
        assert!(poses.copy(&scene(19), &[PART], &mut frame(0)));
        poses.keep(&scene(30), &[Area::all(SIZE)], &frame(1));
        assert!(!poses.copy(&scene(19), &[PART], &mut frame(0)));
    }
}
