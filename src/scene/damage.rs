//! What differs between two frames, as one rectangle.

use super::{Damage, Layer, Rect, Scene};

/// What must be drawn again to come from `old` to `new`.
pub fn damage(old: &Scene, new: &Scene) -> Damage {
    if old.size != new.size || old.background != new.background {
        return Damage::All;
    }
    let mut area = Area(None);
    let empty = Layer::default();
    for index in 0..old.layers.len().max(new.layers.len()) {
        let [a, b] = [old, new].map(|scene| scene.layers.get(index).unwrap_or(&empty));
        area.differing(&a.quads, &b.quads, |quad| quad.rect);
        area.differing(&a.images, &b.images, |image| image.rect);
        area.differing(&a.texts, &b.texts, |run| run.rect);
    }
    match (&old.strip, &new.strip) {
        (Some(a), Some(b)) if a.content == b.content && a.rect == b.rect && a.offset == b.offset => {}
        (a, b) => [a, b].into_iter().flatten().for_each(|strip| area.add(strip.rect)),
    }
    match area.0 {
        None => Damage::Nothing,
        Some(rect) => Damage::Part(whole(rect, new)),
    }
}

struct Area(Option<Rect>);

impl Area {
    fn add(&mut self, rect: Rect) {
        self.0 = Some(self.0.map_or(rect, |known| known.union(rect)));
    }

    /// Adds all items between the common beginning and the common end of two lists: order matters in painting.
    fn differing<T: PartialEq>(&mut self, old: &[T], new: &[T], rect: impl Fn(&T) -> Rect) {
        if old.len() == new.len() {
            for (a, b) in old.iter().zip(new).filter(|(a, b)| a != b) {
                self.add(rect(a));
                self.add(rect(b));
            }
            return;
        }
        let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let rest = old.len().min(new.len()) - head;
        let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
        old[head..old.len() - tail]
            .iter()
            .chain(&new[head..new.len() - tail])
            .for_each(|item| self.add(rect(item)));
    }
}

/// Whole pixels, with one more on each side for soft edges, inside the picture.
fn whole(rect: Rect, scene: &Scene) -> Rect {
    let (x, y) = ((rect.x - 1.0).floor().max(0.0), (rect.y - 1.0).floor().max(0.0));
    let right = (rect.right() + 1.0).ceil().min(scene.size.w as f32);
    let bottom = (rect.bottom() + 1.0).ceil().min(scene.size.h as f32);
    Rect { x, y, w: (right - x).max(0.0), h: (bottom - y).max(0.0) }
}
