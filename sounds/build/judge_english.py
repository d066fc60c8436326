"""Judge the English bank: sentences put together as the planner does, heard by PocketSphinx, measured.

usage: judge_english.py [--sentences 150] [--seed 20]
PocketSphinx carries its own small American model. Free to hear any English it understands little; so it is told the
shape of a call (any letter, digits, number, lane, noun and counter), and chooses. Writes sounds/english/REPORT.md.
"""

import argparse
import random
import re
from collections import Counter

import numpy as np
from pocketsphinx import Decoder
from scipy.signal import resample_poly

import english
import judge
import noise
import post
from bank import WORK

DIGITS = english.SMALL[:10]
GRAMMAR = f"""#JSGF V1.0;
grammar call;
<digit> = {" | ".join(DIGITS)};
<letter> = {" | ".join(f"{c}." for c in english.LETTERS)} | d. bar;
<below> = <digit> | {" | ".join(english.SMALL[10:])} | ({" | ".join(english.TENS)}) [{" | ".join(DIGITS[1:])}];
<hundreds> = ({" | ".join(DIGITS[1:])}) hundred;
<number> = [<below> thousand [and]] [<hundreds> [and]] [<below>];
<code> = <letter> <digit> <digit> <digit> [<digit>];
<lane> = {" | ".join(english.LANE_TEXTS).replace("authorised", "authorized")};
<place> = ({" | ".join(english.NOUNS.values())}) (<below> | <letter>);
public <call> = ticket number (<code> | <number>) [<lane>] [please go to] <place>;
"""


def number_parts(n):
    """One to 9999 in the clips that the bank has."""
    thousands, rest = divmod(n, 1000)
    hundreds, below = divmod(rest, 100)
    joined = " and" if below else ""
    if thousands:
        yield f"{english.number(thousands)} thousand{'' if hundreds else joined}"
    if hundreds:
        yield f"{english.number(hundreds)} hundred{joined}"
    if below:
        yield english.number(below)


def random_sentence(rng):
    """(take, text, role, pause before it) of every part."""
    if rng.random() < 0.7:
        letter = rng.choice([*english.LETTERS, "d bar"])
        code = f"{rng.randrange(1000):03d}" if rng.random() < 0.8 else f"{rng.randrange(10000):04d}"
        parts = [("mid", f"ticket number {letter}", "letter", 0)]
        for i, group in enumerate((code,) if len(code) == 3 else (code[:2], code[2:])):
            parts.append(("mid", english.digits(group), "digits", judge.NEW_PHRASE if i else judge.AFTER_LETTER))
    else:
        parts = [("mid", "ticket number", "", 0)]
        parts += [("mid", text, "number", judge.NEW_PHRASE) for text in number_parts(rng.randint(1, 9999))]
    if rng.random() < 0.25:
        parts.append(("mid", rng.choice(english.LANE_TEXTS), "lane", judge.CLAUSE))
    kind = rng.choice([*english.NOUNS])
    most = english.PLACES[kind][1]
    name = english.number(rng.randint(1, most)) if rng.random() < 0.9 else rng.choice("abcdefgh")
    before = "please go to " if rng.random() < 0.9 else ""
    return [*parts, ("end", f"{before}{english.NOUNS[kind]} {name}", "counter", judge.CLAUSE)]


def pieces(bank, take, text):
    """The text in the longest clips that the bank has, or None."""
    words, found = text.split(), []
    while words:
        size = next((n for n in range(len(words), 0, -1) if " ".join(words[:n]) in bank.paths[take]), 0)
        if not size:
            return None
        found.append(" ".join(words[:size]))
        words = words[size:]
    return found


def compose(bank, parts):
    sounds = []
    for take, text, _, pause in parts:
        sounds += [np.zeros(int(pause * post.RATE)), *(bank.clip(take, piece) for piece in pieces(bank, take, text))]
    return np.concatenate(sounds)


class Ear:
    def __init__(self):
        path = WORK / "call.jsgf"
        path.write_text(GRAMMAR)
        self.decoder = Decoder(jsgf=str(path), samprate=noise.RATE, loglevel="FATAL")

    def hear(self, sound):
        x = np.concatenate([np.zeros(4800), sound, np.zeros(4800)])
        self.decoder.start_utt()
        self.decoder.process_raw((x / np.abs(x).max() * 20000).astype(np.int16).tobytes(), full_utt=True)
        self.decoder.end_utt()
        found = self.decoder.hyp()
        return re.findall(r"[a-z]+", found.hypstr) if found else []


def tally(parts, heard, counts):
    """Adds to `counts` (right, all) by role; a word is right where a cheapest alignment says so."""
    words = [(w, role) for _, text, role, _ in parts for w in english.words(text)]
    expected = [w for w, _ in words]
    heard = ["authorised" if w == "authorized" else w for w in heard]
    path, cost = judge.asr.align(expected, heard)
    wrong = {e for e, h in path if e is not None and (h is None or expected[e] != heard[h])}
    at, right = 0, {}
    for _, text, role, _ in parts:
        size = len(english.words(text))
        own = range(at + 2, at + size) if role == "letter" else range(at, at + size)
        if role:
            right[role] = right.get(role, True) and not wrong.intersection(own)
        at += size
    extra = any(e is None for e, _ in path)
    right["ticket"] = not extra and all(right.get(role, True) for role in ("letter", "digits", "number"))
    right["both"] = right["ticket"] and right["counter"]
    for role, ok in right.items():
        counts.setdefault(role, [0, 0])
        counts[role][0] += ok
        counts[role][1] += 1
    return cost, len(expected), [(expected[e], heard[h] if h is not None else "nothing") for e, h in path if e in wrong]


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--sentences", type=int, default=150)
    args.add_argument("--seed", type=int, default=20)
    args = args.parse_args()
    bank, ear, rng = judge.Bank("english"), Ear(), random.Random(args.seed)
    voices = [bank.clip("mid", text) for text in rng.sample([*bank.paths["mid"]], 60)]
    seas = {"clean": None, "talk": noise.talk(voices), "hum": noise.hum()}
    counts, mistakes, tested = {name: {} for name in seas}, {name: Counter() for name in seas}, []
    while len(tested) < args.sentences:
        parts = random_sentence(rng)
        if all(pieces(bank, take, text) for take, text, _, _ in parts):
            tested.append(parts)
    for parts in tested:
        sound = resample_poly(compose(bank, parts), noise.RATE, post.RATE)
        for name, sea in seas.items():
            mixed = sound if sea is None else noise.add(sound, sea, judge.NOISE_DB, rng)
            mistakes[name].update(tally(parts, ear.hear(mixed), counts[name])[2])
    write_report(bank, args, counts, mistakes, [judge.loudness(compose(bank, parts)) for parts in tested[:50]])


def write_report(bank, args, counts, mistakes, measured):
    lufs, peaks = [m[0] for m in measured], [m[1] for m in measured]
    clips = [c for take in bank.list["clips"].values() for c in take.values()]
    size = sum((bank.out / c["file"]).stat().st_size for c in clips)
    lines = [
        f"# The voice `{bank.list['name']}` {bank.list['version']}, as measured", "",
        "**No person has judged this voice.** Every figure comes from a machine: PocketSphinx 5.1.1, which was told the shape of",
        "a call and only chose its letter, digits, number, lane, noun and counter. That flatters: a listener who expects nothing",
        f"understands less. {args.sentences} random sentences (seed {args.seed}) that the bank can say, as they are and with two noises 10 dB",
        "below the speech; what has no clip of its own is put together from shorter ones.",
        "Nothing of this voice was tuned with it but the choice of the style.", "",
        f"| exactly right | {' | '.join(judge.HALLS.values())} |", "|---|---|---|---|",
    ]  # fmt: skip
    for role in ("ticket", "counter", "both", "letter", "digits", "number", "lane"):
        lines.append(f"| {role} | {' | '.join(judge.percent(*counts[name].get(role, (0, 0))) for name in counts)} |")
    lines += ["", "Most often wrong without noise: " + ("; ".join(f"{said} heard as {heard} {n}" for (said, heard), n in mistakes["clean"].most_common(20)) or "nothing") + "."]
    lines += ["", f"Loudness of {len(measured)} of these sentences: {np.mean(lufs):.1f} LUFS on average, from {min(lufs):.1f} to {max(lufs):.1f}; highest true peak {max(peaks):.1f} dBTP."]
    lines += ["", f"{len(clips)} clips, {sum(c['frames'] for c in clips) / post.RATE / 60:.1f} minutes, {size / 1e6:.1f} MB.", ""]
    (bank.out / "REPORT.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
