"""`attendance evaluate` with the real models: figures out, mistakes as one sentence."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from typer.testing import CliRunner, Result

from attendance.core.errors import AttendanceError
from attendance.evaluation.commands import app
from attendance.vision.engines import OpenVinoEngine


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path / "home"))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The astronaut twice, and a person whose photos show a cat and a wall."""
    astronaut = np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])
    photos = {
        "Ann/Ann_0001.png": astronaut,
        "Ann/Ann_0002.png": astronaut[:300, 60:360],
        "Bo/Bo_0001.png": np.ascontiguousarray(skimage.data.chelsea()[:, :, ::-1]),
        "Bo/Bo_0002.png": np.full((120, 120, 3), 90, np.uint8),
    }
    for name, image in photos.items():
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)
    (tmp_path / "pairs.txt").write_text("2\nAnn\t1\t2\nBo\t1\t2\nAnn\t1\tBo\t2\nAnn\t2\tBo\t1\n")
    return tmp_path / "images"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(part) for part in arguments], catch_exceptions=True)


def test_verification_prints_json_and_nothing_else(images: Path) -> None:
    pairs = images.parent / "pairs.txt"
    result = run("verification", "--images", images, "--pairs", pairs, "--json", "-")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert (figures["n_pairs"], figures["n_undetected"]) == (4, 2)
    assert figures["accuracy"] == 0.75, "the pair of Bo's shows no face and is refused"
    assert figures["variant"] == OpenVinoEngine("auto").variant
    assert "accuracy" in result.stderr


def test_identification_writes_json_and_a_plot(images: Path, tmp_path: Path) -> None:
    target, plot = tmp_path / "figures.json", tmp_path / "plot.png"
    arguments = ("--gallery", images, "--probes", images, "--json", target, "--plot", plot)
    result = run("identification", *arguments)
    assert result.exit_code == 0, result.output
    figures = json.loads(target.read_text())
    assert (figures["n_gallery"], figures["n_probes"], figures["n_impostors"]) == (2, 4, 0)
    assert figures["rank1"] == 0.5
    assert plot.stat().st_size > 1000
    assert "4 probes, 2 enrolled" in " ".join(result.stdout.split())


def test_detection_finds_the_astronaut(images: Path, tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text('{"Ann/Ann_0001.png": [[172, 60, 105, 130, 0, 0, 0, 0, 0, 0]]}')
    result = run("detection", "--images", images, "--boxes", boxes, "--json", "-")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["recall"] == {"20": 1.0, "40": 1.0, "80": 1.0}
    assert figures["min_face_px"] == 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--images", "missing", "--pairs", "missing.txt"), "cannot be read as a pairs file"),
        (("--images", ".", "--pairs", "x", "--json", "no/where.json"), "its folder is missing"),
        (("--images", ".", "--pairs", "x", "--plot", "/"), "it is a folder"),
    ],
)
def test_a_mistake_is_one_sentence_before_any_work(
    arguments: tuple[str, ...], message: str
) -> None:
    result = run("verification", *arguments)
    assert isinstance(result.exception, AttendanceError)
    assert message in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "nothing to search"),
        (("--gallery", "."), "a gallery without probes"),
        (("--images", ".", "--gallery", "."), "both ways at once"),
        (("--images", ".", "--plot", "p.png"), "--plot that would not be drawn"),
    ],
)
def test_identification_wants_two_folders_or_one(arguments: tuple[str, ...], reason: str) -> None:
    result = run("identification", *arguments)
    assert result.exit_code == 2, reason
    assert "--images alone" in result.output or "--plot is for" in result.output, reason


def test_robustness_writes_a_page(images: Path, tmp_path: Path) -> None:
    target, page = tmp_path / "figures.json", tmp_path / "page.html"
    result = run("robustness", "--images", images, "--json", target, "--html", page)
    assert result.exit_code == 0, result.output
    figures = json.loads(target.read_text())
    assert (figures["n_people"], figures["n_photos"], figures["n_same"]) == (2, 4, 2)
    kinds = [(one["kind"], one["level"]) for one in figures["damages"]]
    assert ("JPEG quality", "10") in kinds
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.data
def test_verification_on_real_people(tmp_path: Path) -> None:
    """Forty pairs of LFW's development set: chance makes at most a few wrong."""
    data = os.environ.get("ATTENDANCE_DATA")
    if not data:
        pytest.skip("ATTENDANCE_DATA is not set: it names the folder of evaluation data")
    folder = Path(data) / "lfw-view1"
    files = ("--images", folder / "images", "--pairs", folder / "pairsDevTest.txt")
    options = ("--limit", "40", "--cache", tmp_path / "cache", "--json", "-")
    result = run("verification", *files, *options)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert (figures["n_pairs"], figures["n_undetected"]) == (40, 0)
    assert figures["accuracy"] >= 0.95
    assert figures["all_pairs"]["val_at_far"]["1e-2"]["val"] >= 0.9
