"""Embedders side by side on people who are colours, and with the real models on a few photos."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import skimage.data
from typer.testing import CliRunner, Result

from attendance.core.domain import Detections, FloatArray, Image
from attendance.core.errors import ModelError
from attendance.core.pipeline import Detector
from attendance.evaluation.commands import app
from attendance.evaluation.faces import MainFaces, find_main_faces
from attendance.evaluation.html_page import write_page
from attendance.evaluation.page_plots import side_by_side_figures
from attendance.evaluation.plots import plot_side_by_side
from attendance.evaluation.protocols import (
    Pairs,
    ProtocolError,
    photos_to_compare,
    read_pairs,
)
from attendance.evaluation.reports import as_json
from attendance.evaluation.side_by_side import evaluate_side_by_side
from attendance.evaluation.side_by_side_table import side_by_side_rows

PhotoWriter = Callable[[Path, Mapping[str, list[int]]], Path]
PEOPLE = {"Ann": [10, 20, 0], "Bo": [100, 110], "Cy": [200, 210]}
PAIRS = "2\nAnn\t1\t2\nBo\t1\t2\nAnn\t1\tBo\t1\nBo\t1\tCy\t1\n"


class Grey:
    """A face's embedding is the angle that its grey stands for, of few greys or of many."""

    variant, dimension = "fake", 2

    def __init__(self, name: str, step: int) -> None:
        self.model_id = name
        self.embedded = 0
        self._step = step

    def crops(self, image: Image, faces: Detections) -> npt.NDArray[np.uint8]:
        return np.stack([image[12:28, 12:28]] * len(faces))

    def embed_crops(self, crops: npt.NDArray[np.uint8]) -> FloatArray:
        self.embedded += len(crops)
        greys = crops.mean(axis=(1, 2, 3)).round() // self._step * self._step
        return np.stack([np.cos(np.radians(greys / 2)), np.sin(np.radians(greys / 2))], 1).astype(
            np.float32
        )


@pytest.fixture
def sharp() -> Grey:
    return Grey("sharp", 1)


@pytest.fixture
def blind() -> Grey:
    """Takes everybody for one person."""
    return Grey("blind", 256)


@pytest.fixture
def judged(
    tmp_path: Path, write_people: PhotoWriter, detector: Detector
) -> tuple[MainFaces, Pairs]:
    images = write_people(tmp_path / "images", PEOPLE)
    (tmp_path / "pairs.txt").write_text(PAIRS)
    pairs = read_pairs(tmp_path / "pairs.txt", images)
    return find_main_faces(detector, images, photos_to_compare(images, pairs)), pairs


def test_each_embedder_is_judged_on_the_same_faces(
    judged: tuple[MainFaces, Pairs], sharp: Grey, blind: Grey, tmp_path: Path
) -> None:
    """A same-person pair of seven photos shows no face twice: 3 of 5 are the most there is."""
    both = {"sharp": sharp, "blind": blind}
    report = evaluate_side_by_side(both, ("sharp", "blind"), *judged, replicates=50)
    assert [one.name for one in report.embedders] == ["sharp", "blind", "fused"]
    first, second, fused = report.embedders
    assert (first.report.accuracy, second.report.accuracy) == (1.0, 0.5)
    assert first.report.all_pairs.val_at_far["1e-2"].val == pytest.approx(3 / 5)
    assert second.report.all_pairs.val_at_far["1e-2"].val == 0
    assert second.val_gain["1e-2"].value == pytest.approx(-3 / 5)
    assert first.val_gain["1e-2"].value == 0
    assert (fused.dimension, fused.report.accuracy) == (4, 1.0)
    assert fused.ms_per_face == pytest.approx(first.ms_per_face + second.ms_per_face, abs=0.02)
    names = [name for name, _, _ in side_by_side_rows(report)]
    assert names.count("  blind") == 6, "accuracy, EER, VAL at three FARs, milliseconds"
    json.dumps(as_json(report), allow_nan=False)
    page, plot = tmp_path / "page.html", tmp_path / "plot.png"
    write_page(page, "SideBySide", side_by_side_rows(report), side_by_side_figures(report))
    plot_side_by_side(report, plot)
    assert page.read_text(encoding="utf-8").count("<figure>") == 1
    assert plot.stat().st_size > 1000


def test_what_is_kept_is_kept_by_embedder(
    judged: tuple[MainFaces, Pairs], sharp: Grey, blind: Grey, tmp_path: Path
) -> None:
    """A second run embeds nobody again but the faces it takes the time of."""
    kept = (tmp_path / "kept", "settings")
    evaluate_side_by_side({"a": sharp}, None, *judged, kept=kept, replicates=5)
    first, timed = sharp.embedded, sharp.embedded - int(judged[0].found.sum())
    evaluate_side_by_side({"a": sharp, "b": blind}, None, *judged, kept=kept, replicates=5)
    assert sharp.embedded - first == timed
    assert blind.embedded == first


def test_without_any_face_there_is_nothing_to_time(
    tmp_path: Path, write_people: PhotoWriter, detector: Detector, sharp: Grey
) -> None:
    images = write_people(tmp_path / "images", {"Ann": [0, 0], "Bo": [0, 0]})
    (tmp_path / "pairs.txt").write_text("1\nAnn\t1\t2\nAnn\t1\tBo\t1\n")
    pairs = read_pairs(tmp_path / "pairs.txt", images)
    faces = find_main_faces(detector, images, photos_to_compare(images, pairs))
    with pytest.raises(ProtocolError, match="no face was found"):
        evaluate_side_by_side({"sharp": sharp}, None, faces, pairs)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The options that name the astronaut twice, and a man who is a cat."""
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path / "home"))
    astronaut = np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])
    shown = {"Ann_0001": astronaut, "Ann_0002": astronaut[:300, 60:360]}
    shown |= dict.fromkeys(("Bo_0001", "Bo_0002"), skimage.data.chelsea()[:, :, ::-1])
    for name, image in shown.items():
        path = tmp_path / "images" / name[:-5] / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.ascontiguousarray(image))
    (tmp_path / "pairs.txt").write_text("1\nAnn\t1\t2\nAnn\t1\tBo\t1\n")
    return "--images", str(tmp_path / "images"), "--pairs", str(tmp_path / "pairs.txt")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["verification", *arguments], catch_exceptions=True)


def test_the_real_ones_with_their_own_crops(photos: tuple[str, ...]) -> None:
    names = "casia-webface,casia-webface@margin0,sface,fused"
    result = run(*photos, "--embedders", names, "--json", "-")
    assert result.exit_code == 0, result.output
    columns = json.loads(result.stdout)["embedders"]
    assert [one["name"] for one in columns] == names.split(",")
    assert [one["dimension"] for one in columns] == [512, 512, 128, 640]
    assert len({one["report"]["model_id"] for one in columns}) == 4, "each a space of its own"
    assert all(one["report"]["accuracy"] == 1.0 for one in columns)
    assert all(one["ms_per_face"] > 0 for one in columns)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("--embedders", "casia-webface:int8"), ModelError, "int8 was asked for, but"),
        (("--embedders", "sface:int8"), ModelError, "for FaceNet's weights only"),
        (("--embedders", "nobody"), ModelError, "attendance models fetch nobody"),
        (("--embedders", "sface;fused"), ProtocolError, "with commas between"),
        (("--embedders", "sface", "--model", "sface"), SystemExit, ""),
    ],
)
def test_what_cannot_be_had_is_one_sentence(
    photos: tuple[str, ...], arguments: tuple[str, ...], error: type[BaseException], message: str
) -> None:
    result = run(*photos, *arguments)
    assert isinstance(result.exception, error)
    assert message in str(result.exception)
