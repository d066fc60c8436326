"""Make the bank: every missing clip, then bank.toml for exactly the clips that are there.

usage: bank.py [north|south|english] [--urgent] [--draft [KINDS]] [--only KINDS] [--minutes N] [--jobs N] [--list-only]
               [--relevel SETTINGS]
A clip is skipped when made/BANK.txt, which belongs to the repository, holds the same hash of its batch, its place in
it and the settings, and the file exists; so a fresh clone makes nothing again that is unchanged. Without --draft, clips that an earlier --draft joined are made again, whole. A unit that
takes.toml names is spoken alone, with the changes of that take in settings.toml. With --relevel, clips that an older
settings.toml made otherwise alike are decoded, levelled and encoded again, which costs a second loss but not the model's
time.
"""

import argparse
import hashlib
import json
import os
import shutil
import struct
import time
import tomllib
import unicodedata
from functools import cache
from multiprocessing import Pool
from pathlib import Path

import numpy as np

import english
import g2p
import post
import synth
import units
from model import Model
from synth import HERE, changed, load_settings

OUT = HERE.parent / "north"
WORK = HERE / "work"
RAW = WORK / "raw"
SHORT = 12  # of a hash are kept
SYLLABLES = 12  # in one breath; words, in English
PEAK_DB = -1.5  # the highest true peak of an encoded clip
UNITS = {"north": units.all_units, "south": units.south_units, "english": lambda: [*english.all_units()]}
SPEECH = {"vi": synth, "en": english}

# what is made first; digits come twice, the urgent ones first
ORDER = ["phrase", "lane", "open", "digits", "dest", "place", "place-letter", "short", "letter", "digits", "number", "number-end"]


def need(unit):
    return len(ORDER) - 1 - ORDER[::-1].index(unit.kind) if not unit.urgent else ORDER.index(unit.kind)


def digest(*parts):
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:24]


def frames_of(path):
    """Exact decoded length at 48 kHz: the last Ogg page's position less the pre-skip of the OpusHead."""
    data = path.read_bytes()
    pre_skip = struct.unpack_from("<H", data, data.index(b"OpusHead") + 10)[0]
    return struct.unpack_from("<q", data, data.rindex(b"OggS") + 6)[0] - pre_skip


@cache
def the_model():
    return Model(threads=1)


class Maker:
    """Speaks, joins and encodes; knows nothing of what is there already."""

    def __init__(self, settings):
        self.settings, self.speech = settings, SPEECH[settings["bank"]["language"]]
        self.out = HERE.parent / settings["bank"]["name"]
        RAW.mkdir(parents=True, exist_ok=True)

    def varied(self, take):
        """A maker with the changes of a take in settings.toml; "" is this one."""
        return Maker(changed(self.settings, self.settings["take"][take])) if take else self

    def raw(self, batch):
        """A batch spoken in one breath: for each unit its samples and where its syllables begin."""
        path = RAW / f"{self.batch_key(batch)}.npz"
        if not path.exists():
            spoken = self.speech.Synth(self.settings, the_model()).speak([u.text for u in batch], batch[0].take)
            arrays = {}
            for place, (sound, starts) in enumerate(spoken):
                arrays[f"sound{place}"], arrays[f"starts{place}"] = sound.astype(np.float32), np.array(starts)
            part = path.with_suffix(f".{os.getpid()}.npz")
            np.savez(part, **arrays)
            part.rename(path)
        arrays = np.load(path)
        return [(arrays[f"sound{i}"].astype(np.float64), arrays[f"starts{i}"]) for i in range(len(batch))]

    def batch_key(self, batch):
        """Changes with everything that the sound of this batch depends on, and with nothing else."""
        texts = [u.text for u in batch]
        return digest(batch[0].take, texts, *self.speech.recipe(self.settings, texts))

    def keys(self, batch, level=None):
        batch_key = self.batch_key(batch)
        return [digest(batch_key, place, level or self.settings["level"]) for place in range(len(batch))]

    def join_key(self, join, head, tail):
        recipe = ["join", self.batch_key(tail[0]), tail[1], join.tail_word]
        if join.head:
            recipe += [self.batch_key(head[0]), head[1], join.head_word]
        return digest(*recipe, self.settings["level"])

    def write(self, unit, sound, finish=post.finish):
        level, path = self.settings["level"], self.out / f"{unit.file}.opus"
        ceiling = level["ceiling_db"]
        for _ in range(4):
            post.encode(finish(sound, {**level, "ceiling_db": ceiling}), path, level["bitrate"])
            over = post.db(post.true_peak(post.decode(path))) - PEAK_DB
            if over <= 0:
                break
            ceiling -= over + 0.3  # the codec adds most to a burst like that of kh

    def speak(self, batch, todo, take=""):
        sounds = self.varied(take).raw(batch)
        for place in todo:
            self.write(batch[place], sounds[place][0])

    def relevel(self, unit, old_key):
        """The clip that is there, levelled as the settings say now; a copy of it is kept, so that no clip is levelled twice."""
        before = RAW / f"{old_key}.opus"
        if not before.exists():
            part = before.with_suffix(".part")
            shutil.copyfile(self.out / f"{unit.file}.opus", part)
            part.rename(before)
        self.write(unit, post.decode(before), post.levelled)

    def join(self, unit, head_home, tail_home):
        """One clip from two others; a home is a batch and the place of the text in it."""
        join = unit.join
        sound, starts = self.raw(tail_home[0])[tail_home[1]]
        i, j = join.head_word, join.tail_word
        if not join.head:
            sound = sound[starts[j] :]
        else:
            head, head_starts = self.raw(head_home[0])[head_home[1]]
            if join.head.split()[i - 1] == join.tail.split()[j - 1]:
                common = sound[starts[j - 1] : starts[j]]
                sound = sound * post.match(head[head_starts[i - 1] : head_starts[i]], common)
            sound = post.join(head, head_starts[i], sound, starts[j])
        self.write(unit, sound)


class Made:
    """Which clips of a bank are there, made how: a line for each in made/BANK.txt, its file, its hash, maybe joined."""

    def __init__(self, bank):
        self.out, self.path = HERE.parent / bank, HERE / "made" / f"{bank}.txt"
        lines = [line.split() for line in self.path.read_text().splitlines()] if self.path.exists() else []
        self.hash, self.joined = {line[0]: line[1] for line in lines}, {line[0] for line in lines if len(line) > 2}

    def lacks(self, unit, key):
        return self.hash.get(unit.file) != key[:SHORT] or not (self.out / f"{unit.file}.opus").exists()

    def add(self, unit, key, joined):
        self.hash[unit.file] = key[:SHORT]
        (self.joined.add if joined else self.joined.discard)(unit.file)

    def save(self):
        self.path.parent.mkdir(exist_ok=True)
        lines = [f"{file} {self.hash[file]}{' joined' * (file in self.joined)}\n" for file in sorted(self.hash)]
        part = self.path.with_suffix(".part")
        part.write_text("".join(lines))
        part.replace(self.path)


def batches(wanted):
    """Units that are spoken one after another: same kind and take, up to about 20 syllables."""
    batch, size = [], 0
    for unit in wanted:
        length = len(g2p.words(unit.text))
        if batch and (size + length > SYLLABLES or (batch[0].kind, batch[0].take) != (unit.kind, unit.take)):
            yield batch
            batch, size = [], 0
        batch.append(unit)
        size += length
    if batch:
        yield batch


def breaths(wanted):
    """All the batches; which of the other kinds are joined changes none of them."""
    whole = list(wanted)
    by_kind = sorted((u for u in whole if u.join), key=lambda u: u.kind)
    return [*batches(u for u in whole if not u.join), *batches(by_kind)]


def how_made(made, there):
    joined = sum(u.file in made.joined or (u.file not in made.hash and u.join is not None) for u in there)
    if not joined:
        return f"All of its {len(there)} clips were generated whole."
    return f"{joined} of its {len(there)} clips are joined from two generated phrases or cut out of one, the rest generated whole."


def write_list(about, made, every):
    """bank.toml for the clips that are there; returns how many."""
    there = [u for u in every if (made.out / f"{u.file}.opus").exists()]
    about = about | {"rate_hz": post.RATE, "provenance": f"{about['provenance']} {how_made(made, there)}"}
    lines = ["format = 1"]
    for key in ("name", "title", "language", "accent", "base", "rate_hz", "version", "provenance", "licence"):
        if about.get(key):
            lines.append(f"{key} = {json.dumps(about[key], ensure_ascii=False)}")
    for take in ("mid", "end"):
        lines += ["", f"[clips.{take}]"]
        for unit in sorted((u for u in there if u.take == take), key=lambda u: u.file):
            text, frames = unicodedata.normalize("NFC", unit.text), frames_of(made.out / f"{unit.file}.opus")
            lines.append(f'"{text}" = {{ file = "{unit.file}.opus", frames = {frames} }}')
    (made.out / "bank.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(there)


def remove_strays(out, every):
    """Clips of an older list of units."""
    wanted = {f"{u.file}.opus" for u in every}
    for path in out.rglob("*.opus"):
        if str(path.relative_to(out)) not in wanted:
            path.unlink()


def load_takes(bank):
    """Of the units that are not said the usual way, by file, the name of the take."""
    return tomllib.loads((HERE / "takes.toml").read_text(encoding="utf-8")).get(bank, {})


def plan(maker, made, wanted, joinable, takes, old_level=None):
    """The work that is missing, the most needed first: (need, method, its arguments, the clips that it makes)."""
    spoken = breaths(u for u in wanted if not (u.join and u.kind in joinable))
    homes = {(u.take, u.text): (batch, place) for batch in spoken for place, u in enumerate(batch)}
    work = []
    for batch in spoken:
        keys = maker.keys(batch)
        todo = [i for i, unit in enumerate(batch) if unit.file not in takes and made.lacks(unit, keys[i])]
        old_keys = maker.keys(batch, old_level) if old_level else keys
        for i in [i for i in todo if not made.lacks(batch[i], old_keys[i])]:
            work.append((need(batch[i]), "relevel", (batch[i], old_keys[i]), [(batch[i], keys[i], False)]))
            todo.remove(i)
        if todo:
            work.append((need(batch[0]), "speak", (batch, todo), [(batch[i], keys[i], False) for i in todo]))
    for unit in wanted:
        if unit.file in takes:
            take = takes[unit.file]
            key = maker.varied(take).keys([unit])[0]
            if made.lacks(unit, key):
                work.append((need(unit), "speak", ([unit], [0], take), [(unit, key, False)]))
        elif unit.join and unit.kind in joinable:
            ends = [homes.get((unit.take, text)) for text in (unit.join.head, unit.join.tail)]
            key = maker.join_key(unit.join, *ends)
            if made.lacks(unit, key):
                work.append((need(unit), "join", (unit, *ends), [(unit, key, True)]))
    return sorted(work, key=lambda item: item[0])


def _begin(settings):
    global _maker
    _maker = Maker(settings)


def _do(item):
    """One item of the plan, in a process of its own; returns what it made."""
    _, method, arguments, clips = item
    try:
        getattr(_maker, method)(*arguments)
    except ValueError as error:  # the clip that was there stays; one unit must not stop the rest
        print(error, flush=True)
        return []
    return clips


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("bank", nargs="?", choices=UNITS, default="north")
    args.add_argument("--urgent", action="store_true", help="only the first group")
    args.add_argument("--draft", nargs="?", const=",".join(ORDER), default="", metavar="KINDS",
                      help="join the clips of these kinds (say open,number; without a list, of every kind) where that can be done")
    args.add_argument("--only", metavar="KINDS", help="make only clips of these kinds now")
    args.add_argument("--minutes", type=float, default=1e9, help="begin nothing after this long")
    args.add_argument("--jobs", type=int, default=2, help="processes")
    args.add_argument("--list-only", action="store_true", help="only rewrite bank.toml")
    args.add_argument("--relevel", metavar="SETTINGS", type=Path, help="an older settings.toml, whose clips are levelled again")
    args = args.parse_args()
    old_level = tomllib.loads(args.relevel.read_text(encoding="utf-8"))["level"] if args.relevel else None
    settings, made, every = load_settings(args.bank), Made(args.bank), UNITS[args.bank]()
    wanted = [] if args.list_only else [u for u in every if u.urgent or not args.urgent]
    work = plan(Maker(settings), made, wanted, args.draft.split(","), load_takes(args.bank), old_level)
    if args.only:
        work = [item for item in work if item[3][0][0].kind in args.only.split(",")]
    start, new = time.time(), 0
    if work:
        Model(threads=1)  # cut the model once, before two processes need it
        with Pool(args.jobs, _begin, (settings,)) as pool:
            done = [0]
            for number, clips in enumerate(pool.imap(_do, fed(work, done, start + 60 * args.minutes)), 1):
                done[0] = number
                for clip in clips:
                    made.add(*clip)
                new += len(clips)
                if number % 20 == 0 or number == len(work):
                    made.save()
                    print(f"{number}/{len(work)} batches, {new} clips, {time.time() - start:.0f} s", flush=True)
    made.save()
    remove_strays(made.out, every)
    print(write_list(settings["bank"], made, every), "clips in bank.toml")


def fed(items, done, until, ahead=4):
    """The items, never more than a few ahead of what is done, until it is late."""
    for number, item in enumerate(items):
        while number - done[0] >= ahead:
            time.sleep(0.02)
        if time.time() > until:
            break
        yield item


if __name__ == "__main__":
    main()
