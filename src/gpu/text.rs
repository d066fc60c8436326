//! Text on the GPU: shaped lines drawn through one glyph atlas.
//!
//! The atlas is trimmed once a frame, after all that is drawn in it has been prepared.

use glyphon::{
    Buffer, Cache, Color, ColorMode, ContentType, CustomGlyph, FontSystem, Metrics, PrepareError,
    RasterizedCustomGlyph, Resolution, SwashCache, TextArea, TextAtlas, TextBounds, TextRenderer, Viewport,
};

use super::{Gpu, GpuError};
use crate::scene::{Size, TextRun};
use crate::typeset::{Lines, font_system};

/// All text state of one device.
pub(super) struct Text {
    fonts: FontSystem,
    swash: SwashCache,
    cache: Cache,
    atlas: TextAtlas,
    format: wgpu::TextureFormat,
    lines: Lines,
    /// Holds nothing but the sentinel.
    empty: Buffer,
    sentinel: Sentinel,
}

/// Tells when the atlas grows, which it does not say itself: it then asks anew for every glyph that is not of a font.
/// One such glyph, a see-through pixel, is in use in every frame.
#[derive(Debug, Default)]
struct Sentinel {
    /// The present atlas has it.
    is_in: bool,
    growths: u64,
}

impl Sentinel {
    const GLYPH: CustomGlyph = CustomGlyph {
        id: 0,
        left: 0.0,
        top: 0.0,
        width: 1.0,
        height: 1.0,
        color: Some(Color(0)),
        snap_to_physical_pixel: true,
        metadata: 0,
    };

    fn drawn(&mut self) -> RasterizedCustomGlyph {
        self.growths += u64::from(std::mem::replace(&mut self.is_in, true));
        RasterizedCustomGlyph { data: vec![0], content_type: ContentType::Mask }
    }

    fn area(empty: &Buffer) -> TextArea<'_> {
        TextArea {
            buffer: empty,
            left: 0.0,
            top: 0.0,
            scale: 1.0,
            bounds: TextBounds { left: 0, top: 0, right: 1, bottom: 1 },
            default_color: Color(0),
            custom_glyphs: &[Self::GLYPH],
        }
    }
}

/// A target of a size, with renderers that keep what they have prepared until it is drawn.
pub(super) struct Page {
    viewport: Viewport,
    renderers: Vec<TextRenderer>,
}

impl Text {
    pub fn new(gpu: &Gpu, format: wgpu::TextureFormat) -> Self {
        let cache = Cache::new(&gpu.device);
        let atlas = atlas(gpu, &cache, format);
        let mut fonts = font_system();
        Self {
            empty: Buffer::new(&mut fonts, Metrics::new(1.0, 1.0)),
            fonts,
            swash: SwashCache::new(),
            cache,
            atlas,
            format,
            lines: Lines::default(),
            sentinel: Sentinel::default(),
        }
    }

    /// How often the atlas has grown.
    pub fn growths(&self) -> u64 {
        self.sentinel.growths
    }

    pub fn page(&self, gpu: &Gpu) -> Page {
        Page { viewport: Viewport::new(&gpu.device, &self.cache), renderers: Vec::new() }
    }

    /// Throws the atlas away; all renderers of all pages must be made again.
    pub fn rebuild(&mut self, gpu: &Gpu) {
        self.atlas = atlas(gpu, &self.cache, self.format);
        self.sentinel.is_in = false;
    }

    /// Shapes and rasterises `runs` for renderer `index` of `page`; `moved` is added to their x.
    pub fn prepare<'a>(
        &mut self,
        gpu: &Gpu,
        page: &mut Page,
        index: usize,
        runs: impl Iterator<Item = &'a TextRun> + Clone,
        moved: f32,
    ) -> Result<(), PrepareError> {
        for run in runs.clone() {
            self.lines.shape(&mut self.fonts, run);
        }
        while page.renderers.len() <= index {
            let state = wgpu::MultisampleState::default();
            page.renderers.push(TextRenderer::new(&mut self.atlas, &gpu.device, state, None));
        }
        let lines = &self.lines;
        let areas = runs.filter_map(|run| lines.area(run, (moved, 0.0)));
        let sentinel = &mut self.sentinel;
        page.renderers[index].prepare_with_custom(
            &gpu.device,
            &gpu.queue,
            &mut self.fonts,
            &mut self.atlas,
            &page.viewport,
            // The first of all, so that it is in the atlas before anything can make that grow.
            std::iter::once(Sentinel::area(&self.empty)).chain(areas),
            &mut self.swash,
            |_| Some(sentinel.drawn()),
        )
    }

    pub fn draw(&self, page: &Page, index: usize, pass: &mut wgpu::RenderPass<'_>) -> Result<(), GpuError> {
        if let Some(renderer) = page.renderers.get(index) {
            renderer.render(&self.atlas, &page.viewport, pass)?;
        }
        Ok(())
    }

    /// Marks all glyphs as free to go; `shown` are the lines of the picture.
    pub fn trim(&mut self, shown: usize) {
        self.atlas.trim();
        self.lines.trim(shown);
    }
}

impl Page {
    pub fn set_size(&mut self, gpu: &Gpu, size: Size) {
        let wanted = Resolution { width: size.w, height: size.h };
        self.viewport.update(&gpu.queue, wanted);
    }

    pub fn forget(&mut self) {
        self.renderers.clear();
    }
}

fn atlas(gpu: &Gpu, cache: &Cache, format: wgpu::TextureFormat) -> TextAtlas {
    let mode = if format.is_srgb() { ColorMode::Accurate } else { ColorMode::Web };
    TextAtlas::with_color_mode(&gpu.device, &gpu.queue, cache, format, mode)
}
