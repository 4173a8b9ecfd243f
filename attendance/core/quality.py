"""How good a view of a face is: size, sharpness, exposure and pose, each a number with a unit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from attendance.core.domain import FloatArray, Image

SAMPLED_PX = 128
REBLUR_VARIANCE = 1.0
MAX_BLUR_PX = 8.0
NOSE_DEPTH = 0.55
NOSE_DROP = 0.55
MOUTH_DROP = 1.05
BLACK, MIDDLE = 8, 127.5
BLUR_PERCENT = (2.5, 0.8)
SMALL_PX = 55.0
DARK, BRIGHT = 0.2, 0.8
CLIPPED = 0.2
TURNED_DEG, NODDED_DEG = 35.0, 25.0
LEAST_WEIGHT = 0.02
NOTED_WEIGHT = 0.5


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
    def blur_percent(self) -> float:
        """The blur in percent of the face's height: what is lost to the embedder.

        A small face is blurred by its few pixels alone, so this tells of its size as well.
        """
        return 100 * self.blur_px / max(self.height_px, 1.0)

    @property
    def weight(self) -> float:
        """Of the look in the evidence, in (0, 1]: full to a blur of 0.8 %, least from 2.5 % on.

        Measured, docs/decisions.md: beside the blur neither size nor light nor pose of the faces
        there says more of how far a look can be trusted. They give reasons, not weight.
        """
        none, full = BLUR_PERCENT
        left = (self.blur_percent - none) / (full - none)
        return min(max(left, LEAST_WEIGHT), 1.0)

    def reason(self) -> str:
        """What is wrong with this view, in words; empty for a good one.

        >>> Quality(110, 0.8, 0.5, 0.0, -40.0, 2.0, 0.0).reason()
        'turned 40 degrees away'
        """
        nods = "down" if self.pitch_deg > 0 else "up"
        flaws = (
            (abs(self.yaw_deg) > TURNED_DEG, f"turned {abs(self.yaw_deg):.0f} degrees away"),
            (
                abs(self.pitch_deg) > NODDED_DEG,
                f"looking {nods} by {abs(self.pitch_deg):.0f} degrees",
            ),
            (self.height_px < SMALL_PX, f"only {self.height_px:.0f} pixels high"),
            (self.weight < NOTED_WEIGHT, f"blurred over {self.blur_px:.1f} pixels"),
            (self.brightness < DARK, f"dark, {100 * self.brightness:.0f} % of white"),
            (self.brightness > BRIGHT, f"glaring, {100 * self.brightness:.0f} % of white"),
            (self.clipped > CLIPPED, f"{100 * self.clipped:.0f} % of it black or white"),
        )
        return ", ".join(words for is_so, words in flaws if is_so)


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
        clipped=np.count_nonzero(np.abs(grey - MIDDLE) > MIDDLE - BLACK) / grey.size
        if grey.size
        else 1.0,
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
    )


def _sample(image: Image, box: FloatArray) -> tuple[FloatArray, int]:
    """The green channel of a face at 128 pixels of height or less, and what it was divided by."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (max(int(edge), 0) for edge in box)
    green = image[y1 : min(y2, height), x1 : min(x2, width), 1]
    step = max(1, -(-max(green.shape) // SAMPLED_PX))
    if step == 1:
        return green.astype(np.float32), 1
    rows, columns = (side // step * step for side in green.shape)
    shifts = [(y, x) for y in range(step) for x in range(step)]
    total = np.zeros((rows // step, columns // step), np.float32)
    for y, x in shifts:
        total += green[y:rows:step, x:columns:step]
    return np.asarray(total / len(shifts), np.float32), step


def blur_px(grey: FloatArray) -> float:
    """How far edges are smeared.

    An edge blurred by s, blurred again by s0, has a gradient lower by sqrt(s^2 + s0^2) / s at its
    middle (Zhuo and Sim, "Defocus map estimation from a single image", 2011, section 3). Here all
    pixels count, by the square of the gradient, so that noise does not; summed over the whole of
    such an edge the square of the ratio is 2 (s^2 + s0^2) / (2 s^2 + s0^2).

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
    ratio = (float(common) / max(energy, 1e-6)) ** 2
    if ratio <= 1:
        return MAX_BLUR_PX
    variance = REBLUR_VARIANCE * max(2 - ratio, 0.0) / (2 * (ratio - 1))
    return float(min(np.sqrt(variance), MAX_BLUR_PX))


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
    (ax, ay), (bx, by), (nx, ny), (cx, cy), (dx, dy) = landmarks.tolist()
    between = max(math.hypot(bx - ax, by - ay), 1e-6)
    ux, uy = (bx - ax) / between, (by - ay) / between
    ex, ey, mx, my = (ax + bx) / 2, (ay + by) / 2, (cx + dx) / 2, (cy + dy) / 2
    aside = (nx - (ex + mx) / 2) * ux + (ny - (ey + my) / 2) * uy
    drop = max((my - ey) * ux - (mx - ex) * uy, 0.1 * between)
    middle = ((ny - ey) * ux - (nx - ex) * uy) / drop
    yaw = math.atan(aside / (NOSE_DEPTH * between))
    pitch = math.atan((middle - NOSE_DROP) * MOUTH_DROP / NOSE_DEPTH)
    return math.degrees(yaw), math.degrees(pitch), math.degrees(math.atan2(uy, ux))
