//! The system's sound cards. The only file that names cpal.
//!
//! Its callbacks only call [`Feed::fill`] and bump atomics; they never lock, allocate, log or call the system.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, ErrorKind, FromSample, I24, SampleFormat, SizedSample, StreamConfig,
    SupportedBufferSize, SupportedStreamConfigRange,
};

use super::card::{Card, CardError, Cards, Wish};
use super::feed::{Feed, Gauges, ring};
use crate::speech::RATE_HZ;

/// How far the ring may be filled ahead of the card.
const RING_MS: u64 = 500;
/// Formats in the order of preference; 16 bits are enough for speech, and every card has them.
const FORMATS: [SampleFormat; 6] = [
    SampleFormat::F32,
    SampleFormat::I16,
    SampleFormat::I32,
    SampleFormat::I24,
    SampleFormat::U16,
    SampleFormat::U8,
];
const CHANNELS_MAX: u16 = 8;
const OPEN_WITHIN: Duration = Duration::from_secs(3);
/// cpal's ALSA host plays two periods ahead.
const PERIODS: u64 = 2;

/// Cards of the default host (ALSA on Linux, which reaches PipeWire and PulseAudio too).
#[derive(Debug, Default)]
pub struct SystemCards;

impl Cards for SystemCards {
    fn open(&mut self, wish: &Wish) -> Result<Card, CardError> {
        let (device, preferred) = choose(wish)?;
        open(&device, preferred, wish.buffer_frames)
    }

    fn is_there(&mut self, wish: &Wish) -> bool {
        wish.device.as_deref().is_some_and(|name| find(name).is_some())
    }
}

/// The names of all output devices when none of them is the wanted one, for `moiso check`.
pub fn instead_of(wanted: &str) -> Option<Vec<String>> {
    if find(wanted).is_some() {
        return None;
    }
    let devices = cpal::default_host().output_devices();
    Some(devices.map(|devices| devices.map(|device| name_of(&device)).collect()).unwrap_or_default())
}

fn choose(wish: &Wish) -> Result<(Device, bool), CardError> {
    if let Some(device) = wish.device.as_deref().and_then(find) {
        return Ok((device, true));
    }
    let device = cpal::default_host().default_output_device().ok_or(CardError::None)?;
    Ok((device, wish.device.is_none()))
}

/// The device with this id or name, else the first whose name has it as a part.
fn find(wanted: &str) -> Option<Device> {
    let devices: Vec<Device> = cpal::default_host().output_devices().ok()?.collect();
    let wanted = wanted.to_lowercase();
    let names = |device: &Device| {
        let id = device.id().map(|id| id.id().to_lowercase()).unwrap_or_default();
        [id, name_of(device).to_lowercase()]
    };
    let exact = devices.iter().find(|device| names(device).contains(&wanted));
    let part = || devices.iter().find(|device| names(device).iter().any(|name| name.contains(&wanted)));
    exact.or_else(part).cloned()
}

fn name_of(device: &Device) -> String {
    device.to_string()
}

fn open(device: &Device, preferred: bool, buffer_frames: u32) -> Result<Card, CardError> {
    let name = name_of(device);
    let refused = |error: cpal::Error| CardError::Refused { name: name.clone(), why: error.to_string() };
    let ranges: Vec<SupportedStreamConfigRange> =
        device.supported_output_configs().map_err(refused)?.collect();
    let (format, config) = pick(&ranges, buffer_frames).ok_or_else(|| CardError::Format {
        name: name.clone(),
        formats: ranges.iter().map(|r| r.sample_format().to_string()).collect::<Vec<_>>().join(", "),
    })?;
    let channels = usize::from(config.channels);
    let ring_frames = u64::from(config.sample_rate) * RING_MS / 1000;
    let (producer, feed, gauges) = ring(ring_frames as usize, channels);
    let stream = build(device, config, format, feed, &gauges).map_err(refused)?;
    stream.play().map_err(refused)?;
    let period = stream.buffer_size().map_or(u64::from(buffer_frames), u64::from);
    Ok(Card {
        preferred,
        rate_hz: config.sample_rate,
        channels,
        latency_frames: PERIODS * period,
        ring: producer,
        gauges,
        stream: Box::new(stream),
        name,
    })
}

/// 48 kHz if it can be had, then the best format, then two channels rather than many.
fn pick(ranges: &[SupportedStreamConfigRange], buffer_frames: u32) -> Option<(SampleFormat, StreamConfig)> {
    let rank = |range: &&SupportedStreamConfigRange| {
        let format = FORMATS.iter().position(|f| *f == range.sample_format());
        let channels = range.channels();
        let fit = match channels {
            2 => 0,
            1 => 1,
            n => n,
        };
        (!range.contains_rate(RATE_HZ), format, fit)
    };
    let usable = |range: &&SupportedStreamConfigRange| {
        FORMATS.contains(&range.sample_format()) && (1..=CHANNELS_MAX).contains(&range.channels())
    };
    let range = ranges.iter().filter(usable).min_by_key(rank)?;
    let sample_rate = RATE_HZ.clamp(range.min_sample_rate(), range.max_sample_rate());
    let buffer_size = match range.buffer_size() {
        SupportedBufferSize::Range { min, max } => {
            // ALSA takes the double as its buffer and refuses what does not fit.
            BufferSize::Fixed(buffer_frames.clamp(*min, (*max).max(*min)))
        }
        SupportedBufferSize::Unknown => BufferSize::Fixed(buffer_frames),
    };
    Some((range.sample_format(), StreamConfig { channels: range.channels(), sample_rate, buffer_size }))
}

fn build(
    device: &Device,
    config: StreamConfig,
    format: SampleFormat,
    feed: Feed,
    gauges: &Arc<Gauges>,
) -> Result<cpal::Stream, cpal::Error> {
    match format {
        SampleFormat::F32 => stream::<f32>(device, config, feed, gauges),
        SampleFormat::I16 => stream::<i16>(device, config, feed, gauges),
        SampleFormat::I32 => stream::<i32>(device, config, feed, gauges),
        SampleFormat::I24 => stream::<I24>(device, config, feed, gauges),
        SampleFormat::U16 => stream::<u16>(device, config, feed, gauges),
        SampleFormat::U8 => stream::<u8>(device, config, feed, gauges),
        _ => Err(ErrorKind::UnsupportedConfig.into()),
    }
}

fn stream<T: SizedSample + FromSample<f32>>(
    device: &Device,
    config: StreamConfig,
    mut feed: Feed,
    gauges: &Arc<Gauges>,
) -> Result<cpal::Stream, cpal::Error> {
    let gauges = Arc::clone(gauges);
    device.build_output_stream::<T, _, _>(
        config,
        move |out, _| feed.fill(out, T::EQUILIBRIUM, T::from_sample),
        move |error| note(&gauges, error.kind()),
        Some(OPEN_WITHIN),
    )
}

/// Runs on the callback's thread too. Only this function knows how the system tells of gaps.
fn note(gauges: &Gauges, kind: ErrorKind) {
    match kind {
        ErrorKind::Xrun => drop(gauges.xruns.fetch_add(1, Ordering::Relaxed)),
        ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
        ErrorKind::DeviceNotAvailable
        | ErrorKind::HostUnavailable
        | ErrorKind::StreamInvalidated
        | ErrorKind::PermissionDenied => gauges.gone.store(true, Ordering::Relaxed),
        _ => drop(gauges.errors.fetch_add(1, Ordering::Relaxed)),
    }
}
