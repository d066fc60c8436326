"""Look for better ways to say some syllables, inside a phrase.

usage: tune.py [--letter] [--ways 8] [--rounds 3] [--in PHRASE]... [--hint JSON]... PHRASE WORD ...
       (say: tune.py --in "xin mời khách hàng có số thứ tự bê" "có số thứ tự bê" bê)
The present entries of the words in [say] of settings.toml are compared with the takes of [take] and with random changes of
them and of the hints; in each further round with changes of the best so far. The phrase is put before some digits of the
bank and heard as it is and in two noises, from random places of the recogniser's steps of 0.4 s. The best are then heard in
other sentences, and in the phrases of --in if there are any, so that none wins by luck. Prints what may be written into
settings.toml, best first, and keeps it in work/tuned. Look at what was heard too: a vowel heard as its neighbour is nearer
than a phrase that fell apart. With --letter the words are a letter's name at the end of the phrase, and what counts is
how much likelier it is, in that phrase, than every other letter.
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

NEAR = {  # vowels of Kokoro's, by the Vietnamese one that they are like
    "e": ["A", "ei", "eɪ", "ie", "ɪe"], "a": ["ɐ", "ɑ", "aɑ"], "ɛ": ["æ", "ɛæ"], "i": ["ɪ", "ij"], "o": ["O", "oʊ", "uo"],
    "ɔ": ["ɑ", "ɔɑ", "ɒ"], "u": ["ʊ", "uw"], "ɤ": ["ɜ", "ə"], "ɯ": ["ɨ", "ɯɨ"], "ə": ["ʌ", "ɐ", "ɜ"],
}
ONSETS = {  # what is like a consonant, but for the doubled one; a vowel begins with a catch
    "": ["ʔ"], "p": ["pʰ", "ʔp"], "s": ["ʂ", "sʰ"], "k": ["kʰ"], "h": ["χ", "ɦ"], "t": ["ʔt"], "v": ["ʋ"], "z": ["ʣ", "ʒ"],
    "d": ["ʔd", "nd"], "b": ["ʔb", "mb"], "m": ["mb"], "n": ["nd"], "l": ["ɾl", "dl"], "x": ["kʰ", "χ"], "ʨ": ["ʧ", "c"],
}
CODAS = {
    "m": ["mm", "mp"], "n": ["nn"], "t": ["ʔ", "ʔt", "tʔ"], "k": ["ʔ", "kʔ", "kʰ"], "p": ["ʔp", "pʔ", "pʰ"],
    "ŋ": ["ŋŋ", "ɲ", "ɲŋ", "ɪŋ"], "j": ["ɪ", "i"], "w": ["ʊ", "u"],
}
RESULTS = WORK / "tuned"


def options(word, settings, vocab):
    """For each key of an entry in [say] the values that may be tried."""
    plain = g2p.parse(word)
    rime, coda = plain.rime.rstrip("ː"), plain.coda
    tone = plain.tone + "c" * plain.checked
    near = [rime[:-1] + v + end for v in NEAR.get(rime[-1], []) for end in ("", "ː")]
    like = [plain.onset, plain.onset + plain.onset[-1:], *ONSETS.get(plain.onset, [])]
    found = {
        "length": [0.8, 1.0, 1.3, 1.7, 2.2], "gap": [1, 2, 4, 6], "energy": [0.0, 1.0, 2.0], "stress": [True, False],
        "onset": like, "onset_length": [0.6, 1.0, 1.5, 2.0], "rime": [rime, rime + "ː", rime + rime[-1], *near],
        "tone": [name for name in settings["tone"] if name.split("_")[0] == tone and name.endswith("checked") <= plain.checked],
    }
    if coda:
        found |= {"share": [0.2, 0.35, 0.5, 0.65], "coda": [coda, *CODAS.get(coda, [])]}
    if plain.tone == "nang":
        found |= {"glottal": [[0.2, 3.0], [0.4, 6.0], [0.4, 9.0], [0.6, 6.0]]}
        if not plain.checked:
            found["coda"] = [coda, coda + "ʔ", *(c + "ʔ" for c in CODAS.get(coda, []))]
    possible = lambda key, v: key not in ("onset", "rime", "coda") or set(v) <= vocab.keys()  # noqa: E731
    return {key: good for key, values in found.items() if (good := [v for v in values if possible(key, v)])}


def draw(rng, entries, settings, vocab, change=0.3):
    """Other entries for [say]: these, with some of each changed."""
    drawn = {word: dict(entry) for word, entry in entries.items()}
    for word, entry in drawn.items():
        for key, values in options(word, settings, vocab).items():
            if rng.random() < change:
                entry[key] = rng.choice(values)
    return drawn


class Tuner:
    def __init__(self, letter=False):
        self.near = self.near_letter if letter else self.near_text
        self.settings, self.model, self.bank = load_settings(), Model(threads=1), judge.Bank()
        self.ear = asr.Recogniser(precision="bf16")  # half the time; the judge hears in f32
        rng = random.Random(3)
        voices = [self.bank.clip("mid", text) for text in rng.sample([*self.bank.list["clips"]["mid"]], 60)]
        self.seas = (None, noise.talk(voices), noise.hum())

    def speak(self, phrase, entries, take):
        """The phrase; None where the model makes no sound."""
        settings = changed(self.settings, self.settings["take"][take] if take else {})
        settings = settings | {"say": settings["say"] | entries}
        try:
            sound, _ = Synth(settings, self.model).speak([phrase], "mid")[0]
        except ValueError:
            return None
        return post.finish(sound, settings["level"])

    def hear(self, clip, phrase, wanted, rng, sentences):
        """For each sentence and noise: how near, 0 to 1, what was heard, and whether that was without noise."""
        sounds, expected, words = [], [], g2p.words(phrase)
        for _ in range(sentences):
            code, start = units.digits(f"{rng.randrange(1000):03d}"), np.zeros(int(rng.choice(judge.STARTS) * noise.RATE))
            digits = self.bank.clip("mid", code)
            sound = resample_poly(np.concatenate([clip, np.zeros(int(judge.AFTER_LETTER * post.RATE)), digits]), noise.RATE, post.RATE)
            for sea in self.seas:
                sounds.append(np.concatenate([start, sound if sea is None else noise.add(sound, sea, judge.NOISE_DB, rng)]))
                expected.append(words + code.split())
        heard = self.ear.probabilities([asr.features(s) for s in sounds])
        return [(*self.near(p, said, wanted), sea is None) for p, said, sea in zip(heard, expected, self.seas * sentences)]

    def near_letter(self, probabilities, said, wanted):
        """More than a half where the letter's name is likelier than any other letter's, at the same place; and the likeliest."""
        first = next(i for i in range(len(said)) if said[i : i + len(wanted)] == wanted)
        names = asr.LETTER_NAMES | {"no letter": []}
        forms = [(letter, form) for letter, name in names.items() for form in {(*name,), (letter,)} if form not in (("y",), ("no letter",))]
        likely = self.ear.likelihoods(probabilities, [said[:first] + [*form] + said[first + len(wanted) :] for _, form in forms])
        best = {}  # by sound: of two letters that sound alike neither is wrong
        for (letter, _), one in zip(forms, likely):
            sound = (*map(asr.sound_of, names[letter]),)
            best[sound] = max(best.get(sound, (-np.inf, "")), (one, letter))
        right, _ = best.pop((*map(asr.sound_of, wanted),))
        other, letter = max(best.values())
        near = float(1 / (1 + np.exp(np.clip((other - right) / 4, -50, 50))))
        return near, f"{letter if near < 0.5 else '='} {right - other:+.1f}"

    def near_text(self, probabilities, said, wanted):
        """1 where the wanted words are heard right; else their likelihood beside what was heard instead, at most a half."""
        text = self.ear.text(probabilities)
        heard, places = asr.spelled(text), [i for i, w in enumerate(said) if w in wanted]
        first, last = places[0], places[0] + 1
        while last in places:
            last += 1
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
        return float(0.5 / (1 + np.exp(np.clip((likely[-1] - right) / 4, -50, 50)))), text

    def test(self, phrases, entries, take, seed, sentences):
        """All hearings of some phrases with these entries; none where one makes no sound."""
        found = []
        for phrase in phrases:
            clip = self.speak(phrase, entries, take)
            if clip is None:
                return []
            found += self.hear(clip, phrase, [*entries], random.Random(f"{seed} {phrase}"), sentences)
        return found


def score(heard):
    return float(np.mean([near for near, *_ in heard])) if heard else 0.0


def search(tuner, phrases, finals, words, hints=(), ways=8, rounds=3, sentences=2, keep=3):
    """Ways to say the words, the best first and the present one among them: hearings in the finals, entries, take."""
    rng = random.Random(" ".join(words))
    settings, vocab = tuner.settings, tuner.model.vocab
    now = {w: settings["say"].get(w, {}) for w in words}
    ways_now = [(now, ""), ({w: {} for w in words}, ""), *((now | hint, "") for hint in hints)]
    tried, best = {}, ways_now
    for number in range(rounds):
        pool = ways_now + [(now, take) for take in settings["take"]] if not number else []
        pool += [(draw(rng, rng.choice(best)[0], settings, vocab), "") for _ in range(ways)]
        for way in pool:
            key = json.dumps(way, sort_keys=True)
            if key not in tried:
                tried[key] = (score(tuner.test(phrases, *way, 1, sentences)), way)
        best = [way for _, way in sorted(tried.values(), key=lambda one: -one[0])[:keep]]
    last = [(now, "")] + [way for way in best if way != (now, "")]
    # the first sentences chose them, others judge them
    heard = [(tuner.test(finals, *way, 2, max(2, 6 // len(finals))), *way) for way in last]
    return sorted(heard, key=lambda one: -score(one[0])), now


def report(words, found, now):
    kept = []
    for heard, entries, take in found:
        right = [sum(near > 0.5 for near, _, clean in heard if clean is which) for which in (True, False)]
        of = [sum(clean is which for *_, clean in heard) for which in (True, False)]
        kept.append({"score": score(heard), "right": right, "of": of, "say": entries, "take": take, "now": (entries, take) == (now, "")})
        print(f"{score(heard):.2f} clean {right[0]}/{of[0]} noise {right[1]}/{of[1]}{' (now)' * kept[-1]['now']} {take} {entries}")
        print("    ", " | ".join(text for _, text, _ in heard[:4]), flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{' '.join(words)}.json").write_text(json.dumps(kept, ensure_ascii=False, indent=1))


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--letter", action="store_true")
    args.add_argument("--ways", type=int, default=8)
    args.add_argument("--rounds", type=int, default=3)
    args.add_argument("--in", dest="finals", action="append", metavar="PHRASE")
    args.add_argument("--hint", type=json.loads, action="append", default=[], metavar="JSON")
    args.add_argument("phrase")
    args.add_argument("words", nargs="+")
    args = args.parse_args()
    report(args.words, *search(Tuner(args.letter), [args.phrase], args.finals or [args.phrase], args.words, args.hint, args.ways, args.rounds))


if __name__ == "__main__":
    main()
