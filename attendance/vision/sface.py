"""SFace: an aligned face to an embedding.

Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition", 2021, as
OpenCV's model zoo publishes it: a MobileFaceNet with block-quantised weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
import openvino.opset13 as ops
from openvino.frontend import FrontEndManager
from openvino.frontend.onnx import ConversionExtension
from openvino.preprocess import ColorFormat, PrePostProcessor

from attendance.core.domain import Detections, FloatArray, Image
from attendance.core.errors import ModelError
from attendance.vision.alignment import ALIGNED_PX, aligned_crops
from attendance.vision.embedder import BatchedEmbedder


class SFace(BatchedEmbedder):
    """Embeds (n, 112, 112, 3) uint8 BGR crops; its network takes them as they are."""

    def crops(self, image: Image, faces: Detections) -> npt.NDArray[np.uint8]:
        """These faces of a BGR image, aligned. Returns: (n, 112, 112, 3) BGR."""
        return aligned_crops(image, faces.landmarks)


def read_sface(path: Path) -> ov.Model:
    """The network in OpenCV's file, made to take any number of BGR crops.

    OpenVINO does not read block-quantised weights; what they stand for is worked out here, once:
    the model that is kept holds plain constants.

    Raises:
        ModelError: the file is not OpenCV's SFace.
    """
    onnx = FrontEndManager().load_by_framework("onnx")
    onnx.add_extension(ConversionExtension("DequantizeLinear", _folded))
    try:
        model = onnx.convert(onnx.load(str(path)))
        faces = next(p for p in model.get_parameters() if p.get_friendly_name() == "data")
    except (RuntimeError, StopIteration) as error:
        raise ModelError(f"{path} is not the SFace of OpenCV's model zoo") from error
    model = ov.Model(model.get_results(), [faces], "sface")  # without its weights as inputs
    model.reshape([-1, 3, ALIGNED_PX, ALIGNED_PX])
    return _for_bgr_crops(model)


def _folded(node: Any) -> list[Any]:
    """The weights that an ONNX DequantizeLinear with blocks stands for, as a constant."""
    weights, scales, zeros = (node.get_input(i).get_node().get_data() for i in range(3))
    values = dequantised(
        weights, scales, zeros, node.get_attribute("axis"), node.get_attribute("block_size")
    )
    return [ops.constant(values).output(0)]


def dequantised(
    weights: npt.NDArray[np.int8],
    scales: FloatArray,
    zeros: npt.NDArray[np.int8],
    axis: int,
    block: int,
) -> FloatArray:
    """(weight - zero) * scale with a scale and a zero for each block along an axis.

    Args:
        weights: of any shape.
        scales: the same shape, but one for each block along the axis; the last may be shorter.
        zeros: as the scales.
        axis: that is cut into blocks.
        block: length of one.

    >>> one = np.array([10, 20, 30], np.int8)
    >>> dequantised(one, np.float32([1, 0.5]), np.array([0, 10], np.int8), 0, 2).tolist()
    [10.0, 20.0, 10.0]
    """
    places = np.arange(weights.shape[axis]) // block
    offsets = weights.astype(np.float32) - zeros.astype(np.float32).take(places, axis=axis)
    return np.asarray(offsets * scales.take(places, axis=axis), np.float32)


def _for_bgr_crops(model: ov.Model) -> ov.Model:
    """The model with the camera's bytes as its input: layout and colours are put right inside."""
    steps = PrePostProcessor(model)
    given = steps.input().tensor()
    given.set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    given.set_color_format(ColorFormat.BGR)
    steps.input().preprocess().convert_element_type(ov.Type.f32)
    steps.input().preprocess().convert_color(ColorFormat.RGB)
    steps.input().model().set_layout(ov.Layout("NCHW"))
    return steps.build()
