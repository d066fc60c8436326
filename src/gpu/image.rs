//! Pictures of the hall's own: each is scaled to its place once, kept as a texture, and copied pixel for pixel.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use super::quad::{Globals, Program, pipeline, texture_group, texture_layout, vertex_buffer};
use super::{Gpu, Picture};
use crate::scene::{Art, Image, Size};

/// Textures that are kept: a logo in two sizes and a picture that gives way to another, with room for as many again.
const KEPT: usize = 8;

/// What the shader reads about one image.
#[derive(Copy, Clone, Debug, Pod, Zeroable)]
#[repr(C)]
struct Instance {
    rect: [f32; 4],
    look: [f32; 2],
}

const ATTRIBUTES: [wgpu::VertexAttribute; 2] = wgpu::vertex_attr_array![0 => Float32x4, 1 => Float32x2];

/// The images of a frame and the textures of the last ones.
pub(super) struct Images {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    /// The one that was used last is the last one.
    kept: Vec<Kept>,
    instances: Vec<Instance>,
    /// Of each instance.
    groups: Vec<wgpu::BindGroup>,
    vertices: Option<wgpu::Buffer>,
}

struct Kept {
    art: u64,
    size: Size,
    group: wgpu::BindGroup,
}

impl Images {
    pub fn new(gpu: &Gpu, globals: &wgpu::BindGroupLayout, format: wgpu::TextureFormat) -> Self {
        let layout = texture_layout(gpu, "moiso image layout");
        let source = include_str!("../../shaders/image.wgsl");
        let program = Program { label: "moiso images", source, fragment: "fs_main" };
        let groups = [Some(globals), Some(&layout)];
        let stride = size_of::<Instance>() as u64;
        Self {
            pipeline: pipeline(gpu, &program, &groups, (stride, &ATTRIBUTES), format),
            layout,
            kept: Vec::new(),
            instances: Vec::new(),
            groups: Vec::new(),
            vertices: None,
        }
    }

    pub fn clear(&mut self) {
        self.instances.clear();
        self.groups.clear();
    }

    /// Adds the images of a layer and returns where they are.
    pub fn push<'a>(&mut self, gpu: &Gpu, images: impl Iterator<Item = &'a Image>) -> Range<usize> {
        let start = self.instances.len();
        for image in images.filter(|image| image.opacity > 0.0) {
            let rect = image.rect;
            let size = Size { w: rect.w as u32, h: rect.h as u32 };
            if size.w == 0 || size.h == 0 {
                continue;
            }
            let group = self.group(gpu, &image.art, size);
            self.groups.push(group);
            self.instances.push(Instance {
                rect: [rect.x, rect.y, rect.w, rect.h],
                look: [image.radius, image.opacity],
            });
        }
        start..self.instances.len()
    }

    fn group(&mut self, gpu: &Gpu, art: &Art, size: Size) -> wgpu::BindGroup {
        let known = self.kept.iter().position(|kept| (kept.art, kept.size) == (art.id(), size));
        let kept = match known {
            Some(index) => self.kept.remove(index),
            None => Kept { art: art.id(), size, group: self.upload_art(gpu, art, size) },
        };
        let group = kept.group.clone();
        self.kept.push(kept);
        if self.kept.len() > KEPT {
            self.kept.remove(0);
        }
        group
    }

    fn upload_art(&self, gpu: &Gpu, art: &Art, size: Size) -> wgpu::BindGroup {
        let extent = wgpu::Extent3d { width: size.w, height: size.h, depth_or_array_layers: 1 };
        let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("moiso image"),
            size: extent,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba8Unorm,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let scaled = (art.size() != size).then(|| {
            let Size { w, h } = art.size();
            Picture { w, h, rgba: art.rgba().to_vec() }.scaled(size.w, size.h)
        });
        let layout =
            wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(size.w * 4), rows_per_image: None };
        let rgba = scaled.as_ref().map_or(art.rgba(), |picture| &picture.rgba);
        gpu.queue.write_texture(texture.as_image_copy(), rgba, layout, extent);
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        texture_group(gpu, "moiso image group", &self.layout, &view)
    }

    pub fn upload(&mut self, gpu: &Gpu) {
        let bytes: &[u8] = bytemuck::cast_slice(&self.instances);
        if bytes.is_empty() {
            return;
        }
        let buffer = match self.vertices.take() {
            Some(buffer) if buffer.size() >= bytes.len() as u64 => buffer,
            _ => vertex_buffer(gpu, "moiso image places", bytes.len() as u64),
        };
        gpu.queue.write_buffer(&buffer, 0, bytes);
        self.vertices = Some(buffer);
    }

    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, globals: &Globals, range: &Range<usize>) {
        let Some(vertices) = self.vertices.as_ref().filter(|_| !range.is_empty()) else { return };
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &globals.group, &[]);
        pass.set_vertex_buffer(0, vertices.slice(..));
        for index in range.clone() {
            pass.set_bind_group(1, &self.groups[index], &[]);
            pass.draw(0..4, index as u32..index as u32 + 1);
        }
    }
}
