"""Pairs files, folders and boxes files, and what each mistake in them is answered with."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from attendance.evaluation.detection import read_boxes
from attendance.evaluation.protocols import ProtocolError, photos_of_people, read_pairs, read_people

PhotoWriter = Callable[[Path, Mapping[str, list[int]]], Path]


@pytest.fixture
def images(tmp_path: Path, write_people: PhotoWriter) -> Path:
    people = {"Ann_Lee": [10, 20, 30], "Bo": [40, 50], "김_하늘": [60, 70]}
    return write_people(tmp_path / "images", people)


def pairs_file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "pairs.txt"
    file.write_text(text, encoding="utf-8")
    return file


def test_pairs_without_folds(images: Path, tmp_path: Path) -> None:
    text = "2\nAnn_Lee\t1\t3\nBo\t1\t2\nAnn_Lee\t1\tBo\t2\nBo\t1\t김_하늘\t2\n"
    pairs = read_pairs(pairs_file(tmp_path, text), images)
    assert pairs.is_same.tolist() == [True, True, False, False]
    assert not pairs.has_folds
    assert pairs.people == ("Ann_Lee", "Bo", "김_하늘")
    assert pairs.photos[pairs.right[0]] == "Ann_Lee/Ann_Lee_0003.png"


def test_pairs_with_folds_in_lfws_order(images: Path, tmp_path: Path) -> None:
    fold = "Ann_Lee\t1\t2\nAnn_Lee\t1\tBo\t1\n"
    pairs = read_pairs(pairs_file(tmp_path, "3\t1\n" + fold * 3), images)
    assert pairs.has_folds
    assert pairs.folds.tolist() == [0, 0, 1, 1, 2, 2]


def test_a_sample_keeps_every_fold_and_kind(images: Path, tmp_path: Path) -> None:
    fold = "Ann_Lee\t1\t2\n" * 4 + "Ann_Lee\t1\tBo\t1\n" * 4
    pairs = read_pairs(pairs_file(tmp_path, "2\t4\n" + fold * 2), images).sample(8)
    assert pairs.folds.tolist() == [0] * 4 + [1] * 4
    assert pairs.is_same.tolist() == [True, True, False, False] * 2
    assert pairs.photos == (
        "Ann_Lee/Ann_Lee_0001.png",
        "Ann_Lee/Ann_Lee_0002.png",
        "Bo/Bo_0001.png",
    )


GOOD = "Ann_Lee\t1\t2\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("pairs\n", "line 1: expected '10 300'"),
        ("1 2 3\n", "line 1: expected '10 300'"),
        ("0\n", "line 1: expected '10 300'"),
        ("1\n" + GOOD, "line 1 promises 2 pairs, found 1"),
        ("1\n" + GOOD + "Ann_Lee\t1\n", "line 3: expected 'Name 1 2' or"),
        ("1\n" + GOOD + "Ann_Lee\tone\tBo\t1\n", "line 3: expected the number of a photo"),
        ("1\n" + GOOD + "\nAnn_Lee\t1\tCy\t1\n", "line 4: there is no folder"),
        ("1\n" + GOOD + "Ann_Lee\t1\tBo\t3\n", "line 3: there is no photo Bo_0003"),
        ("1\n" + GOOD + "../images\t1\tBo\t1\n", "line 3: there is no folder"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_pairs_file_is_named_with_its_line(
    images: Path, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ProtocolError, match=message.replace("..", r"\.\.")):
        read_pairs(pairs_file(tmp_path, text), images)


def test_a_pairs_file_must_be_text(images: Path, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="cannot be read as a pairs file"):
        read_pairs(tmp_path / "missing.txt", images)
    photo = images / "Bo" / "Bo_0001.png"
    with pytest.raises(ProtocolError, match="cannot be read as a pairs file"):
        read_pairs(photo, images)


def test_people_are_folders_with_photos(images: Path) -> None:
    (images / "readme.txt").write_text("beside the folders")
    (images / "Bo" / "notes.txt").write_text("no photo")
    (images / "Bo" / ".hidden.png").write_text("no photo")
    (images / "nobody").mkdir()
    people = read_people(images)
    assert list(people) == ["Ann_Lee", "Bo", "김_하늘"]
    assert people["Bo"] == ("Bo/Bo_0001.png", "Bo/Bo_0002.png")


def test_a_folder_without_people_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="holds no photos: expected one sub-folder a person"):
        read_people(tmp_path)
    with pytest.raises(ProtocolError, match="there is no folder"):
        read_people(tmp_path / "missing")


def test_boxes_leave_invalid_faces_marked(tmp_path: Path) -> None:
    file = pairs_file(
        tmp_path, '{"a.jpg": [[1,2,3,4,0,0,0,0,0,0], [5,6,7,8,0,0,0,1,0,0]], "b": []}'
    )
    drawn = read_boxes(file)
    assert drawn["a.jpg"].boxes.tolist() == [[1, 2, 4, 6], [5, 6, 12, 14]]
    assert drawn["a.jpg"].is_valid.tolist() == [True, False]
    assert drawn["b"].boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1: not JSON"),
        ("[]", "expected an object from photo to boxes"),
        ("{}", "expected an object from photo to boxes"),
        ('{"a.jpg": [[1,2,3,4]]}', "a.jpg: expected a list of"),
        ('{"a.jpg": [[1,2,3,4,0,0,0,"no",0,0]]}', "a.jpg: expected a list of"),
        ('{"a.jpg": 7}', "a.jpg: expected a list of"),
    ],
)
def test_a_mistake_in_a_boxes_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        read_boxes(pairs_file(tmp_path, text))


def test_people_may_lie_in_groups(tmp_path: Path, write_people: PhotoWriter) -> None:
    folder = tmp_path / "grouped"
    write_people(folder / "left", {"Ann": [10, 20]})
    write_people(folder / "right", {"Bo": [30], "Cy": [40]})
    people = read_people(folder)
    assert list(people) == ["left/Ann", "right/Bo", "right/Cy"]
    pairs = read_pairs(pairs_file(tmp_path, "1\nAnn\t1\t2\nAnn\t1\tBo\t1\n"), folder)
    assert pairs.people == ("left/Ann", "right/Bo")
    write_people(folder / "right", {"Ann": [50]})
    with pytest.raises(ProtocolError, match=r"line 2: Ann lies in .*left and elsewhere"):
        read_pairs(pairs_file(tmp_path, "1\nAnn\t1\t2\nAnn\t1\tBo\t1\n"), folder)


def test_the_first_photos_of_people_with_enough_of_them(images: Path, tmp_path: Path) -> None:
    chosen = photos_of_people(images, None, photos_each=2, min_photos=3)
    assert chosen == ["Ann_Lee/Ann_Lee_0001.png", "Ann_Lee/Ann_Lee_0002.png"]
    pairs = pairs_file(tmp_path, "1\nBo\t1\t2\nBo\t1\t김_하늘\t2\n")
    assert len(photos_of_people(images, pairs, photos_each=1, min_photos=1)) == 2
    with pytest.raises(ProtocolError, match=r"nobody in .* has 4 photos or more"):
        photos_of_people(images, None, photos_each=9, min_photos=4)
