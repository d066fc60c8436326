"""Try other ways to say one syllable, inside a phrase, and hear which is understood.

usage: tune.py "mời công dân có số thứ tự bê" bê 'rime = "e"' 'rime = "eː", length = 1.3' ...
Each candidate is an entry for [say] in settings.toml and replaces the one there; the present entry is tried as well.
The phrase is followed by some digits of the bank and heard clean and in two noises, from several beginnings, because
the recogniser works in steps of 0.4 s. Prints the share of hearings with the syllable right, best first. Look at
what was heard too: a vowel heard as its neighbour is nearer than a phrase that fell apart.
"""

import random
import sys
import tomllib

import numpy as np
from scipy.signal import resample_poly

import asr
import g2p
import noise
import post
import units
from bank import OUT
from synth import Synth, load_settings

LEADS = (0.0, 0.13, 0.27)  # seconds of silence before
AFTER = ("345", "789", "120")


def main():
    phrase, word, *candidates = sys.argv[1:]
    settings = load_settings()
    now = settings["say"].get(word, {})
    synth, recogniser = Synth(settings), asr.Recogniser()
    after = [(post.decode(OUT / f"digits/{code}.opus"), units.digits(code)) for code in AFTER]
    rng = random.Random(1)
    clips = sorted(OUT.glob("digits/*.opus"))
    noises = (None, noise.talk([post.decode(p) for p in rng.sample(clips, 60)]), noise.hum())
    results = []
    for entry in (now, *(tomllib.loads(f"x = {{ {text} }}")["x"] for text in candidates)):
        settings["say"][word] = entry
        clip = post.finish(synth.speak([phrase], "mid")[0][0], settings["level"])
        right, total, heard = 0, 0, []
        for sea in noises:
            for lead, (digits, text) in zip(LEADS, after):
                sound = np.concatenate([np.zeros(int(lead * post.RATE)), clip, np.zeros(int(0.13 * post.RATE)), digits])
                sound = resample_poly(sound, noise.RATE, post.RATE)
                sound = sound if sea is None else noise.add(sound, sea, 10, rng)
                heard.append(recogniser.hear(sound, noise.RATE))
                expected, got = asr.said(f"{phrase} {text}"), asr.said(heard[-1])
                places = [i for i, w in enumerate(g2p.words(phrase)) if w == word]
                pairs = {e: h for e, h in asr.align(expected, got)[0] if e is not None}
                right += sum(pairs[i] is not None and got[pairs[i]] == expected[i] for i in places)
                total += len(places)
        results.append((right / total, entry, heard))
    for share, entry, heard in sorted(results, key=lambda r: -r[0]):
        print(f"{share:.2f} {entry}", *heard[:4], sep="\n     ")


if __name__ == "__main__":
    main()
