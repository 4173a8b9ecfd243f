"""Synthetic clips: one photo of a person looked at as a camera would, four times a second.

What a classroom camera adds to a face drifts: the head moves and turns in the picture, the light
changes, the lens hunts. So neighbouring looks are alike, and a look more is worth less than a look
of its own. Each influence is a level of the clip, a slow drift round it (first-order
autoregressive) and noise of the single look.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from attendance.core.domain import Detections, FloatArray, Image

LOOK_EVERY_S = 0.25
MIN_LOOKS, MAX_LOOKS = 4, 12
PERSISTENCE = 0.9
TILE_FACES = 1.8


@dataclass(frozen=True)
class Scene:
    """What a place does to faces; ranges are drawn from once a clip.

    Attributes:
        face_px: range of the height of the face's box.
        jpeg_quality: range, as OpenCV counts it.
        noise: range of the standard deviation in grey levels.
        motion: standard deviation of the smear's length in heights of the face.
        defocus: largest standard deviation of the blur in heights of the face.
        light: how far exposure and colours stray; a camera that sets both itself strays less.
    """

    face_px: tuple[float, float]
    jpeg_quality: tuple[int, int]
    noise: tuple[float, float]
    motion: float
    defocus: float
    light: float


SCENES = {
    "street": Scene((40.0, 120.0), (20, 80), (2.0, 8.0), motion=0.06, defocus=0.03, light=1.0),
    "classroom": Scene((60.0, 100.0), (50, 90), (1.0, 4.0), motion=0.01, defocus=0.004, light=0.4),
}


@dataclass(frozen=True)
class Conditions:
    """What happens to a face in one look.

    Attributes:
        face_px: height of the face's box.
        shift: (2,) of the face against the pixel grid, pixels.
        turn_deg: of the head in the picture.
        motion: length of the smear in heights of the face, and its direction in radians.
        defocus: standard deviation in heights of the face.
        gamma: exponent of the brightness.
        gains: (3,) of blue, green and red.
        noise: standard deviation in grey levels.
        jpeg_quality: as OpenCV counts it.
        box_error: (4,) of the box's edges, in heights of the face.
        landmark_error: (5, 2) in heights of the face.
    """

    face_px: float
    shift: FloatArray
    turn_deg: float
    motion: tuple[float, float]
    defocus: float
    gamma: float
    gains: FloatArray
    noise: float
    jpeg_quality: int
    box_error: FloatArray
    landmark_error: FloatArray


class Weather:
    """What happens to the looks of one clip, the same for the same photo, seed and scene."""

    def __init__(self, photo: str, seed: int, scene: Scene) -> None:
        self._scene = scene
        self._chance = np.random.default_rng([seed, zlib.crc32(photo.encode())])
        self.looks = int(self._chance.integers(MIN_LOOKS, MAX_LOOKS + 1))

    def __iter__(self) -> Iterator[Conditions]:
        chance, scene = self._chance, self._scene
        face_px = float(np.exp(chance.uniform(*np.log(scene.face_px))))
        level = chance.normal(size=8)
        jpeg_quality = int(chance.integers(scene.jpeg_quality[0], scene.jpeg_quality[1] + 1))
        noise, blurred = chance.uniform(*scene.noise), chance.uniform(0, 1)
        for slow in self._drift(12):
            colour = 0.25 * (level[0] + 0.4 * slow[0]) + 0.08 * level[3:6]
            yield Conditions(
                face_px=face_px * float(np.exp(0.08 * slow[1])),
                shift=np.asarray(chance.uniform(-1, 1, 2), np.float32),
                turn_deg=float(4 * level[1] + 3 * slow[2]),
                motion=(abs(float(scene.motion * slow[3])), float(np.pi * slow[4])),
                defocus=scene.defocus * blurred * abs(float(1 + 0.5 * slow[5])),
                gamma=float(np.exp(scene.light * (0.35 * level[2] + 0.1 * slow[6]))),
                gains=np.exp(scene.light * colour).astype(np.float32),
                noise=float(noise),
                jpeg_quality=jpeg_quality,
                box_error=np.asarray(0.03 * slow[7:11] + 0.02 * chance.normal(size=4), np.float32),
                landmark_error=np.asarray(0.012 * chance.normal(size=(5, 2)), np.float32),
            )

    def _drift(self, width: int) -> FloatArray:
        """Slow changes of unit variance. Returns: (looks, width)."""
        fresh = self._chance.normal(size=(self.looks, width))
        rows = [fresh[0]]
        for row in fresh[1:]:
            rows.append(PERSISTENCE * rows[-1] + np.sqrt(1 - PERSISTENCE**2) * row)
        return np.asarray(rows, np.float32)


def render(photo: Image, face: Detections, seen: Conditions) -> tuple[Image, Detections]:
    """A photo's face as a camera would show it.

    Args:
        photo: (H, W, 3) uint8 BGR.
        face: the one face of it.
        seen: what happens to it.

    Returns:
        A square picture with the face in the middle, 1.8 times as high, and where the face is.
    """
    box = face.boxes[0]
    scale = seen.face_px / float(box[3] - box[1])
    side = round(TILE_FACES * seen.face_px)
    moved = _moved(scale, seen, (box[:2] + box[2:]) / 2, side)
    smooth = cv2.GaussianBlur(photo, (0, 0), max(0.5 / scale, 0.3)) if scale < 1 else photo
    tile = cv2.warpAffine(smooth, moved, (side, side), borderMode=cv2.BORDER_REFLECT)
    tile = _exposed(_smeared(np.asarray(tile, np.float32), seen), seen)
    coded = cv2.imencode(".jpg", tile, [cv2.IMWRITE_JPEG_QUALITY, seen.jpeg_quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8), _where(face, moved, seen)


def _moved(scale: float, seen: Conditions, centre: FloatArray, side: int) -> FloatArray:
    """From the photo's pixels to the tile's. Returns: (2, 3)."""
    x, y = float(centre[0]), float(centre[1])
    moved = cv2.getRotationMatrix2D((x, y), seen.turn_deg, scale)
    return np.asarray(
        moved + np.array([[0, 0, 1]]) * (side / 2 + seen.shift - centre)[:, None], np.float32
    )


def _smeared(tile: FloatArray, seen: Conditions) -> FloatArray:
    tile = np.asarray(cv2.GaussianBlur(tile, (0, 0), max(seen.defocus * seen.face_px, 0.1)))
    length, direction = seen.motion[0] * seen.face_px, seen.motion[1]
    reach = int(np.ceil(length / 2))
    if not reach:
        return tile
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for along in np.linspace(-length / 2, length / 2, 4 * reach + 1):
        dx, dy = along * np.cos(direction), along * np.sin(direction)
        kernel[round(reach + dy), round(reach + dx)] += 1
    return np.asarray(cv2.filter2D(tile, -1, kernel / kernel.sum()), np.float32)


def _exposed(tile: FloatArray, seen: Conditions) -> Image:
    lit = 255 * (tile / 255).clip(0, 1) ** np.float32(seen.gamma) * seen.gains
    chance = np.random.default_rng(zlib.crc32(seen.landmark_error.tobytes()))
    grain = seen.noise * chance.standard_normal(tile.shape, np.float32)
    return np.asarray((lit + grain).round().clip(0, 255), np.uint8)


def _where(face: Detections, moved: FloatArray, seen: Conditions) -> Detections:
    """The face in the tile as a detector would draw it, never quite right."""
    landmarks = face.landmarks[0] @ moved[:, :2].T + moved[:, 2]
    centre = face.boxes[0].reshape(2, 2).mean(axis=0) @ moved[:, :2].T + moved[:, 2]
    half = (face.boxes[0][2:] - face.boxes[0][:2]) / 2 * np.sqrt(np.linalg.det(moved[:, :2]))
    box = np.concatenate([centre - half, centre + half]) + seen.box_error * seen.face_px
    marked = landmarks + seen.landmark_error * seen.face_px
    return Detections(
        box[None].astype(np.float32), marked[None].astype(np.float32), np.ones(1, np.float32)
    )


def sheet_of(tiles: list[tuple[Image, Detections]]) -> tuple[Image, Detections]:
    """Several small pictures as one, so that their faces are embedded in one call."""
    side = max(image.shape[0] for image, _ in tiles)
    columns = int(np.ceil(np.sqrt(len(tiles))))
    sheet = np.zeros((-(-len(tiles) // columns) * side, columns * side, 3), np.uint8)
    boxes, landmarks = [], []
    for number, (image, face) in enumerate(tiles):
        y, x = side * (number // columns), side * (number % columns)
        sheet[y : y + image.shape[0], x : x + image.shape[1]] = image
        corner = np.array([x, y], np.float32)
        boxes.append(face.boxes[0] + np.tile(corner, 2))
        landmarks.append(face.landmarks[0] + corner)
    scores = np.ones(len(tiles), np.float32)
    return sheet, Detections(np.stack(boxes), np.stack(landmarks), scores)
