"""From settings to a ready detector and embedder: OpenVINO on a CPU, torch where a GPU is."""

from __future__ import annotations

import platform
from pathlib import Path

from attendance.config import DetectorConfig, EmbedderConfig
from attendance.core.errors import ModelError
from attendance.vision.embedder import BatchedEmbedder
from attendance.vision.engines import OpenVinoEngine, capabilities
from attendance.vision.facenet import FaceNet
from attendance.vision.mtcnn import Mtcnn
from attendance.vision.variants import FACENET_ONLY, VariantName, choose_for
from attendance.vision.weights import DEFAULT, SFACE, ModelStore, kind_of

INT8 = "openvino-int8"


def load_detector(
    config: DetectorConfig, device: str = "auto", cache_dir: Path | None = None, streams: int = 1
) -> Mtcnn:
    """MTCNN with the settings' thresholds.

    Args:
        config: what is a face.
        device: auto, cpu or gpu.
        cache_dir: of compiled models.
        streams: how many threads may call it side by side, sharing the processor.

    Raises:
        ModelError: its weights are missing, truncated or foreign.
    """
    gpu = gpu_device(device)
    if gpu is None:
        from attendance.vision.mtcnn_nets import openvino_mtcnn

        nets = openvino_mtcnn(OpenVinoEngine("auto", cache_dir, streams=streams))
    else:
        from attendance.vision import torch_nets

        nets = torch_nets.mtcnn_nets(gpu)
    return Mtcnn(nets, config.min_face_px, config.thresholds, config.min_score)


def load_embedder(
    config: EmbedderConfig, store: ModelStore, threads: int = 0, name: str | None = None
) -> BatchedEmbedder:
    """An embedder: on a GPU if there is one, else the variant that fits the processor.

    Args:
        config: device, precision and batch.
        store: where the weights are.
        threads: of the processor, 0 for all.
        name: of the weights; those in use if none is given.

    Raises:
        ModelError: its weights are missing, truncated or foreign, or a variant was asked for by
            name that cannot be had.
    """
    name = name or store.active()
    if kind_of(name) == "sface":
        variant = choose_for(store, config.precision, name).variant
        return load_sface(store, variant, config.batch, threads)
    return load_facenet(config, store, threads, name)


def load_facenet(
    config: EmbedderConfig, store: ModelStore, threads: int = 0, name: str = DEFAULT
) -> FaceNet:
    """FaceNet with these weights, as `load_embedder` does it.

    Raises:
        ModelError: see `load_embedder`.
    """
    gpu = gpu_device(config.device)
    if gpu is not None and name == DEFAULT:
        from attendance.vision import torch_nets

        net = torch_nets.facenet_net(torch_nets.facenet_from_graph(store.path(name)), gpu)
        return FaceNet(net, store.model_id(name), torch_nets.variant(gpu), 512, config.batch)
    variant = choose_for(store, config.precision, name).variant
    return load_variant(store, variant, config.batch, threads, name)


def load_sface(
    store: ModelStore, variant: VariantName, batch: int = 8, threads: int = 0
) -> BatchedEmbedder:
    """SFace on the CPU.

    Raises:
        ModelError: its file is missing, truncated or foreign, or the variant is int8.
    """
    from attendance.vision.sface import SFace, read_sface

    if variant == "int8":
        raise ModelError(f"{FACENET_ONLY}: set embedder.precision to auto")
    engine = OpenVinoEngine(variant, store.cache_dir, threads)
    source = store.path(SFACE)
    net, dimension = engine.embedder(source, store.digest(SFACE), read_sface)
    return SFace(net, store.model_id(SFACE), engine.variant, dimension, batch)


def load_variants(store: ModelStore) -> list[FaceNet]:
    """Every variant of the embedder in use that this processor computes: f32 first, int8 last.

    Raises:
        ModelError: the weights or the int8 model are missing, truncated or foreign.
    """
    names: tuple[VariantName, ...] = ("f32", "bf16", "int8")
    offered = (*capabilities(), "F32")
    return [load_variant(store, name) for name in names if name.upper() in offered]


def load_variant(
    store: ModelStore,
    variant: VariantName,
    batch: int = 8,
    threads: int = 0,
    name: str | None = None,
) -> FaceNet:
    """One variant of FaceNet on the CPU, with the weights in use if none are named.

    Raises:
        ModelError: its file is missing, truncated or foreign; whether an int8 model is the one
            that was recorded, `choose_for` has found out.
    """
    name = name or store.active()
    if kind_of(name) != "facenet":
        raise ModelError(f"{FACENET_ONLY}, {name} is in use: `attendance models use {DEFAULT}`")
    model_id = store.model_id(name)
    source = store.path(name)  # verified, whichever variant is taken
    if variant == "int8":
        engine = OpenVinoEngine("f32", store.cache_dir, threads)
        net, dimension = engine.ready_embedder(store.int8.path(model_id))
        return FaceNet(net, model_id, INT8, dimension, batch)
    engine = OpenVinoEngine(variant, store.cache_dir, threads)
    net, dimension = engine.embedder(source, store.digest(name))
    return FaceNet(net, model_id, engine.variant, dimension, batch)


def gpu_device(device: str) -> str | None:
    """The GPU to use; torch is imported only where the machine looks as if it had one."""
    if device == "cpu":
        return None
    has_hint = Path("/dev/nvidia0").exists() or platform.system() in {"Darwin", "Windows"}
    if device == "auto" and not has_hint:
        return None
    from attendance.vision import torch_nets

    return torch_nets.gpu()
