//! A window with a GPU behind it: first in, first out, two frames of latency, so that nothing tears or stutters.
//!
//! The picture is kept in a texture of its own, in which only the damage is drawn, and copied to the surface: preparing
//! a hundred texts for every step of the ticker would cost a weak CPU more than the copy costs a weak GPU.
//! A surface is configured only while none of its textures is alive, and never with a size of zero.

use tracing::{debug, trace_span};
use wgpu::CurrentSurfaceTexture as Current;

use super::show::{Canvas, Fault, Shown};
use crate::gpu::{Gpu, Offscreen, Painter, Picture};
use crate::scene::{Damage, Rect, Scene, Size, TextRun, damage};
use crate::trace::STAGE;

/// Frames that may be on their way to the display.
const LATENCY: u32 = 2;

pub(super) struct Screen {
    // Dropped in this order: the surface before the device and the instance that made it.
    surface: wgpu::Surface<'static>,
    painter: Painter,
    /// The kept picture; none when the surface cannot be copied to, and is drawn whole instead.
    kept: Option<wgpu::Texture>,
    scene: Option<Scene>,
    /// The surface shows another picture than the kept one.
    stale: bool,
    /// The size at which a surface that calls itself suboptimal was configured again; it may never say otherwise.
    settled: Option<Size>,
    config: wgpu::SurfaceConfiguration,
    snapshot: Option<Offscreen>,
    gpu: Gpu,
    info: String,
}

impl Screen {
    pub fn open(gpu: Gpu, surface: wgpu::Surface<'static>, size: Size) -> Result<Self, Fault> {
        let config = configuration(&gpu, &surface, size)?;
        let painter = Painter::new(&gpu, config.format);
        let info = gpu.info();
        let mut new = Self {
            surface,
            painter,
            kept: None,
            scene: None,
            stale: true,
            settled: None,
            config,
            snapshot: None,
            gpu,
            info,
        };
        new.configure(size)?;
        Ok(new)
    }

    fn configure(&mut self, size: Size) -> Result<(), Fault> {
        let limit = self.gpu.max_side();
        if size.w == 0 || size.h == 0 || size.w > limit || size.h > limit {
            return Err(Fault::Surface(format!("a window of {}x{} cannot be drawn", size.w, size.h)));
        }
        (self.config.width, self.config.height) = (size.w, size.h);
        self.surface.configure(&self.gpu.device, &self.config);
        self.kept = self.config.usage.contains(wgpu::TextureUsages::COPY_DST).then(|| self.texture());
        (self.scene, self.stale) = (None, true);
        if self.gpu.is_lost() { Err(self.device_lost()) } else { Ok(()) }
    }

    fn texture(&self) -> wgpu::Texture {
        self.gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("moiso kept picture"),
            size: self.extent(),
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: self.config.format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        })
    }

    fn extent(&self) -> wgpu::Extent3d {
        wgpu::Extent3d { width: self.config.width, height: self.config.height, depth_or_array_layers: 1 }
    }

    fn size(&self) -> Size {
        Size { w: self.config.width, h: self.config.height }
    }

    /// What the kept picture lacks.
    fn damage(&self, scene: &Scene) -> Damage {
        self.scene.as_ref().map_or(Damage::All, |old| damage(old, scene))
    }

    fn draw(&mut self, scene: &Scene, what: Damage, target: &wgpu::Texture) -> Result<(), Fault> {
        let Some(kept) = &self.kept else {
            return paint(&mut self.painter, &self.gpu, scene, target, None);
        };
        match what {
            Damage::Nothing => {}
            Damage::Parts(parts) => paint(&mut self.painter, &self.gpu, scene, kept, Some(&parts))?,
            Damage::All => paint(&mut self.painter, &self.gpu, scene, kept, None)?,
        }
        let label = wgpu::CommandEncoderDescriptor { label: Some("moiso copy to the surface") };
        let mut encoder = self.gpu.device.create_command_encoder(&label);
        encoder.copy_texture_to_texture(kept.as_image_copy(), target.as_image_copy(), self.extent());
        self.gpu.queue.submit([encoder.finish()]);
        Ok(())
    }

    /// Draws and presents on a texture that was acquired.
    fn present(&mut self, scene: &Scene, what: Damage, frame: wgpu::SurfaceTexture) -> Result<Shown, Fault> {
        trace_span!(target: STAGE, "draw").in_scope(|| self.draw(scene, what, &frame.texture))?;
        trace_span!(target: STAGE, "present").in_scope(|| self.gpu.queue.present(frame));
        self.gpu.poll();
        (self.scene, self.stale) = (Some(scene.clone()), false);
        if self.gpu.is_lost() { Err(self.device_lost()) } else { Ok(Shown::Frame) }
    }

    fn device_lost(&self) -> Fault {
        Fault::Device(format!("{} reported it", self.info))
    }
}

fn paint(
    painter: &mut Painter,
    gpu: &Gpu,
    scene: &Scene,
    target: &wgpu::Texture,
    parts: Option<&[Rect]>,
) -> Result<(), Fault> {
    let view = target.create_view(&wgpu::TextureViewDescriptor::default());
    Ok(painter.draw(gpu, scene, &view, parts)?)
}

fn configuration(
    gpu: &Gpu,
    surface: &wgpu::Surface<'_>,
    size: Size,
) -> Result<wgpu::SurfaceConfiguration, Fault> {
    let can = surface.get_capabilities(&gpu.adapter);
    // Without sRGB the colours blend as on a web page, which is how the board was designed.
    let plain = can
        .formats
        .iter()
        .copied()
        .find(|f| matches!(f, wgpu::TextureFormat::Bgra8Unorm | wgpu::TextureFormat::Rgba8Unorm));
    let format = plain.or(can.formats.first().copied());
    let format = format.ok_or_else(|| Fault::Surface("the adapter cannot present to it".into()))?;
    Ok(wgpu::SurfaceConfiguration {
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | (can.usages & wgpu::TextureUsages::COPY_DST),
        format,
        width: size.w,
        height: size.h,
        present_mode: wgpu::PresentMode::Fifo,
        desired_maximum_frame_latency: LATENCY,
        alpha_mode: wgpu::CompositeAlphaMode::Auto,
        view_formats: Vec::new(),
        color_space: wgpu::SurfaceColorSpace::default(),
    })
}

impl Canvas for Screen {
    fn show(&mut self, scene: &Scene) -> Result<Shown, Fault> {
        if self.gpu.is_lost() {
            return Err(self.device_lost());
        }
        if scene.size != self.size() {
            self.configure(scene.size)?;
        }
        let what = self.damage(scene);
        if !self.stale && what == Damage::Nothing {
            return Ok(Shown::Same);
        }
        match self.surface.get_current_texture() {
            Current::Success(frame) => self.present(scene, what, frame),
            Current::Suboptimal(frame) => {
                let shown = self.present(scene, what, frame)?;
                if self.settled.replace(scene.size) != Some(scene.size) {
                    self.configure(scene.size)?;
                }
                Ok(shown)
            }
            Current::Outdated => {
                debug!("the surface is outdated and configured again");
                self.configure(scene.size)?;
                Ok(Shown::Refused)
            }
            Current::Timeout => {
                debug!("the display gave no frame in time");
                Ok(Shown::Refused)
            }
            Current::Occluded => Ok(Shown::Hidden),
            Current::Lost => Err(Fault::Surface("the display took it away".into())),
            Current::Validation => Err(Fault::Surface("it could not be acquired".into())),
        }
    }

    fn picture(&mut self, scene: &Scene) -> Result<Picture, Fault> {
        let mut picture = match self.snapshot.take() {
            Some(picture) if picture.size() == scene.size => picture,
            _ => Offscreen::new(&self.gpu, scene.size)?,
        };
        picture.draw(&self.gpu, scene, None)?;
        let pixels = picture.picture(&self.gpu)?;
        self.snapshot = Some(picture);
        Ok(pixels)
    }

    fn forget(&mut self) {
        self.stale = true;
    }

    fn warm(&mut self, runs: &dyn Fn() -> Vec<TextRun>) {
        self.painter.warm(&self.gpu, &runs());
    }

    fn growths(&self) -> u64 {
        self.painter.growths()
    }

    fn gpu(&self) -> &str {
        &self.info
    }

    fn kind(&self) -> &'static str {
        "surface"
    }
}
