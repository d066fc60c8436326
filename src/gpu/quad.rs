//! Boxes and icons: two pipelines per device and format, two instanced draws per layer.

use bytemuck::{Pod, Zeroable};

use super::Gpu;
use crate::scene::{Quad, Shape, Size};

/// What the shader reads about one quad.
#[derive(Copy, Clone, Debug, Pod, Zeroable)]
#[repr(C)]
struct Instance {
    rect: [f32; 4],
    radii: [f32; 4],
    fill: [u8; 4],
    border_colour: [u8; 4],
    border: f32,
    shape: u32,
}

impl From<&Quad> for Instance {
    fn from(q: &Quad) -> Self {
        Self {
            rect: [q.rect.x, q.rect.y, q.rect.w, q.rect.h],
            radii: q.radii,
            fill: q.fill.0,
            border_colour: q.border_colour.0,
            border: q.border,
            shape: q.shape as u32,
        }
    }
}

const ATTRIBUTES: [wgpu::VertexAttribute; 6] = wgpu::vertex_attr_array![
    0 => Float32x4, 1 => Float32x4, 2 => Unorm8x4, 3 => Unorm8x4, 4 => Float32, 5 => Uint32
];

/// Size and colour encoding of a target, for the shaders.
#[derive(Debug)]
pub(super) struct Globals {
    buffer: wgpu::Buffer,
    pub group: wgpu::BindGroup,
    size: Option<Size>,
    linear: bool,
}

impl Globals {
    pub fn layout(gpu: &Gpu) -> wgpu::BindGroupLayout {
        gpu.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("moiso globals layout"),
            entries: &[wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Uniform,
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            }],
        })
    }

    pub fn new(gpu: &Gpu, layout: &wgpu::BindGroupLayout, linear: bool) -> Self {
        let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("moiso globals"),
            size: 16,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("moiso globals group"),
            layout,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
        });
        Self { buffer, group, size: None, linear }
    }

    pub fn set(&mut self, gpu: &Gpu, size: Size) {
        if self.size != Some(size) {
            let words = [(size.w as f32).to_bits(), (size.h as f32).to_bits(), u32::from(self.linear), 0];
            gpu.queue.write_buffer(&self.buffer, 0, bytemuck::cast_slice(&words));
            self.size = Some(size);
        }
    }
}

/// The pipelines, shared by the board and the strip.
#[derive(Debug)]
pub(super) struct QuadPipeline {
    boxes: wgpu::RenderPipeline,
    icons: wgpu::RenderPipeline,
}

/// The quads of one layer in a [`QuadBatch`]: boxes are drawn first, icons stand on them.
#[derive(Clone, Debug)]
pub(super) struct QuadRange {
    boxes: std::ops::Range<u32>,
    icons: std::ops::Range<u32>,
}

impl QuadPipeline {
    pub fn new(gpu: &Gpu, globals: &wgpu::BindGroupLayout, format: wgpu::TextureFormat) -> Self {
        let stride = size_of::<Instance>() as u64;
        let source = include_str!("../../shaders/quad.wgsl");
        let made = |label, entry| {
            let program = Program { label, source, fragment: entry };
            pipeline(gpu, &program, &[Some(globals)], (stride, &ATTRIBUTES), format)
        };
        Self { boxes: made("moiso boxes", "fs_main"), icons: made("moiso icons", "fs_icon") }
    }
}

/// A shader of ours and which of its fragment programs is meant.
pub(super) struct Program<'a> {
    pub label: &'a str,
    pub source: &'a str,
    pub fragment: &'a str,
}

/// A pipeline of instanced rectangles with blended output.
pub(super) fn pipeline(
    gpu: &Gpu,
    &Program { label, source, fragment }: &Program<'_>,
    groups: &[Option<&wgpu::BindGroupLayout>],
    (stride, attributes): (u64, &[wgpu::VertexAttribute]),
    format: wgpu::TextureFormat,
) -> wgpu::RenderPipeline {
    let module = gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let layout = gpu.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(label),
        bind_group_layouts: groups,
        immediate_size: 0,
    });
    gpu.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(label),
        layout: Some(&layout),
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("vs_main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[Some(wgpu::VertexBufferLayout {
                array_stride: stride,
                step_mode: wgpu::VertexStepMode::Instance,
                attributes,
            })],
        },
        primitive: wgpu::PrimitiveState {
            topology: wgpu::PrimitiveTopology::TriangleStrip,
            ..wgpu::PrimitiveState::default()
        },
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some(fragment),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            targets: &[Some(wgpu::ColorTargetState {
                format,
                blend: Some(wgpu::BlendState::ALPHA_BLENDING),
                write_mask: wgpu::ColorWrites::ALL,
            })],
        }),
        multiview_mask: None,
        cache: None,
    })
}

/// How a fragment program sees one texture, which it loads from and does not sample.
pub(super) fn texture_layout(gpu: &Gpu, label: &str) -> wgpu::BindGroupLayout {
    gpu.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(label),
        entries: &[wgpu::BindGroupLayoutEntry {
            binding: 0,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty: wgpu::BindingType::Texture {
                sample_type: wgpu::TextureSampleType::Float { filterable: false },
                view_dimension: wgpu::TextureViewDimension::D2,
                multisampled: false,
            },
            count: None,
        }],
    })
}

/// One texture for a layout of [`texture_layout`].
pub(super) fn texture_group(
    gpu: &Gpu,
    label: &str,
    layout: &wgpu::BindGroupLayout,
    view: &wgpu::TextureView,
) -> wgpu::BindGroup {
    gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(label),
        layout,
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(view) }],
    })
}

/// A growing vertex buffer; it allocates only when more quads come than ever before.
#[derive(Debug)]
pub(super) struct QuadBatch {
    buffer: Option<wgpu::Buffer>,
    instances: Vec<Instance>,
}

impl QuadBatch {
    pub const fn new() -> Self {
        Self { buffer: None, instances: Vec::new() }
    }

    pub fn clear(&mut self) {
        self.instances.clear();
    }

    /// Adds the quads of a layer and returns where they are.
    pub fn push<'a>(&mut self, quads: impl Iterator<Item = &'a Quad> + Clone) -> QuadRange {
        let is_box = |quad: &&Quad| quad.shape == Shape::Box;
        let boxes = self.extend(quads.clone().filter(is_box));
        QuadRange { boxes, icons: self.extend(quads.filter(|quad| !is_box(quad))) }
    }

    fn extend<'a>(&mut self, quads: impl Iterator<Item = &'a Quad>) -> std::ops::Range<u32> {
        let start = self.instances.len() as u32;
        self.instances.extend(quads.map(Instance::from));
        start..self.instances.len() as u32
    }

    pub fn upload(&mut self, gpu: &Gpu) {
        let bytes: &[u8] = bytemuck::cast_slice(&self.instances);
        if bytes.is_empty() {
            return;
        }
        let buffer = match self.buffer.take() {
            Some(buffer) if buffer.size() >= bytes.len() as u64 => buffer,
            _ => vertex_buffer(gpu, "moiso quads", bytes.len() as u64),
        };
        gpu.queue.write_buffer(&buffer, 0, bytes);
        self.buffer = Some(buffer);
    }

    pub fn draw(
        &self,
        pass: &mut wgpu::RenderPass<'_>,
        pipeline: &QuadPipeline,
        globals: &Globals,
        range: &QuadRange,
    ) {
        let Some(buffer) = &self.buffer else { return };
        pass.set_bind_group(0, &globals.group, &[]);
        pass.set_vertex_buffer(0, buffer.slice(..));
        for (pipeline, range) in [(&pipeline.boxes, &range.boxes), (&pipeline.icons, &range.icons)] {
            if !range.is_empty() {
                pass.set_pipeline(pipeline);
                pass.draw(0..4, range.clone());
            }
        }
    }
}

/// A vertex buffer with room to grow.
pub(super) fn vertex_buffer(gpu: &Gpu, label: &str, bytes: u64) -> wgpu::Buffer {
    gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: bytes.next_power_of_two().max(1024),
        usage: wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}
