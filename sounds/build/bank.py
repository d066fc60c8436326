"""Make the bank: every missing clip, then bank.toml for exactly the clips that are there.

usage: bank.py [--urgent] [--draft] [--list-only]
A clip is skipped when work/made.json holds the same hash of its batch, its place in it and the settings, and
the file exists.
"""

import argparse
import hashlib
import json
import struct
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import g2p
import post
import units
from synth import HERE, Synth, load_settings

OUT = HERE.parent / "north"
WORK = HERE / "work"
RAW = WORK / "raw"
MADE = WORK / "made.json"
SYLLABLES = 20  # in one breath


def digest(*parts):
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:24]


def frames_of(path):
    """Exact decoded length at 48 kHz: the last Ogg page's position less the pre-skip of the OpusHead."""
    data = path.read_bytes()
    pre_skip = struct.unpack_from("<H", data, data.index(b"OpusHead") + 10)[0]
    return struct.unpack_from("<q", data, data.rindex(b"OggS") + 6)[0] - pre_skip


class Maker:
    def __init__(self):
        self.settings = load_settings()
        self.made = json.loads(MADE.read_text()) if MADE.exists() else {}
        self.synth = None
        RAW.mkdir(parents=True, exist_ok=True)

    def raw(self, batch):
        """A batch spoken in one breath: for each unit its samples and where its syllables begin."""
        path = RAW / f"{self.batch_key(batch)}.npz"
        if not path.exists():
            self.synth = self.synth or Synth(self.settings)
            spoken = self.synth.speak([u.text for u in batch], batch[0].take)
            arrays = {}
            for place, (sound, starts) in enumerate(spoken):
                arrays[f"sound{place}"], arrays[f"starts{place}"] = sound.astype(np.float32), np.array(starts)
            np.savez(path, **arrays)
        arrays = np.load(path)
        return [(arrays[f"sound{i}"].astype(np.float64), arrays[f"starts{i}"]) for i in range(len(batch))]

    def batch_key(self, batch):
        speech = {k: v for k, v in self.settings.items() if k not in ("level", "bank")}
        return digest(batch[0].take, [u.text for u in batch], speech)

    def missing(self, unit, key):
        return self.made.get(unit.file) != key or not (OUT / f"{unit.file}.opus").exists()

    def write(self, unit, sound, key):
        post.encode(
            post.finish(sound, self.settings["level"]), OUT / f"{unit.file}.opus", self.settings["level"]["bitrate"]
        )
        self.made[unit.file] = key

    def make(self, batch):
        """Make the missing clips of one batch; returns how many there were."""
        batch_key = self.batch_key(batch)
        keys = [digest(batch_key, place, self.settings["level"]) for place in range(len(batch))]
        todo = [place for place, unit in enumerate(batch) if self.missing(unit, keys[place])]
        if todo:
            sounds = self.raw(batch)
            for place in todo:
                self.write(batch[place], sounds[place][0], keys[place])
        return len(todo)

    def joined(self, unit, homes):
        """Make one clip from two others; `homes` tells in which batch and place a text was spoken."""
        join = unit.join
        tail_batch, tail_place = homes[unit.take, join.tail]
        recipe = ["join", self.batch_key(tail_batch), tail_place, join.tail_word]
        if join.head:
            head_batch, head_place = homes[unit.take, join.head]
            recipe += [self.batch_key(head_batch), head_place, join.head_word]
        key = digest(*recipe, self.settings["level"])
        if not self.missing(unit, key):
            return 0
        sound, starts = self.raw(tail_batch)[tail_place]
        i, j = join.head_word, join.tail_word
        if not join.head:
            sound = sound[starts[j] :]
        else:
            head, head_starts = self.raw(head_batch)[head_place]
            if join.head.split()[i - 1] == join.tail.split()[j - 1]:
                common = sound[starts[j - 1] : starts[j]]
                sound = sound * post.match(head[head_starts[i - 1] : head_starts[i]], common)
            sound = post.join(head, head_starts[i], sound, starts[j])
        self.write(unit, sound, key)
        return 1

    def save(self):
        MADE.write_text(json.dumps(self.made, indent=0, sort_keys=True))


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


def write_list(settings, draft):
    about = dict(settings["bank"])
    there = [u for u in units.all_units() if (OUT / f"{u.file}.opus").exists()]
    joined = sum(draft and u.join is not None for u in there)
    about["provenance"] += f" {joined} of its {len(there)} clips are joined from two generated phrases or cut out of one, the rest generated whole."
    lines = ["format = 1"]
    for key in ("name", "title", "language", "accent"):
        lines.append(f"{key} = {json.dumps(about[key], ensure_ascii=False)}")
    lines.append(f"rate_hz = {post.RATE}")
    for key in ("version", "provenance", "licence"):
        lines.append(f"{key} = {json.dumps(about[key], ensure_ascii=False)}")
    count = 0
    for take in ("mid", "end"):
        lines += ["", f"[clips.{take}]"]
        for unit in sorted((u for u in there if u.take == take), key=lambda u: u.file):
            text, frames = unicodedata.normalize("NFC", unit.text), frames_of(OUT / f"{unit.file}.opus")
            lines.append(f'"{text}" = {{ file = "{unit.file}.opus", frames = {frames} }}')
            count += 1
    (OUT / "bank.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return count


def remove_strays():
    """Clips of an older list of units."""
    wanted = {f"{u.file}.opus" for u in units.all_units()}
    for path in OUT.rglob("*.opus"):
        if str(path.relative_to(OUT)) not in wanted:
            path.unlink()


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--urgent", action="store_true", help="only the first group")
    args.add_argument("--draft", action="store_true", help="join the clips that can be joined, a third of the work")
    args.add_argument("--list-only", action="store_true", help="only rewrite bank.toml")
    args = args.parse_args()
    maker = Maker()
    todo = [] if args.list_only else [u for u in units.all_units() if u.urgent or not args.urgent]
    whole = [u for u in todo if not (args.draft and u.join)]
    spoken = [*batches(u for u in whole if not u.join), *batches(u for u in whole if u.join)]
    start, done, new = time.time(), 0, 0

    def tell():
        maker.save()
        print(f"{done}/{len(todo)}, {new} new, {time.time() - start:.0f} s", flush=True)

    def speak(some):
        nonlocal done, new
        for number, batch in enumerate(some):
            new += maker.make(batch)
            done += len(batch)
            if number % 10 == 9:
                tell()

    speak(batch for batch in spoken if batch[0].kind != "number-end")
    if args.draft:
        homes = {(u.take, u.text): (batch, i) for batch in spoken for i, u in enumerate(batch)}
        with ThreadPoolExecutor(2) as pool:
            for made in pool.map(lambda unit: maker.joined(unit, homes), [u for u in todo if u.join]):
                new += made
                done += 1
                if done % 100 == 0:
                    print(f"{done}/{len(todo)}, {new} new, {time.time() - start:.0f} s", flush=True)
    speak(batch for batch in spoken if batch[0].kind == "number-end")  # the least needed
    tell()
    remove_strays()
    print(write_list(maker.settings, args.draft), "clips in bank.toml")


if __name__ == "__main__":
    main()
