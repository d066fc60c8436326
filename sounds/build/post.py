"""From raw 24 kHz sound to a finished clip: trimmed, evened, at the voice's one level, limited, encoded.

The order is: resample to 48 kHz, high pass, trim at a fixed distance below the clip's own level, lift the consonants,
bring quiet sounds nearer to loud ones, bring the loudness of the clip's speech to one value, a look-ahead limiter, faded edges, Opus.
"""

import subprocess

import numpy as np
import soundfile
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import butter, lfilter, resample_poly, sosfilt, sosfiltfilt

RATE = 48000
SOURCE = 24000
STRAY, STRAY_AFTER = RATE // 20, RATE // 8  # a noise so short after so long a pause is no speech
SILENCE_DB, SILENCE_FADE_DB = 55.0, 15.0  # so far below the loud parts nothing is lifted; nearer, more and more

# ITU-R BS.1770 K weighting at 48 kHz: the head's shelf, then the high pass
SHELF = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585])
HIGH_PASS = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])


def db(x):
    return 20 * np.log10(np.maximum(x, 1e-9))


def k_weighted(sound):
    return lfilter(*HIGH_PASS, lfilter(*SHELF, sound))


def speech_loudness(sound):
    """LUFS of the sound's loud parts: 20 ms windows within 20 dB of the loudest, without the standard's gating."""
    step = RATE // 50
    y = k_weighted(sound)
    blocks = np.array([np.mean(y[i : i + step] ** 2) for i in range(0, max(1, len(y) - step + 1), step)])
    loud = blocks[blocks > blocks.max() / 100]
    return -0.691 + 10 * np.log10(max(loud.mean(), 1e-12))


def levels(sound, window=RATE // 200):
    return np.sqrt(np.maximum(uniform_filter1d(sound**2, window, mode="constant"), 0))


def trim(sound, cfg):
    level = db(levels(sound))
    loud = np.flatnonzero(level > level.max() - cfg["trim_db"])
    start, last = max(0, loud[0] - int(cfg["head_ms"] * RATE / 1000)), loud[-1]
    pauses = np.flatnonzero(np.diff(loud) > STRAY_AFTER)
    if len(pauses) and last - loud[pauses[-1] + 1] < STRAY:  # the model's, behind the last syllable
        last = loud[pauses[-1]]
    end = min(len(sound), last + 1 + int(cfg["tail_ms"] * RATE / 1000))
    return sound[start:end]


def bright(sound, cfg):
    """More of what lies above presence_hz, where consonants are and a hall's roar is not."""
    high = sosfilt(butter(1, cfg["presence_hz"], "highpass", fs=RATE, output="sos"), sound)
    return sound + high * (10 ** (cfg["presence_db"] / 20) - 1)


def even(sound, cfg):
    """What lies x dB below the level of the loud parts then lies x / even_ratio below it; silence stays silence."""
    window = int(cfg["even_ms"] * RATE / 1000)
    level = db(levels(sound, window))
    below = 10 * np.log10(np.mean(10 ** (level[level > level.max() - 20] / 10))) - level
    lift = np.minimum(below * (1 - 1 / cfg["even_ratio"]), cfg["even_most_db"])
    lift *= np.clip((SILENCE_DB - below) / SILENCE_FADE_DB, 0, 1)
    return sound * 10 ** (uniform_filter1d(lift, window // 2) / 20)


def true_peak(sound):
    return np.abs(resample_poly(sound, 4, 1)).max()


def limit(sound, ceiling_db, hold_ms=3.0):
    """Smooth gain reduction around the peaks, judged on four times oversampled samples."""
    over = np.abs(resample_poly(sound, 4, 1))
    peaks = over[: len(over) // 4 * 4].reshape(-1, 4).max(axis=1)[: len(sound)]
    peaks = np.pad(peaks, (0, len(sound) - len(peaks)))
    need = np.minimum(1.0, 10 ** (ceiling_db / 20) / np.maximum(peaks, 1e-9))
    window = int(hold_ms * RATE / 1000) | 1
    held = -maximum_filter1d(-need, 2 * window + 1)
    return sound * uniform_filter1d(uniform_filter1d(held, window), window)


def fade(sound, cfg):
    sound = sound.copy()
    for edge, length in ((sound, cfg["fade_in_ms"]), (sound[::-1], cfg["fade_out_ms"])):
        n = min(len(sound) // 2, int(length * RATE / 1000))
        edge[:n] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(n) / n)
    return sound


def finish(raw, cfg):
    sound = resample_poly(raw, RATE // SOURCE, 1, window=("kaiser", 9.0))
    rumble = butter(2, cfg["high_pass_hz"], "highpass", fs=RATE, output="sos")
    return levelled(trim(sosfiltfilt(rumble, sound), cfg), cfg)  # the model's voiced sounds carry an offset


def levelled(sound, cfg):
    """A trimmed sound at the voice's one level."""
    sound = even(bright(sound, cfg), cfg)
    loud, gain = sound, 0.0
    for _ in range(3):  # the limiter takes a little away, so ask again
        gain += cfg["speech_lufs"] - speech_loudness(loud)
        loud = limit(sound * 10 ** (gain / 20), cfg["ceiling_db"])
    return fade(loud, cfg)


def match(model, sound):
    """The factor that gives `sound` the level of `model`, at most 3 dB either way."""
    ratio = np.sqrt(np.mean(model**2) / max(np.mean(sound**2), 1e-12))
    return float(np.clip(ratio, 0.71, 1.41))


def join(head, head_at, tail, tail_at, blend=288, reach=120):
    """`head` up to `head_at`, then `tail` from `tail_at` (24 kHz), blended over 12 ms where the waves fit best."""
    half = blend // 2
    left = head[head_at - half : head_at + half]

    def fit(shift):
        right = tail[tail_at - half + shift : tail_at + half + shift]
        return np.dot(left, right) / (np.linalg.norm(right) + 1e-9)

    at = tail_at - half + max(range(-reach, reach + 1), key=fit)
    ramp = np.linspace(0, 1, blend)
    return np.concatenate([head[: head_at - half], left * (1 - ramp) + tail[at : at + blend] * ramp, tail[at + blend :]])


def encode(sound, path, bitrate, application="voip"):
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "f32le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0",
         "-map_metadata", "-1", "-fflags", "+bitexact", "-flags", "+bitexact",
         "-c:a", "libopus", "-b:a", bitrate, "-vbr", "on", "-application", application, str(path)],
        input=sound.astype(np.float32).tobytes(), check=True,
    )


def decode(path):
    """The samples of a clip at RATE, as libopus decodes them."""
    return soundfile.read(path, dtype="float64")[0]
