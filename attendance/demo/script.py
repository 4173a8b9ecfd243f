"""Who comes to the demo's class, when and where: drawn from a seed, known before anybody looks.

The expected register comes from here and from nowhere else; the pipeline never sees it.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

LATE_AFTER_S = 30.0
DURATION_S = 50.0
FPS = 12.0
WIDTH, HEIGHT = 1280, 720
LANES = 6
Window = tuple[float, float]
EARLY = ((0.5, 4.9), (6.3, 10.7), (12.1, 16.5), (17.9, 22.3))
LATE = ((33.0, 37.4), (38.8, 43.2), (44.6, 49.0))
FACE_PX = (120.0, 150.0)


@dataclass(frozen=True)
class Visit:
    """One photo of one person moving about for a while.

    Attributes:
        photo: which of the person's class photos.
        face_px: height of the face.
        phase: where in the movement it begins, in radians.
    """

    person: str
    photo: int
    start_s: float
    end_s: float
    lane: int
    face_px: float
    phase: float

    def face_at(self, t_s: float) -> tuple[float, float, float]:
        """Centre x, centre y and height of the face, in pixels, at a time within the visit."""
        swing = self.phase + 0.9 * (t_s - self.start_s)
        x = WIDTH * (self.lane + 0.5) / LANES + 22 * math.sin(swing)
        y = HEIGHT * 0.45 + 70 * math.sin(0.6 * swing + self.phase)
        return x, y, self.face_px * (1 + 0.06 * math.sin(0.8 * swing))


@dataclass(frozen=True)
class Script:
    """The class of one seed.

    Attributes:
        enrolled: who is on the roster and has templates.
        stranger: who is on neither.
        absent: of the enrolled, who stays away.
        late: of the enrolled, who comes after the limit.
        visits: who is to be seen when.
    """

    seed: int
    enrolled: tuple[str, ...]
    stranger: str
    absent: frozenset[str]
    late: frozenset[str]
    visits: tuple[Visit, ...]

    @property
    def present(self) -> frozenset[str]:
        """Who comes in time."""
        return frozenset(self.enrolled) - self.absent - self.late

    def visits_at(self, t_s: float) -> list[Visit]:
        """Who is to be seen at this time."""
        return [visit for visit in self.visits if visit.start_s <= t_s < visit.end_s]


def draw(seed: int, people: list[str], extra: str, photos: dict[str, int]) -> Script:
    """The script of a seed.

    Args:
        seed: any number.
        people: who may be enrolled.
        extra: who never is; the stranger is drawn from both.
        photos: how many class photos each of them has.
    """
    rng = random.Random(seed)
    stranger = rng.choice([*people, extra])
    enrolled = tuple(person for person in people if person != stranger)
    shuffled = rng.sample(enrolled, len(enrolled))
    away = rng.choice((1, 1, 2))
    absent, late = frozenset(shuffled[:away]), frozenset(shuffled[away : away + 1])
    visitors: dict[str, tuple[Window, ...]] = dict.fromkeys(shuffled[away + 1 :], EARLY)
    visitors |= dict.fromkeys(late, LATE)
    visitors[stranger] = (*EARLY[:2], LATE[0])
    visits = _visits(rng, visitors, photos)
    return Script(seed, enrolled, stranger, absent, late, visits)


def _visits(
    rng: random.Random,
    visitors: dict[str, tuple[Window, ...]],
    photos: dict[str, int],
) -> tuple[Visit, ...]:
    """Nobody shares a lane with anybody at the same time, nobody shows a photo twice."""
    visits = []
    shown = {person: _some(rng, photos[person], len(times)) for person, times in visitors.items()}
    for window in (*EARLY, *LATE):
        lanes = rng.sample(range(LANES), LANES)
        for person, times in visitors.items():
            if window in times:
                photo = shown[person][times.index(window)]
                face_px, phase = rng.uniform(*FACE_PX), rng.uniform(0, 2 * math.pi)
                visits.append(Visit(person, photo, *window, lanes.pop(), face_px, phase))
    return tuple(visits)


def _some(rng: random.Random, available: int, wanted: int) -> list[int]:
    """Different photos while there are enough, then the same again."""
    chosen = rng.sample(range(available), min(available, wanted))
    return [chosen[i % len(chosen)] for i in range(wanted)]
