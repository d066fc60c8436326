//! What differs between two frames, as a few rectangles: a call changes the spotlight and one counter, and what lies
//! between them need not be drawn again.

use super::{Damage, Layer, Rect, Scene, Strip};

/// What a rectangle of its own costs beside its pixels, in pixels; closer ones are drawn as one.
const PART: f32 = 16_384.0;
/// More than these are drawn as one.
const PARTS_MAX: usize = 12;
/// How far ahead the fellow of an item is looked for: more than one call brings or takes away.
const AHEAD: usize = 64;

/// What must be drawn again to come from `old` to `new`.
pub fn damage(old: &Scene, new: &Scene) -> Damage {
    differing(old, new, |a, b| a.content == b.content && a.rect == b.rect && a.offset == b.offset)
}

/// The same where somebody else moves the line and draws its texts.
pub fn damage_but_line(old: &Scene, new: &Scene) -> Damage {
    differing(old, new, |a, b| a.rect == b.rect)
}

fn differing(old: &Scene, new: &Scene, is_same: impl Fn(&Strip, &Strip) -> bool) -> Damage {
    if old.size != new.size || old.background != new.background {
        return Damage::All;
    }
    let mut parts = Parts::default();
    let empty = Layer::default();
    for index in 0..old.layers.len().max(new.layers.len()) {
        let [a, b] = [old, new].map(|scene| scene.layers.get(index).unwrap_or(&empty));
        parts.differing(&a.quads, &b.quads, |quad| quad.rect);
        parts.differing(&a.images, &b.images, |image| image.rect);
        parts.differing(&a.texts, &b.texts, |run| run.rect);
    }
    match (&old.strip, &new.strip) {
        (Some(a), Some(b)) if is_same(a, b) => {}
        (a, b) => [a, b].into_iter().flatten().for_each(|strip| parts.add(strip.rect)),
    }
    match parts.0 {
        none if none.is_empty() => Damage::Nothing,
        mut parts => {
            for part in &mut parts {
                *part = whole(*part, new);
            }
            Damage::Parts(parts)
        }
    }
}

#[derive(Default)]
struct Parts(Vec<Rect>);

impl Parts {
    fn add(&mut self, rect: Rect) {
        let mut joined = rect;
        // What has grown may have come close to others.
        while let Some(index) = self.0.iter().position(|part| joins(*part, joined)) {
            joined = joined.union(self.0.swap_remove(index));
        }
        if self.0.len() == PARTS_MAX {
            joined = self.0.drain(..).fold(joined, Rect::union);
        }
        self.0.push(joined);
    }

    /// Adds the items that one list has and the other lacks. What both have in the same order looks the same wherever
    /// none of the others lies, for order matters in painting only.
    fn differing<T: PartialEq>(&mut self, old: &[T], new: &[T], rect: impl Fn(&T) -> Rect) {
        let mut rest = new.iter();
        for item in old {
            match rest.clone().take(AHEAD).position(|other| other == item) {
                Some(before) => {
                    rest.by_ref().take(before).for_each(|other| self.add(rect(other)));
                    rest.next();
                }
                None => self.add(rect(item)),
            }
        }
        rest.for_each(|other| self.add(rect(other)));
    }
}

/// Whether the two are drawn more cheaply as one.
fn joins(a: Rect, b: Rect) -> bool {
    let area = |rect: Rect| rect.w * rect.h;
    area(a.union(b)) <= area(a) + area(b) + PART
}

/// Whole pixels, with one more on each side for soft edges, inside the picture.
fn whole(rect: Rect, scene: &Scene) -> Rect {
    let (x, y) = ((rect.x - 1.0).floor().max(0.0), (rect.y - 1.0).floor().max(0.0));
    let right = (rect.right() + 1.0).ceil().min(scene.size.w as f32);
    let bottom = (rect.bottom() + 1.0).ceil().min(scene.size.h as f32);
    Rect { x, y, w: (right - x).max(0.0), h: (bottom - y).max(0.0) }
}
