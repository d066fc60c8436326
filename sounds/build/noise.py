"""Hall noise for the judge and the tuning: made from seeds, no recording.

`talk` is twelve people at once, put together from the bank's own clips at other speeds and blurred by an echo;
`hum` is a steady roar with most of its power below 500 Hz, and a mains hum.
"""

import random

import numpy as np
from scipy.signal import resample_poly

RATE = 16000
SECONDS = 40


def talk(clips, seed=5):
    """`clips` are 48 kHz sounds. Three fifths to twelve tenths of their speed give other voices."""
    rng, out = random.Random(seed), np.zeros(RATE * SECONDS)
    for _ in range(12):
        speed, at = rng.choice([11, 12, 13, 14, 15, 17, 18, 19, 20]), rng.randrange(RATE // 2)
        while at < len(out):
            x = resample_poly(rng.choice(clips), speed, 48)[: len(out) - at] * rng.uniform(0.4, 1)
            out[at : at + len(x)] += x
            at += len(x) + rng.randrange(1000, 12000)
    echo = np.random.default_rng(seed).standard_normal(RATE // 2) * np.exp(-np.arange(RATE // 2) / (0.09 * RATE))
    echo[0] = 4
    return _even(np.convolve(out, echo)[: len(out)])


def hum(seed=1):
    white = np.random.default_rng(seed).standard_normal(RATE * SECONDS)
    f = np.fft.rfftfreq(len(white), 1 / RATE)
    roar = _even(np.fft.irfft(np.fft.rfft(white) / (1 + f / 450) * (f > 60)))
    t = np.arange(len(roar)) / RATE
    return _even(roar + 0.3 * np.sin(2 * np.pi * 50 * t) + 0.15 * np.sin(2 * np.pi * 100 * t))


def _even(x):
    return x / x.std()


def add(speech, noise, ratio_db, rng):
    """`speech` at RATE with the noise `ratio_db` below the level of its loud parts, from a random place."""
    step = RATE // 50
    power = np.mean(speech[: len(speech) // step * step].reshape(-1, step) ** 2, axis=1)
    level = np.sqrt(power[power > power.max() / 100].mean())
    at = rng.randrange(len(noise) - len(speech))
    return speech + noise[at : at + len(speech)] * level * 10 ** (-ratio_db / 20)
