"""How good a view of a face is: size, sharpness, exposure and pose, each a number with a unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attendance.core.domain import FloatArray, Image

SAMPLED_PX = 96
REBLUR_VARIANCE = 1.0
MAX_BLUR_PX = 8.0
NOSE_DEPTH = 0.55
NOSE_DROP = 0.55
MOUTH_DROP = 1.05
BLACK, WHITE = 8, 247


@dataclass(frozen=True)
class Quality:
    """One view of a face, measured.

    Attributes:
        height_px: of the face's box.
        blur_px: standard deviation of the Gaussian that would blur a sharp edge as much.
        brightness: mean of the green channel as a share of white, in [0, 1].
        clipped: share of the face's pixels that are black or white, in [0, 1].
        yaw_deg: to the left of the picture negative.
        pitch_deg: up negative; 0 for the average face of a photograph.
        roll_deg: clockwise positive.
    """

    height_px: float
    blur_px: float
    brightness: float
    clipped: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float

    @property
    def weight(self) -> float:
        """In the evidence, in (0, 1]."""
        return float(np.clip(self.height_px / 100, 0.01, 1))


def measure(image: Image, box: FloatArray, landmarks: FloatArray) -> Quality:
    """Measure a face where it is.

    Args:
        image: (H, W, 3) uint8 BGR.
        box: (4,) xyxy pixels, may reach past the image.
        landmarks: (5, 2) the eyes, the nose, the corners of the mouth, image-left first.
    """
    grey, scale = _sample(image, box)
    yaw, pitch, roll = pose_deg(landmarks)
    return Quality(
        height_px=float(box[3] - box[1]),
        blur_px=scale * blur_px(grey),
        brightness=float(grey.mean()) / 255 if grey.size else 0.0,
        clipped=float(((grey < BLACK) | (grey > WHITE)).mean()) if grey.size else 1.0,
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
    )


def _sample(image: Image, box: FloatArray) -> tuple[FloatArray, int]:
    """The green channel of a face at 96 pixels of height or less, and what it was divided by."""
    height, width = image.shape[:2]
    x1, y1 = np.clip(box[:2], 0, (width, height)).astype(int)
    x2, y2 = np.clip(box[2:], 0, (width, height)).astype(int)
    green = image[y1:y2, x1:x2, 1]
    step = max(1, -(-max(green.shape) // SAMPLED_PX))
    rows, columns = green.shape[0] // step, green.shape[1] // step
    tiles = green[: rows * step, : columns * step].reshape(rows, step, columns, step)
    return np.asarray(tiles.mean(axis=(1, 3), dtype=np.float32), np.float32), step


def blur_px(grey: FloatArray) -> float:
    """How far edges are smeared.

    An edge blurred with standard deviation s has, blurred again with s0, a gradient lower by
    sqrt(s^2 + s0^2) / s (Zhuo and Sim, "Defocus map estimation from a single image", 2011,
    section 3). The ratio is taken over all pixels, weighted by the square of their gradient.

    Args:
        grey: (h, w) float32.

    Returns:
        In [0, 8]; 8 for a picture without any edge.
    """
    if min(grey.shape) < 8:
        return MAX_BLUR_PX
    again = _binomial(_binomial(grey).T).T
    inner = grey[2:-2, 2:-2]
    across, down = np.diff(again, axis=1), np.diff(again, axis=0)
    energy = float(np.vdot(across, across) + np.vdot(down, down))
    common = np.vdot(np.diff(inner, axis=1), across) + np.vdot(np.diff(inner, axis=0), down)
    ratio = float(common) / max(energy, 1e-6)
    if ratio <= 1:
        return MAX_BLUR_PX
    return float(min(np.sqrt(REBLUR_VARIANCE / (ratio**2 - 1)), MAX_BLUR_PX))


def _binomial(grey: FloatArray) -> FloatArray:
    """Blurred along x by 1 4 6 4 1. Returns: (h, w - 4)."""
    sides = grey[:, :-4] + grey[:, 4:] + 4 * (grey[:, 1:-3] + grey[:, 3:-1])
    return np.asarray((sides + 6 * grey[:, 2:-2]) / 16, np.float32)


def pose_deg(landmarks: FloatArray) -> tuple[float, float, float]:
    """Yaw, pitch and roll from five landmarks, by the geometry of an average head.

    Along the line of the eyes the nose lies off their middle by its depth times the tangent of
    the yaw; across it, the nose drops between eyes and mouth by as much more as the head nods.

    Args:
        landmarks: (5, 2) xy pixels: the eyes, the nose, the corners of the mouth.
    """
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    along = landmarks[1] - landmarks[0]
    between = max(float(np.linalg.norm(along)), 1e-6)
    along = along / between
    down = np.array([-along[1], along[0]])
    nose = landmarks[2] - (eyes + mouth) / 2
    drop = max(float((mouth - eyes) @ down), 0.1 * between)
    yaw = np.arctan(float(nose @ along) / (NOSE_DEPTH * between))
    middle = float((landmarks[2] - eyes) @ down) / drop
    pitch = np.arctan((middle - NOSE_DROP) * MOUTH_DROP / NOSE_DEPTH)
    roll = np.arctan2(along[1], along[0])
    return tuple(float(np.degrees(angle)) for angle in (yaw, pitch, roll))  # type: ignore[return-value]
