//! The GPU: which device draws, whether it is still there, and everything that dies with it.
//!
//! All GPU objects hang on one [`Gpu`]. When [`Gpu::is_lost`] says so, the caller drops it with all painters and opens
//! a new one; nothing here retries by itself, and nothing knows a window.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

mod image;
pub mod offscreen;
pub mod painter;
pub mod picture;
mod quad;
mod strip;
mod text;

pub use offscreen::Offscreen;
pub use painter::Painter;
pub use picture::Picture;

/// Why a frame or a device could not be had.
#[derive(Debug, Error)]
pub enum GpuError {
    #[error("no adapter can draw here: {0}")]
    NoAdapter(#[from] wgpu::RequestAdapterError),
    #[error("the adapter gives no device: {0}")]
    NoDevice(#[from] wgpu::RequestDeviceError),
    #[error("the device is lost")]
    Lost,
    #[error("the picture of {w}x{h} exceeds the device's limit of {limit} pixels a side")]
    TooLarge { w: u32, h: u32, limit: u32 },
    #[error("text could not be prepared: {0}")]
    Text(#[from] glyphon::PrepareError),
    #[error("text could not be drawn: {0}")]
    Glyphs(#[from] glyphon::RenderError),
    #[error("pixels could not be read back: {0}")]
    Read(String),
    #[error("the picture could not be encoded: {0}")]
    Encode(#[from] png::EncodingError),
    #[error("the picture could not be decoded: {0}")]
    Decode(#[from] png::DecodingError),
}

/// One device with its queue. Everything made from it is worthless once it is lost.
#[derive(Debug)]
pub struct Gpu {
    pub adapter: wgpu::Adapter,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    info: wgpu::AdapterInfo,
    lost: Arc<AtomicBool>,
}

impl Gpu {
    /// An instance for drawing without a display. A window makes its own, from its display handle.
    pub fn instance() -> wgpu::Instance {
        wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: wgpu::Backends::VULKAN | wgpu::Backends::GL,
            ..wgpu::InstanceDescriptor::new_without_display_handle().with_env()
        })
    }

    /// Takes the first adapter that can present to `surface`, or any when there is none.
    ///
    /// # Errors
    /// [`GpuError::NoAdapter`] or [`GpuError::NoDevice`]; both may pass after a driver update or a re-plugged card.
    pub fn open(instance: &wgpu::Instance, surface: Option<&wgpu::Surface<'_>>) -> Result<Self, GpuError> {
        let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::LowPower,
            force_fallback_adapter: false,
            compatible_surface: surface,
            apply_limit_buckets: false,
        }))?;
        // Old GPUs have less than the defaults; the picture needs little beyond the texture size.
        let limits = wgpu::Limits::downlevel_webgl2_defaults().using_resolution(adapter.limits());
        Self::of(adapter, limits)
    }

    fn of(adapter: wgpu::Adapter, required_limits: wgpu::Limits) -> Result<Self, GpuError> {
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("moiso device"),
            required_features: wgpu::Features::empty(),
            required_limits,
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            trace: wgpu::Trace::Off,
        }))?;
        let lost = Arc::new(AtomicBool::new(false));
        watch(&device, &lost);
        let info = adapter.get_info();
        Ok(Self { adapter, device, queue, info, lost })
    }

    /// Whether a GPU's driver has left a node on this machine. Where none has, looking for adapters would only load the
    /// drivers that draw on the processor, which takes a fifth of a second and tens of megabytes.
    pub fn may_be_here() -> bool {
        if !cfg!(target_os = "linux") {
            return true;
        }
        let render = std::fs::read_dir("/dev/dri").into_iter().flatten().flatten();
        let mut render = render.filter(|node| node.file_name().to_string_lossy().starts_with("renderD"));
        // Drivers that are not of the kernel: NVIDIA's, Mali's, Adreno's, and Windows' own below Linux.
        let others = ["/dev/nvidiactl", "/dev/mali0", "/dev/kgsl-3d0", "/dev/dxg"];
        render.next().is_some() || others.iter().any(|node| std::path::Path::new(node).exists())
    }

    /// A device whose textures have at most `side` pixels a side, as of a GPU that is older than any here.
    #[cfg(test)]
    fn with_small_textures(side: u32) -> Self {
        let any = Self::open(&Self::instance(), None).unwrap();
        let limits = wgpu::Limits { max_texture_dimension_2d: side, ..any.device.limits() };
        Self::of(any.adapter, limits).unwrap()
    }

    /// Whether the device is gone or has made an error that nothing caught; then its pictures cannot be trusted.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Whether the CPU draws; then only damaged parts should be drawn and shown.
    pub fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    /// Adapter, driver, backend and kind of device, in words.
    pub fn info(&self) -> String {
        let i = &self.info;
        format!("{} ({} {}), {}, {:?}", i.name, i.driver, i.driver_info, i.backend, i.device_type)
    }

    /// The longest side of a picture.
    pub fn max_side(&self) -> u32 {
        self.device.limits().max_texture_dimension_2d
    }

    /// Lets the driver free what finished frames used; without it memory grows on some drivers.
    pub fn poll(&self) {
        if self.device.poll(wgpu::PollType::Poll).is_err() {
            self.lost.store(true, Ordering::Release);
        }
    }
}

fn watch(device: &wgpu::Device, lost: &Arc<AtomicBool>) {
    let flag = Arc::clone(lost);
    device.set_device_lost_callback(move |reason, message| {
        flag.store(true, Ordering::Release);
        tracing::warn!(?reason, message, "graphics device lost");
    });
    let flag = Arc::clone(lost);
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        flag.store(true, Ordering::Release);
        tracing::error!(%error, "graphics device error");
    }));
}
