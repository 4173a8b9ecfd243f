"""People, what they agreed to, and the sealed templates a gallery is made of.

The registry holds the only road to an embedding: no live consent, no template, and a template
opens only in the row, for the student, the model, the pose and the flip it was sealed for.
Logs name ids, never people.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from attendance.core.domain import Gallery
from attendance.core.errors import (
    ConsentMissingError,
    DuplicateStudentError,
    RegistryError,
    StorageError,
    UnknownStudentError,
)
from attendance.db.class_models import CropRow
from attendance.db.engine import Database
from attendance.db.models import ConsentRow, SampleRow, StudentRow, TemplateRow
from attendance.db.vault import Vault
from attendance.registry_models import (
    ERASED_NAME,
    Consent,
    NewTemplate,
    Student,
    clean_name,
    clean_number,
    one_dimension,
)
from attendance.registry_templates import as_gallery, opened_templates, sealed_row

__all__ = ["Consent", "NewTemplate", "Registry", "Student"]

log = logging.getLogger(__name__)


class Registry:
    """The school's people. Threads may share it: each call is one transaction of its own."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault

    def add_student(self, number: str, name: str) -> Student:
        """Adds a student with a data key of their own.

        Raises:
            DuplicateStudentError: the number belongs to somebody.
            RegistryError: number or name are not as they must be.
        """
        row = StudentRow(number=clean_number(number), name=clean_name(name))
        try:
            with self._db.write() as tx:
                tx.add(row)
                tx.flush()
                row.data_key = self._vault.new_key(row.id)
                return _student(row)
        except IntegrityError as error:
            raise DuplicateStudentError(
                f"student number {row.number} already belongs to somebody"
            ) from error

    def find_student(self, number: str) -> Student:
        """The student with this number.

        Raises:
            UnknownStudentError: nobody has it.
        """
        with self._db.read() as tx:
            row = tx.scalar(select(StudentRow).where(StudentRow.number == number.strip()))
            if row is None:
                raise UnknownStudentError(f"nobody has the student number {number}")
            return _student(row)

    def students(self) -> list[Student]:
        """Everybody, by number; who was erased is called "(erased)"."""
        with self._db.read() as tx:
            rows = tx.scalars(select(StudentRow).order_by(StudentRow.number))
            return [_student(row) for row in rows]

    def student_names(self, student_ids: Iterable[int]) -> dict[int, Student]:
        """The students behind these ids; an id nobody has is left out."""
        with self._db.read() as tx:
            rows = tx.scalars(select(StudentRow).where(StudentRow.id.in_(set(student_ids))))
            return {row.id: _student(row) for row in rows}

    def give_consent(
        self, student_id: int, *, text_version: str, language: str, at: datetime
    ) -> None:
        """Notes what a student agreed to. Agreeing twice to the same text changes nothing.

        Raises:
            UnknownStudentError: nobody has this id.
            RegistryError: the student was erased.
        """
        with self._db.write() as tx:
            _require_key(tx, student_id)
            live = _live_consent(tx, student_id)
            if live and (live.text_version, live.language) == (text_version, language):
                return
            tx.add(
                ConsentRow(
                    student_id=student_id,
                    text_version=text_version,
                    language=language,
                    given_at=at,
                )
            )

    def withdraw_consent(self, student_id: int, *, at: datetime) -> None:
        """Ends every consent of a student, deletes templates and crops; records stay as they are.

        Raises:
            ConsentMissingError: there is no live consent to withdraw.
        """
        with self._db.write() as tx:
            if _live_consent(tx, student_id) is None:
                raise ConsentMissingError(f"student {student_id} has no consent to withdraw")
            _delete_biometrics(tx, student_id)
            live = (ConsentRow.student_id == student_id) & ConsentRow.is_live
            tx.execute(update(ConsentRow).where(live).values(withdrawn_at=at, is_live=False))
        log.info("student %d withdrew consent; templates deleted", student_id)
        self._scrub()

    def live_consent(self, student_id: int) -> Consent | None:
        """What the student agreed to last and has not withdrawn."""
        with self._db.read() as tx:
            row = _live_consent(tx, student_id)
            if row is None:
                return None
            return Consent(row.text_version, row.language, row.given_at, row.withdrawn_at)

    def replace_templates(
        self, student_id: int, model_id: str, templates: Sequence[NewTemplate], *, at: datetime
    ) -> int:
        """Puts these templates in the place of all earlier ones of this student and model.

        At least one, all of one dimension; stored bit for bit.

        Returns:
            How many there are now.

        Raises:
            ConsentMissingError: no live consent; nothing was stored.
            UnknownStudentError: nobody has this id.
            DimensionError: an embedding is not (d,) float32 of the same d as the others.
            RegistryError: no templates, or two for the same photo and flip.
        """
        return self.replace_all_templates(student_id, {model_id: templates}, at=at)

    def replace_all_templates(
        self,
        student_id: int,
        by_model: Mapping[str, Sequence[NewTemplate]],
        *,
        at: datetime,
    ) -> int:
        """The same for several models at once: all of them, or nothing.

        Returns:
            How many there are now of each.

        Raises:
            AttendanceError: see `replace_templates`.
        """
        for templates in by_model.values():
            one_dimension(templates)
        with self._db.write() as tx:
            wrapped = _require_key(tx, student_id)
            consent = _live_consent(tx, student_id)
            if consent is None:
                raise ConsentMissingError(
                    f"student {student_id} has not agreed to be recognised; ask for consent first"
                )
            key = self._vault.open_key(student_id, wrapped)
            for model_id, templates in by_model.items():
                of_model = TemplateRow.model_id == model_id
                tx.execute(
                    delete(TemplateRow).where(TemplateRow.student_id == student_id, of_model)
                )
                samples = _samples(tx, student_id, templates, at)
                for template in templates:
                    sample = samples[template.sample_key]
                    tx.add(sealed_row(key, template, sample, consent.id, model_id))
                tx.flush()
            _delete_unused_samples(tx, student_id)
        counts = {model_id: len(templates) for model_id, templates in by_model.items()}
        log.info("student %d has templates: %s", student_id, counts)
        return max(counts.values(), default=0)

    def templates_of(self, student_id: int, model_id: str) -> list[NewTemplate]:
        """A student's templates, by pose and flip; empty without a live consent."""
        with self._db.read() as tx:
            return [
                found.template
                for found in opened_templates(tx, self._vault, {student_id}, model_id)
            ]

    def gallery(self, student_ids: Iterable[int], model_id: str) -> Gallery:
        """The templates of those of these students who have any, as one matrix.

        Returns:
            Students by id; without any templates a gallery of nobody, its matrix (0, 0).
        """
        with self._db.read() as tx:
            found = opened_templates(tx, self._vault, set(student_ids), model_id)
        return as_gallery(found, model_id)

    def enrolled(self, student_ids: Iterable[int], model_id: str) -> set[int]:
        """Those of these students who have templates of this model and a live consent."""
        query = select(TemplateRow.student_id).distinct()
        query = query.where(
            TemplateRow.student_id.in_(set(student_ids)), TemplateRow.model_id == model_id
        )
        with self._db.read() as tx:
            return set(tx.scalars(query))

    def erase(self, student_id: int) -> None:
        """Destroys the data key, templates, samples, crops, consents and name; records stay.

        Erasing twice changes nothing.

        Raises:
            UnknownStudentError: nobody has this id.
        """
        with self._db.write() as tx:
            row = _require_student(tx, student_id)
            _delete_biometrics(tx, student_id)
            tx.execute(delete(ConsentRow).where(ConsentRow.student_id == student_id))
            row.data_key = None
            row.name = ERASED_NAME
        log.info("student %d erased", student_id)
        self._scrub()

    def _scrub(self) -> None:
        """The deletion is committed; what the log still holds of it may have to wait."""
        try:
            if not self._db.scrub():
                log.warning("the log is in use; deleted bytes leave it at the next checkpoint")
        except StorageError:
            log.warning("deleted bytes leave the log at the next checkpoint", exc_info=True)


def _student(row: StudentRow) -> Student:
    return Student(row.id, row.number, row.name)


def _require_student(tx: Session, student_id: int) -> StudentRow:
    row = tx.get(StudentRow, student_id)
    if row is None:
        raise UnknownStudentError(f"no student has the id {student_id}")
    return row


def _require_key(tx: Session, student_id: int) -> bytes:
    wrapped = _require_student(tx, student_id).data_key
    if wrapped is None:
        raise RegistryError(f"student {student_id} was erased and cannot be enrolled again")
    return wrapped


def _live_consent(tx: Session, student_id: int) -> ConsentRow | None:
    query = select(ConsentRow).where(ConsentRow.student_id == student_id, ConsentRow.is_live)
    return tx.scalar(query.order_by(ConsentRow.id.desc()).limit(1))


def _samples(
    tx: Session, student_id: int, templates: Sequence[NewTemplate], at: datetime
) -> dict[str, SampleRow]:
    """The sample rows of these templates by key, made where they are new."""
    rows = tx.scalars(select(SampleRow).where(SampleRow.student_id == student_id))
    samples = {row.key: row for row in rows}
    for template in templates:
        sample = samples.get(template.sample_key)
        if sample is None:
            sample = SampleRow(
                student_id=student_id, key=template.sample_key, pose=template.pose, added_at=at
            )
            samples[template.sample_key] = sample
            tx.add(sample)
        if sample.pose != template.pose:
            raise RegistryError(f"photo {template.sample_key} is already the {sample.pose} one")
    tx.flush()
    return samples


def _delete_unused_samples(tx: Session, student_id: int) -> None:
    used = select(TemplateRow.sample_id).where(TemplateRow.student_id == student_id)
    tx.execute(
        delete(SampleRow).where(SampleRow.student_id == student_id, SampleRow.id.not_in(used))
    )


def _delete_biometrics(tx: Session, student_id: int) -> None:
    for table in (TemplateRow, SampleRow, CropRow):
        tx.execute(delete(table).where(table.student_id == student_id))
