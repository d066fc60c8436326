//! Drawing without a window: a texture, its painter, and a buffer through which its pixels come back.

use super::{Gpu, GpuError, Painter, Picture};
use crate::scene::{Rect, Scene, Size, TextRun};

/// Straight RGBA bytes, red first: what a PNG holds, on every backend.
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

/// A picture on the GPU that keeps its content between frames.
pub struct Offscreen {
    size: Size,
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    painter: Painter,
    transfer: Option<wgpu::Buffer>,
}

/// Bytes that are read back at once; a whole picture comes in bands, so that no second copy of it is ever held.
const BAND: u32 = 2 << 20;

/// A row of pixels of a part, and where it begins.
#[derive(Copy, Clone, Debug)]
pub struct Row<'p> {
    pub x: u32,
    pub y: u32,
    pub rgba: &'p [u8],
}

impl Offscreen {
    /// # Errors
    /// [`GpuError::TooLarge`] beyond the device's limit, [`GpuError::Lost`] when it is gone.
    pub fn new(gpu: &Gpu, size: Size) -> Result<Self, GpuError> {
        let limit = gpu.max_side();
        if size.w == 0 || size.h == 0 || size.w > limit || size.h > limit {
            return Err(GpuError::TooLarge { w: size.w, h: size.h, limit });
        }
        let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("moiso picture"),
            size: wgpu::Extent3d { width: size.w, height: size.h, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let painter = Painter::new(gpu, FORMAT);
        if gpu.is_lost() {
            return Err(GpuError::Lost);
        }
        Ok(Self { size, texture, view, painter, transfer: None })
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// Draws `scene`, which has this picture's size; with `damage` only those parts change.
    ///
    /// # Errors
    /// As [`Painter::draw`].
    pub fn draw(&mut self, gpu: &Gpu, scene: &Scene, damage: Option<&[Rect]>) -> Result<(), GpuError> {
        self.painter.draw(gpu, scene, &self.view, damage)
    }

    /// As [`Painter::warm`].
    pub fn warm(&mut self, gpu: &Gpu, runs: &[TextRun]) {
        self.painter.warm(gpu, runs);
    }

    /// As [`Painter::growths`].
    pub fn growths(&self) -> u64 {
        self.painter.growths()
    }

    /// Reads a part back row by row, and waits for it; the part is widened to whole pixels and cut at the edges.
    ///
    /// # Errors
    /// [`GpuError::Read`] when the device goes away meanwhile.
    pub fn read(&mut self, gpu: &Gpu, part: Rect, mut row: impl FnMut(Row<'_>)) -> Result<(), GpuError> {
        let x = (part.x.floor().max(0.0) as u32).min(self.size.w);
        let y = (part.y.floor().max(0.0) as u32).min(self.size.h);
        let w = ((part.x + part.w).ceil().max(0.0) as u32).min(self.size.w) - x.min(self.size.w);
        let h = ((part.y + part.h).ceil().max(0.0) as u32).min(self.size.h) - y.min(self.size.h);
        let rows = (BAND / (w * 4).max(1)).max(1);
        for top in (y..y + h).step_by(rows as usize).filter(|_| w > 0) {
            self.transfer(gpu, [x, top, w, rows.min(y + h - top)], &mut row)?;
        }
        Ok(())
    }

    /// The whole picture.
    ///
    /// # Errors
    /// As [`Offscreen::read`].
    pub fn picture(&mut self, gpu: &Gpu) -> Result<Picture, GpuError> {
        let Size { w, h } = self.size;
        let whole = Rect { x: 0.0, y: 0.0, w: w as f32, h: h as f32 };
        let mut rgba = Vec::with_capacity(w as usize * h as usize * 4);
        self.read(gpu, whole, |row| rgba.extend_from_slice(row.rgba))?;
        Ok(Picture { w, h, rgba })
    }

    fn transfer(
        &mut self,
        gpu: &Gpu,
        [x, y, w, h]: [u32; 4],
        row: &mut impl FnMut(Row<'_>),
    ) -> Result<(), GpuError> {
        let stride = (w * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let bytes = u64::from(stride) * u64::from(h);
        let buffer = match self.transfer.take() {
            Some(buffer) if buffer.size() >= bytes => buffer,
            _ => gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("moiso read back"),
                size: bytes,
                usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
                mapped_at_creation: false,
            }),
        };
        let label = wgpu::CommandEncoderDescriptor { label: Some("moiso read back") };
        let mut encoder = gpu.device.create_command_encoder(&label);
        encoder.copy_texture_to_buffer(
            wgpu::TexelCopyTextureInfo {
                texture: &self.texture,
                mip_level: 0,
                origin: wgpu::Origin3d { x, y, z: 0 },
                aspect: wgpu::TextureAspect::All,
            },
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(stride),
                    rows_per_image: None,
                },
            },
            wgpu::Extent3d { width: w, height: h, depth_or_array_layers: 1 },
        );
        gpu.queue.submit([encoder.finish()]);
        map(gpu, &buffer, bytes)?;
        {
            let view = buffer.get_mapped_range(..bytes).map_err(|e| GpuError::Read(e.to_string()))?;
            for (line, y) in view.chunks_exact(stride as usize).zip(y..) {
                row(Row { x, y, rgba: &line[..w as usize * 4] });
            }
        }
        buffer.unmap();
        self.transfer = Some(buffer);
        Ok(())
    }
}

/// Waits until the buffer's bytes can be read.
fn map(gpu: &Gpu, buffer: &wgpu::Buffer, bytes: u64) -> Result<(), GpuError> {
    let failed = |what: &dyn std::fmt::Display| GpuError::Read(what.to_string());
    let (send, mapped) = std::sync::mpsc::sync_channel(1);
    buffer.map_async(wgpu::MapMode::Read, ..bytes, move |result| {
        let _ = send.send(result);
    });
    gpu.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| failed(&e))?;
    match mapped.try_recv() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(failed(&error)),
        Err(_) => Err(GpuError::Lost),
    }
}
