"""The trial of evidence rules on photos, filmed, enrolled and judged; people are shades of grey."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from attendance.config import DecisionConfig
from attendance.core.domain import Detections, FloatArray, Image
from attendance.core.errors import AttendanceError
from attendance.evaluation.cache import EmbeddingCache
from attendance.evaluation.commands import app
from attendance.evaluation.embedding import PhotoEmbedder
from attendance.evaluation.evidence import evaluate_evidence
from attendance.evaluation.evidence_cast import choose
from attendance.evaluation.evidence_stage import Stage, set_stage
from attendance.evaluation.evidence_table import evidence_rows
from attendance.evaluation.footage import Filmer
from tests.integration.evaluation.conftest import FakeDetector, PhotoWriter

ENROLLED = {f"e{i}": [20 + 12 * i + j % 3 for j in range(7)] for i in range(9)}
IDENTITY = ("fake-1", "fake")
STRANGERS = {f"s{i}": [26 + 12 * i] for i in range(12)}


class GreyEmbedder:
    """A face is the angle its grey stands for, three times as wide as a photo's."""

    model_id, variant, dimension = "fake-1", "fake", 3

    def __init__(self) -> None:
        self.looks = 0

    def embed(self, image: Image, faces: Detections) -> FloatArray:
        self.looks += len(faces)
        boxes = faces.boxes.astype(int)
        greys = np.array([image[y1:y2, x1:x2].mean() for x1, y1, x2, y2 in boxes])
        angles = np.radians(greys)
        rows = np.stack([np.cos(angles), np.sin(angles), np.full(len(greys), 0.1)], axis=1)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture
def folder(tmp_path: Path, write_people: PhotoWriter) -> Path:
    return write_people(tmp_path / "people", {**ENROLLED, **STRANGERS})


def staged(folder: Path, embedder: GreyEmbedder, cache: Path) -> Stage:
    filmer = Filmer(FakeDetector(), embedder, 3, "street", EmbeddingCache(cache, "k"))
    cast = choose(folder, [*ENROLLED, *STRANGERS])
    return set_stage(PhotoEmbedder(FakeDetector(), embedder), filmer, folder, cast)


def test_photos_become_clips_classes_and_figures(folder: Path, tmp_path: Path) -> None:
    stage = staged(folder, GreyEmbedder(), tmp_path / "cache")
    report = evaluate_evidence(stage, stage, DecisionConfig(), IDENTITY, count=5, replicates=30)
    assert (report.n_enrolled, report.n_stranger_clips, report.n_probe_clips) == (9, 12, 18)
    assert set(report.figures) == {"0.01", "0.003"}
    names = [name for name, _, _ in evidence_rows(report)]
    assert any("likelihood ratios" in name for name in names)


def test_clips_are_the_same_every_time_and_kept(folder: Path, tmp_path: Path) -> None:
    first, second, again = GreyEmbedder(), GreyEmbedder(), GreyEmbedder()
    one = staged(folder, first, tmp_path / "a")
    other = staged(folder, second, tmp_path / "b")
    kept = staged(folder, again, tmp_path / "a")
    assert again.looks < first.looks, "only templates were embedded a second time"
    for left, right, from_cache in zip(one.clips, other.clips, kept.clips, strict=True):
        assert np.array_equal(left.embeddings, right.embeddings)
        assert np.array_equal(left.embeddings, from_cache.embeddings)


def test_people_without_enough_photos_are_an_error_that_says_so(
    folder: Path, tmp_path: Path
) -> None:
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("1\ne0\t1\t2\ne1\t1\te2\t1\n")
    arguments = ["evidence", "--images", folder, "--train", pairs, "--test", pairs]
    result = CliRunner().invoke(app, [str(part) for part in arguments])
    assert isinstance(result.exception, AttendanceError)
    assert "six photos or more" in str(result.exception)
