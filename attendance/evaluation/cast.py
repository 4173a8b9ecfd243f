"""The people of the synthetic class: a head cut out of one photo, templates of their others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from attendance.core.domain import FloatArray, Gallery, Image
from attendance.core.errors import AttendanceError
from attendance.core.flips import with_flips
from attendance.core.geometry import intersections
from attendance.core.pipeline import Detector, Embedder
from attendance.evaluation.embedding import main_face, read_image

MAX_TEMPLATE_PHOTOS = 5
MIN_SOURCE_FACE_PX = 60
HALF_WIDTHS, HALF_HEIGHTS = 0.9, 0.95
FEATHER = 0.3


@dataclass(frozen=True)
class Head:
    """A head to paste.

    Attributes:
        image: (h, w, 3) uint8 BGR, the face in the middle.
        alpha: (h, w) float32 in [0, 1], 0 from the border of an ellipse on.
        face_px: width and height of the face as the detector sees it.
    """

    image: Image
    alpha: FloatArray
    face_px: tuple[float, float]


@dataclass(frozen=True)
class Person:
    """Somebody who may take a seat.

    Attributes:
        student_id: theirs in the gallery, None where they are not enrolled.
    """

    head: Head
    student_id: int | None


@dataclass(frozen=True)
class Cast:
    """Everybody, and the class they are enrolled in.

    Attributes:
        is_repeating: whether a face stands for several people, so that names say nothing.
    """

    people: tuple[Person, ...]
    gallery: Gallery
    is_repeating: bool


def cast_people(
    photos: Mapping[str, Sequence[Path]],
    count: int,
    detector: Detector,
    embedder: Embedder,
    seed: int = 0,
    tick: Callable[[], None] = lambda: None,
) -> Cast:
    """Choose people by the seed, those with most photos first.

    Where there are too few people, each stands for several with another photo of theirs.

    Args:
        photos: of each person; only who has two or more can take part.
        count: how many are needed.
        detector: says where the faces are.
        embedder: makes the templates.
        seed: the same one chooses the same people and photos.
        tick: called for each person who is ready.

    Raises:
        AttendanceError: nobody has two photos with a face that will do.
    """
    studio = _Studio(detector, embedder)
    found: list[tuple[list[Head], FloatArray]] = []
    for paths in _shuffled(photos, seed):
        if len(found) == count:
            break
        heads, templates = studio.portray(paths)
        if heads and len(templates):
            found.append((heads, templates))
            tick()
    if not found:
        raise AttendanceError(
            "nobody has two photos that show one face of "
            f"{MIN_SOURCE_FACE_PX} pixels or more: give a folder with one sub-folder a person"
        )
    is_repeating = len(found) < count
    people = _repeated(found, count) if is_repeating else _once(found)
    return Cast(tuple(people), _gallery([rows for _, rows in found], embedder), is_repeating)


def _shuffled(photos: Mapping[str, Sequence[Path]], seed: int) -> Iterator[list[Path]]:
    chance = np.random.default_rng(seed)
    names = [name for name in sorted(photos) if len(photos[name]) > 1]
    names = [names[i] for i in chance.permutation(len(names))]
    names.sort(key=lambda name: -min(len(photos[name]), MAX_TEMPLATE_PHOTOS + 1))
    for name in names:
        paths = sorted(photos[name])
        yield [paths[i] for i in chance.permutation(len(paths))]


def _once(found: Sequence[tuple[list[Head], FloatArray]]) -> list[Person]:
    return [Person(heads[0], student_id) for student_id, (heads, _) in enumerate(found)]


def _repeated(found: Sequence[tuple[list[Head], FloatArray]], count: int) -> list[Person]:
    people = []
    for number in range(count):
        heads, _ = found[number % len(found)]
        people.append(Person(heads[number // len(found) % len(heads)], None))
    return people


def _gallery(templates: Sequence[FloatArray], embedder: Embedder) -> Gallery:
    owners = np.repeat(np.arange(len(templates)), [len(rows) for rows in templates])
    ids = tuple(range(len(templates)))
    return Gallery(embedder.model_id, ids, np.concatenate(templates), owners)


class _Studio:
    """Turns a person's photos into heads and templates."""

    def __init__(self, detector: Detector, embedder: Embedder) -> None:
        self._detector = detector
        self._embedder = embedder

    def portray(self, paths: Sequence[Path]) -> tuple[list[Head], FloatArray]:
        """Heads of the photos that are not enrolled, and the templates of up to five that are.

        The first photo with a face that stands alone is shown, the next ones are enrolled.
        """
        heads: list[Head] = []
        enrolled: list[FloatArray] = []
        for path in paths:
            image = read_image(path)
            faces = self._detector.detect(image)
            if not len(faces):
                continue
            boxes = faces.boxes
            main = main_face(boxes, image.shape[:2])
            is_enough = len(enrolled) == MAX_TEMPLATE_PHOTOS
            if (not heads or is_enough) and _stands_alone(boxes, main):
                heads.append(cut_head(image, boxes[main]))
            elif not is_enough:
                enrolled.append(with_flips(self._embedder, image, faces.take([main]))[:, 0])
        return heads, np.concatenate(enrolled) if enrolled else np.zeros((0, 0), np.float32)


def _stands_alone(boxes: FloatArray, main: int) -> bool:
    """Large enough, and no other face within what is cut out."""
    box = boxes[main]
    if box[3] - box[1] < MIN_SOURCE_FACE_PX:
        return False
    others = np.delete(boxes, main, axis=0)
    return not intersections(_region(box)[None], others).any()


def _region(box: FloatArray) -> FloatArray:
    """What is cut out round a face. Returns: (4,)."""
    centre = (box[:2] + box[2:]) / 2
    half = (box[2:] - box[:2]) * np.array([HALF_WIDTHS, HALF_HEIGHTS], np.float32)
    return np.concatenate([centre - half, centre + half])


def cut_head(image: Image, box: FloatArray) -> Head:
    """The head round a face, fading out towards an ellipse; the face lies in its middle.

    Args:
        image: (H, W, 3) uint8 BGR.
        box: (4,) xyxy; what reaches past the image is filled with its border.
    """
    x1, y1, x2, y2 = _region(box)
    width, height = round(float(x2 - x1)), round(float(y2 - y1))
    shift = np.array([[1, 0, -x1], [0, 1, -y1]], np.float32)
    cut = cv2.warpAffine(image, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)
    x = (np.arange(width) + 0.5) / width * 2 - 1
    y = (np.arange(height) + 0.5) / height * 2 - 1
    radius = np.hypot(x[None, :], y[:, None])
    alpha = np.clip((1 - radius) / FEATHER, 0, 1).astype(np.float32)
    face_px = (float(box[2] - box[0]), float(box[3] - box[1]))
    return Head(np.asarray(cut, np.uint8), alpha * alpha * (3 - 2 * alpha), face_px)
