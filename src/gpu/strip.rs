//! The moving line: drawn into tiles once, then copied to where it has slid to.
//!
//! Only tiles that are seen exist, whatever the length of the line: as many as cover the strip, and one more.

use std::sync::Arc;

use super::quad::{
    Globals, Program, QuadBatch, QuadPipeline, pipeline, texture_group, texture_layout, vertex_buffer,
};
use super::text::{Page, Text};
use super::{Gpu, GpuError};
use crate::scene::{Colour, Rect, Size, Strip as StripScene, StripContent};

/// Width of one tile, which every GPU that wgpu supports can hold.
const TILE: u32 = 2048;

const ATTRIBUTES: [wgpu::VertexAttribute; 1] = wgpu::vertex_attr_array![0 => Float32x4];

/// The tiles of one line and where they stand in this frame.
pub(super) struct Strip {
    pipeline: wgpu::RenderPipeline,
    tile_layout: wgpu::BindGroupLayout,
    /// Where copies go.
    placed: Vec<Placed>,
    vertices: Option<wgpu::Buffer>,
    globals: Globals,
    page: Page,
    content: Option<Arc<StripContent>>,
    height: u32,
    tiles: Vec<Tile>,
    format: wgpu::TextureFormat,
}

struct Tile {
    view: wgpu::TextureView,
    group: wgpu::BindGroup,
    quads: QuadBatch,
    /// Which part of the line it holds, from 0.
    holds: Option<u32>,
    used: bool,
}

struct Placed {
    tile: usize,
    rect: [f32; 4],
}

impl Strip {
    pub fn new(
        gpu: &Gpu,
        globals_layout: &wgpu::BindGroupLayout,
        text: &Text,
        format: wgpu::TextureFormat,
    ) -> Self {
        let tile_layout = texture_layout(gpu, "moiso strip tile layout");
        let source = include_str!("../../shaders/strip.wgsl");
        let program = Program { label: "moiso strip", source, fragment: "fs_main" };
        let groups = [Some(globals_layout), Some(&tile_layout)];
        Self {
            pipeline: pipeline(gpu, &program, &groups, (16, &ATTRIBUTES), format),
            tile_layout,
            placed: Vec::new(),
            vertices: None,
            globals: Globals::new(gpu, globals_layout, format.is_srgb()),
            page: text.page(gpu),
            content: None,
            height: 0,
            tiles: Vec::new(),
            format,
        }
    }

    /// Forgets what was prepared with an atlas that is gone.
    pub fn forget(&mut self) {
        self.content = None;
        self.page.forget();
    }

    /// Draws the tiles that this frame shows and lacks, and places them.
    pub fn prepare(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        quads: &QuadPipeline,
        text: &mut Text,
        strip: &StripScene,
    ) -> Result<(), GpuError> {
        self.adopt(gpu, strip);
        let length = strip.content.length.max(1);
        self.placed.clear();
        self.tiles.iter_mut().for_each(|tile| tile.used = false);
        let width = strip.rect.w.round() as u32;
        let mut x = -i64::from(strip.offset % length);
        while x < i64::from(width) {
            for part in 0..length.div_ceil(TILE) {
                let part_w = TILE.min(length - part * TILE);
                let left = x + i64::from(part * TILE);
                if left + i64::from(part_w) > 0 && left < i64::from(width) {
                    let tile = self.tile(gpu, encoder, quads, text, part)?;
                    let at = [strip.rect.x.round() + left as f32, strip.rect.y.round()];
                    let rect = [at[0], at[1], part_w as f32, self.height as f32];
                    self.placed.push(Placed { tile, rect });
                }
            }
            x += i64::from(length);
        }
        self.upload(gpu);
        Ok(())
    }

    fn adopt(&mut self, gpu: &Gpu, strip: &StripScene) {
        let height = (strip.rect.h.round() as u32).max(1);
        if height != self.height {
            self.height = height;
            self.tiles.clear();
            self.page.forget();
            let size = Size { w: TILE, h: height };
            self.globals.set(gpu, size);
            self.page.set_size(gpu, size);
        }
        let same =
            self.content.as_ref().is_some_and(|c| Arc::ptr_eq(c, &strip.content) || *c == strip.content);
        if !same {
            self.tiles.iter_mut().for_each(|tile| tile.holds = None);
        }
        self.content = Some(Arc::clone(&strip.content));
    }

    /// The tile that holds `part`; a free one is drawn when none does.
    fn tile(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        quads: &QuadPipeline,
        text: &mut Text,
        part: u32,
    ) -> Result<usize, GpuError> {
        if let Some(index) = self.tiles.iter().position(|tile| tile.holds == Some(part)) {
            self.tiles[index].used = true;
            return Ok(index);
        }
        let free = self.tiles.iter().position(|tile| !tile.used);
        let index = free.unwrap_or(self.tiles.len());
        if free.is_none() {
            self.tiles.push(self.new_tile(gpu));
        }
        self.tiles[index].used = true;
        self.tiles[index].holds = None;
        self.fill(gpu, encoder, quads, text, index, part)?;
        self.tiles[index].holds = Some(part);
        Ok(index)
    }

    fn new_tile(&self, gpu: &Gpu) -> Tile {
        let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("moiso strip tile"),
            size: wgpu::Extent3d { width: TILE, height: self.height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: self.format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let group = texture_group(gpu, "moiso strip tile group", &self.tile_layout, &view);
        Tile { view, group, quads: QuadBatch::new(), holds: None, used: false }
    }

    fn fill(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        quads: &QuadPipeline,
        text: &mut Text,
        index: usize,
        part: u32,
    ) -> Result<(), GpuError> {
        let Some(content) = self.content.clone() else { return Ok(()) };
        let from = (part * TILE) as f32;
        let seen = |r: &Rect| r.x < from + TILE as f32 && r.x + r.w > from;
        let runs = content.texts.iter().filter(|run| seen(&run.rect));
        text.prepare(gpu, &mut self.page, index, runs, -from)?;
        let tile = &mut self.tiles[index];
        tile.quads.clear();
        let shifted: Vec<_> = content
            .quads
            .iter()
            .filter(|q| seen(&q.rect))
            .map(|q| crate::scene::Quad { rect: Rect { x: q.rect.x - from, ..q.rect }, ..*q })
            .collect();
        let range = tile.quads.push(shifted.iter());
        tile.quads.upload(gpu);
        let mut pass = begin(encoder, "moiso strip pass", &tile.view, clear(content.background, self.format));
        tile.quads.draw(&mut pass, quads, &self.globals, &range);
        text.draw(&self.page, index, &mut pass)
    }

    fn upload(&mut self, gpu: &Gpu) {
        let rects: Vec<[f32; 4]> = self.placed.iter().map(|p| p.rect).collect();
        let bytes: &[u8] = bytemuck::cast_slice(&rects);
        if bytes.is_empty() {
            return;
        }
        let buffer = match self.vertices.take() {
            Some(buffer) if buffer.size() >= bytes.len() as u64 => buffer,
            _ => vertex_buffer(gpu, "moiso strip places", bytes.len() as u64),
        };
        gpu.queue.write_buffer(&buffer, 0, bytes);
        self.vertices = Some(buffer);
    }

    /// Copies the placed tiles; the caller has set the scissor to the strip.
    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, globals: &Globals) {
        let Some(vertices) = &self.vertices else { return };
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &globals.group, &[]);
        pass.set_vertex_buffer(0, vertices.slice(..));
        for (index, placed) in (0u32..).zip(&self.placed) {
            pass.set_bind_group(1, &self.tiles[placed.tile].group, &[]);
            pass.draw(0..4, index..index + 1);
        }
    }
}

/// Begins a pass on `view`.
pub(super) fn begin<'e>(
    encoder: &'e mut wgpu::CommandEncoder,
    label: &str,
    view: &wgpu::TextureView,
    load: wgpu::LoadOp<wgpu::Color>,
) -> wgpu::RenderPass<'e> {
    encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        label: Some(label),
        color_attachments: &[Some(wgpu::RenderPassColorAttachment {
            view,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations { load, store: wgpu::StoreOp::Store },
        })],
        depth_stencil_attachment: None,
        timestamp_writes: None,
        occlusion_query_set: None,
        multiview_mask: None,
    })
}

/// A clear colour in the encoding of the target.
pub(super) fn clear(colour: Colour, format: wgpu::TextureFormat) -> wgpu::LoadOp<wgpu::Color> {
    let channel = |c: u8| {
        let c = f64::from(c) / 255.0;
        match format.is_srgb() {
            true if c <= 0.04045 => c / 12.92,
            true => ((c + 0.055) / 1.055).powf(2.4),
            false => c,
        }
    };
    let [r, g, b, a] = colour.0;
    wgpu::LoadOp::Clear(wgpu::Color { r: channel(r), g: channel(g), b: channel(b), a: f64::from(a) / 255.0 })
}
