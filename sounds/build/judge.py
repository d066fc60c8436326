"""Judge the finished bank: sentences put together as the planner does, heard by a recogniser, measured.

usage: judge.py [north|south] [--sentences 150] [--seed 20] [--minutes N] [--jobs N] [--clean] [--saying WORD,...]
Writes REPORT.md beside the bank. Reads only the encoded clips, so it judges what a hall would hear. With --saying it hears
only those of the sentences that say one of these words, prints them and writes no report: a change of a word can be compared
with what was before.
"""

import argparse
import hashlib
import json
import random
import re
import subprocess
import time
import tomllib
from collections import Counter
from dataclasses import dataclass, replace
from multiprocessing import Pool

import numpy as np
from scipy.signal import resample_poly

import asr
import noise
import post
import units
from bank import WORK, digest
from synth import HERE

AFTER_LETTER, NEW_PHRASE, CLAUSE = 0.13, 0.15, 0.20  # seconds
NOISE_DB = 10  # the hall's noise below the speech
HALLS = {"clean": "no noise", "talk": "people talking, 10 dB", "hum": "roar and hum, 10 dB"}
HEARD = WORK / "heard"
# seconds before a sentence without noise; what is heard depends on where the steps of 0.4 s fall
STARTS = (0.0, 0.1, 0.2, 0.3)


@dataclass
class Part:
    kind: str
    take: str
    text: str
    pause: float  # before it
    role: str = ""  # ticket or counter: the words that must be right


def random_sentence(rng):
    opener = f"{rng.choice([*units.OPENERS.values()])} {rng.choice([*units.PEOPLE.values()])} có số thứ tự"
    letter = rng.choice([*units.LETTERS])
    style = rng.choices(["three", "four", "number", "thousand"], [60, 12, 18, 10])[0]
    parts = []
    if style in ("three", "four"):
        parts.append(Part("opener", "mid", f"{opener} {units.LETTERS[letter]}", 0))
        code = f"{rng.randrange(1000):03d}" if style == "three" else f"{rng.randrange(10000):04d}"
        if style == "three":
            parts.append(Part("digits", "mid", units.digits(code), AFTER_LETTER, "ticket"))
        else:
            parts.append(Part("digits", "mid", units.digits(code[:2]), AFTER_LETTER, "ticket"))
            parts.append(Part("digits", "mid", units.digits(code[2:]), NEW_PHRASE, "ticket"))
    else:
        parts.append(Part("opener", "mid", opener, 0))
        if style == "number":
            parts.append(Part("number", "mid", units.below_thousand(rng.randrange(1, 1000)), NEW_PHRASE, "ticket"))
        else:
            n = rng.randrange(1000, 10000)
            thousands, rest = divmod(n, 1000)
            parts.append(Part("number", "mid", f"{units.below_thousand(thousands)} nghìn", NEW_PHRASE, "ticket"))
            if rest:
                text = units.below_thousand(rest) if rest > 99 else f"không trăm{units.after_hundred(rest)}"
                parts.append(Part("number", "mid", text, NEW_PHRASE, "ticket"))
    if rng.random() < 0.25:
        parts.append(Part("lane", "mid", rng.choice([*units.LANES.values()]), CLAUSE))
    noun, most = rng.choice([*units.PLACES.values()])
    roll = rng.random()
    if roll < 0.8:
        where = f"đến {noun} số {units.below_hundred(rng.randint(1, most))}"
    elif roll < 0.9:
        where = f"đến {noun} {units.LETTERS[rng.choice('ABCDEFGH')]}"
    else:
        where = f"{noun} {units.below_hundred(rng.randint(1, most))}"
    parts.append(Part("destination", "end", where, CLAUSE, "counter"))
    return parts


class Bank:
    """The clips of a bank, and of its base those that it lacks."""

    def __init__(self, name="north"):
        self.out, self.sounds = HERE.parent / name, {}
        self.list = tomllib.loads((self.out / "bank.toml").read_text(encoding="utf-8"))
        self.paths = {take: {text: self.out / c["file"] for text, c in clips.items()} for take, clips in self.list["clips"].items()}
        if "base" in self.list:
            base = Bank(self.list["base"])
            self.paths = {take: base.paths[take] | self.paths[take] for take in base.paths}

    def clip(self, take, text):
        path = self.paths[take][text]
        if path not in self.sounds:
            self.sounds[path] = post.decode(path)
        return self.sounds[path]

    def has(self, parts):
        return all(p.text in self.paths[p.take] for p in parts)

    def compose(self, parts):
        out = []
        for p in parts:
            out += [np.zeros(int(p.pause * post.RATE)), self.clip(p.take, p.text)]
        return np.concatenate(out)


@dataclass
class Judged:
    right: dict  # ticket, counter: bool
    kinds: list  # (kind of part, bool)
    errors: int  # syllables
    said: list  # words
    mistakes: list  # (word said, word heard)


def place_words(text):
    """đến quầy số năm -> how many words come before the name of the counter."""
    words = text.split()
    return words.index("số") + 1 if "số" in words else (2 if words[0] == "đến" else 1)


def judge(parts, heard_text):
    """What of a sentence was heard right."""
    expected, spelled, spans = [], [], []
    for p in parts:
        spelled += asr.spelled(p.text)
        sounds = asr.said(p.text)
        start = len(expected)
        expected += sounds
        if p.kind == "opener":
            opening = len(asr.said(re.sub(r" có số thứ tự.*", " có số thứ tự", p.text)))
            spans.append(("opening words", start, start + opening, ""))
            if len(sounds) > opening:
                spans.append(("letter", start + opening, len(expected), "ticket"))
        elif p.kind == "destination":
            before = place_words(p.text)
            spans.append(("counter noun", start, start + before, ""))
            spans.append(("counter name", start + before, len(expected), "counter"))
        else:
            spans.append((p.kind, start, len(expected), p.role))
    heard, heard_words = asr.said(heard_text), asr.spelled(heard_text)
    path, cost = asr.align(expected, heard)
    wrong, last, mistakes = set(), -1, []
    for e, h in path:
        if e is None:
            wrong.add(("after", last))  # a word too many
        else:
            last = e
            if h is None or expected[e] != heard[h]:
                wrong.add(("at", e))
                mistakes.append((spelled[e], heard_words[h] if h is not None else "nothing"))

    def right(start, end):
        return not any(("at", i) in wrong or (("after", i) in wrong and i < end - 1) for i in range(start, end))

    result = {"ticket": True, "counter": True}
    kinds = []
    for kind, start, end, role in spans:
        ok = right(start, end)
        kinds.append((kind, ok))
        if role and not ok:
            result[role] = False
    return Judged(result, kinds, cost, spelled, mistakes)


def loudness(sound):
    """Integrated LUFS and true peak, measured by ffmpeg's ebur128."""
    done = subprocess.run(
        ["ffmpeg", "-hide_banner", "-nostats", "-f", "f32le", "-ar", str(post.RATE), "-ac", "1", "-i", "pipe:0",
         "-af", "ebur128=peak=true", "-f", "null", "-"],
        input=sound.astype(np.float32).tobytes(), capture_output=True, check=True,
    ).stderr.decode()
    tail = done[done.rindex("Summary:"):]
    return float(re.search(r"I:\s+(-?[\d.]+) LUFS", tail)[1]), float(re.search(r"Peak:\s+(-?[\d.]+) dBFS", tail)[1])


def sentences(bank, count, seed):
    """Random sentences of this bank; of a bank with a base only such as have a clip of its own."""
    rng, out = random.Random(seed), []
    while len(out) < count:
        parts = random_sentence(rng)
        if "base" in bank.list:
            parts = [replace(p, text=units.southern(p.text)) for p in parts]
        own = any(p.text in bank.list["clips"][p.take] for p in parts)
        if own and bank.has(parts):
            out.append(parts)
    return out


def letter_sentences(rng, each=2):
    """Every letter in a few openings, with the digits after it."""
    for letter, name in units.LETTERS.items():
        for _ in range(each):
            opener = f"{rng.choice([*units.OPENERS.values()])} {rng.choice([*units.PEOPLE.values()])} có số thứ tự"
            digits = Part("digits", "mid", units.digits(f"{rng.randrange(1000):03d}"), AFTER_LETTER, "")
            yield letter, [Part("opener", "mid", f"{opener} {name}", 0), digits]


def percent(n, of):
    return f"{100 * n / of:.1f} % ({n} of {of})" if of else "none"


class Tally:
    """What was heard right over many sentences."""

    def __init__(self):
        self.rights, self.by_kind, self.all_kind, self.rows = Counter(), Counter(), Counter(), []
        self.errors, self.said, self.mistakes, self.again = 0, Counter(), Counter(), 0

    def add(self, parts, heard):
        judged = judge(parts, heard)
        for what in ("ticket", "counter"):
            self.rights[what] += judged.right[what]
        self.rights["both"] += judged.right["ticket"] and judged.right["counter"]
        for kind, ok in judged.kinds:
            self.all_kind[kind] += 1
            self.by_kind[kind] += ok
        self.errors += judged.errors
        self.said.update(judged.said)
        self.mistakes.update(judged.mistakes)
        self.rows.append((judged.errors / len(judged.said), ", ".join(p.text for p in parts), heard))

    def add_starts(self, parts, heard):
        """A sentence heard from several of STARTS: the first counts, and the others tell how much is the recogniser's chance."""
        self.add(parts, heard[0])
        if len(heard) == 1:
            return
        self.again += 1
        both = sum(all(judge(parts, text).right.values()) for text in heard)
        self.rights["most"] += 2 * both > len(heard)
        self.rights["any"] += both > 0


def _begin(bank, halls, seed):
    global _bank, _seas, _seas_key, _ear, _seed
    rng = random.Random(seed)
    voices = [bank.clip(take, text) for take in bank.paths for text in rng.sample([*bank.paths[take]], 60)]
    HEARD.mkdir(parents=True, exist_ok=True)
    makers = {"clean": lambda: None, "talk": lambda: noise.talk(voices), "hum": noise.hum}
    _bank, _seas, _ear, _seed = bank, {name: makers[name]() for name in halls}, asr.Recogniser(), seed
    _seas_key = {name: "" if sea is None else hashlib.sha256(sea).hexdigest() for name, sea in _seas.items()}


def _hear(job):
    """What was heard of a sentence, by hall: without noise from each of STARTS, else, and of a letter's, from the first. It
    is kept in work/heard, so a judge that was stopped goes on."""
    number, (letter, parts) = job
    starts = {name: STARTS[: 1 if letter or sea is not None else len(STARTS)] for name, sea in _seas.items()}
    sound, rng = resample_poly(_bank.compose(parts), noise.RATE, post.RATE), random.Random(f"{_seed} {number}")
    kept = HEARD / f"{digest(number, _seed, _seas_key, hashlib.sha256(sound).hexdigest())}.json"
    if kept.exists():
        return json.loads(kept.read_text(encoding="utf-8"))
    mixed = {name: sound if sea is None else noise.add(sound, sea, NOISE_DB, rng) for name, sea in _seas.items()}
    heard = iter(_ear.hear([np.concatenate([np.zeros(int(s * noise.RATE)), mixed[name]]) for name in mixed for s in starts[name]]))
    texts = {name: [next(heard) for _ in starts[name]] for name in mixed}
    kept.write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    return texts


def main():
    args = argparse.ArgumentParser()
    args.add_argument("bank", nargs="?", choices=("north", "south"), default="north")
    args.add_argument("--sentences", type=int, default=150)
    args.add_argument("--seed", type=int, default=20)
    args.add_argument("--minutes", type=float, default=1e9, help="report what was heard until then")
    args.add_argument("--jobs", type=int, default=2, help="processes")
    args.add_argument("--clean", action="store_true", help="without the two noises")
    args.add_argument("--saying", default="", metavar="WORD,...", help="hear only sentences with these words, and write no report")
    args = args.parse_args()
    bank, rng = Bank(args.bank), random.Random(args.seed)
    jobs = [*letter_sentences(rng)] if args.bank == "north" else []
    jobs += [("", parts) for parts in sentences(bank, args.sentences, args.seed)]
    jobs, wanted = [*enumerate(jobs)], args.saying.split(",")
    if args.saying:
        jobs = [job for job in jobs if any(word in asr.spelled(p.text) for p in job[1][1] for word in wanted)]
    halls = ["clean"] if args.clean else [*HALLS]
    tallies, letters = {name: Tally() for name in halls}, {}
    end = time.time() + 60 * args.minutes
    with Pool(args.jobs, _begin, (bank, halls, args.seed)) as pool:
        for number, ((letter, parts), heard) in enumerate(zip((own for _, own in jobs), pool.imap(_hear, jobs)), 1):
            if args.saying:
                print(letter or "-", ", ".join(p.text for p in parts), json.dumps(heard, ensure_ascii=False), flush=True)
            if letter:
                for name, own in letters.setdefault(letter, {name: Tally() for name in halls}).items():
                    own.add(parts, heard[name][0])
            else:
                for name in halls:
                    tallies[name].add_starts(parts, heard[name])
            if number % 25 == 0:
                print(f"{number}/{len(jobs)}: both right", {k: t.rights["both"] for k, t in tallies.items()}, flush=True)
            if time.time() > end:
                break
    if args.saying:
        for name, tally in tallies.items():
            own, of = (sum(getattr(heard[name], what)["letter"] for heard in letters.values()) for what in ("by_kind", "all_kind"))
            print(f"{HALLS[name]}: {len(tally.rows)} sentences, {dict(tally.rights)}; of the letters' own {own} of {of}")
        return
    tested = [parts for _, (letter, parts) in jobs if not letter]
    measured = [loudness(bank.compose(parts)) for parts in tested[:50]]
    write_report(bank, args, tallies, letters, measured)


def table(first, tallies, rows):
    yield f"| {first} | {' | '.join(HALLS[name] for name in tallies)} |"
    yield "|---" * (len(tallies) + 1) + "|"
    for label, cell in rows.items():
        yield f"| {label} | {' | '.join(cell(t) for t in tallies.values())} |"


def cannot_say(tallies, letters):
    """The words that are most often wrong, and every letter, with what was heard instead."""
    clean = tallies["clean"]
    instead, wrong = {}, Counter()
    for (word, heard), times in clean.mistakes.most_common():
        wrong[word] += times
        instead.setdefault(word, []).append(f"{heard} {times}")
    yield from ("", "## What the model cannot say", "")
    yield from (f"The aims, 97 % without noise and 92 % with it, are {'met' if aims_met(tallies) else 'missed'}. Words wrong most often without noise:", "")
    yield from ("| word | wrong | heard instead |", "|---|---|---|")
    for word, times in wrong.most_common(25):
        yield f"| {word} | {percent(times, clean.said[word])} | {', '.join(instead[word][:5])} |"
    if not letters:
        return
    yield from ("", "The letters, each in two openings with three digits after it (other sentences than the above):", "")
    yield from ("| letter | said | no noise | in noise | heard instead, without noise |", "|---|---|---|---|---|")
    for letter, heard in letters.items():
        noisy = [t for name, t in heard.items() if name != "clean"]
        right, of = (sum(getattr(t, what)["letter"] for t in noisy) for what in ("by_kind", "all_kind"))
        name, clean = units.LETTERS[letter], heard["clean"]
        other = Counter(h for (w, h), times in clean.mistakes.items() if w in asr.spelled(name) for _ in range(times))
        yield (f"| {letter} | {name} | {clean.by_kind['letter']} of {clean.all_kind['letter']} | {right} of {of} |"
               f" {', '.join(f'{word} {times}' for word, times in other.most_common(4))} |")


def aims_met(tallies):
    return all(t.rights["both"] >= (0.97 if name == "clean" else 0.92) * len(t.rows) for name, t in tallies.items())


def write_report(bank, args, tallies, letters, measured):
    clips = [c for take in bank.list["clips"].values() for c in take.values()]
    seconds = sum(c["frames"] for c in clips) / post.RATE
    size = sum((bank.out / c["file"]).stat().st_size for c in clips)
    lufs, peaks = np.array([m[0] for m in measured]), [m[1] for m in measured]
    n = len(tallies["clean"].rows)
    lines = [
        f"# The voice `{bank.list['name']}` {bank.list['version']}, as measured",
        "",
        "**No native speaker has listened to this voice.** Every figure here comes from a machine. A hall should record",
        "its own voice: a person who reads the list of texts in `bank.toml` will be understood better than this.",
        "",
        f"{n} random sentences (seed {args.seed}, none of them used to tune the voice) were put together from the",
        "encoded clips as the planner does and heard by the network of viet-asr 0.1.0.dev11 (`asr.py`), whose own error on",
        "human speech is not small: as they are, and with two noises 10 dB below the speech (`noise.py`). The settings of",
        "the voice were chosen with the same recogniser on other sentences, so the figures flatter it. Words that sound alike",
        "in the north (xê and sê, dê and giê) count as equal, and so do tư and bốn, linh and lẻ, nghìn and ngàn.",
        "",
        "## Understood",
        "",
        *table("what", tallies, {
            "ticket (its letter, if it has one, and every digit or number word)": lambda t: percent(t.rights["ticket"], n),
            "counter (its number or letter)": lambda t: percent(t.rights["counter"], n),
            "both": lambda t: percent(t.rights["both"], n),
            "both, in at least three of four hearings": lambda t: percent(t.rights["most"], t.again) if t.again else "heard once",
            "both, in at least one of four hearings": lambda t: percent(t.rights["any"], t.again) if t.again else "heard once",
            "syllables wrong, of all": lambda t: f"{100 * t.errors / t.said.total():.1f} %",
        }),
        "",
        "Without noise each sentence was heard four times, with 0, 0.1, 0.2 and 0.3 s of silence more before it, because the",
        "network hears in steps of 0.4 s and what it makes of a word depends on where they fall. All other figures are those of",
        "the first hearing. The two lines bound what is the recogniser's own chance.",
        "",
        *table("part of the sentence, exactly right", tallies, {
            kind: lambda t, kind=kind: percent(t.by_kind[kind], t.all_kind[kind]) for kind in sorted(tallies["clean"].all_kind)
        }),
        *cannot_say(tallies, letters),
        "",
        "## Loudness",
        "",
        f"Over {len(measured)} of these sentences, ffmpeg ebur128: integrated {lufs.mean():.1f} LUFS on average (from {lufs.min():.1f} to {lufs.max():.1f},"
        f" standard deviation {lufs.std():.2f}); highest true peak {max(peaks):.1f} dBTP (the aim is below -1{'' if max(peaks) < -1 else '; missed'}).",
        "",
        "## Size",
        "",
        f"{len(clips)} clips, {seconds / 60:.1f} minutes, {size / 1e6:.1f} MB. {bank.list['provenance'].rsplit('. ', 1)[-1]}",
        "",
        "## The worst twenty, without noise",
        "",
        "| said | heard |",
        "|---|---|",
        *[f"| {text} | {heard} |" for _, text, heard in sorted(tallies["clean"].rows, key=lambda r: -r[0])[:20]],
        "",
    ]
    (bank.out / "REPORT.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
