"""Photos made worse on purpose, each way with one number that says how much.

Damage is done to the photo, not to the crop, and carries the face along: box and landmarks are
where they were, so that what is measured is the embedder and not whether the face is still found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from attendance.core.domain import Detections, FloatArray, Image

Damaged = tuple[Image, Detections]
MASK_BGR = (190, 170, 140)
GLASSES_BGR = (25, 25, 30)


@dataclass(frozen=True)
class Damage:
    """One way to make a photo worse.

    Attributes:
        kind: what is done, the heading of a table.
        level: how much, in the words of that table.
        apply: does it to an image and the one face in it.
    """

    kind: str
    level: str
    apply: Callable[[Image, Detections], Damaged]


def nothing_done(image: Image, faces: Detections) -> Damaged:
    """The photo as it is."""
    return image, faces


def as_jpeg(image: Image, faces: Detections, quality: int) -> Damaged:
    """The photo stored as a JPEG of this quality, 0 to 100."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8), faces


def at_face_size(image: Image, faces: Detections, face_px: int) -> Damaged:
    """The photo resized so that the face's box, of the root of its area, is so many pixels."""
    sides = faces.boxes[0, 2:] - faces.boxes[0, :2]
    scale = face_px / max(float(np.sqrt(sides[0] * sides[1])), 1.0)
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)
    by = np.array([width / image.shape[1], height / image.shape[0]], np.float32)
    boxes = faces.boxes * np.tile(by, 2)
    return resized, Detections(boxes.astype(np.float32), faces.landmarks * by, faces.scores)


def blurred(image: Image, faces: Detections, share: float) -> Damaged:
    """Out of focus: a Gaussian whose sigma is this share of the distance between the eyes."""
    sigma = max(share * _eye_distance(faces.landmarks[0]), 1e-3)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8), faces


def with_gamma(image: Image, faces: Detections, gamma: float) -> Damaged:
    """Darker above 1, brighter below: out = in ** gamma, of 0 to 1."""
    table = (255 * (np.arange(256) / 255) ** gamma).round().astype(np.uint8)
    return np.asarray(cv2.LUT(image, table), np.uint8), faces


def with_mask(image: Image, faces: Detections) -> Damaged:
    """A mask from the bridge of the nose to below the chin, drawn over the face."""
    points = faces.landmarks[0]
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    across, down = points[1] - points[0], mouth - eyes
    top = eyes + 0.4 * down
    outline = [
        top - 0.15 * across,
        top + 0.15 * across,
        eyes + 0.65 * down + 0.85 * across,
        mouth + 0.25 * down + 0.75 * across,
        mouth + 0.75 * down + 0.3 * across,
        mouth + 0.75 * down - 0.3 * across,
        mouth + 0.25 * down - 0.75 * across,
        eyes + 0.65 * down - 0.85 * across,
    ]
    return _painted(image, [np.stack(outline)], MASK_BGR), faces


def with_glasses(image: Image, faces: Detections, is_dark: bool) -> Damaged:
    """Glasses with a thick frame, lenses clear or dark, drawn round the eyes."""
    points = faces.landmarks[0]
    across = points[1] - points[0]
    distance, angle = _eye_distance(points), float(np.degrees(np.arctan2(across[1], across[0])))
    axes = (max(1, round(0.4 * distance)), max(1, round(0.3 * distance)))
    thick = max(1, round(0.08 * distance))
    painted = image.copy()
    for eye in points[:2]:
        centre = (round(float(eye[0])), round(float(eye[1])))
        width = cv2.FILLED if is_dark else thick
        cv2.ellipse(painted, centre, axes, angle, 0, 360, GLASSES_BGR, width, cv2.LINE_AA)
    ends = [points[0] + 0.4 * across, points[1] - 0.4 * across]
    bridge = [(round(float(x)), round(float(y))) for x, y in ends]
    cv2.line(painted, bridge[0], bridge[1], GLASSES_BGR, thick, cv2.LINE_AA)
    return painted, faces


UNTOUCHED = Damage("as they are", "", nothing_done)
JPEG, FACE_SIZE = "JPEG quality", "face size"
DAMAGES = (
    UNTOUCHED,
    *(Damage(JPEG, str(q), partial(as_jpeg, quality=q)) for q in (10, 20, 30, 50, 70, 90)),
    *(
        Damage(FACE_SIZE, f"{px}x{px} px", partial(at_face_size, face_px=px))
        for px in (40, 80, 120, 160, 256)
    ),
    *(
        Damage("blur, sigma", f"{100 * share:.0f} % of the eyes", partial(blurred, share=share))
        for share in (0.05, 0.1, 0.2)
    ),
    *(Damage("light, gamma", f"{g}", partial(with_gamma, gamma=g)) for g in (0.3, 0.5, 2.0, 4.0)),
    Damage("drawn over", "mask", with_mask),
    Damage("drawn over", "glasses", partial(with_glasses, is_dark=False)),
    Damage("drawn over", "sunglasses", partial(with_glasses, is_dark=True)),
)


def _eye_distance(points: npt.NDArray[np.float32]) -> float:
    return max(float(np.linalg.norm(points[1] - points[0])), 1.0)


def _painted(image: Image, outlines: list[FloatArray], colour: tuple[int, int, int]) -> Image:
    painted = image.copy()
    cv2.fillPoly(painted, [o.round().astype(np.int32) for o in outlines], colour, cv2.LINE_AA)
    return painted
