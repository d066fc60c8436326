//! The system's sound cards. The only file that names cpal.
//!
//! Its callbacks only call [`Feed::fill`] and bump atomics; they never lock, allocate, log or call the system.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, ErrorKind, FromSample, I24, SampleFormat, SizedSample, StreamConfig,
    SupportedBufferSize, SupportedStreamConfigRange,
};

use super::card::{Card, CardError, Cards, PIECES, Wish};
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
/// More than the largest hall has zones.
const CHANNELS_MAX: u16 = 32;
const OPEN_WITHIN: Duration = Duration::from_secs(3);

/// Cards of the default host (ALSA on Linux, which reaches PipeWire and PulseAudio too).
#[derive(Debug, Default)]
pub struct SystemCards;

impl Cards for SystemCards {
    fn open(&mut self, wish: &Wish) -> Result<Card, CardError> {
        let said = overhear();
        let opened = choose(wish).and_then(|(device, preferred)| open(&device, preferred, wish));
        if let Some(said) = said.filter(|_| opened.is_err()) {
            tracing::debug!("{said}");
        }
        opened
    }

    fn is_there(&mut self, wish: &Wish) -> bool {
        wish.device.as_deref().is_some_and(|name| find(name).is_some())
    }
}

/// Takes what ALSA's library would write to the error output, at every look for a card, for this thread.
#[cfg(target_os = "linux")]
fn overhear() -> Option<impl std::fmt::Display> {
    struct Said(std::rc::Rc<std::cell::RefCell<alsa::Output>>);
    impl std::fmt::Display for Said {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.borrow().fmt(f)
        }
    }
    alsa::Output::local_error_handler().ok().map(Said)
}

#[cfg(not(target_os = "linux"))]
fn overhear() -> Option<String> {
    None
}

/// An output device as the system describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub name: String,
    /// As `audio.zone.device` may name it for certain.
    pub id: String,
    pub is_default: bool,
    /// Sample formats of which it takes any.
    pub formats: Vec<String>,
    /// The fewest and the most channels.
    pub channels: RangeInclusive<u16>,
    /// Lowest and highest rate.
    pub rates_hz: RangeInclusive<u32>,
}

/// All output devices of the default host.
///
/// # Errors
/// When the system cannot list them.
pub fn outputs() -> Result<Vec<Output>, CardError> {
    let host = cpal::default_host();
    let refused =
        |why: cpal::Error| CardError::Refused { name: "the sound system".into(), why: why.to_string() };
    let default = host.default_output_device().map(|device| id_of(&device));
    let all = host.output_devices().map_err(refused)?.map(|device| describe(&device, default.as_deref()));
    // ALSA also lists its plug-ins, which by themselves play nothing.
    Ok(all.filter(|output| *output.channels.end() > 0).collect())
}

/// The name of the device that a zone with this wish is played on now.
pub fn chosen(wish: &Wish) -> Option<String> {
    choose(wish).ok().map(|(device, _)| name_of(&device))
}

fn describe(device: &Device, default: Option<&str>) -> Output {
    let (name, id) = (name_of(device), id_of(device));
    let ranges: Vec<SupportedStreamConfigRange> =
        device.supported_output_configs().map(Iterator::collect).unwrap_or_default();
    let usable: Vec<_> = ranges.iter().filter(|range| FORMATS.contains(&range.sample_format())).collect();
    let span = |low: Option<u32>, high: Option<u32>| low.unwrap_or(0)..=high.unwrap_or(0);
    let channels = usable.iter().map(|range| range.channels());
    let formats =
        FORMATS.iter().filter(|format| usable.iter().any(|range| range.sample_format() == **format));
    Output {
        is_default: default == Some(&*id),
        id,
        formats: formats.map(ToString::to_string).collect(),
        channels: channels.clone().min().unwrap_or(0)..=channels.max().unwrap_or(0),
        rates_hz: span(
            usable.iter().map(|range| range.min_sample_rate()).min(),
            usable.iter().map(|range| range.max_sample_rate()).max(),
        ),
        name,
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
    let names = |device: &Device| [id_of(device).to_lowercase(), name_of(device).to_lowercase()];
    let exact = devices.iter().find(|device| names(device).contains(&wanted));
    let part = || devices.iter().find(|device| names(device).iter().any(|name| name.contains(&wanted)));
    exact.or_else(part).cloned()
}

fn id_of(device: &Device) -> String {
    device.id().map(|id| id.id().to_owned()).unwrap_or_default()
}

fn name_of(device: &Device) -> String {
    device.to_string()
}

fn open(device: &Device, preferred: bool, wish: &Wish) -> Result<Card, CardError> {
    let name = name_of(device);
    let refused = |error: cpal::Error| CardError::Refused { name: name.clone(), why: error.to_string() };
    let ranges: Vec<SupportedStreamConfigRange> =
        device.supported_output_configs().map_err(refused)?.collect();
    let (format, config) = pick(&ranges, wish).ok_or_else(|| CardError::Format {
        name: name.clone(),
        formats: ranges.iter().map(|r| r.sample_format().to_string()).collect::<Vec<_>>().join(", "),
    })?;
    let channels = usize::from(config.channels);
    let ring_frames = u64::from(config.sample_rate) * RING_MS / 1000;
    let ring_frames = ring_frames.max(2 * u64::from(wish.buffer_frames));
    let (producer, feed, gauges) = ring(ring_frames as usize, channels);
    let stream = build(device, config, format, feed, &gauges).map_err(refused)?;
    stream.play().map_err(refused)?;
    let period = stream.buffer_size().map_or(u64::from(wish.buffer_frames), u64::from);
    Ok(Card {
        preferred,
        rate_hz: config.sample_rate,
        channels,
        latency_frames: PIECES * period,
        ring: producer,
        gauges,
        stream: Box::new(stream),
        name,
    })
}

/// Enough channels for the zones, 48 kHz if it can be had, then the best format, then two channels rather than many, and
/// an even number rather than an odd one: loudspeakers come in pairs, and a sound server that is given seven channels for
/// the eight of a card moves them about.
fn pick(ranges: &[SupportedStreamConfigRange], wish: &Wish) -> Option<(SampleFormat, StreamConfig)> {
    let rank = |range: &&SupportedStreamConfigRange| {
        let format = FORMATS.iter().position(|f| *f == range.sample_format());
        let channels = range.channels();
        let fit = match channels {
            2 => 0,
            1 => 1,
            n if n % 2 == 0 => n,
            n => CHANNELS_MAX + n,
        };
        (channels < wish.channels, !range.contains_rate(RATE_HZ), format, fit)
    };
    let usable = |range: &&SupportedStreamConfigRange| {
        FORMATS.contains(&range.sample_format()) && (1..=CHANNELS_MAX).contains(&range.channels())
    };
    let range = ranges.iter().filter(usable).min_by_key(rank)?;
    let sample_rate = RATE_HZ.clamp(range.min_sample_rate(), range.max_sample_rate());
    let buffer_size = match range.buffer_size() {
        SupportedBufferSize::Range { min, max } => {
            // ALSA takes the double as its buffer and refuses what does not fit.
            BufferSize::Fixed(wish.buffer_frames.clamp(*min, (*max).max(*min)))
        }
        SupportedBufferSize::Unknown => BufferSize::Fixed(wish.buffer_frames),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn range(channels: u16, rates: RangeInclusive<u32>, format: SampleFormat) -> SupportedStreamConfigRange {
        let buffer = SupportedBufferSize::Range { min: 64, max: 8192 };
        SupportedStreamConfigRange::new(channels, *rates.start(), *rates.end(), buffer, format)
    }

    fn picked(ranges: &[SupportedStreamConfigRange], channels: u16) -> Option<(SampleFormat, u16, u32)> {
        let wish = Wish { device: None, buffer_frames: 1024, channels };
        pick(ranges, &wish).map(|(format, config)| (format, config.channels, config.sample_rate))
    }

    #[test]
    fn whatever_the_card_can_is_taken_and_48_khz_where_it_can() {
        use SampleFormat::{F32, F64, I16, I32, U8};
        for (rates, rate) in [
            (8_000..=8_000, 8_000),
            (8_000..=44_100, 44_100),
            (96_000..=192_000, 96_000),
            (192_000..=192_000, 192_000),
            (8_000..=192_000, 48_000),
        ] {
            for channels in 1..=8 {
                assert_eq!(picked(&[range(channels, rates.clone(), I16)], 0), Some((I16, channels, rate)));
            }
        }
        let card =
            [range(8, 44_100..=48_000, I32), range(2, 44_100..=44_100, F32), range(2, 48_000..=48_000, I16)];
        assert_eq!(picked(&card, 0), Some((I16, 2, 48_000)), "the rate of the clips before the finer format");
        assert_eq!(picked(&card, 6), Some((I32, 8, 48_000)), "as many channels as the zones name");
        let any: Vec<_> = (1..=32).map(|channels| range(channels, 8_000..=192_000, F32)).collect();
        let taken = [0, 1, 2, 3, 7, 8, 9].map(|channels| picked(&any, channels).map(|(_, taken, _)| taken));
        assert_eq!(taken, [2, 2, 2, 4, 8, 8, 10].map(Some));
        assert_eq!(picked(&card, 32), Some((I16, 2, 48_000)), "and where none has so many, the usual two");
        assert_eq!(picked(&[range(1, 8_000..=8_000, U8)], 2), Some((U8, 1, 8_000)));
        assert_eq!(picked(&[range(2, 48_000..=48_000, F64)], 0), None, "a format that nothing is written in");
    }
}
