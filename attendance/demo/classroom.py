"""Draws the scripted class as a video that a camera process can be pointed at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from attendance.core.domain import FloatArray, Image
from attendance.core.errors import AttendanceError
from attendance.core.pipeline import Detector
from attendance.demo.script import DURATION_S, FPS, HEIGHT, WIDTH, Script, Visit

AROUND_FACE = 1.9
MIN_FACE_PX = 50.0


@dataclass(frozen=True)
class Portrait:
    """The head of one photo.

    Attributes:
        image: (H, W, 3) BGR, the face in its middle.
        mask: (H, W, 1) float32 in [0, 1], soft at the edge.
        face_px: height of the face in it.
    """

    image: Image
    mask: FloatArray
    face_px: float


def portrait(image: Image, detector: Detector) -> Portrait | None:
    """The largest face of a photo with what is around it; None where it shows none."""
    faces = detector.detect(image)
    if not len(faces):
        return None
    heights = faces.boxes[:, 3] - faces.boxes[:, 1]
    box = faces.boxes[int(np.argmax(heights))]
    height_px = float(box[3] - box[1])
    if height_px < MIN_FACE_PX:
        return None
    centre = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    side = int(AROUND_FACE * height_px)
    head = cv2.getRectSubPix(image, (int(side * 0.85), side), centre)
    return Portrait(np.asarray(head, np.uint8), _oval(head.shape[:2]), height_px)


def _oval(shape: tuple[int, ...]) -> FloatArray:
    rows = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, shape[1], dtype=np.float32)[None]
    distance = np.sqrt(rows**2 + columns**2)
    return np.asarray(np.clip((1.0 - distance) / 0.12, 0, 1)[..., None], np.float32)


def room() -> Image:
    """An empty classroom: wall, board, rows of desks. Returns: (720, 1280, 3) BGR."""
    wall = np.linspace(214, 176, HEIGHT, dtype=np.float32)[:, None, None]
    image = np.broadcast_to(wall, (HEIGHT, WIDTH, 3)).astype(np.uint8).copy()
    cv2.rectangle(image, (260, 30), (1020, 170), (74, 92, 70), -1)
    cv2.rectangle(image, (260, 30), (1020, 170), (96, 132, 160), 8)
    for row, top in enumerate((560, 640)):
        for x in range(-40 + 60 * row, WIDTH, 220):
            cv2.rectangle(image, (x, top), (x + 180, top + 26), (110, 148, 178), -1)
            cv2.rectangle(image, (x, top + 26), (x + 180, top + 34), (84, 116, 142), -1)
    return image


def frames(script: Script, portraits: dict[str, list[Portrait]]) -> Iterator[Image]:
    """Every frame of the class, (720, 1280, 3) BGR."""
    empty = room()
    for number in range(int(DURATION_S * FPS)):
        image = empty.copy()
        for visit in script.visits_at(number / FPS):
            _place(image, portraits[visit.person][visit.photo], visit, number / FPS)
        yield image


def _place(image: Image, head: Portrait, visit: Visit, t_s: float) -> None:
    x, y, face_px = visit.face_at(t_s)
    scale = face_px / head.face_px
    size = (round(head.image.shape[1] * scale), round(head.image.shape[0] * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    pixels = cv2.resize(head.image, size, interpolation=way)
    mask = cv2.resize(head.mask, size)[..., None]
    left, top = round(x - size[0] / 2), round(y - size[1] / 2)
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = min(left + size[0], WIDTH), min(top + size[1], HEIGHT)
    part = (slice(y1 - top, y2 - top), slice(x1 - left, x2 - left))
    under = image[y1:y2, x1:x2]
    image[y1:y2, x1:x2] = (mask[part] * pixels[part] + (1 - mask[part]) * under).astype(np.uint8)


def write_video(images: Iterator[Image], path: Path) -> None:
    """Write frames as a video of the script's rate.

    Raises:
        AttendanceError: this OpenCV cannot write videos.
    """
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise AttendanceError(f"OpenCV cannot write the video {path}")
    try:
        for image in images:
            writer.write(image)
    finally:
        writer.release()
