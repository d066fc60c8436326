"""One unit of text to 24 kHz sound: tokens, lengths, tones, cut out of its carrier."""

import tomllib
from collections import Counter
from pathlib import Path

import numpy as np

import g2p
from model import FRAME, RATE, Model

HERE = Path(__file__).resolve().parent
STRESS = "ˈ"
PLAIN_TONES = ("ngang", "huyen", "sac", "hoi", "nga", "nang", "sac_checked", "nang_checked", "glottal")


def load_settings(bank="north"):
    """settings.toml, with what the bank's own file changes."""
    settings = tomllib.loads((HERE / "settings.toml").read_text(encoding="utf-8"))
    own = HERE / f"{bank}.toml"
    return changed(settings, tomllib.loads(own.read_text(encoding="utf-8"))) if own.exists() else settings


def changed(settings, changes):
    """The settings with some values of some tables replaced."""
    return settings | {table: settings.get(table, {}) | values for table, values in changes.items()}


def recipe(settings, texts):
    """All of the settings that the sound of these texts depends on, and nothing else."""
    said, tones = settings["say"], settings["tone"]
    words = {w: said.get(w) for text in texts for w in g2p.words(text)}
    plain = {k: v for k, v in tones.items() if k in PLAIN_TONES}
    named = {how["tone"]: tones[how["tone"]] for how in words.values() if how and "tone" in how}
    return [{k: settings[k] for k in ("voice", "length", "pitch")}, words, plain, named]


class Synth:
    def __init__(self, settings, model=None):
        self.set = settings
        self.model = model or Model()

    # -- tokens -------------------------------------------------------------------------------------

    def _tokens(self, groups, take):
        """Phonemes and, for each token, (syllable number or None, part)."""
        ids, where, syllables = [0], [(None, "edge")], []

        def put(sounds, owner, part):
            for sound in sounds:
                ids.append(self.model.vocab[sound])
                where.append((owner, part))

        for number, group in enumerate(groups):
            for place, syllable in enumerate(group):
                if place or number:
                    put(" ", None, "gap" if place else "pause-gap")
                owner = len(syllables)
                syllables.append((syllable, number, place == len(group) - 1))
                put(syllable.onset, owner, "onset")
                if syllable.how.get("stress", self.set["voice"]["stress"]):
                    put(STRESS, owner, "stress")
                put(syllable.rime, owner, "vowel")
                for sound in syllable.coda:
                    put(sound, owner, "stop" if syllable.checked or sound == "ʔ" else "coda")
            put("." if take == "end" else ",", None, "pause")
        ids.append(0)
        where.append((None, "edge"))
        return np.array([ids], dtype=np.int64), where, syllables

    # -- lengths ------------------------------------------------------------------------------------

    def _lengths(self, frames, where, syllables, take):
        cfg = self.set["length"]
        frames = frames.copy()
        for owner, (syllable, group, last) in enumerate(syllables):
            target = cfg["rime"]
            if last:
                target = cfg["last"] if take == "end" else cfg["mid_last"]
            if syllable.checked:
                target *= cfg["checked"]
            elif syllable.tone == "nang":
                target *= cfg["nang"]
            target *= syllable.how.get("length", 1)
            mine = {}
            for i, (o, part) in enumerate(where):
                if o == owner:
                    mine.setdefault(part, []).append(i)
            vowel, coda, taken = mine["vowel"], mine.get("coda", []) + mine.get("stop", []), 0
            for i in mine.get("stress", []):
                frames[i] = min(frames[i], cfg["stress"])
                taken += int(frames[i])
            for i in mine.get("onset", []):
                frames[i] = max(1, round(frames[i] * cfg["onset"] * syllable.how.get("onset_length", 1)))
            left = max(int(round(target)) - taken, len(vowel) + len(coda))
            if coda:
                # hai has a long vowel and a short glide, hay the reverse
                share = syllable.how.get("share", cfg["coda_long"] if syllable.long else cfg["coda_short"])
                mid = max(len(coda), int(round(left * share)))
                for step, i in enumerate(coda):
                    frames[i] = mid // len(coda) + (step < mid % len(coda))
                left -= mid
            for step, i in enumerate(vowel):
                frames[i] = max(1, left // len(vowel) + (step < left % len(vowel)))
        for i, (_, part) in enumerate(where):
            if part == "gap":
                after = next(syllables[o][0] for o, _ in where[i:] if o is not None)
                frames[i] = after.how.get("gap", min(frames[i], cfg["gap"]))
            elif part == "pause":
                frames[i] = cfg["pause"]
            elif part == "pause-gap":
                frames[i] = 1
        # the decoder keeps the first 200 ms silent whatever is said, so the first sound must not begin sooner
        frames[0], frames[-2], frames[-1] = cfg["head"], cfg["tail"], 1
        return frames

    # -- tones --------------------------------------------------------------------------------------

    def _tones(self, f0, energy, frames, where, syllables, take):
        pitch, tones = self.set["pitch"], self.set["tone"]
        base = self.set["voice"]["pitch_hz"]
        ends = np.concatenate([[0], np.cumsum(frames)]).astype(int) * 2
        fall = pitch["fall"] if take == "end" else pitch["mid_fall"]
        sizes = Counter(group for _, group, _ in syllables)
        for owner, (syllable, group, _) in enumerate(syllables):
            place = owner if not group else owner - sum(sizes[g] for g in range(group))
            mine = {}
            for i, (o, part) in enumerate(where):
                if o == owner:
                    mine.setdefault(part, []).append(i)
            stop = mine.get("stop")
            rime = mine.get("stress", []) + mine["vowel"] + mine.get("coda", [])
            a, b = ends[rime[0]], ends[rime[-1] + 1]
            key = syllable.tone
            if syllable.checked and key in ("sac", "nang"):
                key += "_checked"
            points = np.array(tones[syllable.how.get("tone", key)])
            curve = np.interp(np.linspace(0, 1, b - a), points[:, 0], points[:, 1]) * pitch["range"]
            drift = -fall * place / max(1, sizes[group] - 1)
            f0[a:b] = base * 2 ** ((curve + drift) / 12)
            if "onset" in mine:
                start = ends[mine["onset"][0]]
                if syllable.voiced_onset:
                    f0[start:a] = base * 2 ** ((curve[0] + drift) / 12)
                else:
                    f0[start:a] = np.minimum(f0[start:a], 0)
            first = (mine.get("onset") or rime)[0]
            energy[ends[first] : b] += self.set["voice"]["energy"] + syllable.how.get("energy", 0)
            if stop:
                f0[ends[stop[0]] : ends[stop[-1] + 1]] = 0
                energy[ends[stop[0]] : ends[stop[-1] + 1]] -= 4
            elif syllable.tone == "nga":  # the creak in the middle
                k = a + int(0.42 * (b - a))
                energy[k : k + 2] -= 3
            elif syllable.tone == "nang":  # the glottal end
                share, drop = syllable.how.get("glottal", self.set["tone"]["glottal"])
                energy[b - max(2, int(share * (b - a))) : b] -= drop
        # smooth the joints between syllables, leaving voiceless frames out
        voiced = f0 > 50
        log = np.where(voiced, np.log(np.maximum(f0, 50)), 0)
        box = np.ones(5) / 5
        share = np.convolve(voiced.astype(float), box, "same")
        f0 = np.where(voiced, np.exp(np.convolve(log, box, "same") / np.maximum(share, 1e-6)), f0)
        return f0, energy

    # -- sound --------------------------------------------------------------------------------------

    def _plan(self, texts, take):
        """Everything but the tones and the sound: tokens, whose they are, syllables, style, frames."""
        replace = self.set["say"]
        groups = [[g2p.parse(word, replace) for word in g2p.words(text)] for text in texts]
        tokens, where, syllables = self._tokens(groups, take)
        voice = self.set["voice"]
        style = self.model.style(voice["timbre"], voice["prosody"], tokens.shape[1] - 2)
        frames = self._lengths(self.model.lengths(tokens, style), where, syllables, take)
        return tokens, where, syllables, style, frames

    @staticmethod
    def _cuts(where, ends):
        """Where one text ends and the next begins: the middles of the pauses."""
        pauses = [i for i, (_, part) in enumerate(where) if part == "pause"]
        return [0] + [int((ends[i] + ends[i + 1]) / 2) for i in pauses[:-1]] + [int(ends[-1])]

    def speak(self, texts, take="mid", rest=0):
        """Several texts, spoken one after another with pauses and cut apart in the pauses.

        Returns for each its samples and where its syllables begin in them.
        """
        tokens, where, syllables, style, frames = self._plan(texts, take)
        frames[0] += rest
        f0, energy = self.model.prosody(tokens, style, frames)
        f0, energy = self._tones(f0, energy, frames, where, syllables, take)
        sound = self.model.audio(tokens, style, frames, f0, energy)
        if not np.isfinite(sound).all():
            # a few lengths make the decoder divide by zero; other lengths of the same words do not
            if len(texts) > 1:
                return [self.speak([text], take)[0] for text in texts]
            if rest > 8:
                raise ValueError(f"no sound for {texts[0]!r}")
            return self.speak(texts, take, rest + 1)
        ends = np.concatenate([[0], np.cumsum(frames)]) * FRAME
        cuts = self._cuts(where, ends)
        cuts[-1] = len(sound)
        starts = [[] for _ in texts]
        for owner, (_, group, _) in enumerate(syllables):
            first = next(i for i, (o, _) in enumerate(where) if o == owner)
            starts[group].append(int(ends[first]) - cuts[group])
        return [(sound[a:b], begin) for a, b, begin in zip(cuts, cuts[1:], starts)]
