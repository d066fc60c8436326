"""Northern Vietnamese spelling to the phonemes that Kokoro knows.

A written syllable is onset + (glide) + nucleus + (coda) + tone. `parse` splits one by the rules of the
spelling and says each part in IPA; `settings.toml` may replace the parts of a syllable that the model
says badly. Nothing here knows about audio.
"""

import re
import unicodedata
from dataclasses import dataclass, field

TONES = {"\u0300": "huyen", "\u0301": "sac", "\u0309": "hoi", "\u0303": "nga", "\u0323": "nang"}

# Longest spelling first; d, gi and r are one sound in the north, and so are ch and tr, s and x.
ONSETS = [
    ("ngh", "ŋ"), ("ng", "ŋ"), ("nh", "ɲ"), ("ch", "ʨ"), ("tr", "ʨ"), ("th", "tʰ"), ("ph", "f"),
    ("kh", "x"), ("gh", "ɡ"), ("gi", "z"), ("qu", "k"), ("b", "b"), ("c", "k"), ("k", "k"), ("d", "z"),
    ("đ", "d"), ("g", "ɡ"), ("h", "h"), ("l", "l"), ("m", "m"), ("n", "n"), ("p", "p"), ("r", "z"),
    ("s", "s"), ("x", "s"), ("t", "t"), ("v", "v"),
]

NUCLEI = {
    "iê": "iə", "yê": "iə", "ia": "iə", "ya": "iə", "ươ": "ɯə", "ưa": "ɯə", "uô": "uə", "ua": "uə",
    "a": "aː", "ă": "a", "â": "ə", "e": "ɛ", "ê": "e", "i": "i", "y": "i", "o": "ɔ", "ô": "o",
    "ơ": "ɤː", "u": "u", "ư": "ɯ",
}

CODAS = {
    "ng": "ŋ", "nh": "ŋ", "ch": "k", "m": "m", "n": "n", "p": "p", "t": "t", "c": "k",
    "i": "j", "y": "j", "o": "w", "u": "w",
}

STOPS = {"p", "t", "c", "ch"}
VOICELESS = set("ptkfsxhʨʧʔ")


@dataclass(frozen=True)
class Syllable:
    text: str
    onset: str
    rime: str  # glide and nucleus
    coda: str
    tone: str  # ngang huyen sac hoi nga nang
    checked: bool  # ends in p, t, c or ch
    how: dict = field(default_factory=dict, compare=False)  # the rest of its entry in `say`

    @property
    def long(self):
        """A long vowel or a diphthong; only a, ă and â before a coda can be short."""
        return self.rime.lstrip("w") not in ("a", "ə", "ʌ")

    @property
    def voiced_onset(self):
        return bool(self.onset) and self.onset[0] not in VOICELESS


def split_tone(word):
    """The word without its tone mark, and the tone's name."""
    tone, rest = "ngang", ""
    for c in unicodedata.normalize("NFD", word.lower()):
        if c in TONES:
            tone = TONES[c]
        else:
            rest += c
    return unicodedata.normalize("NFC", rest), tone


def _onset(bare):
    for spelling, sound in ONSETS:
        if not bare.startswith(spelling):
            continue
        rest = bare[len(spelling):]
        if spelling == "gi":
            # "gi" and "gì" are the onset and its own vowel; "giê" keeps its i as well
            if not rest or rest[0] not in "aăâeêoôơuư":
                return sound, "i" + rest
            if rest[0] == "ê" and len(rest) > 1:
                return sound, "i" + rest
        return sound, ("u" + rest if spelling == "qu" else rest)
    return "", bare


def parse(word, replace={}):
    """Split one written syllable. `replace` maps a syllable to the parts of it that are said otherwise."""
    bare, tone = split_tone(word)
    onset, rest = _onset(bare)
    glide = ""
    if re.match(r"o[aăe]|u[âêơy]", rest) or (bare.startswith("qu") and rest[1:]):
        glide, rest = "w", rest[1:]
    nucleus, coda = rest, ""
    for spelling in sorted(CODAS, key=len, reverse=True):
        stem = rest[: -len(spelling)]
        if rest.endswith(spelling) and stem in NUCLEI:
            nucleus, coda = stem, spelling
            break
    if nucleus not in NUCLEI:
        raise ValueError(f"not a Vietnamese syllable: {word!r}")
    vowel, end = NUCLEI[nucleus], CODAS.get(coda, "")
    if nucleus == "a" and coda in ("y", "u"):
        vowel = "a"
    if nucleus == "a" and coda in ("nh", "ch"):
        vowel = "ɛ"
    rime = glide + vowel
    how = replace.get(unicodedata.normalize("NFC", word.lower()), {})
    onset, rime, end = how.get("onset", onset), how.get("rime", rime), how.get("coda", end)
    return Syllable(word, onset, rime, end, tone, coda in STOPS, how)


def words(text):
    """The syllables of a phrase in writing; a letter's name like e-lờ is two."""
    return re.findall(r"\w+", unicodedata.normalize("NFC", text.lower()))
