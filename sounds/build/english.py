"""The English bank: its list of texts, how each word is said, and the model's own lengths and melody."""

import numpy as np

from model import FRAME, Model
from units import LANES, PLACES, Unit

# Kokoro's letters: A eɪ, I aɪ, O oʊ, W aʊ, ᵊ a bare schwa. American, but t is never flapped: it must be heard.
SAID = {
    "zero": "zˈɪɹO", "one": "wˈʌn", "two": "tˈu", "three": "θɹˈi", "four": "fˈɔɹ", "five": "fˈIv", "six": "sˈɪks",
    "seven": "sˈɛvən", "eight": "ˈAt", "nine": "nˈIn", "ten": "tˈɛn", "eleven": "əlˈɛvən", "twelve": "twˈɛlv",
    "thirteen": "θˌɜɹtˈin", "fourteen": "fˌɔɹtˈin", "fifteen": "fˌɪftˈin", "sixteen": "sˌɪkstˈin",
    "seventeen": "sˌɛvəntˈin", "eighteen": "ˌAtˈin", "nineteen": "nˌIntˈin", "twenty": "twˈɛnti", "thirty": "θˈɜɹti",
    "forty": "fˈɔɹti", "fifty": "fˈɪfti", "sixty": "sˈɪksti", "seventy": "sˈɛvənti", "eighty": "ˈAti", "ninety": "nˈInti",
    "hundred": "hˈʌndɹəd", "thousand": "θˈWzᵊnd", "and": "ænd",
    "ticket": "tˈɪkɪt", "number": "nˈʌmbəɹ", "please": "plˈiz", "go": "ɡˌO", "to": "tə", "counter": "kˈWntəɹ",
    "room": "ɹˈum", "desk": "dˈɛsk", "window": "wˈɪndO", "senior": "sˈinjəɹ", "citizen": "sˈɪtɪzᵊn", "person": "pˈɜɹsᵊn",
    "of": "ʌv", "merit": "mˈɛɹɪt", "with": "wɪð", "disability": "dˌɪsəbˈɪlɪti", "expectant": "ɪkspˈɛktənt",
    "mother": "mˈʌðəɹ", "child": "ʧˈIld", "authorised": "ˈɔθəɹˌIzd", "owner": "ˈOnəɹ", "booked": "bˈʊkt",
    "appointment": "əpˈYntmənt", "once": "wˈʌns", "again": "əɡˈɛn", "attention": "ətˈɛnʃən", "look": "lˈʊk", "at": "æt",
    "the": "ðə", "board": "bˈɔɹd", "follow": "fˈɑlO", "notice": "nˈOtɪs", "closed": "klˈOzd", "for": "fɔɹ",
    "now": "nˈW", "thank": "θˈæŋk", "you": "ju", "bar": "bˈɑɹ", "article": "ə",
}  # fmt: skip

LETTERS = {
    "a": "ˈA", "b": "bˈi", "c": "sˈi", "d": "dˈi", "e": "ˈi", "f": "ˈɛf", "g": "ʤˈi", "h": "ˈAʧ", "i": "ˈI", "j": "ʤˈA",
    "k": "kˈA", "l": "ˈɛl", "m": "ˈɛm", "n": "ˈɛn", "o": "ˈO", "p": "pˈi", "q": "kjˈu", "r": "ˈɑɹ", "s": "ˈɛs", "t": "tˈi",
    "u": "jˈu", "v": "vˈi", "w": "dˈʌbᵊlju", "x": "ˈɛks", "y": "wˈI", "z": "zˈi",
}  # fmt: skip

SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
SMALL += "seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
NOUNS = {"quay": "counter", "phong": "room", "ban": "desk", "cua": "window"}
LANE_TEXTS = (
    "senior citizen", "person of merit", "person with a disability", "expectant mother", "child", "authorised person",
    "owner", "booked appointment",
)  # fmt: skip


def number(n):
    """0 to 99."""
    tens, unit = divmod(n, 10)
    if n < 20:
        return SMALL[n]
    return TENS[tens - 2] + (f"-{SMALL[unit]}" if unit else "")


def digits(code):
    return " ".join(SMALL[int(c)] for c in code)


def all_units():
    """Every unit once, the shortest bank that can call at all first."""
    letters = {letter: letter for letter in LETTERS} | {"dd": "d bar"}
    for take, file, text in [*_words(letters), *_places(), *_numbers()]:
        yield Unit(take, text, file, True)


def _words(letters):
    for file, text in zip(LANES, LANE_TEXTS, strict=True):
        yield "mid", f"lane/{file}", text
    yield "mid", "phrase/nhac-lai", "once again"
    yield "mid", "phrase/thong-bao", "attention please"
    for file, text in (("xem-bang", "please look at the board"), ("theo-doi-bang", "please follow the notice board"),
                       ("tam-dung", "counter closed for now"), ("cam-on", "thank you")):  # fmt: skip
        yield "end", f"phrase/{file}", text
    yield "mid", "open/ticket", "ticket number"
    yield "mid", "short/number", "number"
    for kind, before in (("open", "ticket number "), ("short", "number "), ("letter", "")):
        for file, text in letters.items():
            yield "mid", f"{kind}/{file}", before + text


def _places():
    for file, noun in NOUNS.items():
        names = {str(n): number(n) for n in range(1, PLACES[file][1] + 1)} | {c: c for c in "abcdefgh"}
        yield "mid", f"dest/{file}-so", f"please go to {noun}"
        for name, text in names.items():
            yield "end", f"dest/{file}-{name}", f"please go to {noun} {text}"
        for name, text in names.items():
            yield "end", f"place/{file}-{name}", f"{noun} {text}"


def _numbers():
    for width in (1, 2, 3):
        for n in range(10**width):
            yield "mid", f"digits/{n:0{width}d}", digits(f"{n:0{width}d}")
    for n in range(10, 100):  # below ten they are the digits
        yield "mid", f"number/{n}", number(n)
    for name, most in (("hundred", 9), ("thousand", 99)):
        for n in range(1, most + 1):
            yield "mid", f"number/{n}-{name}", f"{number(n)} {name}"
            yield "mid", f"number/{n}-{name}-and", f"{number(n)} {name} and"
    for n in range(1, 100):
        yield "end", f"number-end/{n}", number(n)


def words(text):
    return text.replace("-", " ").split()


def sounds(text):
    """A text in Kokoro's IPA. A lone a is a letter, but for the one before a noun."""
    text = text.replace("with a ", "with article ")
    return " ".join(LETTERS.get(w) or SAID[w] for w in words(text))


def recipe(settings, texts):
    """All of the settings that the sound of these texts depends on, and nothing else."""
    return [settings["english"], [sounds(text) for text in texts]]


class Synth:
    """Speaks a few texts in one breath; only the pauses between them are set."""

    def __init__(self, settings, model=None):
        self.set = settings["english"]
        self.model = model or Model()

    def speak(self, texts, take="mid"):
        mark, cfg = ("." if take == "end" else ","), self.set
        ids, pauses, starts = [0], [], []
        for place, text in enumerate(texts):
            starts.append(len(ids))
            ids += [self.model.vocab[c] for c in sounds(text) + mark]
            pauses.append(len(ids) - 1)
            if place < len(texts) - 1:
                ids.append(self.model.vocab[" "])
        tokens = np.array([ids + [0]], dtype=np.int64)
        style = self.model.style(cfg["style"], cfg["style"], tokens.shape[1] - 2)
        frames = self.model.lengths(tokens, style)
        frames = np.maximum(1, np.floor(frames / cfg["speed"] + 0.5))
        frames[0], frames[-1], frames[pauses] = cfg["head"], 1, cfg["pause"]
        for pause in pauses[:-1]:
            frames[pause + 1] = 1
        f0, energy = self.model.prosody(tokens, style, frames)
        sound = self.model.audio(tokens, style, frames, f0, energy)
        if not np.isfinite(sound).all():
            raise ValueError(f"no sound for {texts}")
        ends = np.concatenate([[0], np.cumsum(frames)]) * FRAME
        cuts = [0, *(int((ends[p] + ends[p + 1]) / 2) for p in pauses[:-1]), len(sound)]
        return [(sound[a:b], [int(ends[s]) - a]) for a, b, s in zip(cuts, cuts[1:], starts)]
