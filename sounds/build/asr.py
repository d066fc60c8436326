"""The Vietnamese recogniser that judges the voice (viet-asr), and the comparison of what it heard."""

import re
import unicodedata

import numpy as np
from scipy.signal import resample_poly

import g2p
import units

# other spellings of the same word; a lone letter is its own name
SAME = {"tư": "bốn", "lẻ": "linh", "bẩy": "bảy", "ngàn": "nghìn"}
LETTER_NAMES = {letter.lower(): g2p.words(name) for letter, name in units.LETTERS.items()}


class Recogniser:
    def __init__(self):
        import vietasr

        self.pipeline = vietasr.Pipeline.preset("transcribe")

    def hear(self, sound, rate):
        x = resample_poly(sound, 16000, rate) if rate != 16000 else sound
        x = np.concatenate([np.zeros(4800), x, np.zeros(8000)])
        x = x * (0.5 / max(np.abs(x).max(), 1e-9))
        return self.pipeline.transcribe((x * 32767).astype(np.int16), 16000.0).text.strip()


def sound_of(word):
    """Words that are said alike in the north (xê and sê, giê and dê) are equal."""
    word = SAME.get(word, word)
    try:
        s = g2p.parse(word)
    except ValueError:
        return word
    return (s.onset, s.rime, s.coda, s.tone)


def spelled(text):
    """The words of a text, a lone letter by its name."""
    words = re.findall(r"\w+", unicodedata.normalize("NFC", text.lower()))
    return [part for word in words for part in LETTER_NAMES.get(word, [word])]


def said(text):
    """A text as a list of sounds, to compare."""
    return [sound_of(word) for word in spelled(text)]


def align(expected, heard):
    """Pairs (expected index or None, heard index or None) of a cheapest edit path, and its cost."""
    n, m = len(expected), len(heard)
    cost = np.zeros((n + 1, m + 1), int)
    cost[:, 0], cost[0, :] = np.arange(n + 1), np.arange(m + 1)
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            change = cost[i - 1, j - 1] + (expected[i - 1] != heard[j - 1])
            cost[i, j] = min(change, cost[i - 1, j] + 1, cost[i, j - 1] + 1)
    path, i, j = [], n, m
    while i or j:
        if i and j and cost[i, j] == cost[i - 1, j - 1] + (expected[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            path.append((i, j))
        elif i and cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
            path.append((i, None))
        else:
            j -= 1
            path.append((None, j))
    return path[::-1], int(cost[n, m])
