"""A synthetic class in which everybody moves all the time and where every box is known.

Real heads are pasted on seats before a cluttered wall. Each moves on a circle by more than 2 % of
its face's width every frame and breathes in size. Every two seconds some are replaced: one
newcomer takes a leaver's seat in the very next frame, the others appear on seats that were free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from attendance.core.domain import FloatArray, Image
from attendance.core.errors import AttendanceError
from attendance.evaluation.cast import Head, Person
from attendance.evaluation.read_ahead import ReadAhead
from attendance.evaluation.tracking_score import LabelledBoxes, Visit

FPS = 30
REPLACED_EVERY_S = 2.0
STAYS_AT_LEAST_S = 4.0
MIN_STEP = 0.02
STEP = (0.022, 0.03)
ORBIT = 0.2
BREATH = 0.03
BREATH_S = 2.5
CODEC = "mp4v"
WALL_GREYS = (70, 190)
TINT = 30


@dataclass(frozen=True)
class Room:
    """What is filmed.

    Attributes:
        columns, rows: of seats; the last row sits in front.
        taken: seats that are taken at any time.
        face_px: height of a face in the back row and in the front row.
        replaced: people replaced every two seconds.
    """

    name: str
    width: int
    height: int
    columns: int
    rows: int
    taken: int
    face_px: tuple[float, float]
    replaced: int

    @property
    def seats(self) -> int:
        """How many people could sit."""
        return self.columns * self.rows

    def people(self, frames: int) -> int:
        """How many take part in a video of this length."""
        return self.taken + self.replaced * len(_replacements(frames))

    def seat(self, number: int) -> tuple[float, float, float]:
        """Centre of a seat and the height of a face on it: x, y, height in pixels."""
        row, column = divmod(number, self.columns)
        heights = np.linspace(*self.face_px, self.rows) if self.rows > 1 else [self.face_px[1]]
        edges = np.concatenate([[0], np.cumsum(heights) / np.sum(heights)]) * self.height
        x = (column + 0.5) * self.width / self.columns
        return x, float(edges[row] + edges[row + 1]) / 2, float(heights[row])


LARGE_CLASS = Room("1080p_30", 1920, 1080, 9, 4, 30, (64.0, 124.0), 3)
SMALL_CLASS = Room("720p_8", 1280, 720, 5, 2, 8, (110.0, 150.0), 2)
ONE_PERSON = Room("720p_1", 1280, 720, 1, 1, 1, (180.0, 180.0), 0)


@dataclass(frozen=True)
class Stay:
    """A visit and where the face is in each of its frames.

    Attributes:
        boxes: (visit.end - visit.first, 4) float32 xyxy.
    """

    visit: Visit
    head: Head
    boxes: FloatArray


@dataclass(frozen=True)
class MovingClass:
    """Everything a video will show."""

    room: Room
    frames: int
    stays: tuple[Stay, ...]
    wall: Image

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Who is there from when to when."""
        return tuple(stay.visit for stay in self.stays)

    def people(self, number: int) -> LabelledBoxes:
        """Who is where in this frame."""
        here = self._here(number)
        boxes = [stay.boxes[number - stay.visit.first] for stay in here]
        labels = tuple(stay.visit.person for stay in here)
        return LabelledBoxes(labels, np.array(boxes, np.float32).reshape(-1, 4))

    def render(self, number: int) -> Image:
        """The picture of this frame. Returns: (H, W, 3) uint8 BGR."""
        image = self.wall.copy()
        for stay in self._here(number):
            _paste(image, stay.head, stay.boxes[number - stay.visit.first])
        return image

    def write(self, target: Path, tick: Callable[[], None] = lambda: None) -> None:
        """Encode the video as mp4v (MPEG-4 part 2), which every OpenCV can write.

        Raises:
            AttendanceError: OpenCV cannot write there.
        """
        size = (self.room.width, self.room.height)
        writer = cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*CODEC), FPS, size)
        if not writer.isOpened():
            raise AttendanceError(f"OpenCV cannot write a video to {target}")
        try:
            with ReadAhead(map(self.render, range(self.frames))) as images:
                for image in images:
                    writer.write(image)
                    tick()
        finally:
            writer.release()

    def _here(self, number: int) -> list[Stay]:
        return [stay for stay in self.stays if stay.visit.first <= number < stay.visit.end]


def compose(room: Room, people: tuple[Person, ...], frames: int, seed: int = 0) -> MovingClass:
    """Seat everybody and lay out how they move.

    Args:
        room: where.
        people: at least `room.people(frames)`, in the order they come.
        frames: length at `FPS`.
        seed: the same one gives the same video.
    """
    chance = np.random.default_rng(seed)
    stays = tuple(
        Stay(visit, people[visit.person].head, _boxes(room, seat, people, visit, chance))
        for visit, seat in _seating(room, people, frames, chance)
    )
    for stay in stays:
        if min_step(stay.boxes) < MIN_STEP:
            raise ValueError(f"person {stay.visit.person} moves by {min_step(stay.boxes):.4f}")
    return MovingClass(room, frames, stays, _wall(room, chance))


def min_step(boxes: FloatArray) -> float:
    """The least way a face moves in one frame, in widths of its face.

    >>> min_step(np.array([[0, 0, 100, 100], [3, 4, 103, 104]], np.float32)).__round__(2)
    0.05
    """
    if len(boxes) < 2:
        return float("inf")
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    ways = np.hypot(*np.diff(centres, axis=0).T)
    widths = boxes[:, 2] - boxes[:, 0]
    return float((ways / np.maximum(widths[1:], widths[:-1])).min())


def _replacements(frames: int) -> range:
    every = round(REPLACED_EVERY_S * FPS)
    return range(every, frames, every)


def _seating(
    room: Room, people: tuple[Person, ...], frames: int, chance: np.random.Generator
) -> list[tuple[Visit, int]]:
    """Every visit and its seat."""
    order = chance.permutation(room.seats).tolist()
    taken = {person: (order[person], 0, False) for person in range(room.taken)}
    free = order[room.taken :]
    seated: list[tuple[Visit, int]] = []

    def leave(person: int, end: int) -> int:
        seat, first, takes_over = taken.pop(person)
        student_id = people[person].student_id
        seated.append((Visit(person, student_id, first, end, first > 0, takes_over), seat))
        return int(seat)

    newcomer = room.taken
    stays = STAYS_AT_LEAST_S * FPS
    for frame in _replacements(frames):
        old = [p for p, (_, since, _) in taken.items() if not since or frame - since >= stays]
        leavers = chance.choice(old, room.replaced, replace=False).tolist()
        seats = [leave(person, frame) for person in leavers]
        others = [free.pop(0) for _ in seats[1:]]
        for place, seat in enumerate([*seats[:1], *others]):
            taken[newcomer] = (seat, frame, place == 0)
            newcomer += 1
        free += seats[1:]
    for person in list(taken):
        leave(person, frames)
    return sorted(seated, key=lambda entry: entry[0].person)


def _boxes(
    room: Room,
    seat: int,
    people: tuple[Person, ...],
    visit: Visit,
    chance: np.random.Generator,
) -> FloatArray:
    """A circle at constant speed round the seat, while the size goes up and down a little."""
    x, y, height = room.seat(seat)
    face_width, face_height = people[visit.person].head.face_px
    height *= chance.uniform(0.97, 1.03)
    width = height * face_width / face_height
    count = np.arange(visit.end - visit.first)
    breath = np.sin(2 * np.pi * (count / (BREATH_S * FPS) + chance.random()))
    size = (1 + BREATH * breath)[:, None] * np.array([width, height])
    step = chance.uniform(*STEP) * (1 + BREATH) * chance.choice([-1, 1])
    angle = 2 * np.pi * chance.random() + count * step / ORBIT
    centre = np.array([x, y]) + ORBIT * width * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.hstack([centre - size / 2, centre + size / 2]).astype(np.float32)


def _wall(room: Room, chance: np.random.Generator) -> Image:
    """Coloured blotches, furniture with edges, and grain."""
    low, high = WALL_GREYS
    greys = chance.integers(low, high, (9, 16, 1))
    tints = chance.integers(-TINT, TINT, (9, 16, 3))
    blotches = np.asarray(np.clip(greys + tints, 0, 255), np.uint8)
    wall = cv2.resize(blotches, (room.width, room.height), interpolation=cv2.INTER_CUBIC)
    for _ in range(room.width // 24):
        x, y = chance.integers(0, (room.width, room.height)).tolist()
        w, h = chance.integers(room.width // 60, room.width // 8, 2).tolist()
        colour = np.add(chance.integers(low, high), chance.integers(-TINT, TINT, 3)).tolist()
        cv2.rectangle(wall, (x, y), (x + w, y + h), colour, int(chance.choice([-1, 2, 4])))
    noise = np.asarray(chance.normal(0, 14, wall.shape), np.float32)
    grain = cv2.GaussianBlur(noise, (0, 0), 0.8)
    return np.asarray(np.clip(wall + grain, 0, 255), np.uint8)


def _paste(image: Image, head: Head, box: FloatArray) -> None:
    """Draw a head so that its face fills the box, to fractions of a pixel."""
    height, width = head.alpha.shape
    scale = (box[2:] - box[:2]) / np.array(head.face_px)
    corner = (box[:2] + box[2:]) / 2 - scale * np.array([width, height]) / 2
    low = np.maximum(np.floor(corner), 0).astype(int)
    high = np.ceil(corner + scale * np.array([width, height])).astype(int)
    high = np.minimum(high, (image.shape[1], image.shape[0]))
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    offset = corner - low + (scale - 1) / 2
    matrix = np.array([[scale[0], 0, offset[0]], [0, scale[1], offset[1]]])
    warped = cv2.warpAffine(head.image, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(head.alpha, matrix, size)
    region = image[low[1] : high[1], low[0] : high[0]]
    region[...] = cv2.blendLinear(warped, np.ascontiguousarray(region), alpha, 1 - alpha)
