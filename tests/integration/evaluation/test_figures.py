"""Evaluations on people whose every similarity is known before."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attendance.config import DecisionConfig, DetectorConfig
from attendance.core.errors import PhotoError
from attendance.evaluation.cache import EmbeddingCache
from attendance.evaluation.detection import evaluate_detection, read_boxes
from attendance.evaluation.embedding import PhotoEmbedder
from attendance.evaluation.identification import evaluate_identification
from attendance.evaluation.plots import plot_detection, plot_identification, plot_verification
from attendance.evaluation.protocols import ProtocolError, read_pairs
from attendance.evaluation.reports import as_json
from attendance.evaluation.verification import VerificationReport, evaluate_verification

PhotoWriter = Callable[[Path, Mapping[str, list[int]]], Path]

PEOPLE = {"Ann": [10, 20, 0], "Bo": [100, 110], "Cy": [200, 210]}
PAIRS = "4\nAnn\t1\t2\nBo\t1\t2\nCy\t1\t2\nAnn\t1\t3\n" + (
    "Ann\t1\tBo\t1\nBo\t1\tCy\t1\nAnn\t2\tCy\t1\nAnn\t3\tBo\t2\n"
)
FIXED_KEYS = {
    "verification": "n_pairs n_undetected accuracy accuracy_sd eer val_at_far threshold precision "
    "recall f1 model_id variant",
    "identification": "n_gallery n_probes n_impostors rank1 fnir_at_fpir threshold model_id "
    "variant",
    "detection": "n_images n_faces recall false_per_image",
}
PNG = b"\x89PNG\r\n"


@pytest.fixture
def images(tmp_path: Path, write_people: PhotoWriter) -> Path:
    return write_people(tmp_path / "images", PEOPLE)


def verify(
    embedder: PhotoEmbedder, images: Path, text: str, threshold_from: str | None = None
) -> VerificationReport:
    files = [images.parent / name for name in ("judged.txt", "chosen.txt")]
    files[0].write_text(text)
    files[1].write_text(threshold_from or "")
    others = ("chosen.txt", read_pairs(files[1], images)) if threshold_from else None
    judged = read_pairs(files[0], images)
    return evaluate_verification(embedder, images, judged, others, replicates=50)


def test_a_missed_face_costs_its_pairs_and_is_never_dropped(
    photo_embedder: PhotoEmbedder, images: Path
) -> None:
    """Ann's third photo shows no face: of four same-person pairs one is refused, 7 of 8 right."""
    report = verify(photo_embedder, images, PAIRS)
    assert report.protocol == "in-sample"
    assert (report.n_pairs, report.n_same, report.n_cross, report.n_undetected) == (8, 4, 4, 1)
    assert (report.accuracy, report.precision, report.recall) == (0.875, 1.0, 0.75)
    assert report.val_at_far == {"1e-2": 0.75, "1e-3": 0.75, "1e-4": 0.75}
    assert 0 < report.accuracy_sd < 0.3


def test_all_pairs_are_all_photos_of_the_people_named(
    photo_embedder: PhotoEmbedder, images: Path
) -> None:
    everything = verify(photo_embedder, images, PAIRS).all_pairs
    assert (everything.n_people, everything.n_photos, everything.n_undetected) == (3, 7, 1)
    assert (everything.n_same, everything.n_cross) == (5, 16)
    figure = everything.val_at_far["1e-2"]
    assert figure.val == pytest.approx(3 / 5)
    assert figure.low <= figure.val <= figure.high
    assert figure.threshold == pytest.approx(np.cos(np.radians(40)), abs=1e-3)
    assert figure.val_by_person == pytest.approx((1 / 3 + 1 + 1) / 3), "Ann's pairs, Bo's, Cy's"


def test_folds_are_judged_with_the_threshold_of_the_others(
    photo_embedder: PhotoEmbedder, images: Path
) -> None:
    fold = "Ann\t1\t2\nAnn\t1\tBo\t1\n"
    report = verify(photo_embedder, images, "10\t1\n" + fold * 10)
    assert (report.protocol, report.accuracy, report.accuracy_sd) == ("ten-fold", 1.0, 0.0)


def test_the_threshold_of_other_pairs_is_applied_as_it_is(
    photo_embedder: PhotoEmbedder, images: Path
) -> None:
    """Ann's pairs ask for half-way between 45 and 5 degrees; Bo and Cy differ by 50."""
    chosen = "1\nAnn\t1\t2\nAnn\t1\tBo\t1\n"
    report = verify(photo_embedder, images, "1\nBo\t1\t2\nBo\t1\tCy\t1\n", chosen)
    expected = (np.cos(np.radians(5)) + np.cos(np.radians(45))) / 2
    assert report.protocol == "threshold-from chosen.txt"
    assert report.threshold == pytest.approx(expected, abs=1e-3)
    assert report.accuracy == 1.0


def test_the_live_score_decides_who_is_named(
    photo_embedder: PhotoEmbedder, tmp_path: Path, write_people: PhotoWriter
) -> None:
    """Di and Ed look most like Bo and get the name; Cy, half-way to Ann, lacks the margin."""
    gallery = write_people(tmp_path / "gallery", {"Ann": [10, 14], "Bo": [130], "Gone": [0]})
    probes = write_people(
        tmp_path / "probes", {"Ann": [12, 0], "Bo": [132], "Cy": [70], "Gone": [9]}
    )
    impostors = write_people(tmp_path / "impostors", {"Di": [240], "Ed": [200]})
    decision = DecisionConfig(threshold=0.5, margin=0.1)
    report = evaluate_identification(photo_embedder, gallery, probes, impostors, decision)
    assert (report.n_gallery, report.n_templates) == (3, 6)
    assert (report.n_probes, report.n_impostors, report.n_undetected) == (4, 3, 2)
    assert report.rank1 == 0.5, "Ann and Bo are found; one photo and one gallery show no face"
    assert report.fnir_at_fpir == {"0.003": 0.5, "0.01": 0.5, "0.03": 0.5}
    assert report.thresholds["0.01"] == report.threshold
    at = report.configured
    assert (at.fpir, at.fnir, at.misidentified) == (pytest.approx(2 / 3), 0.5, 0.25)


def test_without_strangers_there_is_no_open_set_figure(
    photo_embedder: PhotoEmbedder, images: Path
) -> None:
    report = evaluate_identification(photo_embedder, images, images, None, DecisionConfig())
    figures = as_json(report)
    assert figures["n_impostors"] == 0
    assert figures["fnir_at_fpir"] == {"0.003": None, "0.01": None, "0.03": None}


def test_an_impostor_cannot_be_enrolled(photo_embedder: PhotoEmbedder, images: Path) -> None:
    with pytest.raises(ProtocolError, match="holds Ann, who is in the gallery"):
        evaluate_identification(photo_embedder, images, images, images, DecisionConfig())


def test_detection_counts_by_size_and_forgives_what_cannot_be_made_out(
    detector: Any, images: Path
) -> None:
    """The detector sees (10, 10, 30, 30) in five photos and nothing in the sixth."""
    rows = {
        "Ann/Ann_0001.png": [[10, 10, 20, 20, 0, 0, 0, 0, 0, 0], [0, 0, 9, 90, 0, 0, 0, 0, 0, 0]],
        "Ann/Ann_0002.png": [[10, 10, 20, 20, 0, 0, 0, 1, 0, 0]],
        "Bo/Bo_0001.png": [],
        "Bo/Bo_0002.png": [[10, 10, 20, 20, 0, 0, 0, 0, 0, 0]],
        "Ann/Ann_0003.png": [[10, 10, 20, 45, 0, 0, 0, 0, 0, 0]],
    }
    file = images.parent / "boxes.json"
    file.write_text(json.dumps(rows))
    report = evaluate_detection(
        lambda image: detector.detect(image).boxes, images, read_boxes(file), DetectorConfig()
    )
    assert (report.n_images, report.n_faces) == (5, 4)
    assert report.recall == {"20": 0.5, "40": 0.0, "80": 0.0}
    assert report.n_faces_by_height == {"20": 4, "40": 2, "80": 1}
    assert report.false_per_image == 0.2, "only Bo's first photo: the invalid face was no mistake"


def test_a_photo_is_embedded_once_until_it_changes(
    tmp_path: Path, images: Path, detector: Any, embedder: Any, write_people: PhotoWriter
) -> None:
    def embed(settings: str) -> None:
        cache = EmbeddingCache(tmp_path / "cache", settings)
        photos = ("Bo/Bo_0001.png", "Bo/Bo_0002.png", "Ann/Ann_0003.png")
        found = PhotoEmbedder(detector, embedder, cache).embed(images, photos).found
        assert found.tolist() == [True, True, False]

    embed("a")
    assert detector.photos_seen == 3
    embed("a")
    assert detector.photos_seen == 3, "everything was kept, the photo without a face too"
    embed("b")
    assert detector.photos_seen == 6, "other settings share nothing"
    write_people(images, {"Bo": [100, 111, 112]})
    embed("a")
    assert 7 <= detector.photos_seen <= 8, "Bo's photos are new, Ann's is not"
    (file, *_) = (tmp_path / "cache").glob("*.npz")
    assert file.stat().st_mode & 0o077 == 0
    for kept in (tmp_path / "cache").glob("*.npz"):
        kept.write_bytes(b"cut short")
    embed("a")


def test_a_photo_that_is_none_is_named(photo_embedder: PhotoEmbedder, images: Path) -> None:
    (images / "Bo" / "Bo_0002.png").write_text("not an image")
    with pytest.raises(PhotoError, match=r"Bo_0002.png: not an image"):
        photo_embedder.embed(images, ["Bo/Bo_0001.png", "Bo/Bo_0002.png"])
    with pytest.raises(PhotoError, match=r"Bo_0009.png: there is no such photo"):
        photo_embedder.embed(images, ["Bo/Bo_0009.png"])


def test_keys_are_the_fixed_ones_and_plots_are_drawn(
    photo_embedder: PhotoEmbedder, detector: Any, images: Path, tmp_path: Path
) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text('{"Bo/Bo_0001.png": [[10,10,20,20,0,0,0,0,0,0]]}')
    verification = verify(photo_embedder, images, PAIRS)
    identification = evaluate_identification(photo_embedder, images, images, None, DecisionConfig())
    detection = evaluate_detection(
        lambda image: detector.detect(image).boxes, images, read_boxes(boxes), DetectorConfig()
    )
    plot_verification(verification, tmp_path / "verification.png")
    plot_identification(identification, tmp_path / "identification.png")
    plot_detection(detection, tmp_path / "detection.png")
    reports = (verification, identification, detection)
    for (name, keys), report in zip(FIXED_KEYS.items(), reports, strict=True):
        assert set(keys.split()) <= set(json.loads(json.dumps(as_json(report), allow_nan=False)))
        assert (tmp_path / f"{name}.png").read_bytes().startswith(PNG)
