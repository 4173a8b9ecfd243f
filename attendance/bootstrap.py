"""Picks the implementations for a running system: one `School` is everything under one home."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from attendance.calibration import Calibrations
from attendance.calibration.background import shipped_background
from attendance.calibration.in_force import InForce, carried_over, in_force
from attendance.config import Config, DecisionConfig
from attendance.core.cohort import Cohort
from attendance.core.domain import Gallery
from attendance.core.evidence import DecisionRules
from attendance.core.pipeline import Pipeline
from attendance.core.promises import Submit, at_once
from attendance.core.tracking import Tracker
from attendance.core.watching import PipelineRules
from attendance.db.engine import Database, open_database
from attendance.db.vault import Vault, open_vault
from attendance.registry import Registry
from attendance.sessions import Course, CropKeeper, SessionRules, Sessions
from attendance.vision.weights import DEFAULT, ModelStore

if TYPE_CHECKING:
    from attendance.vision.embedder import NamedEmbedder
    from attendance.vision.mtcnn import Mtcnn


LIVE_THREADS = 2
THREADS_TAKE_TURNS_S = 0.0005


class School:
    """Everything under one home folder, opened when first asked for.

    Args:
        home: the school's folder; made with its database and key if it is not there.
        config: the settings in force.
    """

    def __init__(self, home: Path, config: Config) -> None:
        self.home = home
        self.config = config
        self._loading_detector = threading.Lock()
        self._loading_embedder = threading.Lock()
        self._detector: Mtcnn | None = None
        self._embedders: dict[str, NamedEmbedder] = {}

    @cached_property
    def db(self) -> Database:
        """The database, migrated to this version."""
        return open_database(self.home)

    @cached_property
    def vault(self) -> Vault:
        """The encryption keys."""
        return open_vault(self.home, self.db)

    @cached_property
    def registry(self) -> Registry:
        """People, consents, templates."""
        return Registry(self.db, self.vault)

    @cached_property
    def sessions(self) -> Sessions:
        """Courses, class sessions, registers."""
        return Sessions(
            self.db, CropKeeper(lambda: self.vault, self.config.session.keep_crops_days)
        )

    @cached_property
    def calibrations(self) -> Calibrations:
        """Operating points, cohorts of cameras, drift."""
        return Calibrations(self.db)

    @cached_property
    def models(self) -> ModelStore:
        """The embedders of this school."""
        return ModelStore(self.home / "models")

    @property
    def run_dir(self) -> Path:
        """Where running processes leave their addresses; for their owner only."""
        folder = self.home / "run"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    @property
    def model_id(self) -> str:
        """The embedding space in use, without loading the model."""
        return self.models.model_id(self.models.active())

    def detector(self) -> Mtcnn:
        """The face detector, loaded once."""
        from attendance.vision.loading import load_detector

        with self._loading_detector:
            if self._detector is None:
                config = self.config
                device, cache = config.embedder.device, self.models.cache_dir
                self._detector = load_detector(config.detector, device, cache)
            return self._detector

    def embedder(self, name: str | None = None) -> NamedEmbedder:
        """The embedder in use, or that of these weights; each is loaded once.

        Raises:
            ModelError: its weights cannot be loaded.
        """
        from attendance.vision.loading import load_embedder

        with self._loading_embedder:
            name = name or self.models.active()
            if name not in self._embedders:
                config, store = self.config.embedder, self.models
                self._embedders[name] = load_embedder(config, store, name=name)
            return self._embedders[name]

    def embedders(self) -> tuple[NamedEmbedder, ...]:
        """All that are installed, the one in use first: enrolment makes templates of each.

        Raises:
            ModelError: the weights in use cannot be loaded.
        """
        active = self.models.active()
        others = [name for name in self.models.installed() if name != active]
        return tuple(self.embedder(name) for name in (active, *others))

    def rules(self, course: Course | None = None, camera_id: int | None = None) -> SessionRules:
        """What a session opened now is held to: of a course, of nobody in particular for None.

        The newest calibration that fits course, camera and model decides from what score on
        somebody is named; without one the size of the roster does, and the settings are the least.
        """
        session = self.config.session
        found = None if course is None else self.in_force(course, camera_id)
        point = found.point if found else None
        return SessionRules(
            late_after_s=session.late_after_min * 60,
            min_coverage=session.min_coverage,
            thresholds=found.thresholds if found else self._configured(),
            operating_point=point.id if point else None,
            cohort_version=found.cohort[0] if found and found.cohort else None,
            too_alike=point.too_alike if point else (),
        )

    def in_force(self, course: Course, camera_id: int | None = None) -> InForce:
        """The decision's thresholds a session opened now would have, and where they come from.

        Args:
            course: whose roster of today.
            camera_id: None where it is not known which camera will look.
        """
        today = utc_now().astimezone(ZoneInfo(course.timezone)).date()
        roster, model_id = self.sessions.roster(course.id, today), self.model_id
        kept = self.calibrations
        return in_force(
            self._configured(),
            shipped_background(model_id),
            self.registry.enrolled(roster, model_id),
            kept.point(course.id, camera_id, model_id),
            None if camera_id is None else kept.cohort_version(camera_id, model_id),
        )

    def thresholds_for(self, enrolled: int, people: int) -> dict[str, float]:
        """What a session without a calibration goes by.

        Args:
            enrolled: people on its roster who have templates.
            people: the most its camera has shown in one session.
        """
        background = shipped_background(self.model_id)
        cohort = (0, people, people) if people else None
        return in_force(self._configured(), background, range(enrolled), None, cohort).thresholds

    def decision(self, model_id: str) -> DecisionConfig:
        """The section `decision` of the settings, its thresholds on this model's scale.

        The settings speak of the default model's scores; where strangers were measured for both,
        another model's threshold is the one that holds them as well.
        """
        made_for = shipped_background(self.models.model_id(DEFAULT))
        settings = self.config.decision.model_dump()
        carried = carried_over(settings, made_for, shipped_background(model_id))
        return self.config.decision.model_copy(update=carried)

    def _configured(self) -> dict[str, float]:
        found = self.decision(self.model_id).model_dump()
        return {key: float(value) for key, value in found.items()}

    def pipeline(
        self, gallery: Gallery, thresholds: dict[str, float], cohort: Cohort | None = None
    ) -> Pipeline:
        """A pipeline that knows this gallery and goes by the thresholds a session was opened with.

        Every step waits for the one before it, so the same frames give the same facts: what
        recordings are evaluated with.

        Raises:
            ModelError: the weights cannot be loaded.
        """
        detector, embedder = _both(self.detector, self.embedder)
        return self._assembled(detector, embedder, gallery, thresholds, cohort)

    def live_pipeline(
        self, gallery: Gallery, thresholds: dict[str, float], cohort: Cohort | None = None
    ) -> Pipeline:
        """The same for a camera: it embeds and looks for newcomers while the next frames go on.

        Raises:
            ModelError: the weights cannot be loaded.
        """
        sys.setswitchinterval(THREADS_TAKE_TURNS_S)
        loading = self._live_models
        detector, embedder = loading[0].result(), loading[1].result()
        submit = self._background.submit
        return self._assembled(detector, embedder, gallery, thresholds, cohort, submit)

    def begin_loading(self) -> None:
        """Start to load what a live pipeline needs; whoever asks for one waits for the rest."""
        _ = self._live_models

    @cached_property
    def _live_models(self) -> tuple[Future[Mtcnn], Future[NamedEmbedder]]:
        """Detector and embedder, loaded side by side.

        One thread follows faces, one looks for newcomers and one embeds; each computes with half
        of the processor, as splitting every small net over all of it costs more than it gains.
        """
        from attendance.vision.loading import load_detector, load_embedder

        config, models = self.config, self.models
        half = max(1, len(os.sched_getaffinity(0)) // 2) if hasattr(os, "sched_getaffinity") else 1
        device, cache = config.embedder.device, models.cache_dir
        pool = ThreadPoolExecutor(2, "loading")
        detector = pool.submit(load_detector, config.detector, device, cache, LIVE_THREADS)
        embedder: Future[NamedEmbedder] = pool.submit(load_embedder, config.embedder, models, half)
        pool.shutdown(wait=False)
        return detector, embedder

    @cached_property
    def _background(self) -> ThreadPoolExecutor:
        """A thread for newcomers and one for embeddings, so that neither waits for the other."""
        return ThreadPoolExecutor(2, "background")

    def _assembled(
        self,
        detector: Mtcnn,
        embedder: NamedEmbedder,
        gallery: Gallery,
        thresholds: dict[str, float],
        cohort: Cohort | None = None,
        submit: Submit = at_once,
    ) -> Pipeline:
        if embedder.model_id != gallery.model_id:  # another is in use since the session was opened
            embedder = self.embedder(self.models.name_of(gallery.model_id))
        tracking = self.config.tracking
        tracker = Tracker(tracking.min_iou, tracking.confirm_hits, tracking.lost_after_s)
        rules = pipeline_rules(thresholds)
        return Pipeline(
            detector, embedder, gallery, tracker, rules, time.perf_counter, submit, cohort
        )

    def close(self) -> None:
        """Let the database and the background threads go."""
        if "_background" in self.__dict__:
            self._background.shutdown()
        if "db" in self.__dict__:
            self.db.dispose()


def _both(
    detector: Callable[[], Mtcnn], embedder: Callable[[], NamedEmbedder]
) -> tuple[Mtcnn, NamedEmbedder]:
    """Load the two side by side; reading and compiling leave the interpreter alone."""
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(embedder)
        return detector(), loading.result()


def pipeline_rules(thresholds: dict[str, float]) -> PipelineRules:
    """The rules stored with a session as the pipeline wants them."""
    names = DecisionRules.__dataclass_fields__
    decision = {name: thresholds[name] for name in names}
    decision["min_looks"] = int(decision["min_looks"])
    return PipelineRules(
        DecisionRules(**decision),  # type: ignore[arg-type]
        thresholds["look_interval_s"],
        thresholds["review_after_s"],
    )


def utc_now() -> datetime:
    """The wall clock, read at the edges only."""
    return datetime.now(UTC)
