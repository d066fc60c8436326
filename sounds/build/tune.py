"""Look for better ways to say some syllables, inside a phrase.

usage: tune.py [--ways 14] PHRASE WORD ...        (say: tune.py "mời công dân có số thứ tự bê" bê)
The present entries of the words in [say] of settings.toml are compared with random changes of them and with the takes of
[take]. The phrase is put before some digits of the bank and heard as it is and in two noises, from random places of the
recogniser's steps of 0.4 s; the three best are then heard in six other sentences, so that none wins by luck. Prints
what may be written into settings.toml, best first, and keeps it in work/tuned.json. Look at what was heard too: a vowel
heard as its neighbour is nearer than a phrase that fell apart.
"""

import argparse
import json
import random

import numpy as np
from scipy.signal import resample_poly

import asr
import g2p
import judge
import noise
import post
import units
from model import WORK, Model
from synth import Synth, changed, load_settings

NEAR = {"e": "A", "a": "ɐɑ", "ɛ": "æ", "i": "ɪ", "o": "O", "ɔ": "ɑ", "u": "ʊ", "ɤ": "ɜə", "ɯ": "ɨ"}  # vowels of Kokoro's
RESULTS = WORK / "tuned.json"


def draw(rng, word, now, settings, vocab):
    """Another entry for [say]: the present one or none, with some of it changed."""
    entry, plain = dict(now if rng.random() < 0.7 else {}), g2p.parse(word)
    rime = plain.rime.rstrip("ː")
    tones = [name for name in settings["tone"] if name.split("_")[0] in (plain.tone, plain.tone + "c" * plain.checked)]
    rimes = [rime, rime + "ː", rime + rime[-1], *(rime[:-1] + v + end for v in NEAR.get(rime[-1], "") for end in ("", "ː"))]
    options = {
        "length": [0.8, 1.0, 1.3, 1.7, 2.2], "onset_length": [0.6, 1.0, 1.5, 2.0], "gap": [1, 2, 4, 7], "energy": [0.0, 1.0, 2.0],
        "tone": [name for name in tones if name.endswith("checked") <= plain.checked],
        "rime": [r for r in rimes if set(r) <= vocab.keys()],
    }
    if plain.onset:
        options["onset"] = [plain.onset, plain.onset[0] + plain.onset]
    if plain.coda:
        options["share"] = [0.2, 0.35, 0.5, 0.65]
    for name, values in options.items():
        if rng.random() < 0.5:
            entry[name] = rng.choice(values)
    return entry


class Tuner:
    def __init__(self):
        self.settings, self.model, self.ear, self.bank = load_settings(), Model(threads=1), asr.Recogniser(), judge.Bank()
        rng = random.Random(3)
        voices = [self.bank.clip("mid", text) for text in rng.sample([*self.bank.list["clips"]["mid"]], 60)]
        self.seas = (None, noise.talk(voices), noise.hum())

    def speak(self, phrase, entries, take):
        """The end of the phrase, from two words before the first that is changed; None where the model makes no sound."""
        settings = changed(self.settings, self.settings["take"][take] if take else {})
        settings = settings | {"say": settings["say"] | entries}
        try:
            sound, starts = Synth(settings, self.model).speak([phrase])[0]
        except ValueError:
            return None
        words = g2p.words(phrase)
        first = max(0, min(words.index(w) for w in entries) - 2)
        return post.finish(sound[starts[first] if first else 0 :], settings["level"]), words[first:]

    def hear(self, clip, words, wanted, rng, sentences):
        """For each sentence and noise: how near, 0 to 1, and what was heard."""
        sounds, expected = [], []
        for _ in range(sentences):
            code, start = units.digits(f"{rng.randrange(1000):03d}"), np.zeros(int(rng.choice(judge.STARTS) * noise.RATE))
            after = self.bank.clip("mid", code)
            sound = resample_poly(np.concatenate([clip, np.zeros(int(judge.AFTER_LETTER * post.RATE)), after]), noise.RATE, post.RATE)
            for sea in self.seas:
                sounds.append(np.concatenate([start, sound if sea is None else noise.add(sound, sea, judge.NOISE_DB, rng)]))
                expected.append(words + code.split())
        heard = self.ear.probabilities([asr.features(s) for s in sounds])
        return [(*self.near(p, said, wanted), sea is None) for p, said, sea in zip(heard, expected, self.seas * sentences)]

    def near(self, probabilities, said, wanted):
        """1 where the wanted words are heard right; else their likelihood beside what was heard instead, at most a half."""
        text = self.ear.text(probabilities)
        heard, places = asr.spelled(text), [i for i, w in enumerate(said) if w in wanted]
        first, last = places[0], places[-1] + 1
        own = {e: h for e, h in asr.align([*map(asr.sound_of, said)], [*map(asr.sound_of, heard)])[0] if e is not None}
        before = max((own[i] for i in range(first) if own[i] is not None), default=-1)
        after = min((own[i] for i in range(last, len(said)) if own[i] is not None), default=len(heard))
        instead = heard[before + 1 : after]
        if [*map(asr.sound_of, instead)] == [*map(asr.sound_of, said[first:last])]:
            return 1.0, text
        letters = [letter for letter, name in asr.LETTER_NAMES.items() if name == said[first:last]]
        likely = self.ear.likelihoods(probabilities, [
            said[:first] + middle + said[last:] for middle in (said[first:last], *([x] for x in letters), instead)
        ])
        right = np.logaddexp.reduce(likely[:-1])
        return float(min(0.5, 1 / (1 + np.exp(min(700, likely[-1] - right))))), text


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--ways", type=int, default=14)
    args.add_argument("phrase")
    args.add_argument("words", nargs="+")
    args = args.parse_args()
    tuner, rng = Tuner(), random.Random(args.phrase)
    now = {w: tuner.settings["say"].get(w, {}) for w in args.words}
    ways = [(now, "")] + [(now, take) for take in tuner.settings["take"]]
    while len(ways) < args.ways + 1 + len(tuner.settings["take"]):
        ways.append(({w: draw(rng, w, now[w], tuner.settings, tuner.model.vocab) for w in args.words}, ""))
    tried = []
    for entries, take in ways:
        if spoken := tuner.speak(args.phrase, entries, take):
            tried.append([tuner.hear(*spoken, args.words, random.Random(1), 2), spoken, entries, take])
    score = lambda one: np.mean([near for near, *_ in one[0]])  # noqa: E731
    finals = tried[:1] + sorted(tried[1:], key=score, reverse=True)[:3]
    for one in finals:
        one[0] = tuner.hear(*one[1], args.words, random.Random(2), 6)  # the first ones chose it; these judge it
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept[" ".join(args.words)] = found = []
    for one in sorted(finals, key=score, reverse=True):
        heard, _, entries, take = one
        right = [sum(near == 1 for near, _, clean in heard if clean is which) for which in (True, False)]
        found.append({"score": score(one), "right": right, "say": entries, "take": take, "now": one is finals[0]})
        print(f"{score(one):.2f} clean {right[0]}/6 noise {right[1]}/12{' (now)' * (one is finals[0])} {take} {entries}")
        print("    ", " | ".join(text for _, text, _ in heard[:4]), flush=True)
    RESULTS.write_text(json.dumps(kept, ensure_ascii=False, indent=0))


if __name__ == "__main__":
    main()
