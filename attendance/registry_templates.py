"""Sealing embeddings into template rows, and opening them into a gallery."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import uuid4

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from attendance.core.domain import FloatArray, Gallery, Pose
from attendance.core.errors import DimensionError, VaultError
from attendance.db.models import SampleRow, StudentRow, TemplateRow
from attendance.db.vault import DataKey, Vault
from attendance.registry_models import NewTemplate

POSE_ORDER = {pose: place for place, pose in enumerate(Pose)}


@dataclass(frozen=True)
class OpenedTemplate:
    """A template in clear, for as long as a gallery is being made."""

    student_id: int
    template: NewTemplate


def sealed_row(
    key: DataKey, template: NewTemplate, sample: SampleRow, consent_id: int, model_id: str
) -> TemplateRow:
    """A new template row; its id is made here because the ciphertext is bound to it."""
    row = TemplateRow(
        id=str(uuid4()),
        student_id=sample.student_id,
        sample_id=sample.id,
        consent_id=consent_id,
        model_id=model_id,
        pose=template.pose,
        is_flip=template.is_flip,
    )
    row.embedding = key.seal(_to_bytes(template.embedding), _belongs_to(row))
    return row


def opened_templates(
    tx: Session, vault: Vault, student_ids: set[int], model_id: str
) -> list[OpenedTemplate]:
    """These students' templates, by student, pose and flip; one data key opened a student.

    Raises:
        VaultError: a template or a data key does not open.
    """
    query = (
        select(TemplateRow, SampleRow.key, StudentRow.data_key)
        .join(SampleRow, SampleRow.id == TemplateRow.sample_id)
        .join(StudentRow, StudentRow.id == TemplateRow.student_id)
        .where(TemplateRow.student_id.in_(student_ids), TemplateRow.model_id == model_id)
    )
    found = [(row, key, wrapped) for row, key, wrapped in tx.execute(query)]
    found.sort(
        key=lambda item: (item[0].student_id, POSE_ORDER[item[0].pose], item[1], item[0].is_flip)
    )
    opened: list[OpenedTemplate] = []
    for student_id, group in groupby(found, key=lambda item: item[0].student_id):
        rows = list(group)
        data_key = _open_key(vault, student_id, rows[0][2])
        opened += [OpenedTemplate(student_id, _open(data_key, row, key)) for row, key, _ in rows]
    return opened


def as_gallery(opened: Sequence[OpenedTemplate], model_id: str) -> Gallery:
    """One matrix, its rows grouped by student.

    Raises:
        DimensionError: templates of one model have several dimensions.
    """
    if not opened:
        return Gallery(model_id, (), np.zeros((0, 0), np.float32), np.zeros(0, np.intp))
    dimensions = {item.template.embedding.size for item in opened}
    if len(dimensions) > 1:
        raise DimensionError(f"the templates of {model_id} have several dimensions: {dimensions}")
    student_ids, owners = np.unique([item.student_id for item in opened], return_inverse=True)
    matrix = np.stack([item.template.embedding for item in opened])
    return Gallery(model_id, tuple(student_ids.tolist()), matrix, owners.astype(np.intp))


def _place(found: tuple[TemplateRow, str, bytes | None]) -> tuple[int, int, str, bool]:
    row, sample_key, _ = found
    return row.student_id, POSE_ORDER[row.pose], sample_key, row.is_flip


def _open_key(vault: Vault, student_id: int, wrapped: bytes | None) -> DataKey:
    if wrapped is None:
        raise VaultError(f"student {student_id} has templates but no data key; restore a backup")
    return vault.open_key(student_id, wrapped)


def _open(key: DataKey, row: TemplateRow, sample_key: str) -> NewTemplate:
    embedding = _from_bytes(key.unseal(row.embedding, _belongs_to(row)))
    return NewTemplate(sample_key, row.pose, row.is_flip, embedding)


def _belongs_to(row: TemplateRow) -> bytes:
    """The associated data: change one of these and the ciphertext does not open."""
    place = ["template", row.id, row.student_id, row.model_id, row.pose, bool(row.is_flip)]
    return json.dumps(place, ensure_ascii=False, separators=(",", ":")).encode()


def _to_bytes(embedding: FloatArray) -> bytes:
    return embedding.astype("<f4", copy=False).tobytes()


def _from_bytes(data: bytes) -> FloatArray:
    return np.frombuffer(data, "<f4").astype(np.float32)
