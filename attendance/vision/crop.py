"""The crop that FaceNet sees: the detector's box with a margin, resized to a square.

The geometry is part of the `model_id`: templates of another crop are of another space.
docs/decisions.md holds the measurement behind the margin.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from attendance.core.domain import FloatArray, Image

CROP_PX = 160
MARGIN_PX = 32
GEOMETRY = f"mtcnn-box margin {MARGIN_PX} of {CROP_PX}, clipped, area"


def crop_box(
    box: npt.NDArray[np.float32], shape: tuple[int, int], margin_px: int = MARGIN_PX
) -> tuple[int, int, int, int]:
    """The box widened by the margin and clipped to the image, whole pixels xyxy.

    The margin is in pixels of the resized crop, as in `facenet_pytorch.extract_face`, so it grows
    with the face.

    Args:
        box: (4,) xyxy pixels.
        shape: height and width of the image.
        margin_px: both sides together, of `CROP_PX`.

    >>> crop_box(np.array([100, 100, 228, 228], np.float32), (480, 640))
    (84, 84, 244, 244)
    """
    height, width = shape
    pad = margin_px * (box[2:] - box[:2]) / (CROP_PX - margin_px) / 2
    x1, y1 = np.maximum(box[:2] - pad, 0).astype(int)
    x2, y2 = np.minimum(box[2:] + pad, (width, height)).astype(int)
    return int(x1), int(y1), int(x2), int(y2)


def face_crops(
    image: Image, boxes: FloatArray, margin_px: int = MARGIN_PX
) -> npt.NDArray[np.uint8]:
    """Crops as FaceNet wants them. Returns: (n, 160, 160, 3) uint8 RGB.

    A box wholly outside the image gives a black crop, so that rows stay parallel.
    """
    crops = np.zeros((len(boxes), CROP_PX, CROP_PX, 3), np.uint8)
    for row, box in zip(crops, boxes, strict=True):
        x1, y1, x2, y2 = crop_box(box, image.shape[:2], margin_px)
        if x2 > x1 and y2 > y1:
            square = cv2.resize(
                image[y1:y2, x1:x2], (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA
            )
            cv2.cvtColor(square, cv2.COLOR_BGR2RGB, dst=row)
    return crops
