"""Faces and their mirror images: a face flipped left to right is a photo more of its owner."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from attendance.core.domain import Detections, FloatArray, Image


class _Embeds(Protocol):
    def embed(self, image: Image, faces: Detections) -> FloatArray: ...


def with_flips(embedder: _Embeds, image: Image, faces: Detections) -> FloatArray:
    """Embeddings of faces as they are, and flipped left to right.

    Args:
        embedder: of d dimensions.
        image: (H, W, 3) uint8 BGR.
        faces: n of them.

    Returns:
        (2, n, d) L2-normalised: as they are, then flipped.
    """
    flipped = np.ascontiguousarray(image[:, ::-1])
    as_they_are = embedder.embed(image, faces)
    return np.stack([as_they_are, embedder.embed(flipped, mirrored(faces, image.shape[1]))])


def mirrored(faces: Detections, width_px: int) -> Detections:
    """The same faces in the image flipped left to right; whoever looked left looks right.

    Args:
        faces: of an image.
        width_px: of that image.

    >>> box = np.array([[0, 0, 30, 9]], np.float32)
    >>> eyes_nose_mouth = np.array([[[5, 2], [15, 2], [9, 5], [6, 7], [14, 7]]], np.float32)
    >>> flipped = mirrored(Detections(box, eyes_nose_mouth, np.ones(1, np.float32)), 100)
    >>> flipped.boxes.tolist(), flipped.landmarks[0, :3, 0].tolist()
    ([[70.0, 0.0, 100.0, 9.0]], [85.0, 95.0, 91.0])
    """
    width = np.float32(width_px)
    x1, y1, x2, y2 = faces.boxes.T
    boxes = np.stack([width - x2, y1, width - x1, y2], axis=1)
    landmarks = faces.landmarks[:, [1, 0, 2, 4, 3]] * np.array([-1, 1], np.float32)
    landmarks[:, :, 0] += width
    return Detections(boxes, landmarks, faces.scores)
