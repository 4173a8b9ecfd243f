"""Who plays whom in the trial of evidence rules: enrolled, probes and strangers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attendance.evaluation.protocols import ProtocolError, read_people

TEMPLATE_PHOTOS = 5
PROBES_EACH = 3
MOST_PROBES = 250
MOST_STRANGERS = 250


@dataclass(frozen=True)
class Cast:
    """The photos of some people, by what they are for; no photo is for two things.

    Attributes:
        enrolled: five photos of each person who has six or more.
        probes: further photos of the same people, three each at most.
        strangers: one photo of each of the others, 250 at most.
    """

    enrolled: dict[str, tuple[str, ...]]
    probes: tuple[str, ...]
    strangers: tuple[str, ...]


def choose(folder: Path, people: Sequence[str], seed: int = 0) -> Cast:
    """Cast these people by chance.

    Raises:
        ProtocolError: nobody has six photos, or everybody has.
    """
    known = read_people(folder)
    chance = np.random.default_rng(seed)
    shuffled = {
        name: tuple(known[name][i] for i in chance.permutation(len(known[name])))
        for name in sorted(set(people) & set(known))
    }
    enrolled = {name: p for name, p in shuffled.items() if len(p) > TEMPLATE_PHOTOS}
    others = [photos[0] for name, photos in shuffled.items() if name not in enrolled]
    if not enrolled or not others:
        raise ProtocolError(
            f"{folder}: {len(enrolled)} of {len(shuffled)} people have six photos or more; some "
            "must, to be enrolled with five and probed with another, and some must not"
        )
    each = [photos[TEMPLATE_PHOTOS:][:PROBES_EACH] for photos in enrolled.values()]
    rounds = [photos[i] for i in range(PROBES_EACH) for photos in each if i < len(photos)]
    strangers = [others[i] for i in chance.permutation(len(others))]
    return Cast(
        {name: photos[:TEMPLATE_PHOTOS] for name, photos in enrolled.items()},
        tuple(rounds[:MOST_PROBES]),
        tuple(strangers[:MOST_STRANGERS]),
    )
