"""FaceNet: a face crop to an embedding.

Schroff et al., "FaceNet: A Unified Embedding for Face Recognition and Clustering", 2015, as the
InceptionResnetV1 of facenet-pytorch.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attendance.core.domain import Detections, FloatArray, Image
from attendance.vision.crop import face_crops
from attendance.vision.engines import Net


class FaceNet:
    """Turns faces into embeddings of one model.

    Args:
        net: (n, 160, 160, 3) float32 -> (n, d).
        model_id: names the embedding space.
        variant: engine and precision, recorded beside it.
        dimension: d.
        batch: faces in one call.
    """

    def __init__(
        self, net: Net, model_id: str, variant: str, dimension: int = 512, batch: int = 8
    ) -> None:
        self._net = net
        self._batch = batch
        self.model_id = model_id
        self.variant = variant
        self.dimension = dimension

    def embed(self, image: Image, faces: Detections) -> FloatArray:
        """Embeddings of these faces of a BGR image. Returns: (n, d) normalised."""
        return self.embed_crops(face_crops(image, faces.boxes))

    def embed_crops(self, crops: npt.NDArray[np.uint8]) -> FloatArray:
        """Embeddings of (n, 160, 160, 3) uint8 RGB crops. Returns: (n, d) normalised."""
        if not len(crops):
            return np.zeros((0, self.dimension), np.float32)
        parts = range(0, len(crops), self._batch)
        raw = [self._net(standardised(crops[i : i + self._batch]))[0] for i in parts]
        return unit_rows(np.concatenate(raw))


def standardised(crops: npt.NDArray[np.uint8]) -> FloatArray:
    """Crops in the range FaceNet was trained with. Returns: the same shape, float32."""
    return (crops.astype(np.float32) - 127.5) / 128.0


def unit_rows(vectors: FloatArray) -> FloatArray:
    """Rows scaled to length 1; a row of zeros stays. Returns: the same shape, float32.

    >>> unit_rows(np.array([[3, 4], [0, 0]], np.float32)).round(1).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
