"""People, consents and templates on a real file."""

import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy.exc import IntegrityError

from attendance.core.domain import Pose
from attendance.core.errors import (
    ConsentMissingError,
    DimensionError,
    DuplicateStudentError,
    RegistryError,
    UnknownStudentError,
)
from attendance.registry import NewTemplate

MODEL = "facenet-test"
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def unit(seed, size=8):
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


def consent(school, student, at):
    school.registry.give_consent(student.id, text_version="1", language="ko", at=at)


# people


def test_student_number_that_exists_is_refused(school, kim):
    with pytest.raises(DuplicateStudentError, match="S001 already belongs to somebody"):
        school.registry.add_student(kim.number, "Somebody else")
    assert school.registry.students() == [kim]


def test_two_threads_racing_for_a_number_make_one_student(school):
    gate = threading.Barrier(2)

    def add(name):
        gate.wait()
        try:
            return school.registry.add_student("77", name)
        except DuplicateStudentError:
            return None

    with ThreadPoolExecutor(2) as pool:
        added = [student for student in pool.map(add, ["Kim", "Lee"]) if student]
    assert added == school.registry.students()
    assert len(added) == 1


def test_hangul_name_is_one_spelling_from_every_keyboard(school):
    decomposed = unicodedata.normalize("NFD", "김철수")
    added = school.registry.add_student("1", f"  {decomposed} ")
    assert added.name == "김철수"
    assert school.registry.find_student("1").name == "김철수"


@pytest.mark.parametrize("number", ["", " ", "a b", "김1", "-1", "../x", "x" * 33, "a/b", "a\n"])
def test_number_of_other_signs_is_refused(school, number):
    if number == "a\n":
        assert school.registry.add_student(number, "Kim").number == "a"
        return
    with pytest.raises(RegistryError, match="student number"):
        school.registry.add_student(number, "Kim")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "Kim\x00", "Kim\nLee"])
def test_name_that_is_none_is_refused(school, name):
    with pytest.raises(RegistryError, match="a name"):
        school.registry.add_student("1", name)


def test_unknown_number_and_unknown_id_are_clear(school, kim):
    with pytest.raises(UnknownStudentError, match="999"):
        school.registry.find_student("999")
    with pytest.raises(UnknownStudentError, match="12345"):
        school.registry.give_consent(12345, text_version="1", language="en", at=NINE)
    assert school.registry.student_names([kim.id, 12345]) == {kim.id: kim}
    assert school.registry.student_names([]) == {}


# no consent, no template


def test_no_template_without_consent(school, kim):
    template = NewTemplate("p", Pose.FRONT, False, unit(1))
    with pytest.raises(ConsentMissingError, match="consent first"):
        school.registry.replace_templates(kim.id, MODEL, [template], at=NINE)
    assert school.execute("SELECT count(*) FROM template, sample") == [(0,)]


def insert_template(school, student, consent_id, is_live=1):
    school.execute(
        "INSERT INTO sample (student_id, key, pose, added_at) "
        "VALUES (:s, 'raw', 'front', '2026-03-02 09:00:00.000000') ON CONFLICT DO NOTHING",
        s=student.id,
    )
    school.execute(
        "INSERT INTO template (id, student_id, sample_id, consent_id, consent_is_live, model_id, "
        "pose, is_flip, embedding) SELECT 'raw', :s, sample.id, :c, :live, 'm', 'front', 0, x'00' "
        "FROM sample WHERE student_id = :s AND key = 'raw'",
        s=student.id,
        c=consent_id,
        live=is_live,
    )


def test_database_itself_refuses_a_template_without_a_live_consent(school, kim, lee):
    at = NINE
    consent(school, kim, at)
    consent(school, lee, at)
    (kims,), (lees,) = school.execute("SELECT id FROM consent ORDER BY student_id")
    school.registry.withdraw_consent(kim.id, at=at)
    for wrong in (None, 999, kims, lees):  # none, made up, withdrawn, another student's
        with pytest.raises(IntegrityError, match=r"FOREIGN KEY|NOT NULL"):
            insert_template(school, kim, wrong)
    with pytest.raises(IntegrityError, match="needs_live_consent"):
        insert_template(school, kim, kims, is_live=0)
    insert_template(school, lee, lees)


def test_database_itself_refuses_to_end_a_consent_that_still_has_templates(school, kim):
    school.enrol(kim, [unit(1)])
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        school.execute("UPDATE consent SET is_live = 0, withdrawn_at = given_at")
    with pytest.raises(IntegrityError, match="live_until_withdrawn"):
        school.execute("UPDATE consent SET withdrawn_at = given_at")


def test_withdrawal_deletes_templates_and_changes_no_record(school, open_room):
    room = open_room()
    student = room.students[0]
    school.enrol(student, [unit(1), unit(2)])
    room.see(0)
    before = (room.row(0), room.events())
    school.registry.withdraw_consent(student.id, at=room.at(60))
    assert school.registry.templates_of(student.id, MODEL) == []
    assert school.registry.live_consent(student.id) is None
    assert school.execute("SELECT count(*) FROM template, sample") == [(0,)]
    assert (room.row(0), room.events()) == before


def test_consent_says_what_was_agreed_to_and_since_when(school, kim):
    at = NINE
    assert school.registry.live_consent(kim.id) is None
    consent(school, kim, at)
    consent(school, kim, at)
    assert school.execute("SELECT count(*) FROM consent") == [(1,)]
    school.registry.give_consent(kim.id, text_version="2", language="en", at=at)
    live = school.registry.live_consent(kim.id)
    assert (live.text_version, live.language, live.given_at) == ("2", "en", at)
    school.registry.withdraw_consent(kim.id, at=at)
    with pytest.raises(ConsentMissingError):
        school.registry.withdraw_consent(kim.id, at=at)
    consent(school, kim, at)
    assert school.registry.live_consent(kim.id) is not None


# erasing


def test_erasing_destroys_the_data_key_down_to_the_bytes_of_the_files(school, kim):
    school.enrol(kim, [unit(1)])
    ((key,),) = school.execute("SELECT data_key FROM student")
    ((sealed,),) = school.execute("SELECT embedding FROM template")
    school.registry.erase(kim.id)
    files = b"".join(path.read_bytes() for path in school.home.glob("attendance.db*"))
    assert key not in files
    assert sealed not in files
    assert "김철수".encode() not in files
    assert school.execute("SELECT count(*) FROM template, sample, consent") == [(0,)]


def test_erased_student_keeps_records_under_no_name(school, open_room):
    room = open_room()
    room.see(0)
    school.registry.erase(room.students[0].id)
    school.registry.erase(room.students[0].id)
    assert (room.row(0).name, room.row(0).status) == ("(erased)", "present")
    with pytest.raises(RegistryError, match="erased"):
        consent(school, room.students[0], room.at(0))


# galleries


def test_replacing_leaves_nothing_of_the_earlier_ones(school, kim):
    school.enrol(kim, [unit(1), unit(2), unit(3)])
    replacement = NewTemplate("new photo", Pose.GLASSES, True, unit(4))
    count = school.registry.replace_templates(kim.id, MODEL, [replacement], at=NINE)
    assert count == 1
    (found,) = school.registry.templates_of(kim.id, MODEL)
    assert (found.sample_key, found.pose, found.is_flip) == ("new photo", Pose.GLASSES, True)
    assert school.execute("SELECT key FROM sample") == [("new photo",)]


def test_models_live_side_by_side_on_the_same_photos(school, kim):
    school.enrol(kim, [unit(1), unit(2)])
    other = NewTemplate("photo-front", Pose.FRONT, False, unit(9, 128))
    school.registry.replace_templates(kim.id, "sface", [other], at=NINE)
    assert school.registry.gallery([kim.id], MODEL).templates.shape == (2, 8)
    assert school.registry.gallery([kim.id], "sface").templates.shape == (1, 128)
    assert school.execute("SELECT count(*) FROM sample") == [(2,)]


def test_templates_of_two_models_are_stored_together_or_not_at_all(school, kim):
    """A switch of embedders must never find somebody half enrolled."""
    consent(school, kim, NINE)
    good = [NewTemplate("a", Pose.FRONT, False, unit(1))]
    wrong_pose = [NewTemplate("a", Pose.SMILE, False, unit(2, 128))]
    both = {MODEL: good, "sface": wrong_pose}
    with pytest.raises(RegistryError, match="already the front one"):
        school.registry.replace_all_templates(kim.id, both, at=NINE)
    assert not school.registry.enrolled([kim.id], MODEL)
    both["sface"] = [NewTemplate("a", Pose.FRONT, False, unit(2, 128))]
    assert school.registry.replace_all_templates(kim.id, both, at=NINE) == 1
    assert school.registry.gallery([kim.id], MODEL).templates.shape == (1, 8)
    assert school.registry.gallery([kim.id], "sface").templates.shape == (1, 128)


def test_failed_replacement_keeps_the_earlier_templates(school, kim):
    school.enrol(kim, [unit(1)])
    wrong_pose = NewTemplate("photo-front", Pose.SMILE, False, unit(2))
    with pytest.raises(RegistryError, match="already the front one"):
        school.registry.replace_templates(kim.id, MODEL, [wrong_pose], at=NINE)
    assert len(school.registry.templates_of(kim.id, MODEL)) == 1


@pytest.mark.parametrize(
    ("templates", "error"),
    [
        ([], RegistryError),
        ([("a", 8), ("a", 8)], RegistryError),
        ([("a", 8), ("b", 9)], DimensionError),
    ],
    ids=["none", "the same photo twice", "two dimensions"],
)
def test_templates_that_do_not_fit_together_are_refused(school, kim, templates, error):
    consent(school, kim, NINE)
    made = [NewTemplate(key, Pose.FRONT, False, unit(1, size)) for key, size in templates]
    with pytest.raises(error):
        school.registry.replace_templates(kim.id, MODEL, made, at=NINE)


def test_gallery_holds_only_whom_it_was_asked_for_and_may_know(school):
    a, b, c, d = school.add_students("a", "b", "c", "d")
    school.enrol(a, [unit(1), unit(2)])
    school.enrol(b, [unit(3)])
    school.enrol(d, [unit(4)])
    school.registry.withdraw_consent(b.id, at=NINE)
    gallery = school.registry.gallery([c.id, b.id, a.id], MODEL)
    assert gallery.student_ids == (a.id,)
    assert gallery.owners.tolist() == [0, 0]
    assert school.registry.enrolled([a.id, b.id, c.id, d.id], MODEL) == {a.id, d.id}
    both = school.registry.gallery([d.id, a.id], MODEL)
    assert both.student_ids == (a.id, d.id)
    assert both.owners.tolist() == [0, 0, 1]
    assert np.array_equal(both.templates[2], unit(4))


@pytest.mark.parametrize("asked", [[], [1], [999]])
def test_gallery_of_nobody_is_empty(school, kim, asked):
    gallery = school.registry.gallery(asked, MODEL)
    assert (len(gallery), gallery.templates.shape) == (0, (0, 0))


def test_data_key_is_opened_once_a_student(school, kim, lee, monkeypatch):
    school.enrol(kim, [unit(n) for n in range(5)])
    school.enrol(lee, [unit(n) for n in range(5)])
    opened = []
    vault = school.registry._vault

    class CountingVault:
        def open_key(self, student_id, wrapped):
            opened.append(student_id)
            return vault.open_key(student_id, wrapped)

    monkeypatch.setattr(school.registry, "_vault", CountingVault())
    school.registry.gallery([kim.id, lee.id], MODEL)
    assert opened == [kim.id, lee.id]


def test_logs_name_ids_only(school, kim, caplog):
    caplog.set_level("DEBUG", logger="attendance")
    school.enrol(kim, [unit(1)])
    school.registry.withdraw_consent(kim.id, at=NINE)
    school.registry.erase(kim.id)
    assert caplog.records
    assert "김철수" not in caplog.text
    assert kim.number not in caplog.text


def test_sample_and_template_belong_to_the_same_student(school, kim, lee):
    school.enrol(kim, [unit(1)])
    school.enrol(lee, [unit(2)])
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        school.execute(
            "UPDATE template SET sample_id = (SELECT min(id) FROM sample) WHERE student_id = :s",
            s=lee.id,
        )
