"""facenet-pytorch as its README uses it: eager torch on the CPU, every frame anew.

What others start from, and what the bench and the parity tests hold ours against.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from facenet_pytorch import MTCNN

from attendance.core.domain import FloatArray, Image
from attendance.vision.torch_nets import facenet_from_graph


class FacenetPytorch:
    """MTCNN, its own crops, InceptionResnetV1.

    Args:
        graph: the frozen graph whose constants InceptionResnetV1 is given.
        min_face_px: the smallest face looked for.
        min_score: faces below are left out; its own thresholds hold in any case.
    """

    variant = f"torch {torch.__version__}, eager f32, cpu"

    def __init__(self, graph: Path, min_face_px: int, min_score: float = 0.0) -> None:
        self._min_score = min_score
        self._mtcnn = MTCNN(keep_all=True, min_face_size=min_face_px, device="cpu").eval()
        self._resnet = facenet_from_graph(graph).eval()

    def detect(self, image: Image) -> FloatArray:
        """Faces of a BGR image, each confirmed by the default thresholds. Returns: (n, 4)."""
        boxes, scores = self._mtcnn.detect(np.ascontiguousarray(image[:, :, ::-1]))
        if boxes is None:
            return np.zeros((0, 4), np.float32)
        return np.asarray(boxes[scores >= self._min_score], np.float32)

    def crop(self, image: Image, boxes: FloatArray) -> Any:
        """Crops as its MTCNN cuts them. Returns: a (n, 3, 160, 160) tensor, n at least 1."""
        return self._mtcnn.extract(np.ascontiguousarray(image[:, :, ::-1]), boxes, None)

    def embed(self, crops: Any) -> FloatArray:
        """Embeddings of such crops in one batch. Returns: (n, 512)."""
        with torch.no_grad():
            return np.asarray(self._resnet(crops).numpy(), np.float32)
