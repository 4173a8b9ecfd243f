"""Classes, damage and crops on people who are colours, and groups judged at one threshold."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from attendance.config import DecisionConfig
from attendance.core.domain import FloatArray
from attendance.evaluation.class_evaluation import (
    ClassesReport,
    ClassPlan,
    Film,
    evaluate_classes,
)
from attendance.evaluation.crop_trials import evaluate_crops
from attendance.evaluation.damage import DAMAGES, UNTOUCHED
from attendance.evaluation.embedding import PhotoEmbedder
from attendance.evaluation.faces import MainFaces, find_main_faces
from attendance.evaluation.footage import Filmer
from attendance.evaluation.html_page import write_page
from attendance.evaluation.page_plots import class_figures, robustness_figures
from attendance.evaluation.protocols import ProtocolError, photos_of_people, read_pairs
from attendance.evaluation.reports import as_json
from attendance.evaluation.robustness import evaluate_robustness
from attendance.evaluation.tables import (
    classes_rows,
    crops_rows,
    robustness_rows,
    verification_rows,
)
from attendance.evaluation.verification import evaluate_verification

PhotoWriter = Callable[[Path, Mapping[str, list[int]]], Path]
PEOPLE = {"Ann": [40, 42, 44], "Bo": [120, 122, 124], "Cy": [200, 202, 204], "Di": [250]}
"""Angles of 20, 60, 100 and 125 degrees: nobody is like anybody else by more than 0.91."""


@pytest.fixture
def images(tmp_path: Path, write_people: PhotoWriter) -> Path:
    return write_people(tmp_path / "images", PEOPLE)


@pytest.fixture
def faces(images: Path, detector: Any) -> MainFaces:
    return find_main_faces(detector, images, photos_of_people(images, None, 9, 1))


def simulate(
    faces: MainFaces, photo_embedder: PhotoEmbedder, film: Film | None = None
) -> ClassesReport:
    decision = DecisionConfig(margin=0.05, threshold=0.9, baseline=0.0)
    photos = photo_embedder.embed(faces.folder, faces.paths)
    plan = ClassPlan(n_classes=4, class_size=3, replicates=20)
    return evaluate_classes(photos, decision, plan, ("colours", "fake"), film)


def test_a_class_has_as_many_templates_as_the_photos_allow_and_says_so(
    faces: MainFaces, photo_embedder: PhotoEmbedder
) -> None:
    report = simulate(faces, photo_embedder)
    assert (report.n_templates, report.n_templates_asked) == (2, 5)
    assert (report.n_members, report.n_people) == (3, 4)
    assert (report.n_probes, report.n_impostors) == (12, 4)
    assert report.rank1 == 1.0
    assert report.fnir_at_fpir == {"0.003": 0.0, "0.01": 0.0, "0.03": 0.0}
    assert report.after_evidence is None
    assert any("5 were asked for" in of for _, _, of in classes_rows(report))


def test_nobody_left_as_a_stranger_is_a_mistake(
    images: Path, detector: Any, photo_embedder: PhotoEmbedder
) -> None:
    three = find_main_faces(detector, images, photos_of_people(images, None, 9, 2))
    with pytest.raises(ProtocolError, match="nobody is left as a stranger"):
        simulate(three, photo_embedder)


def test_clips_give_figures_of_their_own(
    faces: MainFaces, photo_embedder: PhotoEmbedder, detector: Any, tmp_path: Path
) -> None:
    """The embedder here looks at nothing: to it everybody in a clip is Ann."""
    filmer = Filmer(detector, Blind(), Blind.dimension, "classroom")
    report = simulate(faces, photo_embedder, partial(filmer.film, faces.folder))
    assert report.after_evidence is not None
    assert (report.rank1, report.after_evidence.rank1) == (1.0, pytest.approx(1 / 3))
    page = tmp_path / "classes.html"
    write_page(page, "Classes", classes_rows(report), class_figures(report))
    assert "<svg" in page.read_text(encoding="utf-8")


class Blind:
    """Every face is the same to it."""

    model_id, variant, dimension, embedded = "blind", "f32", 2, 0

    def embed(self, image: Any, faces: Any) -> FloatArray:
        self.embedded += len(faces)
        return np.tile(np.array([[1, 0]], np.float32), (len(faces), 1))

    def embed_crops(self, crops: npt.NDArray[np.uint8]) -> FloatArray:
        return np.tile(np.array([[1, 0]], np.float32), (len(crops), 1))


def test_damage_is_embedded_once_and_set_beside_the_untouched(
    faces: MainFaces, tmp_path: Path
) -> None:
    """To an embedder that sees nothing, damage costs nothing, and kept work is not done again."""
    blind, kept = Blind(), tmp_path / "kept"
    for _ in range(2):
        report = evaluate_robustness(blind, faces, kept, replicates=20)
    assert blind.embedded == len(DAMAGES) * len(faces.paths)
    assert (report.n_people, report.n_photos, report.n_same) == (4, 10, 9)
    assert report.damages[0].kind == UNTOUCHED.kind
    assert {one.lost.value for one in report.damages} == {0.0}
    published = {one.level: one.published for one in report.damages if one.published}
    assert (published["10"], published["40x40 px"]) == (0.673, 0.378)
    json.dumps(as_json(report), allow_nan=False)
    page = tmp_path / "robustness.html"
    write_page(page, "Robust <ness>", robustness_rows(report), robustness_figures(report))
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == 3
    assert "Robust &lt;ness&gt;" in text
    assert "http" not in text.replace("http://www.w3.org", ""), "it loads nothing"


def test_robustness_needs_pairs_of_both_kinds(images: Path, detector: Any) -> None:
    one = find_main_faces(detector, images, ["Di/Di_0001.png"])
    with pytest.raises(ProtocolError, match="at least two people"):
        evaluate_robustness(Blind(), one)


def test_where_nothing_is_better_today_s_crop_stays(faces: MainFaces) -> None:
    report = evaluate_crops(Blind(), faces, len(faces.paths), DecisionConfig(), (3, 3))
    assert report.chosen.startswith("today's")
    assert report.confirmed is None
    assert len(report.tried.trials) == 12
    assert ("taken", report.chosen) in [row[:2] for row in crops_rows(report)]


def test_groups_are_judged_at_the_one_threshold(
    tmp_path: Path, write_people: PhotoWriter, photo_embedder: PhotoEmbedder
) -> None:
    """Left people are told apart, right ones are one colour: at one threshold that shows."""
    folder = tmp_path / "grouped"
    write_people(folder / "left", {"Ann": [10, 12], "Bo": [110, 112]})
    write_people(folder / "right", {"Cy": [200, 240], "Di": [206, 246]})
    file = tmp_path / "pairs.txt"
    file.write_text("2\nAnn\t1\t2\nCy\t1\t2\nAnn\t1\tBo\t1\nCy\t1\tDi\t1\n")
    report = evaluate_verification(photo_embedder, folder, read_pairs(file, folder), replicates=20)
    left, right = report.groups
    assert (left.group, left.n_people, left.val.value, left.far.value) == ("left", 2, 1.0, 0.0)
    assert (right.group, right.val.value) == ("right", 0.0)
    rows = {name: of for name, _, of in verification_rows(report)}
    assert "2 same-person, 4 different-person pairs of 2 people" in rows["group left, VAL"]
