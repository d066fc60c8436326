"""The Vietnamese recogniser that judges the voice, and the comparison of what it heard.

It is the network inside viet-asr (PyPI, Apache-2.0): a conformer with CTC that hears in steps of 0.4 s. The package's own
call hears one sentence at a time and tells only the likeliest text. Here the network is taken out of the package's
library and heard in batches, its products in floating point; the likeliest sound of each frame is read off, without a
search. That costs less and differs little: README.md has the figures.
"""

import os
import re
import unicodedata
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import openvino
from onnx import numpy_helper

import g2p
import units

WORK = Path(__file__).resolve().parent / "work"
RATE = 16000
STEP = 40  # frames of 10 ms that the network takes at a time; it looks 3 further
LEAD, TAIL = 0.3, 0.5  # seconds of silence around a sentence
# other spellings of the same word; a lone letter is its own name
SAME = {"tư": "bốn", "lẻ": "linh", "bẩy": "bảy", "ngàn": "nghìn"}
LETTER_NAMES = {letter.lower(): g2p.words(name) for letter, name in units.LETTERS.items()}


@cache
def _library():
    import vietasr

    return (Path(vietasr.__file__).parent / "_native/libvietasr.so").read_bytes()


def vocabulary():
    """The pieces of words that the network writes, by number; ▁ begins a word."""
    data, pieces = _library(), []
    for line in data[data.index(b"<blank> 0\n") :].split(b"\n"):
        piece, _, number = line.rpartition(b" ")
        if number != str(len(pieces)).encode():
            return pieces
        pieces.append(piece.decode())


@cache
def _numbers():
    return {piece: number for number, piece in enumerate(vocabulary())}


def split(word):
    """The numbers of the longest pieces that make a word."""
    rest = f"▁{word}"
    while rest:
        piece = next((rest[:n] for n in range(len(rest), 0, -1) if rest[:n] in _numbers()), rest[0])
        rest = rest[len(piece) :]
        yield _numbers().get(piece, 1)


def _prepare(path):
    """The network lies before the vocabulary; what it rounds is turned into floating point."""
    data = _library()
    end, begin = data.index(b"<blank> 0\n"), data.index(b"tf2onnx") - 4
    network = onnx.load_from_string(data[begin:end].rstrip(b"\0"))
    graph = network.graph
    values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    rounded = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "DynamicQuantizeLinear"}
    same, nodes = {}, []
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in rounded:
            same[node.output[0]] = rounded[node.input[0]]
        elif node.op_type == "DequantizeLinear" and node.input[0] in values:
            graph.initializer.append(numpy_helper.from_array(_dequantised(node, values), node.output[0]))
        elif node.op_type != "DynamicQuantizeLinear":
            nodes.append(node)
    for node in nodes:
        for i, name in enumerate(node.input):
            node.input[i] = same.get(name, name)
    del graph.node[:]
    graph.node.extend(nodes)
    part = path.with_suffix(f".{os.getpid()}.part")  # several judges may begin at once
    onnx.save(network, str(part))
    part.rename(path)


def _dequantised(node, values):
    weight, scale, zero = (values[name].astype(np.float32) for name in node.input)
    axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
    if scale.size > 1:
        shape = [-1 if i == axis else 1 for i in range(weight.ndim)]
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return (weight - zero) * scale


def _filters(count=80, size=512, lowest=20.0):
    """Triangles, even on the mel scale, over the bins of a power spectrum."""
    mel = lambda hz: 1127 * np.log(1 + hz / 700)  # noqa: E731
    edges = np.linspace(mel(lowest), mel(RATE / 2), count + 2)[:, None]
    bins = mel(np.arange(size // 2) * RATE / size)
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rise, fall))


FILTERS = _filters().T
WINDOW = np.hanning(400) ** 0.85


def features(sound):
    """80 log mel energies for each 10 ms of a sound at RATE, of one loudness, as Kaldi computes them."""
    x = np.concatenate([np.zeros(int(LEAD * RATE)), sound, np.zeros(int(TAIL * RATE))])
    x = np.round(x * (0.5 * 32767 / max(np.abs(x).max(), 1e-9)))
    frames = np.lib.stride_tricks.sliding_window_view(x, 400)[::160]
    frames = frames - frames.mean(axis=1, keepdims=True)
    frames = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft(frames * WINDOW, 512))[:, :256] ** 2
    return np.log(np.maximum(power @ FILTERS, 1e-7)).astype(np.float32)


class Recogniser:
    def __init__(self, threads=1, precision="f32"):
        path = WORK / "viet-asr.onnx"
        if not path.exists():
            _prepare(path)
        self.pieces = vocabulary()
        self.network = openvino.Core().compile_model(
            str(path), "CPU", {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": 1}
        )

    def hear(self, sounds):
        """The texts of some sounds at RATE."""
        return [self.text(p) for p in self.probabilities([features(s) for s in sounds])]

    def probabilities(self, batch):
        """For each of some features the log probabilities of the pieces, a row for each 40 ms."""
        steps = [max(1, -(-(len(f) - 3) // STEP)) for f in batch]
        length, count = max(steps) * STEP + 3, len(batch)
        padded = np.stack([np.pad(f[:length], ((0, max(0, length - len(f))), (0, 0)), mode="edge") for f in batch])
        memory = {
            "att_cache": np.zeros((count, 12, 4, 40, 224), np.float32), "cnn_cache": np.zeros((count, 12, 448, 30), np.float32)
        }
        rows = []
        for step in range(max(steps)):
            out = self.network({
                "chunk": padded[:, step * STEP : step * STEP + STEP + 3],
                "offset": np.full((count, 1), step * STEP // 4, np.int64), **memory,
            })
            rows.append(out["output"].copy())
            memory = {name: out[f"r_{name}"].copy() for name in memory}
        rows = np.concatenate(rows, axis=1)
        return [rows[i, : n * STEP // 4] for i, n in enumerate(steps)]

    def text(self, probabilities):
        best = probabilities.argmax(axis=1)
        kept = best[np.concatenate([[True], best[1:] != best[:-1]])]
        return "".join(self.pieces[i] for i in kept if i > 1).replace("▁", " ").strip()

    def likelihoods(self, probabilities, texts):
        """How likely some texts are, each a list of words: the logarithm, summed over all ways to time it (CTC)."""
        numbers = [[n for word in words for n in split(word)] for words in texts]
        states = np.zeros((len(texts), 2 * max(map(len, numbers)) + 1), int)  # blanks between the pieces
        for row, own in zip(states, numbers):
            row[1 : 2 * len(own) : 2] = own
        never = -1e30
        skips = np.zeros(states.shape, bool)
        skips[:, 2:] = (states[:, 2:] > 0) & (states[:, 2:] != states[:, :-2])
        sums = np.full(states.shape, never)
        sums[:, :2] = probabilities[0, states[:, :2]]
        for row in probabilities[1:]:
            one = np.pad(sums, ((0, 0), (1, 0)), constant_values=never)[:, :-1]
            two = np.where(skips, np.pad(sums, ((0, 0), (2, 0)), constant_values=never)[:, :-2], never)
            sums = np.logaddexp(np.logaddexp(sums, one), two) + row[states]
        ends = [2 * len(own) for own in numbers]
        return np.array([np.logaddexp(row[end], row[end - 1]) if end else row[0] for row, end in zip(sums, ends)])


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
