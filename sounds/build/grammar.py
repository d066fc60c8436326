"""All calls of a hall, and which of them a recogniser's probabilities fit best.

Whoever waits for a number knows how a call is built and which words may stand in it. `Calls.read` hears so: with the same
probabilities that asr.py reads its text off, but it picks the likeliest of all calls. Every call is equally allowed, those
that no hall would make too: any opening, letter, code, number, lane and place of units.py with any other.

usage: grammar.py   checks itself
"""

import hashlib
import random
import re
from itertools import groupby

import numpy as np

import asr
import g2p
import units

END = -1
VOWELS = "aeiouy"  # a lone y is i, not i-dài: it is heard so; of the others the lone letter is the name


def number(n):
    """1 to 9999 as a hall in the north reads it."""
    thousands, rest = divmod(n, 1000)
    if not thousands:
        return units.below_thousand(n)
    words = f"{units.below_thousand(thousands)} nghìn"
    return words + ("" if not rest else f" {units.below_thousand(rest)}" if rest > 99 else f" không trăm{units.after_hundred(rest)}")


def spellings(word):
    """The spellings that are said like a word in the north: số and xố, dê, giê and rê, i and y."""
    bare = re.sub("^(ngh|ng|nh|ch|tr|th|ph|kh|gh|gi(?=[aăâeêoôơuư])|qu|[bcdđghklmnprstvx])", "", word)
    found = {onset + bare for onset, _ in g2p.ONSETS} | {bare, word}
    found |= {w[:-1] + {"i": "y", "y": "i"}[w[-1]] for w in found if w[-1:] in ("i", "y")}
    return sorted(w for w in found if w == word or (w and asr.sound_of(w) == asr.sound_of(word)))


class Words:
    """A graph of words: for each node the arcs (word, node) that may follow; END closes a call. Equal nodes are one."""

    def __init__(self):
        self.nodes, self.known = [], {}

    def node(self, arcs):
        arcs = frozenset(arcs)
        if arcs not in self.known:
            self.known[arcs] = len(self.nodes)
            self.nodes.append(arcs)
        return self.known[arcs]

    def before(self, texts, *nodes):
        """The node from which any of some texts leads to what may follow at these nodes; an empty text leads there at once."""
        follow = frozenset().union(*(self.nodes[n] for n in nodes))
        return self._before(sorted({tuple(g2p.words(text)) for text in texts}), follow)

    def _before(self, texts, follow):
        arcs = set(follow) if not texts[0] else set()
        for word, own in groupby((t for t in texts if t), key=lambda t: t[0]):
            arcs.add((word, self._before([t[1:] for t in own], follow)))
        return self.node(arcs)


def ticket(words, follow, say=str):
    """The node before an opening with a ticket: a letter or none, and a code or a number."""
    code = words.before([*units.DIGITS, ""], follow)
    for _ in range(3):
        code = words.before(units.DIGITS, code)
    numbers = words.before([say(number(n)) for n in range(1, 10000)], follow)
    letters = [*units.LETTERS.values(), *(x.lower() for x in units.LETTERS if x.lower() not in VOWELS), ""]
    letter = words.before(letters, code, numbers)
    return words.before([f"{o} {p} có số thứ tự" for o in units.OPENERS.values() for p in units.PEOPLE.values()], letter)


def call(words, end, say=str):
    """The node before a whole call: after the ticket a lane or none, and a counter by any noun with 1 to 200 or a letter."""
    names, places = [units.LETTERS[x] for x in "ABCDEFGH"], []
    for noun, _ in units.PLACES.values():
        numbers = [say(units.below_thousand(n)) for n in range(1, 201)]
        places += [f"{go}{noun} {name}" for go in ("đến ", "") for name in names]
        places += [f"{before} {n}" for before in (f"đến {noun} số", noun) for n in numbers]
    return ticket(words, words.before([*units.LANES.values(), ""], words.before(places, end)), say)


class Calls:
    """The graph as states of CTC: each piece of a word, and the blank at each place between two pieces."""

    def __init__(self, form=call, say=str):
        words = Words()
        first, places = form(words, words.node([("", END)]), say), {}
        arcs = []  # (from place, piece, to place, word that begins)
        for node, followers in enumerate(words.nodes):
            for word, after in sorted(followers - {("", END)}):
                for number, pieces in enumerate([*asr.split(s)] for s in spellings(word)):
                    inside = [(node, after, word, number, i) for i in range(1, len(pieces))]
                    way = [node, *inside, after]
                    arcs += [(a, p, b, "" if i else word) for i, (a, p, b) in enumerate(zip(way, pieces, way[1:]))]
        for a, _, b, _ in arcs:
            places.setdefault(a, len(places)), places.setdefault(b, len(places))
        # states: first the blanks of the places, then the arcs
        self.pieces = np.array([0] * len(places) + [piece for _, piece, _, _ in arcs])
        self.words = [""] * len(places) + [word for *_, word in arcs]
        into = {}
        for number, (_, _, b, _) in enumerate(arcs, len(places)):
            into.setdefault(b, []).append(number)
        befores = [[blank, *into.get(place, [])] for place, blank in places.items()]
        for number, (a, piece, _, _) in enumerate(arcs, len(places)):
            befores.append([number, places[a], *(b for b in into.get(a, []) if self.pieces[b] != piece)])
        self.befores = np.concatenate(befores)
        self.starts = np.cumsum([0, *map(len, befores)])
        self.first = [places[first], *(n for n, (a, *_) in enumerate(arcs, len(places)) if a == first)]
        last = {n for n, own in enumerate(words.nodes) if ("", END) in own}
        self.last = [places[n] for n in last if n in places] + [n for n, arc in enumerate(arcs, len(places)) if arc[2] in last]
        self.digest = hashlib.sha256(repr((arcs, self.first, self.last)).encode()).hexdigest()

    def read(self, probabilities):
        """The likeliest call of some log probabilities of the pieces (rows of 40 ms), and the logarithm of how likely it is in
        its best timing; no text where the rows are too few for any."""
        scores = np.full((len(probabilities), len(self.pieces)), -np.inf, np.float32)
        scores[0, self.first] = probabilities[0, self.pieces[self.first]]
        for now, row, before in zip(scores[1:], probabilities[1:], scores):
            now[:] = np.maximum.reduceat(before[self.befores], self.starts[:-1]) + row[self.pieces]
        state, words = self.last[scores[-1, self.last].argmax()], []
        likely = float(scores[-1, state])
        if likely == -np.inf:
            return "", likely
        for row in range(len(scores) - 1, -1, -1):
            before = self.befores[self.starts[state] : self.starts[state + 1]]
            came = before[scores[row - 1, before].argmax()] if row else -1
            if came != state and self.words[state]:
                words.append(self.words[state])
            state = came
        return " ".join(words[::-1]), likely


def check():
    """Where the probabilities are those of a call it is read, where they are noise some other; never is the truth likelier."""
    import judge

    noise, rng, every, lost = np.random.default_rng(1), random.Random(1), Calls(), 0
    print(len(every.pieces), "states,", len(every.befores), "steps between them")
    for _ in range(100):
        parts = judge.random_sentence(rng)
        text = " ".join(p.text for p in parts)
        pieces = [p for word in asr.spelled(text) for p in asr.split(word)]
        logits = noise.normal(size=(3 * len(pieces) + 5, len(asr.vocabulary()) + 9))
        only = Calls(lambda words, end, say, text=text: words.before([text], end))
        assert every.read(logits[:2]) == ("", -np.inf)
        read, likely = every.read(logits)
        own, least = only.read(logits)
        assert own == " ".join(asr.spelled(text)) and likely > least
        lost += asr.said(read) != asr.said(text)
        logits[:, 0] += 9
        for i, piece in enumerate(pieces):
            logits[3 * i + 2, piece] += 20
        read, likely = every.read(logits)
        assert asr.said(read) == asr.said(text), (text, read)
        assert likely >= only.read(logits)[1]
    assert lost == 100
    print("as it should be")


if __name__ == "__main__":
    check()
