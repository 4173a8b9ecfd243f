"""Our engine beside facenet-pytorch as its README uses it, on the same pictures in one run.

Absolute times drift with the machine and what else it does; the ratios are what is worth quoting.
"""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from attendance.bootstrap import School
from attendance.core.domain import Image
from attendance.vision import torch_nets, weights
from attendance.vision.crop import CROP_PX
from attendance.vision.facenet import FaceNet
from attendance.vision.loading import load_detector

HEIGHT, WIDTH = 720, 1280
FACES = (1, 8)
MIN_FACE_PX = 40
FACE_PX = 300
BATCH = 8


def measure(school: School, face: Image, repeats: int, tick: Callable[[], None]) -> dict[str, Any]:
    """Median times in milliseconds and their ratios.

    Args:
        school: whose engine and weights.
        face: a BGR picture of one face.
        repeats: of every measurement; the two sides take turns.
        tick: called after each.
    """
    config = school.config.detector.model_copy(update={"min_face_px": MIN_FACE_PX})
    ours = load_detector(config, school.config.embedder.device, school.models.cache_dir)
    theirs = torch_nets.reference_detect(MIN_FACE_PX)
    stages: dict[str, float] = {}
    for count in FACES:
        image = classroom(face, count)
        pair = _turns(lambda: ours.detect(image), lambda: theirs(image), repeats, tick)  # noqa: B023
        stages[f"scan_720p_{count}"], stages[f"reference_scan_720p_{count}"] = pair
    reference = torch_nets.facenet_from_graph(school.models.path(weights.DEFAULT))
    eager = FaceNet(torch_nets.facenet_net(reference), "", "torch")
    crops = np.random.default_rng(0).integers(0, 255, (BATCH, CROP_PX, CROP_PX, 3), np.uint8)
    embedder = school.embedder()
    pair = _turns(
        lambda: embedder.embed_crops(crops), lambda: eager.embed_crops(crops), repeats, tick
    )
    stages["embed_8"], stages["reference_embed_8"] = pair
    return {
        "processor": processor(),
        "repeats": repeats,
        "scan_ratio_720p_1": round(stages["reference_scan_720p_1"] / stages["scan_720p_1"], 2),
        "scan_ratio_720p_8": round(stages["reference_scan_720p_8"] / stages["scan_720p_8"], 2),
        "embed_ratio": round(stages["reference_embed_8"] / stages["embed_8"], 2),
        "peak_mb": round(_peak_mb()),
        "stages_ms": {name: round(value, 1) for name, value in stages.items()},
    }


def steps(repeats: int) -> int:
    """How often `measure` ticks."""
    return (len(FACES) + 1) * repeats


def classroom(face: Image, count: int) -> Image:
    """A 1280x720 picture with this many copies of a face in two rows."""
    image = np.full((HEIGHT, WIDTH, 3), 180, np.uint8)
    small = cv2.resize(face, (FACE_PX, FACE_PX), interpolation=cv2.INTER_AREA)
    for i in range(count):
        x, y = 20 + (i % 4) * 315, 20 + (i // 4) * 350
        image[y : y + FACE_PX, x : x + FACE_PX] = small
    return image


def _turns(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    repeats: int,
    tick: Callable[[], None],
) -> tuple[float, float]:
    """Median milliseconds of both, taken in turns after one round that does not count."""
    ours(), theirs()
    times: list[tuple[float, float]] = []
    for _ in range(repeats):
        times.append((_milliseconds(ours), _milliseconds(theirs)))
        tick()
    return median(pair[0] for pair in times), median(pair[1] for pair in times)


def _milliseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def processor() -> str:
    """What the figures were taken on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} x {len(names)}" if names else platform.processor() or platform.machine()
