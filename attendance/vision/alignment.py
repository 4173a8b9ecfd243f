"""The crop that SFace sees: a face turned, scaled and moved to where five points should lie.

The geometry is part of the `model_id`: templates of another crop are of another space.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from attendance.core.domain import FloatArray, Image

ALIGNED_PX = 112
GEOMETRY = f"five points, similarity, {ALIGNED_PX}, halved by area before, black outside"

_TEMPLATE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Eyes, nose and corners of the mouth, image-left first: those of ArcFace (Deng et al., 2019)."""


def similarity_transforms(landmarks: FloatArray) -> npt.NDArray[np.float64]:
    """Turn, scale and shift that bring five points nearest to the template, by least squares.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    1991. In the plane, with points as complex numbers, a similarity without reflection is
    w = a z + b, and its least-squares solution needs no decomposition.

    Args:
        landmarks: (n, 5, 2) xy pixels. Five points in one place give a scale of 0.

    Returns:
        (n, 2, 3) from pixels of the image to pixels of the crop.

    >>> (similarity_transforms(np.float32(2 * _TEMPLATE + 10)[None])[0].round(3) + 0.0).tolist()
    [[0.5, 0.0, -5.0], [0.0, 0.5, -5.0]]
    """
    points = landmarks.astype(np.float64)
    z, w = points[..., 0] + 1j * points[..., 1], _TEMPLATE[:, 0] + 1j * _TEMPLATE[:, 1]
    centre, target = z.mean(axis=1, keepdims=True), w.mean()
    spread = (np.abs(z - centre) ** 2).sum(axis=1)
    turned = (np.conj(z - centre) * (w - target)).sum(axis=1)
    a = np.divide(turned, spread, out=np.zeros_like(turned), where=spread > 0)
    b = target - a * centre[:, 0]
    rows = [np.stack([a.real, -a.imag, b.real], 1), np.stack([a.imag, a.real, b.imag], 1)]
    return np.stack(rows, axis=1)


def aligned_crops(image: Image, landmarks: FloatArray) -> npt.NDArray[np.uint8]:
    """Crops as SFace wants them.

    Args:
        image: (H, W, 3) uint8 BGR.
        landmarks: (n, 5, 2) xy pixels; crops of faces at the image's edge are black beyond it.

    Returns:
        (n, 112, 112, 3) uint8 BGR.
    """
    crops = np.zeros((len(landmarks), ALIGNED_PX, ALIGNED_PX, 3), np.uint8)
    for crop, transform in zip(crops, similarity_transforms(landmarks), strict=True):
        smaller, adapted = _reduced(image, transform)
        cv2.warpAffine(smaller, adapted, (ALIGNED_PX, ALIGNED_PX), dst=crop)
    return crops


def _reduced(
    image: Image, transform: npt.NDArray[np.float64]
) -> tuple[Image, npt.NDArray[np.float64]]:
    """The image averaged over whole pixels where the crop would skip some, and its transform."""
    scale = float(np.hypot(*transform[:, 0]))
    step = min(int(1 / scale), *image.shape[:2]) if scale > 0 else 1
    if step < 2:
        return image, transform
    height, width = image.shape[0] // step, image.shape[1] // step
    whole = image[: height * step, : width * step]
    smaller = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    shift = (step - 1) / 2
    grown = np.array([[step, 0, shift], [0, step, shift], [0, 0, 1]])
    return np.asarray(smaller, np.uint8), transform @ grown
