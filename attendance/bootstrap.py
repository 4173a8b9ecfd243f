"""Picks the implementations for a running system: one `School` is everything under one home."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from attendance.config import Config
from attendance.core.domain import Gallery
from attendance.core.evidence import DecisionRules
from attendance.core.pipeline import Pipeline, PipelineRules
from attendance.core.tracking import Tracker
from attendance.db.engine import Database, open_database
from attendance.db.vault import Vault, open_vault
from attendance.registry import Registry
from attendance.sessions import SessionRules, Sessions
from attendance.vision.weights import ModelStore

if TYPE_CHECKING:
    from attendance.vision.facenet import FaceNet
    from attendance.vision.mtcnn import Mtcnn


class School:
    """Everything under one home folder, opened when first asked for.

    Args:
        home: the school's folder; made with its database and key if it is not there.
        config: the settings in force.
    """

    def __init__(self, home: Path, config: Config) -> None:
        self.home = home
        self.config = config
        self._loading = threading.Lock()
        self._detector: Mtcnn | None = None
        self._embedder: FaceNet | None = None

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
        return Sessions(self.db)

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

        with self._loading:
            if self._detector is None:
                config = self.config
                device, cache = config.embedder.device, self.models.cache_dir
                self._detector = load_detector(config.detector, device, cache)
            return self._detector

    def embedder(self) -> FaceNet:
        """The embedder, loaded once."""
        from attendance.vision.loading import load_embedder

        with self._loading:
            if self._embedder is None:
                self._embedder = load_embedder(self.config.embedder, self.models)
            return self._embedder

    def rules(self) -> SessionRules:
        """What a session opened now is held to."""
        thresholds = self.config.decision.model_dump()
        session = self.config.session
        return SessionRules(
            late_after_s=session.late_after_min * 60,
            min_coverage=session.min_coverage,
            thresholds={key: float(value) for key, value in thresholds.items()},
        )

    def pipeline(self, gallery: Gallery, thresholds: dict[str, float]) -> Pipeline:
        """A pipeline that knows this gallery and goes by the thresholds a session was opened with.

        Raises:
            ModelError: the weights cannot be loaded.
        """
        import time

        tracking = self.config.tracking
        tracker = Tracker(tracking.min_iou, tracking.confirm_hits, tracking.lost_after_s)
        rules = pipeline_rules(thresholds)
        detector, embedder = self.detector(), self.embedder()
        return Pipeline(detector, embedder, gallery, tracker, rules, time.perf_counter)

    def close(self) -> None:
        """Let the database go."""
        if "db" in self.__dict__:
            self.db.dispose()


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
