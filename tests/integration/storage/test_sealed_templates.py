"""Templates come out bit for bit, and only in the row they were sealed for."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from sqlalchemy.exc import StatementError

from attendance.core.domain import Pose
from attendance.core.errors import (
    DimensionError,
    VaultError,
)
from attendance.db.models import TemplateRow
from attendance.registry import NewTemplate

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MODEL = "facenet-test"
SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, np.finfo(np.float32).max, 1.0]


def unit(seed, size=8):
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


def consent(school, student, at):
    school.registry.give_consent(student.id, text_version="1", language="ko", at=at)


# templates, bit for bit


@settings(max_examples=40, deadline=None)
@given(
    embedding=st.one_of(
        st.sampled_from([1, 2, 127, 128, 511, 512, 513, 1024]), st.integers(1, 700)
    ).flatmap(
        lambda size: st_numpy.arrays(
            np.float32,
            size,
            elements=st.one_of(st.sampled_from(SPECIAL), st.floats(width=32)),
        )
    )
)
def test_embedding_of_any_dimension_comes_out_bit_for_bit(lasting_school, embedding):
    registry = lasting_school.registry
    student = lasting_school.add_students("Kim")[0]
    consent(lasting_school, student, NINE)
    template = NewTemplate("p", Pose.FRONT, False, embedding)
    registry.replace_templates(student.id, MODEL, [template], at=NINE)
    (found,) = registry.templates_of(student.id, MODEL)
    assert found.embedding.dtype == np.float32
    assert found.embedding.tobytes() == embedding.tobytes()
    gallery = registry.gallery([student.id], MODEL)
    assert gallery.templates.tobytes() == embedding.tobytes()


@pytest.mark.parametrize("size", [1, 128, 512, 513])
def test_special_values_and_their_very_bits_survive(school, kim, size):
    bits = np.resize(np.array([0x7FC00001, 0xFFC12345, 0x80000000, 1], np.uint32), size)
    school.enrol(kim, [bits.view(np.float32)])
    (found,) = school.registry.templates_of(kim.id, MODEL)
    assert found.embedding.view(np.uint32).tolist() == bits.tolist()


@pytest.mark.parametrize(
    "embedding",
    [np.zeros((2, 2), np.float32), np.zeros(0, np.float32), np.zeros(4, np.float64)],
    ids=["a matrix", "nothing", "float64 would lose bits"],
)
def test_array_that_is_no_embedding_is_refused(embedding):
    with pytest.raises(DimensionError, match="float32"):
        NewTemplate("p", Pose.FRONT, False, embedding)


def test_strided_view_is_stored_by_its_values(school, kim):
    school.enrol(kim, [np.arange(10, dtype=np.float32)[::2]])
    (found,) = school.registry.templates_of(kim.id, MODEL)
    assert found.embedding.tolist() == [0, 2, 4, 6, 8]


def test_no_embedding_lies_in_clear_in_any_file(school, kim):
    school.enrol(kim, [unit(1, 512)])
    for path in school.home.glob("attendance.db*"):
        assert unit(1, 512).tobytes()[:16] not in path.read_bytes()


def test_clear_bytes_cannot_be_written_by_mistake(school, kim):
    with pytest.raises(StatementError, match="only sealed values"), school.db.write() as tx:
        tx.add(TemplateRow(id="x", embedding=b"clear"))


# a ciphertext belongs to its row


def test_ciphertext_moved_to_another_student_does_not_open(school, kim, lee):
    school.enrol(kim, [unit(1)])
    school.enrol(lee, [unit(2)])
    school.execute(
        "UPDATE template SET embedding = (SELECT embedding FROM template WHERE student_id = :kim) "
        "WHERE student_id = :lee",
        kim=kim.id,
        lee=lee.id,
    )
    assert len(school.registry.templates_of(kim.id, MODEL)) == 1
    with pytest.raises(VaultError, match="does not open"):
        school.registry.templates_of(lee.id, MODEL)
    with pytest.raises(VaultError):
        school.registry.gallery([kim.id, lee.id], MODEL)


def test_ciphertext_moved_with_its_data_key_does_not_open_either(school, kim, lee):
    school.enrol(kim, [unit(1)])
    school.enrol(lee, [unit(2)])
    for table, key in (("template", "student_id"), ("student", "id")):
        column = "embedding" if table == "template" else "data_key"
        school.execute(
            f"UPDATE {table} SET {column} = "
            f"(SELECT {column} FROM {table} WHERE {key} = :kim) WHERE {key} = :lee",
            kim=kim.id,
            lee=lee.id,
        )
    with pytest.raises(VaultError, match=f"student {lee.id}"):
        school.registry.templates_of(lee.id, MODEL)


def test_ciphertexts_swapped_between_rows_of_one_student_do_not_open(school, kim):
    school.enrol(kim, [unit(1), unit(2)])
    (one, first), (two, second) = school.execute("SELECT id, embedding FROM template")
    school.execute("UPDATE template SET embedding = :e WHERE id = :id", e=second, id=one)
    school.execute("UPDATE template SET embedding = :e WHERE id = :id", e=first, id=two)
    with pytest.raises(VaultError):
        school.registry.templates_of(kim.id, MODEL)


@pytest.mark.parametrize("change", ["pose = 'smile'", "is_flip = 1", "model_id = 'facenet-test2'"])
def test_row_whose_meaning_was_changed_does_not_open(school, kim, change):
    school.enrol(kim, [unit(1)])
    school.execute(f"UPDATE template SET {change}")
    with pytest.raises(VaultError):
        school.registry.gallery([kim.id], "facenet-test2" if "model" in change else MODEL)
