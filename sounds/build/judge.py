"""Judge the finished bank: sentences put together as the planner does, heard by a recogniser, measured.

Each is read twice from the same probabilities: as any words there are, and as the likeliest of all calls (`grammar.py`), as
somebody hears it who knows how a call is built.

usage: judge.py [north|south] [--sentences 150] [--seed 20] [--minutes N] [--jobs N] [--clean] [--once] [--saying WORD,...]
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
import g2p
import grammar
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
LETTER_TIMES = 4  # openings in which each letter is heard
FOUR_TIMES = (
    "Without noise each sentence was heard four times, with 0, 0.1, 0.2 and 0.3 s of silence more before it, because the",
    "network hears in steps of 0.4 s and what it makes of a word depends on where they fall. All other figures are those of",
    "the first hearing. The two lines bound what is the recogniser's own chance.",
)
ENOUGH = 0.8  # a letter or word that is right less often is listed as one that the voice cannot say


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


def letter_sentences(rng, each=LETTER_TIMES):
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


def _begin(bank, halls, seed, once=False):
    global _starts, _bank, _seas, _seas_key, _ear, _seed, _calls, _tickets
    rng = random.Random(seed)
    voices = [bank.clip(take, text) for take in bank.paths for text in rng.sample([*bank.paths[take]], 60)]
    HEARD.mkdir(parents=True, exist_ok=True)
    makers = {"clean": lambda: None, "talk": lambda: noise.talk(voices), "hum": noise.hum}
    _bank, _seas, _ear, _seed = bank, {name: makers[name]() for name in halls}, asr.Recogniser(), seed
    _starts = STARTS[:1] if once else STARTS
    say = units.southern if "base" in bank.list else str
    _calls, _tickets = grammar.Calls(grammar.call, say), grammar.Calls(grammar.ticket, say)
    _seas_key = {name: "" if sea is None else hashlib.sha256(sea).hexdigest() for name, sea in _seas.items()}


def _hear(job):
    """What was heard of a sentence, by hall: without noise from each of STARTS, else, and of a letter's, from the first; each
    as any words and as a call. It is kept in work/heard, so a judge that was stopped goes on."""
    number, (letter, parts) = job
    sound, form = resample_poly(_bank.compose(parts), noise.RATE, post.RATE), _tickets if letter else _calls
    key, texts = hashlib.sha256(sound).hexdigest(), {}
    for name, sea in _seas.items():
        starts = STARTS[:1] if letter or sea is not None else _starts
        kept = HEARD / f"{digest(number, _seed, _seas_key[name], key, form.digest, starts)}.json"
        if not kept.exists():
            rng = random.Random(f"{_seed} {number} {name}")
            mixed = sound if sea is None else noise.add(sound, sea, NOISE_DB, rng)
            heard = _ear.probabilities([asr.features(np.concatenate([np.zeros(int(s * noise.RATE)), mixed])) for s in starts])
            kept.write_text(json.dumps([(_ear.text(p), form.read(p)[0]) for p in heard], ensure_ascii=False), encoding="utf-8")
        texts[name] = json.loads(kept.read_text(encoding="utf-8"))
    return texts


def main():
    args = argparse.ArgumentParser()
    args.add_argument("bank", nargs="?", choices=("north", "south"), default="north")
    args.add_argument("--sentences", type=int, default=150)
    args.add_argument("--seed", type=int, default=20)
    args.add_argument("--minutes", type=float, default=1e9, help="report what was heard until then")
    args.add_argument("--jobs", type=int, default=2, help="processes")
    args.add_argument("--clean", action="store_true", help="without the two noises")
    args.add_argument("--once", action="store_true", help="without noise too from the first of the starts alone: half the time")
    args.add_argument("--saying", default="", metavar="WORD,...", help="hear only sentences with these words, and write no report")
    args = args.parse_args()
    bank = Bank(args.bank)
    jobs = [("", parts) for parts in sentences(bank, args.sentences, args.seed)]
    jobs += [*letter_sentences(random.Random(args.seed))] if args.bank == "north" else []
    jobs, wanted = [*enumerate(jobs)], args.saying.split(",")
    if args.saying:
        jobs = [job for job in jobs if any(word in asr.spelled(p.text) for p in job[1][1] for word in wanted)]
    halls = ["clean"] if args.clean else [*HALLS]
    # of all words there are, and of all calls
    readings = [{name: Tally() for name in halls} for _ in range(2)]
    letters = [{}, {}]
    end = time.time() + 60 * args.minutes
    with Pool(args.jobs, _begin, (bank, halls, args.seed, args.once)) as pool:
        for number, ((letter, parts), heard) in enumerate(zip((own for _, own in jobs), pool.imap(_hear, jobs)), 1):
            if args.saying:
                print(letter or "-", ", ".join(p.text for p in parts), json.dumps(heard, ensure_ascii=False), flush=True)
            for which, tallies in enumerate(readings):
                own = letters[which].setdefault(letter, {name: Tally() for name in halls}) if letter else tallies
                for name, tally in own.items():
                    tally.add_starts(parts, [texts[which] for texts in heard[name]])
            if number % 25 == 0:
                rights = [{name: t.rights["both"] for name, t in tallies.items()} for tallies in readings]
                print(f"{number}/{len(jobs)}: both right", *rights, flush=True)
            if time.time() > end:
                break
    if args.saying:
        for what, tallies, own in zip(("of all words", "of all calls"), readings, letters):
            for name, tally in tallies.items():
                right, of = of_letters([heard[name] for heard in own.values()])
                print(f"{what}, {HALLS[name]}: {len(tally.rows)} sentences, {dict(tally.rights)}; of the letters' own {right} of {of}")
        return
    tested = [parts for _, (letter, parts) in jobs if not letter]
    measured = [loudness(bank.compose(parts)) for parts in tested[:50]]
    write_report(bank, args, readings, letters, measured)


def of_letters(tallies):
    """How often the letter was right in some tallies, and of how many."""
    return [sum(getattr(t, what)["letter"] for t in tallies) for what in ("by_kind", "all_kind")]


def table(first, tallies, rows):
    yield f"| {first} | {' | '.join(HALLS[name] for name in tallies)} |"
    yield "|---" * (len(tallies) + 1) + "|"
    for label, cell in rows.items():
        yield f"| {label} | {' | '.join(cell(t) for t in tallies.values())} |"


def understood(tallies):
    n = len(tallies["clean"].rows)
    yield from table("what", tallies, {
        "ticket (its letter, if it has one, and every digit or number word)": lambda t: percent(t.rights["ticket"], n),
        "counter (its number or letter)": lambda t: percent(t.rights["counter"], n),
        "both": lambda t: percent(t.rights["both"], n),
        **({
            "both, in at least three of four hearings": lambda t: percent(t.rights["most"], t.again) if t.again else "heard once",
            "both, in at least one of four hearings": lambda t: percent(t.rights["any"], t.again) if t.again else "heard once",
        } if tallies["clean"].again else {}),
        "syllables wrong, of all": lambda t: f"{100 * t.errors / t.said.total():.1f} %",
    })


def kinds(tallies):
    yield from ("", *table("part of the sentence, exactly right", tallies, {
        kind: lambda t, kind=kind: percent(t.by_kind[kind], t.all_kind[kind]) for kind in sorted(tallies["clean"].all_kind)
    }))


def words_wrong(tallies, most=25):
    """The words most often wrong over some tallies, with what was heard instead."""
    instead, wrong, said = {}, Counter(), Counter()
    for tally in tallies:
        said.update(tally.said)
        for (word, heard), times in tally.mistakes.items():
            wrong[word] += times
            instead.setdefault(word, Counter())[heard] += times
    yield from ("", "| word | wrong | heard instead |", "|---|---|---|")
    for word, times in wrong.most_common(most):
        yield f"| {word} | {percent(times, said[word])} | {', '.join(f'{h} {n}' for h, n in instead[word].most_common(5))} |"


def letter_of(text):
    """The letter of a call that was read by its form, as one of units.LETTERS; none if it has none."""
    after = " ".join(asr.spelled(text)).partition("thứ tự ")[2]
    found = [x for x, name in units.LETTERS.items() if f"{after} ".startswith(f"{' '.join(g2p.words(name))} ")]
    return max(found, key=lambda x: len(units.LETTERS[x]), default="none")


def letter_table(letters, instead):
    """Every letter by hall, and what was heard for it: `instead` of a letter and its tallies."""
    halls = [*next(iter(letters.values()))]
    yield from ("", f"| letter | said | {' | '.join(HALLS[name] for name in halls)} | heard instead |", "|---" * (len(halls) + 3) + "|")
    for letter, heard in letters.items():
        rights = [" of ".join(map(str, of_letters([t]))) for t in heard.values()]
        other = ", ".join(f"{what} {times}" for what, times in instead(letter, heard.values()).most_common(5))
        yield f"| {letter} | {units.LETTERS[letter]} | {' | '.join(rights)} | {other} |"


def other_words(letter, tallies):
    name = asr.spelled(units.LETTERS[letter])
    return Counter(h for t in tallies for (word, h), times in t.mistakes.items() if word in name for _ in range(times))


def other_letters(letter, tallies):
    same = asr.said(units.LETTERS[letter])
    heard = Counter(letter_of(text) for t in tallies for *_, text in t.rows)
    return Counter({x: n for x, n in heard.items() if x == "none" or asr.said(units.LETTERS[x]) != same})


def worst(tally):
    yield from ("", "| said | heard |", "|---|---|")
    for _, text, heard in sorted(tally.rows, key=lambda r: -r[0])[:20]:
        yield f"| {text} | {heard} |"


def aims(tallies):
    met = all(t.rights["both"] >= (0.97 if name == "clean" else 0.92) * len(t.rows) for name, t in tallies.items())
    return f"The aims, both right in 97 % without noise and in 92 % with it, are {'met' if met else 'missed'}"


def cannot_say(tallies, letters):
    """Letters and words that are right too seldom even where the form of a call is known, over all halls."""
    for letter, heard in letters.items():
        right, of = of_letters(heard.values())
        if right < ENOUGH * of:
            yield f"{letter} ({units.LETTERS[letter]}) {right} of {of}"
    wrong, said = Counter(), Counter()
    for tally in tallies.values():
        said.update(tally.said)
        for (word, _), times in tally.mistakes.items():
            wrong[word] += times
    names = {word for name in units.LETTERS.values() for word in g2p.words(name)}
    for word, times in wrong.most_common():
        if word not in names and times > (1 - ENOUGH) * said[word]:
            yield f"{word} {said[word] - times} of {said[word]}"


def write_report(bank, args, readings, letters, measured):
    clips = [c for take in bank.list["clips"].values() for c in take.values()]
    seconds = sum(c["frames"] for c in clips) / post.RATE
    size = sum((bank.out / c["file"]).stat().st_size for c in clips)
    lufs, peaks = np.array([m[0] for m in measured]), [m[1] for m in measured]
    (words, calls), (letters_as_words, letters_as_calls) = readings, letters
    lines = [
        f"# The voice `{bank.list['name']}` {bank.list['version']}, as measured",
        "",
        "**No native speaker has listened to this voice.** Every figure here comes from a machine. A hall should record",
        "its own voice: a person who reads the list of texts in `bank.toml` will be understood better than this.",
        "",
        f"{len(words['clean'].rows)} random sentences (seed {args.seed}, none of them used to tune the voice) were put together from the",
        "encoded clips as the planner does and heard by the network of viet-asr 0.1.0.dev11 (`asr.py`), whose own error on",
        "human speech is not small: as they are, and with two noises 10 dB below the speech (`noise.py`). The settings of",
        "the voice were chosen with the same recogniser on other sentences, so the figures flatter it. Words that sound alike",
        "in the north (xê and sê, dê and giê) count as equal, and so do tư and bốn, linh and lẻ, nghìn and ngàn.",
        "",
        "Every hearing was read twice, from the same probabilities: as any words that the recogniser knows, which is what the",
        "aims are for, and as the likeliest of all calls (`grammar.py`), as somebody hears it who knows how a call is built and which",
        "words may stand in it, but neither tickets nor counters. The second is nearer to somebody who waits, and",
        "flatters: that a word is taken for another of a call is an error in both, that it is taken for any other word only in the first.",
        "",
        "## Understood, as any words",
        "",
        *understood(words),
        "",
        *["Each sentence was heard once in each."] * args.once,
        *([] if args.once else FOUR_TIMES),
        *kinds(words),
        "",
        f"{aims(words)}. Words wrong most often without noise:",
        *words_wrong([words["clean"]]),
        *letter_section(letters_as_words, other_words),
        "",
        "## Understood, knowing the form of a call",
        "",
        *understood(calls),
        *kinds(calls),
        "",
        f"{aims(calls)} even so. Words wrong most often, in all three:",
        *words_wrong(calls.values()),
        *letter_section(letters_as_calls, other_letters),
        "",
        "## What the voice cannot say",
        "",
        f"Right in less than {ENOUGH:.0%} of the hearings, without noise and with it, although the form of a call was known: "
        + ("; ".join(cannot_say(calls, letters_as_calls)) or "nothing") + ".",
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
        "## The worst twenty, without noise, as any words",
        *worst(words["clean"]),
        "",
        "## The worst twenty, without noise, knowing the form of a call",
        *worst(calls["clean"]),
        "",
    ]
    (bank.out / "REPORT.md").write_text("\n".join(lines), encoding="utf-8")


def letter_section(letters, instead):
    if letters:
        yield from ("", f"The letters, each in {LETTER_TIMES} openings with three digits after it (other sentences than the above):")
        yield from letter_table(letters, instead)


if __name__ == "__main__":
    main()
