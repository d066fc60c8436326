//! Laws that hold for every picture.
#![allow(dead_code)] // Each test program uses some of them.

use moiso::scene::{Colour, Face, Layer, Quad, Rect, Scene, Shape, TextRun, font};

/// The boxes under a text, from the lowest to the uppermost.
pub fn boxes_under<'a>(layer: &'a Layer, run: &TextRun) -> Vec<&'a Quad> {
    let (x, y) = (run.rect.x + run.rect.w / 2.0, run.rect.y + run.rect.h / 2.0);
    let point = Rect { x, y, w: 0.0, h: 0.0 };
    let solid = |q: &&Quad| q.shape == Shape::Box && q.fill.0[3] == 255 && q.rect.contains(point);
    layer.quads.iter().filter(solid).collect()
}

pub fn nothing_leaves_its_place(name: &str, scene: &Scene) {
    let whole = scene.size.rect();
    for layer in &scene.layers {
        for quad in &layer.quads {
            assert!(whole.contains(quad.rect), "{name}: {quad:?} leaves the screen");
        }
        for run in &layer.texts {
            assert!(whole.contains(run.rect), "{name}: {run:?} leaves the screen");
            if let Some(parent) = boxes_under(layer, run).last() {
                assert!(parent.rect.contains(run.rect), "{name}: {run:?} leaves its box {:?}", parent.rect);
            }
        }
    }
    if let Some(strip) = &scene.strip {
        assert!(whole.contains(strip.rect), "{name}: the moving line leaves the screen");
    }
}

/// Pictures stay on the screen and under no text, for nobody can say what contrast they leave it.
pub fn no_text_stands_on_a_picture(name: &str, scene: &Scene) {
    for (index, layer) in scene.layers.iter().enumerate() {
        for image in &layer.images {
            assert!(scene.size.rect().contains(image.rect), "{name}: {image:?} leaves the screen");
            let own = layer.texts.iter().map(|run| (layer, run));
            let above =
                scene.layers[index + 1..].iter().flat_map(|l| l.texts.iter().map(move |run| (l, run)));
            for (on, run) in own.chain(above) {
                let has_ground = !std::ptr::eq(on, layer) && !boxes_under(on, run).is_empty();
                assert!(has_ground || !run.rect.overlaps(image.rect), "{name}: {run:?} stands on {image:?}");
            }
        }
    }
}

pub fn no_texts_overlap(name: &str, scene: &Scene) {
    for layer in &scene.layers {
        for (index, a) in layer.texts.iter().enumerate() {
            for b in &layer.texts[index + 1..] {
                assert!(!a.rect.overlaps(b.rect), "{name}: {a:?} and {b:?} overlap");
            }
        }
    }
}

pub fn nothing_is_cut_without_an_ellipsis(name: &str, scene: &Scene) {
    for run in scene.layers.iter().flat_map(|layer| &layer.texts) {
        let width = font::width(&run.text, run.face, run.size);
        assert!(width <= run.rect.w + 1.0, "{name}: {run:?} is {width} px wide");
        let ink = font::ink(&run.text, run.face);
        let baseline = font::baseline(ink, run.face, run.size, run.rect.h);
        let (above, below) = (baseline - ink.above * run.size, run.rect.h - baseline - ink.below * run.size);
        assert!(above >= -1.0 && below >= -1.0, "{name}: {run:?} loses {above} px above, {below} below");
    }
}

pub fn all_text_has_contrast(name: &str, scene: &Scene) {
    for layer in &scene.layers {
        for run in &layer.texts {
            let ground = boxes_under(layer, run).last().map_or(scene.background, |quad| quad.fill);
            let contrast = run.colour.contrast(ground);
            assert!(contrast >= 7.0, "{name}: {run:?} on {ground:?} has only {contrast:.2}");
        }
    }
    for run in scene.strip.iter().flat_map(|strip| &strip.content.texts) {
        let ground: Colour = scene.strip.as_ref().unwrap().content.background;
        assert!(run.colour.contrast(ground) >= 7.0, "{name}: {run:?} on the moving line");
    }
}

/// Boxes lie in each other or beside each other; icons and frames lie on a box.
pub fn no_boxes_overlap(name: &str, scene: &Scene) {
    for layer in &scene.layers {
        let boxes: Vec<&Quad> =
            layer.quads.iter().filter(|q| q.shape == Shape::Box && q.fill.0[3] == 255).collect();
        for (index, a) in boxes.iter().enumerate() {
            for b in &boxes[index + 1..] {
                let apart = !a.rect.overlaps(b.rect);
                assert!(apart || a.rect.contains(b.rect), "{name}: {a:?} and {b:?} overlap");
            }
        }
    }
}

/// Lines of words have room for the marks of Vietnamese.
pub fn lines_of_words_are_high_enough(name: &str, scene: &Scene) {
    let strip = scene.strip.iter().flat_map(|strip| &strip.content.texts);
    let texts = scene.layers.iter().flat_map(|layer| &layer.texts).chain(strip);
    for run in texts.filter(|run| matches!(run.face, Face::Words(_))) {
        assert!(
            run.rect.h >= 1.35 * run.size,
            "{name}: {run:?} has a line of {:.2} em",
            run.rect.h / run.size
        );
    }
}

/// What is shown of a text that has one line is all of it, or says by an ellipsis that it is not. Weight 700 is that of
/// counters' names, which may take several lines.
pub fn no_line_is_a_mere_part(name: &str, scene: &Scene, texts: &[String]) {
    for run in scene.layers.iter().flat_map(|layer| &layer.texts) {
        let shown = &*run.text;
        let whole = texts.iter().any(|text| text == shown) || shown.contains('…');
        if whole || run.face == Face::Words(700) {
            continue;
        }
        let part = texts.iter().find(|text| shown.chars().count() > 1 && text.starts_with(shown));
        assert!(part.is_none(), "{name}: {run:?} is a part of {part:?} without an ellipsis");
    }
}
