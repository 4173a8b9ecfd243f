"""Which embedder runs is known in `vision/` alone: the rest takes whatever it is given."""

import re
from pathlib import Path

import attendance
import enroll
import web

A_NETWORKS_OWN = re.compile(r"attendance\.vision\.(facenet|sface|alignment|crop)\b|embed_crops")


def sources() -> dict[str, str]:
    found = {}
    for package in (attendance, enroll, web):
        root = Path(str(package.__file__)).parent
        for path in root.rglob("*.py"):
            found[f"{root.name}/{path.relative_to(root).as_posix()}"] = path.read_text("utf-8")
    return found


def test_only_vision_and_what_measures_it_name_a_network() -> None:
    """`evaluation` compares crops and precisions of FaceNet, so it has to name what it compares."""
    knows = {name for name, text in sources().items() if A_NETWORKS_OWN.search(text)}
    outside = {
        name
        for name in knows
        if not name.startswith(("attendance/vision/", "attendance/evaluation/"))
    }
    assert outside == set()


def test_not_even_what_measures_makes_crops_for_sface() -> None:
    alignment = re.compile(r"attendance\.vision\.(sface|alignment)\b")
    knows = {name for name, text in sources().items() if alignment.search(text)}
    assert all(name.startswith("attendance/vision/") for name in knows), knows
