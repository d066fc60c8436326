"""Judge the English bank with PocketSphinx, and write sounds/english/REPORT.md.

usage: judge_english.py [--sentences 80] [--seed 20] [--jobs N]
Sentences are put together from the encoded clips as the planner does. The recogniser knows the form of a call and
every word that may stand in it, as somebody who waits for a number does, and picks the likeliest of them all.
"""

import argparse
import random
import re
from collections import Counter
from multiprocessing import Pool

import numpy as np
from scipy.signal import resample_poly

import english
import noise
import post
from bank import WORK
from judge import AFTER_LETTER, CLAUSE, HALLS, NEW_PHRASE, NOISE_DB, Bank, Part, loudness, percent, table

NOUNS, LETTERS = [*english.NOUNS.values()], [*english.LETTERS, "d bar"]
CALL = re.compile(rf"ticket number (.*?)( (?:{'|'.join(english.LANE_TEXTS)}))?(?: please go to)? ({'|'.join(NOUNS)}) (.*)")
# how words that are not in the recogniser's dictionary, or have a second reading there, are said
SAID = {"a": "EY", "authorised": "AO TH ER AY Z D"}


def random_call(rng):
    style = rng.choices(["three", "four", "number"], [60, 15, 25])[0]
    parts = []
    if style == "number":
        n = rng.randrange(1, 10000)
        parts = [Part("opener", "mid", "ticket number", 0)]
        pauses = [NEW_PHRASE, 0, 0]
        parts += [Part("number", "mid", text, pauses[i], "ticket") for i, text in enumerate(number_clips(n))]
    else:
        code = f"{rng.randrange(1000):03d}" if style == "three" else f"{rng.randrange(10000):04d}"
        groups = [code] if style == "three" else [code[:2], code[2:]]
        parts = [Part("letter", "mid", f"ticket number {rng.choice(LETTERS)}", 0, "ticket")]
        pauses = [AFTER_LETTER, NEW_PHRASE]
        parts += [Part("digits", "mid", english.digits(group), pauses[i], "ticket") for i, group in enumerate(groups)]
    if rng.random() < 0.25:
        parts.append(Part("lane", "mid", rng.choice(english.LANE_TEXTS), CLAUSE))
    file, noun = rng.choice([*english.NOUNS.items()])
    name = rng.choice("abcdefgh") if rng.random() < 0.1 else english.number(rng.randint(1, english.PLACES[file][1]))
    go = "please go to " if rng.random() < 0.85 else ""
    parts.append(Part("destination", "end", f"{go}{noun} {name}", CLAUSE, "counter"))
    return parts


def number_clips(n):
    """1 to 9999 as clips: two thousand, one hundred and, five."""
    thousands, rest = divmod(n, 1000)
    hundreds, rest = divmod(rest, 100)
    clips = []
    if thousands:
        clips.append(f"{english.number(thousands)} thousand" + (" and" if rest and not hundreds else ""))
    if hundreds:
        clips.append(f"{english.number(hundreds)} hundred" + (" and" if rest else ""))
    return clips + ([english.number(rest)] if rest else [])


def one_of(texts):
    return " | ".join(texts)


def grammar():
    """All calls, in JSGF."""
    small, tens = english.SMALL, english.TENS
    return f"""#JSGF V1.0;
grammar call;
<digit> = {one_of(small[:10])};
<below> = {one_of(small[1:])} | ( {one_of(tens)} ) [ {one_of(small[1:10])} ];
<hundreds> = ( {one_of(small[1:10])} ) hundred [ and <below> ];
<number> = <below> | <hundreds> | ( {one_of(small[1:10])} ) thousand [ and <below> | <hundreds> ];
<code> = ( {one_of(LETTERS)} ) <digit> <digit> <digit> [ <digit> ];
<where> = [ please go to ] ( {one_of(NOUNS)} ) ( <below> | {one_of("abcdefgh")} );
public <call> = ticket number ( <code> | <number> ) [ {one_of(english.LANE_TEXTS)} ] <where>;
"""


class Recogniser:
    def __init__(self):
        import pocketsphinx

        text, words = grammar(), WORK / "call.dict"
        known = {}
        for line in open(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"), encoding="utf-8"):
            word, said = line.split(maxsplit=1)
            known.setdefault(re.sub(r"\(\d+\)$", "", word), []).append(said.strip())
        spoken = set(re.findall(r"[a-z]+", text.split(";", 2)[2]))
        lines = []
        for word in sorted(spoken & (known.keys() | SAID.keys())):
            for place, said in enumerate([SAID[word]] if word in SAID else known[word]):
                lines.append(f"{word}{f'({place + 1})' if place else ''} {said}\n")
        words.write_text("".join(lines))
        self.decoder = pocketsphinx.Decoder(dict=str(words), lm=None, samprate=noise.RATE, loglevel="FATAL")
        self.decoder.add_jsgf_string("call", text)
        self.decoder.activate_search("call")

    def hear(self, sound):
        """The words of a sound at noise.RATE; none where no call fits."""
        x = np.concatenate([np.zeros(4800), sound, np.zeros(8000)])
        self.decoder.start_utt()
        self.decoder.process_raw((x * (0.5 * 32767 / np.abs(x).max())).astype(np.int16).tobytes(), full_utt=True)
        self.decoder.end_utt()
        found = self.decoder.hyp()
        return found.hypstr if found else ""


def slots(text):
    """Ticket, lane, noun and counter of a call in words."""
    found = CALL.fullmatch(" ".join(english.words(text)))
    return [(part or "").strip() for part in found.groups()] if found else ["", "", "", ""]


class Tally:
    def __init__(self):
        self.count, self.right, self.confused = Counter(), Counter(), Counter()

    def note(self, what, ok):
        self.count[what] += 1
        self.right[what] += ok

    def add(self, parts, heard_text):
        said, heard = slots(" ".join(p.text for p in parts)), slots(heard_text)
        ticket, lane, noun, counter = (a == b for a, b in zip(said, heard))
        self.note("ticket", ticket)
        self.note("counter", counter)
        self.note("both", ticket and counter)
        self.note("counter noun", noun)
        if said[1]:
            self.note("lane", lane)
        kind = "number" if parts[0].kind == "opener" else "code"
        self.note(f"ticket said as a {kind}", ticket)
        if kind == "code":
            letters = [next((name for name in LETTERS[::-1] if f"{t} ".startswith(f"{name} ")), "") for t in (said[0], heard[0])]
            self.note("letter of a code", letters[0] == letters[1])
            self.note("digits of a code", said[0].removeprefix(letters[0]) == heard[0].removeprefix(letters[1]))
            if letters[0] != letters[1]:
                self.confused[f"{letters[0]} heard as {letters[1] or 'nothing'}"] += 1
        if not counter:
            self.confused[f"{said[3]} heard as {heard[3] or 'nothing'}"] += 1


def _begin(bank, seed):
    global _bank, _seas, _ear, _seed
    rng = random.Random(seed)
    voices = [bank.clip(take, text) for take in bank.paths for text in rng.sample([*bank.paths[take]], 60)]
    _bank, _seas, _ear, _seed = bank, {"clean": None, "talk": noise.talk(voices), "hum": noise.hum()}, Recogniser(), seed


def _hear(job):
    number, parts = job
    sound, rng = resample_poly(_bank.compose(parts), noise.RATE, post.RATE), random.Random(f"{_seed} {number}")
    return {name: _ear.hear(sound if sea is None else noise.add(sound, sea, NOISE_DB, rng)) for name, sea in _seas.items()}


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--sentences", type=int, default=80)
    args.add_argument("--seed", type=int, default=20)
    args.add_argument("--jobs", type=int, default=2, help="processes")
    args = args.parse_args()
    bank, rng = Bank("english"), random.Random(args.seed)
    calls = [random_call(rng) for _ in range(args.sentences)]
    tallies = {name: Tally() for name in HALLS}
    with Pool(args.jobs, _begin, (bank, args.seed)) as pool:
        for number, (parts, heard) in enumerate(zip(calls, pool.imap(_hear, enumerate(calls))), 1):
            for name, text in heard.items():
                tallies[name].add(parts, text)
            if number % 20 == 0:
                print(f"{number}/{len(calls)}: both right", {k: t.right["both"] for k, t in tallies.items()}, flush=True)
    write_report(bank, args, tallies, [loudness(bank.compose(parts)) for parts in calls[:50]])


def write_report(bank, args, tallies, measured):
    lufs, peaks = np.array([m[0] for m in measured]), [m[1] for m in measured]
    rows = {w: lambda t, w=w: percent(t.right[w], t.count[w]) for w in ("ticket", "counter", "both")}
    parts = ("ticket said as a code", "letter of a code", "digits of a code", "ticket said as a number", "counter noun", "lane")
    lines = [
        f"# The voice `{bank.list['name']}` {bank.list['version']}, as measured",
        "",
        "**No person has listened to this voice.** Every figure here comes from a machine.",
        "",
        f"{args.sentences} random calls (seed {args.seed}) were put together from the encoded clips as the planner does, and heard by",
        "PocketSphinx 5.1.1 with the American model that its package carries: as they are, and with two noises 10 dB below the",
        "speech (`noise.py`). The recogniser was told the form of a call and every word that may stand in it, and picked the",
        "likeliest of all calls, so it does what somebody does who waits for a number, but knows no other words. It is an old",
        "one (hidden Markov models), known to stand noise badly; what it makes of a person's voice was not measured here. Nothing",
        "of this voice was chosen with it.",
        "",
        "## Understood",
        "",
        *table("what", tallies, rows),
        "",
        *table("part of the sentence, exactly right", tallies, {w: lambda t, w=w: percent(t.right[w], t.count[w]) for w in parts}),
        "",
        "What was taken for something else:",
        "",
        *(f"- {HALLS[name]}: {', '.join(f'{what} {times}' for what, times in t.confused.most_common(15)) or 'nothing'}"
          for name, t in tallies.items()),
        "",
        "## Loudness",
        "",
        f"Over {len(measured)} of these calls, ffmpeg ebur128: integrated {lufs.mean():.1f} LUFS on average (from {lufs.min():.1f} to {lufs.max():.1f},"
        f" standard deviation {lufs.std():.2f}); highest true peak {max(peaks):.1f} dBTP (the aim is below -1{'' if max(peaks) < -1 else '; missed'}).",
        "",
    ]
    (bank.out / "REPORT.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
