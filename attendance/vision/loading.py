"""From settings to a ready detector and embedder: OpenVINO on a CPU, torch where a GPU is."""

from __future__ import annotations

import platform
from pathlib import Path

from attendance.config import DetectorConfig, EmbedderConfig
from attendance.vision import weights
from attendance.vision.engines import OpenVinoEngine
from attendance.vision.facenet import FaceNet
from attendance.vision.mtcnn import Mtcnn
from attendance.vision.variants import choose_for

INT8 = "openvino-int8"


def load_detector(
    config: DetectorConfig, device: str = "auto", cache_dir: Path | None = None
) -> Mtcnn:
    """MTCNN with the settings' thresholds.

    Raises:
        ModelError: its weights are missing, truncated or foreign.
    """
    gpu = _gpu(device)
    if gpu is None:
        from attendance.vision.mtcnn_nets import openvino_mtcnn

        nets = openvino_mtcnn(OpenVinoEngine("auto", cache_dir))
    else:
        from attendance.vision import torch_nets

        nets = torch_nets.mtcnn_nets(gpu)
    return Mtcnn(nets, config.min_face_px, config.thresholds, config.min_score)


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
        return FaceNet(net, model_id, torch_nets.variant(gpu), batch=config.batch)
    choice = choose_for(store, config.precision, name)
    if choice.variant == "int8":
        engine = OpenVinoEngine("f32", store.cache_dir)
        net, dimension = engine.ready_embedder(store.int8.path(model_id))
        return FaceNet(net, model_id, INT8, dimension, config.batch)
    engine = OpenVinoEngine(choice.variant, store.cache_dir)
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
