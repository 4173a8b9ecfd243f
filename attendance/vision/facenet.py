"""FaceNet: a face crop to an embedding.

Schroff et al., "FaceNet: A Unified Embedding for Face Recognition and Clustering", 2015, as the
InceptionResnetV1 of facenet-pytorch.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from attendance.core.domain import Detections, FloatArray, Image
from attendance.vision.crop import face_crops
from attendance.vision.embedder import BatchedEmbedder


class FaceNet(BatchedEmbedder):
    """Embeds (n, 160, 160, 3) uint8 RGB crops; its network takes them standardised."""

    def crops(self, image: Image, faces: Detections) -> npt.NDArray[np.uint8]:
        """These faces of a BGR image. Returns: (n, 160, 160, 3) RGB."""
        return face_crops(image, faces.boxes)

    def prepared(self, crops: npt.NDArray[np.uint8]) -> FloatArray:
        """Crops in the range of the training. Returns: the same shape, float32."""
        return standardised(crops)


def standardised(crops: npt.NDArray[np.uint8]) -> FloatArray:
    """Crops in the range FaceNet was trained with. Returns: the same shape, float32."""
    return (crops.astype(np.float32) - 127.5) / 128.0
