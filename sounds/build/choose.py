"""Hear some units said in other ways, and keep the way that is understood best: takes.toml, which bank.py honours.

usage: choose.py [--minutes 10] PATTERN ...        (files of the northern bank, say 'open/*-cong-dan-a' 'lane/*')
Each take of settings.toml and the present way are put into three random sentences and heard in each without noise
and in one of the two noises. The best one must beat the present way by MARGIN there and again in three other
sentences, or the present way stays. None of the sentences is one of the judge's. What was heard is kept in
work/chosen.json, so the next run goes on; run bank.py afterwards.
"""

import argparse
import fnmatch
import json
import random
import time
from multiprocessing import Pool

import numpy as np
from scipy.signal import resample_poly

import asr
import judge
import noise
import post
import units
from bank import WORK, Maker, breaths, digest, fed, load_takes
from synth import HERE, load_settings

MARGIN = 0.1
CHOSEN = WORK / "chosen.json"
PARTS = {"open": "opener", "digits": "digits", "number": "number", "lane": "lane", "dest": "destination", "place": "destination"}
HEAD = "# Units that are said with one of the takes of settings.toml, because choose.py heard them understood better so.\n"


def _begin(settings):
    global _maker, _bank, _ear, _seas
    _maker, _bank, _ear = Maker(settings), judge.Bank(), asr.Recogniser()
    rng = random.Random(3)
    voices = [_bank.clip("mid", text) for text in rng.sample([*_bank.list["clips"]["mid"]], 60)]
    _seas = (noise.talk(voices), noise.hum())


def contexts(unit, rng, count=3):
    """Random sentences with the unit in its place, cut down to it and its neighbours: (parts, its index)."""
    while count:
        parts = judge.random_sentence(rng)
        at = next((i for i, p in enumerate(parts) if p.kind == PARTS[unit.kind]), None)
        if at is None or not _bank.has(parts):
            continue
        if unit.kind in ("open", "digits") and len(parts[at].text.split()) != len(unit.text.split()):
            continue  # so that two digits stand where two do, and a letter before digits
        first = max(0, at - 1)
        yield parts[first : at + 2], at - first
        count -= 1


def understood(unit, clip, seed):
    """0 to 1: half for the share of its syllables heard right, half for all of them right."""
    rng, scores = random.Random(seed), []
    own = asr.said(unit.text)
    for number, (parts, at) in enumerate(contexts(unit, rng)):
        sounds, expected = [], []
        for i, part in enumerate(parts):
            if i == at:
                begin = len(expected)
            expected += own if i == at else asr.said(part.text)
            sounds += [np.zeros(int(part.pause * post.RATE)), clip if i == at else _bank.clip(part.take, part.text)]
        sound = resample_poly(np.concatenate(sounds), noise.RATE, post.RATE)
        for sea in (None, _seas[number % 2]):
            heard = asr.said(_ear.hear(sound if sea is None else noise.add(sound, sea, judge.NOISE_DB, rng), noise.RATE))
            pairs = {e: h for e, h in asr.align(expected, heard)[0] if e is not None}
            right = [pairs[i] is not None and heard[pairs[i]] == expected[i] for i in range(begin, begin + len(own))]
            scores.append((np.mean(right) + all(right)) / 2)
    return float(np.mean(scores))


def _choose(job):
    """One unit: the take to use, and the scores of the present way and of that take."""
    unit, batch, place = job
    takes = {"": _maker.raw(batch)[place][0]}
    for take in _maker.settings["take"]:
        takes[take] = _maker.varied(take).raw([unit])[0][0]
    clips = {take: post.finish(raw, _maker.settings["level"]) for take, raw in takes.items()}
    scores = {take: understood(unit, clip, f"{unit.file} 1") for take, clip in clips.items()}
    best = max(scores, key=scores.get)
    if scores[best] < scores[""] + MARGIN:
        return unit, "", scores, None
    again = {take: understood(unit, clips[take], f"{unit.file} 2") for take in ("", best)}
    return unit, best if again[best] >= again[""] + MARGIN else "", scores, again


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("patterns", nargs="+", metavar="PATTERN")
    args.add_argument("--minutes", type=float, default=10)
    args = args.parse_args()
    settings, end = load_settings(), 60 * args.minutes + time.time()
    maker, every = Maker(settings), units.all_units()
    chosen = json.loads(CHOSEN.read_text()) if CHOSEN.exists() else {}
    takes, jobs, keys = load_takes("north"), [], {}
    for pattern in args.patterns:
        for batch in breaths(every):
            for place, unit in enumerate(batch):
                key = digest(maker.keys(batch)[place], settings["take"])
                if fnmatch.fnmatch(unit.file, pattern) and chosen.get(unit.file, {}).get("key") != key:
                    keys[unit.file] = key
                    jobs.append((unit, batch, place))
    with Pool(2, _begin, (settings,)) as pool:
        done = [0]
        for unit, take, scores, again in pool.imap(_choose, fed(jobs, done, end)):
            done[0] += 1
            chosen[unit.file] = {"key": keys[unit.file], "take": take, "scores": scores, "again": again}
            takes.pop(unit.file, None)
            takes |= {unit.file: take} if take else {}
            CHOSEN.write_text(json.dumps(chosen, indent=0))
            lines = "".join(f'"{file}" = "{name}"\n' for file, name in sorted(takes.items()))
            (HERE / "takes.toml").write_text(f"{HEAD}\n[north]\n{lines}", encoding="utf-8")
            print(unit.file, take or "as it was", {k: round(v, 2) for k, v in scores.items()}, again, flush=True)


if __name__ == "__main__":
    main()
