"""What a look showed: a small picture under its student's key, for some days.

A crop is kept of a student whom a mark or a review claims, and who consents; of nobody else. The
withdrawal of consent deletes it, erasing the student destroys its key, and its days run out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from attendance.core.domain import Image
from attendance.core.errors import VaultError
from attendance.db.class_models import CropRow, EvidenceRow
from attendance.db.models import ConsentRow, StudentRow
from attendance.db.vault import Vault

JPEG_QUALITY = 85
TEXTS_WITHOUT_PICTURES = ("2026-11",)
"""Consents that were given before their text spoke of pictures; they allow none."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CropKeeper:
    """Seals, opens and deletes crops.

    Attributes:
        open_vault: called when a key is first needed.
        keep_days: from when the picture was taken; 0 keeps none.
    """

    open_vault: Callable[[], Vault]
    keep_days: float

    def keep(self, tx: Session, look: EvidenceRow, crop: Image | None, model_id: str) -> None:
        """Store what a look showed, once; without a live consent to pictures nothing is stored.

        Args:
            tx: in which `look` has its id.
            look: the crop is a part of; deleting it deletes the crop.
            crop: (h, w, 3) uint8 BGR.
            model_id: of the session, a part of what the ciphertext is bound to.
        """
        if crop is None or not crop.size or self.keep_days <= 0:
            return
        if tx.scalar(select(CropRow.id).where(CropRow.evidence_id == look.id)) is not None:
            return
        consent_id = _live_consent_id(tx, look.student_id)
        if consent_id is None:
            return
        row = CropRow(
            id=str(uuid4()),
            evidence_id=look.id,
            session_id=look.session_id,
            student_id=look.student_id,
            consent_id=consent_id,
            taken_at=look.at,
        )
        try:
            key = self.open_vault().open_key(look.student_id, _wrapped_key(tx, look.student_id))
        except VaultError as error:  # a mark is worth more than its picture
            log.error("no crop is kept of student %d: %s", look.student_id, error)
            return
        row.jpeg = key.seal(_jpeg(crop), _belongs_to(row, model_id))
        tx.add(row)

    def open(self, tx: Session, row: CropRow, model_id: str) -> bytes:
        """The JPEG of a crop.

        Raises:
            VaultError: it was moved, changed or damaged, or its student was erased.
        """
        key = self.open_vault().open_key(row.student_id, _wrapped_key(tx, row.student_id))
        return key.unseal(row.jpeg, _belongs_to(row, model_id))

    def find(
        self, tx: Session, session_id: int, student_id: int, crop_id: str, at: datetime
    ) -> CropRow | None:
        """The crop of this student of this session, unless its days are over."""
        row = tx.get(CropRow, crop_id)
        if row is None or (row.session_id, row.student_id) != (session_id, student_id):
            return None
        return row if row.taken_at > self._oldest(at) else None

    def live_ids(
        self, tx: Session, session_id: int, student_id: int, at: datetime
    ) -> dict[int, str]:
        """The ids of a student's crops of a session that are still there, by look."""
        query = select(CropRow.evidence_id, CropRow.id).where(
            CropRow.session_id == session_id,
            CropRow.student_id == student_id,
            CropRow.taken_at > self._oldest(at),
        )
        return {evidence_id: crop_id for evidence_id, crop_id in tx.execute(query)}

    def purge(self, tx: Session, at: datetime) -> int:
        """Delete the crops whose days are over. Returns: how many there were."""
        expired = delete(CropRow).where(CropRow.taken_at <= self._oldest(at))
        return len(tx.scalars(expired.returning(CropRow.id)).all())

    def _oldest(self, at: datetime) -> datetime:
        """Crops taken then or before are over; where none are kept, all are."""
        if self.keep_days <= 0:
            return datetime.max.replace(tzinfo=UTC)
        return at - timedelta(days=self.keep_days)


def forget_crops(tx: Session, session_id: int, student_id: int) -> None:
    """Delete a student's crops of a session: a person said that they show somebody else."""
    mine = (CropRow.session_id == session_id) & (CropRow.student_id == student_id)
    tx.execute(delete(CropRow).where(mine))


def _live_consent_id(tx: Session, student_id: int) -> int | None:
    query = select(ConsentRow.id).where(
        ConsentRow.student_id == student_id,
        ConsentRow.is_live,
        ConsentRow.text_version.not_in(TEXTS_WITHOUT_PICTURES),
    )
    return tx.scalar(query.order_by(ConsentRow.id.desc()).limit(1))


def _wrapped_key(tx: Session, student_id: int) -> bytes:
    wrapped = tx.scalar(select(StudentRow.data_key).where(StudentRow.id == student_id))
    if wrapped is None:
        raise VaultError(f"student {student_id} was erased, and the key of their crops with them")
    return wrapped


def _belongs_to(row: CropRow, model_id: str) -> bytes:
    """The associated data: change one of these and the ciphertext does not open."""
    place = ["crop", row.id, row.session_id, row.student_id, model_id, row.taken_at.isoformat()]
    return json.dumps(place, ensure_ascii=False, separators=(",", ":")).encode()


def _jpeg(crop: Image) -> bytes:
    import cv2  # not at the top: most commands keep no picture

    is_encoded, jpeg = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not is_encoded:
        raise ValueError(f"a crop of shape {crop.shape} cannot be encoded")
    return jpeg.tobytes()
