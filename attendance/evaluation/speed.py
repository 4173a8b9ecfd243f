"""`attendance bench`: ours beside what others run today, on the same pictures in one run.

Absolute times drift with the machine and whatever else it does; everything that is compared takes
turns or lies minutes apart, and the ratios are what is worth quoting.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np
from rich.progress import Progress

from attendance.bootstrap import School
from attendance.core.domain import FloatArray, Gallery, Image
from attendance.core.errors import AttendanceError
from attendance.evaluation.cast import Cast, cast_people
from attendance.evaluation.live import LiveJob, LiveRun, run_live
from attendance.evaluation.moving_class import (
    FPS,
    LARGE_CLASS,
    ONE_PERSON,
    SMALL_CLASS,
    MovingClass,
    compose,
)
from attendance.evaluation.speed_baselines import (
    Baseline,
    DlibHog,
    FullScan,
    Reference,
    Stages,
    YunetSface,
    timed,
)
from attendance.source import parse_source
from attendance.stream import open_source
from attendance.vision import weights
from attendance.vision.crop import face_crops
from attendance.vision.loading import load_facenet
from attendance.vision.reference import FacenetPytorch

MIN_FACE_PX = 40
MAX_TURNS = 9
BATCH = 30
SINGLES = 6
LIVE_WITHIN_S = 60.0
RECALL_EVERY = 10
FULL_FRAMES = 6
REFERENCE, YUNET, DLIB, FULL = "facenet_pytorch", "yunet_sface", "dlib_hog", "ours_full_scan"


@dataclass(frozen=True)
class BenchOptions:
    """What is asked for.

    Attributes:
        people: photos of each person for the synthetic class.
        cache: where foreign models are kept.
        seconds: length of the synthetic videos; below nine also the turns of the full scans.
        video: a real clip besides.
    """

    people: Mapping[str, Sequence[Path]]
    cache: Path
    seconds: float = 20.0
    seed: int = 0
    video: Path | None = None


@dataclass(frozen=True)
class Sampled:
    """What the baselines did with frames spread over a video.

    Attributes:
        decode_ms: of one frame, mean over all.
        stages: of each fully processed frame, by baseline.
        references: boxes facenet-pytorch found, by frame number.
    """

    decode_ms: float
    stages: dict[str, list[Stages]]
    references: dict[int, FloatArray]

    def frames_per_s(self, name: str) -> float | None:
        """Median over the frames, decoding included; None for a baseline that did not run."""
        if not self.stages.get(name):
            return None
        return 1000 / (median(sum(row.values()) for row in self.stages[name]) + self.decode_ms)

    def stages_ms(self, name: str) -> dict[str, float]:
        """Median of each stage."""
        rows = self.stages.get(name, [])
        return {stage: median(row[stage] for row in rows) for stage in (rows[0] if rows else ())}


@dataclass(frozen=True)
class Measured:
    """Everything a run found out, before it is put into figures.

    Attributes:
        lives: by name: `1080p_30`, `1080p_30_preview`, `720p_8`, `video`.
        sampled: by name of the video.
        scans: (ours, facenet-pytorch) milliseconds of one still, by its name.
        embed_ms: (ours amortised, eager torch one by one) of one face.
        variants: what ran, by baseline.
        missing: why a baseline did not, by baseline.
    """

    large: MovingClass
    is_repeating: bool
    lives: dict[str, LiveRun]
    sampled: dict[str, Sampled]
    scans: dict[str, tuple[float, float]]
    embed_ms: tuple[float, float]
    variants: dict[str, str]
    missing: dict[str, str]


def measure(school: School, options: BenchOptions, progress: Progress) -> Measured:
    """The whole run.

    Args:
        school: whose models and settings; the smallest face is set to 40 pixels for all.
        options: what is asked for.
        progress: where it shows how far it is.

    Raises:
        AttendanceError: no usable faces, an unreadable clip, or a failed live process.
    """
    detector = school.config.detector.model_copy(update={"min_face_px": MIN_FACE_PX})
    same = School(school.home, school.config.model_copy(update={"detector": detector}))
    with tempfile.TemporaryDirectory(prefix="attendance-bench-") as folder:
        return _Bench(same, options, progress, Path(folder)).run()


class _Bench:
    """One run and where it keeps its videos."""

    def __init__(
        self, school: School, options: BenchOptions, progress: Progress, folder: Path
    ) -> None:
        self._school = school
        self._options = options
        self._progress = progress
        self._folder = folder
        self._turns = max(1, min(MAX_TURNS, round(options.seconds)))

    def run(self) -> Measured:
        """Live first, while nothing else is loaded; then the others on the same videos."""
        frames = max(2, round(self._options.seconds * FPS))
        cast = self._cast(frames)
        seed = self._options.seed
        small, large = (compose(r, cast.people, frames, seed) for r in (SMALL_CLASS, LARGE_CLASS))
        videos = {film.room.name: self._film(film) for film in (small, large)}
        if self._options.video is not None:
            videos["video"] = self._options.video
        lives = self._play(videos, cast.gallery)
        model = FacenetPytorch(self._school.models.path(weights.DEFAULT), MIN_FACE_PX)
        reference = Reference(model)
        others, missing = self._baselines(reference)
        sampled = {
            name: self._sample(name, path, lives[name].frames, reference, others)
            for name, path in videos.items()
        }
        one = compose(ONE_PERSON, cast.people, 2, seed)
        stills = {film.room.name: film.render(0) for film in (one, small, large)}
        return Measured(
            large,
            cast.is_repeating,
            lives,
            sampled,
            {name: self._scan(name, still, model) for name, still in stills.items()},
            self._embed(stills[LARGE_CLASS.name], model),
            {name: baseline.variant for name, baseline in others.items()},
            missing,
        )

    def _cast(self, frames: int) -> Cast:
        count = max(room.people(frames) for room in (SMALL_CLASS, LARGE_CLASS))
        detector, embedder = self._school.detector(), self._school.embedder()
        people, seed = self._options.people, self._options.seed
        with self._phase("Choosing faces", count) as tick:
            return cast_people(people, count, detector, embedder, seed, tick)

    def _film(self, film: MovingClass) -> Path:
        target = self._folder / f"{film.room.name}.mp4"
        with self._phase(f"Filming {film.room.name}", film.frames) as tick:
            film.write(target, tick)
        return target

    def _play(self, videos: Mapping[str, Path], gallery: Gallery) -> dict[str, LiveRun]:
        preview = f"{LARGE_CLASS.name}_preview"
        runs = {name: self._live(name, path, gallery, None) for name, path in videos.items()}
        runs[preview] = self._live(preview, videos[LARGE_CLASS.name], gallery, self._folder)
        return runs

    def _live(self, name: str, path: Path, gallery: Gallery, preview: Path | None) -> LiveRun:
        school = self._school
        job = LiveJob(school.home, school.config, path, gallery, LIVE_WITHIN_S, preview)
        with self._phase(f"Ours live, {name}", None) as tick:
            return run_live(job, lambda _: tick())

    def _baselines(self, reference: Reference) -> tuple[dict[str, Baseline], dict[str, str]]:
        school, cache = self._school, self._options.cache
        others: dict[str, Baseline] = {
            REFERENCE: reference,
            FULL: FullScan(school.detector(), school.embedder(), school.config.detector.min_score),
        }
        optional: dict[str, Callable[[], Baseline]] = {
            YUNET: lambda: YunetSface(cache, MIN_FACE_PX),
            DLIB: DlibHog,
        }
        missing: dict[str, str] = {}
        for name, make in optional.items():
            try:
                others[name] = make()
            except AttendanceError as error:
                missing[name] = str(error)
        return others, missing

    def _sample(
        self,
        name: str,
        path: Path,
        frames: int,
        reference: Reference,
        others: Mapping[str, Baseline],
    ) -> Sampled:
        """Every tenth frame to facenet-pytorch's detector, some of those to everybody, in turns.

        Of as many frames as the live run came to.
        """
        wanted = list(range(0, frames, RECALL_EVERY))
        spread = np.linspace(0, len(wanted) - 1, min(FULL_FRAMES, len(wanted))).astype(int)
        full = {wanted[i] for i in spread}
        if name == SMALL_CLASS.name:
            wanted = sorted(full)
        stages: dict[str, list[Stages]] = {other: [] for other in others}
        references: dict[int, FloatArray] = {}
        decode_ms = []
        with self._phase(f"The others, {name}", len(wanted)) as tick:
            for number, image, cost_ms in islice(_decoded(path), frames):
                decode_ms.append(cost_ms)
                if number not in wanted:
                    continue
                for other in others if number in full else ():
                    stages[other].append(others[other].process(image))
                references[number] = reference.boxes if number in full else reference.detect(image)
                tick()
        return Sampled(float(np.mean(decode_ms)), stages, references)

    def _scan(self, name: str, still: Image, reference: FacenetPytorch) -> tuple[float, float]:
        ours = self._school.detector()
        with self._phase(f"Full scans, {name}", self._turns) as tick:
            return _turns(
                lambda: ours.detect_fast(still), lambda: reference.detect(still), self._turns, tick
            )

    def _embed(self, still: Image, reference: FacenetPytorch) -> tuple[float, float]:
        """Milliseconds a face, crops already cut on both sides."""
        boxes = reference.detect(still)
        theirs = reference.crop(still, boxes)[:SINGLES]
        crops = face_crops(still, np.resize(boxes, (BATCH, 4)))
        embedder = load_facenet(self._school.config.embedder, self._school.models)

        def one_by_one() -> None:
            for face in range(len(theirs)):
                reference.embed(theirs[face : face + 1])

        with self._phase("Embedding", self._turns) as tick:
            pair = _turns(lambda: embedder.embed_crops(crops), one_by_one, self._turns, tick)
        return pair[0] / BATCH, pair[1] / len(theirs)

    @contextmanager
    def _phase(self, title: str, total: int | None) -> Iterator[Callable[[], None]]:
        task = self._progress.add_task(title, total=total)
        yield lambda: self._progress.advance(task)
        done = total or 1
        self._progress.update(task, total=done, completed=done)


def _turns(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    turns: int,
    tick: Callable[[], None],
) -> tuple[float, float]:
    """Median milliseconds of both, taken in turns.

    Each is timed after a call of its own that does not count: what the other one leaves behind,
    such as threads that go on spinning for a while, is neither's cost.
    """
    pairs = []
    for _ in range(turns):
        pairs.append((_second_ms(ours), _second_ms(theirs)))
        tick()
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def _second_ms(call: Callable[[], object]) -> float:
    call()
    return timed(call)[1]


def _decoded(path: Path) -> Iterator[tuple[int, Image, float]]:
    """Number, picture and milliseconds of decoding of every frame."""
    source = open_source(parse_source(str(path)))
    number = 0
    try:
        while True:
            image, cost_ms = timed(source.read)
            if image is None:
                return
            yield number, image, cost_ms
            number += 1
    finally:
        source.close()
