"""The three chimes, computed: struck-bar partials with a soft attack and a natural decay."""

import numpy as np

import post
from bank import frames_of
from synth import HERE

OUT = HERE.parent / "chimes"

# partial: frequency over the note's, strength, decay per second
PARTIALS = ((1.0, 1.0, 3.6), (2.0, 0.30, 5.5), (3.01, 0.12, 8.0), (4.2, 0.05, 13.0))

CHIMES = {
    # file: title, length in seconds, notes (Hz, start in seconds, strength)
    "single": ("Một tiếng", 0.95, ((783.99, 0.0, 1.0),)),
    "two-tone": ("Hai tiếng, xuống", 1.15, ((659.26, 0.0, 1.0), (523.25, 0.34, 0.95))),
    "three-tone": ("Ba tiếng, lên", 1.3, ((523.25, 0.0, 0.9), (659.26, 0.24, 0.95), (783.99, 0.48, 1.0))),
}

PEAK_DB = -6.0
ATTACK_S = 0.008


def note(pitch, length):
    t = np.arange(int(length * post.RATE)) / post.RATE
    sound = sum(a * np.sin(2 * np.pi * pitch * ratio * t) * np.exp(-decay * t) for ratio, a, decay in PARTIALS)
    rise = np.minimum(t / ATTACK_S, 1.0)
    return sound * (0.5 - 0.5 * np.cos(np.pi * rise))


def chime(length, notes):
    sound = np.zeros(int(length * post.RATE))
    for pitch, start, strength in notes:
        at = int(start * post.RATE)
        sound[at:] += strength * note(pitch, length)[: len(sound) - at]
    fall = int(0.25 * post.RATE)  # the tail ends in silence, not in a step
    sound[-fall:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(fall) / fall)
    return sound * 10 ** (PEAK_DB / 20) / post.true_peak(sound)


def main():
    lines = ["format = 1", f"rate_hz = {post.RATE}", 'licence = "Apache-2.0"',
             'provenance = "Computed by sounds/build/chimes.py; no recording."']
    for name, (title, length, notes) in CHIMES.items():
        path = OUT / f"{name}.opus"
        post.encode(chime(length, notes), path, "64k", "audio")
        lines += ["", f"[chimes.{name}]", f'title = "{title}"', f'file = "{name}.opus"', f"frames = {frames_of(path)}"]
    (OUT / "chimes.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
