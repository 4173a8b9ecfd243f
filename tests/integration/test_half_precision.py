"""The code a GPU runs, on the CPU: half precision beside the f32 reference."""

from pathlib import Path

import numpy as np
import pytest
import torch

from attendance.vision.mtcnn import MtcnnNets, Rows
from attendance.vision.torch_nets import facenet_from_graph, facenet_net, mtcnn_nets
from attendance.vision.weights import DEFAULT, ModelStore

# Logits reach about 10; f16 keeps 11 bits of them, bf16 8.
TOLERANCE = {torch.float16: 0.03, torch.bfloat16: 0.4}
KINDS = sorted(TOLERANCE, key=str)


@pytest.fixture(scope="module")
def reference() -> MtcnnNets:
    return mtcnn_nets("cpu", torch.float32)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize(("net", "n", "side"), [("p", 1, 61), ("r", 5, 24), ("o", 5, 48)])
def test_mtcnn(reference: MtcnnNets, dtype: torch.dtype, net: str, n: int, side: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (n, side, side, 3), np.uint8)
    half: Rows = getattr(mtcnn_nets("cpu", dtype), net)
    full: Rows = getattr(reference, net)
    assert half(noise).dtype == np.float32
    assert np.abs(half(noise) - full(noise)).max() < TOLERANCE[dtype]


@pytest.mark.parametrize("net", ["r", "o"])
def test_a_batch_is_its_rows_one_by_one(reference: MtcnnNets, net: str) -> None:
    side = {"r": 24, "o": 48}[net]
    noise = np.random.default_rng(0).integers(0, 256, (7, side, side, 3), np.uint8)
    run: Rows = getattr(reference, net)
    alone = np.concatenate([run(row[None]) for row in noise])
    assert run(noise) == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize(("dtype", "least"), [(torch.float16, 0.9999), (torch.bfloat16, 0.995)])
def test_facenet(dtype: torch.dtype, least: float) -> None:
    path = ModelStore(Path()).path(DEFAULT)
    smooth = np.cumsum(np.random.default_rng(0).normal(size=(3, 160, 160, 3)), axis=1)
    crops = np.clip(smooth / 10, -1, 1).astype(np.float32)
    (full,) = facenet_net(facenet_from_graph(path))(crops)
    (half,) = facenet_net(facenet_from_graph(path), "cpu", dtype)(crops)
    assert half.dtype == np.float32
    lengths = np.linalg.norm(half, axis=1) * np.linalg.norm(full, axis=1)
    assert ((half * full).sum(axis=1) / lengths).min() >= least
