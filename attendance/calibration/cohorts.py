"""Keeping cohorts: the mean of the people a camera has seen.

A mean over one person would be that face's embedding. So nothing is kept before a session has
shown `LEAST_PEOPLE` distinct ones, and never what the mean was made of.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from attendance.calibration.models import StoredCohort
from attendance.core.cohort import Cohort
from attendance.db.calibration_models import CameraCohortRow

LEAST_PEOPLE = 5


def keep(tx: Session, camera_id: int, cohort: Cohort, at: datetime) -> StoredCohort | None:
    """Adds the next version; None where there is too little, or nothing new, to keep."""
    newest = newest_version(tx, camera_id, cohort.model_id)
    version, tracks, _ = newest or (0, 0, 0)
    if cohort.people < LEAST_PEOPLE or cohort.tracks <= tracks:
        return None
    row = CameraCohortRow(
        camera_id=camera_id,
        model_id=cohort.model_id,
        version=version + 1,
        tracks=cohort.tracks,
        people=cohort.people,
        mean=cohort.mean.astype("<f4").tobytes(),
        made_at=at,
    )
    tx.add(row)
    tx.flush()
    return _as_cohort(row)


def newest_version(tx: Session, camera_id: int, model_id: str) -> tuple[int, int, int] | None:
    """The newest version of a camera's cohort, its tracks and its people."""
    row = CameraCohortRow
    query = (
        select(row.version, row.tracks, row.people)
        .where(row.camera_id == camera_id, row.model_id == model_id)
        .order_by(row.version.desc())
        .limit(1)
    )
    found = tx.execute(query).first()
    return None if found is None else (found.version, found.tracks, found.people)


def find(tx: Session, camera_id: int, model_id: str, version: int | None) -> StoredCohort | None:
    """A version of a camera's cohort, the newest for None."""
    row = CameraCohortRow
    query = select(row).where(row.camera_id == camera_id, row.model_id == model_id)
    if version is not None:
        query = query.where(row.version == version)
    found = tx.scalar(query.order_by(row.version.desc()).limit(1))
    return None if found is None else _as_cohort(found)


def _as_cohort(row: CameraCohortRow) -> StoredCohort:
    mean = np.frombuffer(row.mean, "<f4").astype(np.float32)
    return StoredCohort(
        row.version, row.made_at, Cohort(row.model_id, row.tracks, row.people, mean)
    )
