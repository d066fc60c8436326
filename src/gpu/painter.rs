//! One frame: a [`Scene`] onto a texture view. The same painter serves the window, the picture file and the tests.
//!
//! A frame is prepare (upload, shape, rasterise), one render pass, trim. With damage only that rectangle is touched;
//! the rest of the target must hold the frame before.

use std::ops::Range;

use glyphon::PrepareError;

use super::image::Images;
use super::quad::{Globals, QuadBatch, QuadPipeline, QuadRange};
use super::strip::{Strip, begin, clear};
use super::text::{Page, Text};
use super::{Gpu, GpuError};
use crate::scene::{Colour, Layer, Quad, Rect, Scene, Shape, TextRun};

/// Draws scenes on one device into targets of one format.
///
/// With a format that is not sRGB the colours blend as on a web page, which is how the board was designed; with an sRGB
/// format the board looks the same, but soft edges are slightly lighter.
pub struct Painter {
    format: wgpu::TextureFormat,
    globals: Globals,
    pipeline: QuadPipeline,
    quads: QuadBatch,
    images: Images,
    text: Text,
    page: Page,
    strip: Strip,
}

/// Where the quads and images of a layer are in their batches.
struct Drawn {
    quads: QuadRange,
    images: Range<usize>,
}

/// Pixels that may be touched, whole and inside the target: x, y, w, h.
type Scissor = [u32; 4];

impl Painter {
    pub fn new(gpu: &Gpu, format: wgpu::TextureFormat) -> Self {
        let layout = Globals::layout(gpu);
        let text = Text::new(gpu, format);
        let page = text.page(gpu);
        Self {
            format,
            globals: Globals::new(gpu, &layout, format.is_srgb()),
            pipeline: QuadPipeline::new(gpu, &layout, format),
            quads: QuadBatch::new(),
            images: Images::new(gpu, &layout, format),
            strip: Strip::new(gpu, &layout, &text, format),
            text,
            page,
        }
    }

    /// Draws `scene` into `target`, which has the scene's size. With `damage` only those rectangles change.
    ///
    /// # Errors
    /// [`GpuError::Lost`] when the device is gone; text errors when not even an empty atlas holds one frame's glyphs.
    pub fn draw(
        &mut self,
        gpu: &Gpu,
        scene: &Scene,
        target: &wgpu::TextureView,
        damage: Option<&[Rect]>,
    ) -> Result<(), GpuError> {
        if gpu.is_lost() {
            return Err(GpuError::Lost);
        }
        let whole = [0, 0, scene.size.w, scene.size.h];
        let mut scissors = vec![whole];
        if let Some(parts) = damage {
            scissors = parts.iter().filter_map(|part| pixels(*part, whole)).collect();
        }
        if scissors.is_empty() {
            return Ok(());
        }
        let label = wgpu::CommandEncoderDescriptor { label: Some("moiso frame") };
        let mut encoder = gpu.device.create_command_encoder(&label);
        let ranges = match self.prepare(gpu, &mut encoder, scene, &scissors) {
            Err(GpuError::Text(PrepareError::AtlasFull)) => {
                encoder = gpu.device.create_command_encoder(&label);
                self.prepare_anew(gpu, &mut encoder, scene, &scissors)?
            }
            other => other?,
        };
        self.render(&mut encoder, scene, target, &scissors, damage.is_some(), &ranges)?;
        gpu.queue.submit([encoder.finish()]);
        self.text.trim(scene.lines());
        gpu.poll();
        if gpu.is_lost() { Err(GpuError::Lost) } else { Ok(()) }
    }

    /// Draws `runs` into the glyph atlas and nowhere else, so that later frames find them there. An atlas that is too
    /// small for all of them is none the worse for it.
    pub fn warm(&mut self, gpu: &Gpu, runs: &[TextRun]) {
        let mut page = self.text.page(gpu);
        if let Err(error) = self.text.prepare(gpu, &mut page, 0, runs.iter(), 0.0) {
            tracing::debug!(%error, runs = runs.len(), "not all letters are drawn ahead");
        }
        self.text.trim(runs.len());
        gpu.queue.submit([]);
    }

    /// How often the glyph atlas has grown, which draws all of its glyphs anew.
    pub fn growths(&self) -> u64 {
        self.text.growths()
    }

    /// The atlas is full: first without the glyphs of earlier frames, then with a new one.
    fn prepare_anew(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        scene: &Scene,
        scissors: &[Scissor],
    ) -> Result<Vec<Drawn>, GpuError> {
        self.text.trim(scene.lines());
        // Tiles that were drawn with the encoder that is thrown away are empty, whatever they say they hold.
        self.strip.forget();
        match self.prepare(gpu, encoder, scene, scissors) {
            Err(GpuError::Text(PrepareError::AtlasFull)) => {
                tracing::warn!("glyph atlas full, building a new one");
                self.text.rebuild(gpu);
                self.page.forget();
                self.strip.forget();
                self.prepare(gpu, encoder, scene, scissors)
            }
            other => other,
        }
    }

    fn prepare(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        scene: &Scene,
        scissors: &[Scissor],
    ) -> Result<Vec<Drawn>, GpuError> {
        let seen = |rect: &Rect| scissors.iter().any(|scissor| touches(rect, *scissor));
        self.globals.set(gpu, scene.size);
        self.page.set_size(gpu, scene.size);
        if let Some(strip) = scene.strip.as_ref().filter(|strip| seen(&strip.rect)) {
            self.strip.prepare(gpu, encoder, &self.pipeline, &mut self.text, strip)?;
        }
        self.quads.clear();
        self.images.clear();
        let ground = background(scene);
        let mut ranges = vec![Drawn { quads: self.quads.push(std::iter::once(&ground)), images: 0..0 }];
        for (index, Layer { quads, images, texts }) in scene.layers.iter().enumerate() {
            let quads = self.quads.push(quads.iter().filter(|quad| seen(&quad.rect)));
            let images = images.iter().filter(|image| seen(&image.rect));
            ranges.push(Drawn { quads, images: self.images.push(gpu, images) });
            let runs = texts.iter().filter(|run| seen(&run.rect));
            self.text.prepare(gpu, &mut self.page, index, runs, 0.0)?;
        }
        self.quads.upload(gpu);
        self.images.upload(gpu);
        Ok(ranges)
    }

    fn render(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        scene: &Scene,
        target: &wgpu::TextureView,
        scissors: &[Scissor],
        keep: bool,
        ranges: &[Drawn],
    ) -> Result<(), GpuError> {
        let load = if keep { wgpu::LoadOp::Load } else { clear(scene.background, self.format) };
        let mut pass = begin(encoder, "moiso board pass", target, load);
        scissors.iter().try_for_each(|scissor| self.render_part(&mut pass, scene, *scissor, keep, ranges))
    }

    fn render_part(
        &self,
        pass: &mut wgpu::RenderPass<'_>,
        scene: &Scene,
        scissor: Scissor,
        keep: bool,
        ranges: &[Drawn],
    ) -> Result<(), GpuError> {
        let [x, y, w, h] = scissor;
        pass.set_scissor_rect(x, y, w, h);
        if keep {
            self.quads.draw(pass, &self.pipeline, &self.globals, &ranges[0].quads);
        }
        for (index, range) in ranges[1..].iter().enumerate() {
            self.quads.draw(pass, &self.pipeline, &self.globals, &range.quads);
            self.images.draw(pass, &self.globals, &range.images);
            self.text.draw(&self.page, index, pass)?;
            if let Some([x, y, w, h]) = strip_pixels(scene, scissor).filter(|_| index == 0) {
                pass.set_scissor_rect(x, y, w, h);
                self.strip.draw(pass, &self.globals);
                let [x, y, w, h] = scissor;
                pass.set_scissor_rect(x, y, w, h);
            }
        }
        Ok(())
    }
}

/// Where the moving line may be drawn.
fn strip_pixels(scene: &Scene, scissor: Scissor) -> Option<Scissor> {
    scene.strip.as_ref().and_then(|strip| pixels(strip.rect, scissor))
}

/// What a cleared target would show; a damaged part is painted with it, because a clear ignores the scissor.
fn background(scene: &Scene) -> Quad {
    let rect = Rect { x: 0.0, y: 0.0, w: scene.size.w as f32, h: scene.size.h as f32 };
    Quad {
        rect,
        shape: Shape::Box,
        fill: scene.background,
        radii: [0.0; 4],
        border: 0.0,
        border_colour: Colour([0; 4]),
    }
}

/// The pixels of `rect` inside `within`; none when nothing is left.
fn pixels(rect: Rect, within: Scissor) -> Option<Scissor> {
    let [wx, wy, ww, wh] = within;
    let x0 = (rect.x.floor().max(0.0) as u32).max(wx);
    let y0 = (rect.y.floor().max(0.0) as u32).max(wy);
    let x1 = ((rect.x + rect.w).ceil().max(0.0) as u32).min(wx + ww);
    let y1 = ((rect.y + rect.h).ceil().max(0.0) as u32).min(wy + wh);
    (x1 > x0 && y1 > y0).then(|| [x0, y0, x1 - x0, y1 - y0])
}

fn touches(rect: &Rect, scissor: Scissor) -> bool {
    // A soft edge reaches one pixel beyond its rectangle.
    let grown = Rect { x: rect.x - 1.0, y: rect.y - 1.0, w: rect.w + 2.0, h: rect.h + 2.0 };
    pixels(grown, scissor).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::Offscreen;
    use super::*;
    use crate::scene::{Align, Face, Size};

    const SIZE: Size = Size { w: 1000, h: 700 };
    /// The longest side of the small device's textures, and so of its glyph atlas.
    const SIDE: u32 = 1024;

    fn scene(lines: &[(String, f32)]) -> Scene {
        let mut y = 0.0;
        let texts = lines.iter().map(|(text, size)| {
            let rect = Rect { x: 0.0, y, w: 1000.0, h: size * 1.3 };
            y += rect.h;
            let (face, align) = (Face::Digits(800), Align::Start);
            TextRun {
                text: text.as_str().into(),
                rect,
                size: *size,
                face,
                colour: Colour([0, 0, 0, 255]),
                align,
            }
        });
        let layers = vec![Layer { texts: texts.collect(), ..Layer::default() }];
        let background = Colour([255; 4]);
        Scene { size: SIZE, background, layers, strip: None, next_change: None, moving: Vec::new() }
    }

    /// A day's numbers in one size after the other, each frame with about half of what the atlas holds.
    fn frames() -> Vec<Scene> {
        let ticket = |n: u32| format!("{}{:02}", char::from(b'A' + (n % 26) as u8), n * 37 % 100);
        let line = |n: u32, row: u32| (ticket(n * 3 + row), (140 + (n * 53 + row * 29) % 90) as f32);
        (0..24).map(|n| scene(&[line(n, 0), line(n, 1), line(n, 2)])).collect()
    }

    #[test]
    fn an_atlas_that_is_full_makes_no_frame_differ() {
        let (small, large) = (Gpu::with_small_textures(SIDE), Gpu::open(&Gpu::instance(), None).unwrap());
        assert_eq!(small.max_side(), SIDE);
        let mut kept = Offscreen::new(&small, SIZE).unwrap();
        for (index, scene) in frames().iter().enumerate() {
            kept.draw(&small, scene, None).unwrap();
            let mut fresh = Offscreen::new(&large, SIZE).unwrap();
            fresh.draw(&large, scene, None).unwrap();
            assert!(kept.picture(&small).unwrap() == fresh.picture(&large).unwrap(), "frame {index}");
        }
    }
}
