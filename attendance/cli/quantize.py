"""`attendance models quantize`: the int8 variant of the embedder in use, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attendance.cli.context import Context, JsonOption, console, write_json

if TYPE_CHECKING:
    from rich.table import Table

    from attendance.evaluation.faces import MainFaces
    from attendance.evaluation.variant_trials import Trial
    from attendance.vision.mtcnn import Mtcnn
    from attendance.vision.quantized import Int8Record
    from attendance.vision.weights import ModelStore


def quantize(
    context: typer.Context,
    faces: Annotated[
        Path | None,
        typer.Option(help="Folder of one sub-folder a person to calibrate with, not the sample's."),
    ] = None,
    gate: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="People to measure the loss on, one sub-folder each."),
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="Only people of DIR that this LFW pairs file names.")
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep embeddings of the gate there, in clear."),
    ] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Even if it is built.")] = False,
    json_target: JsonOption = None,
) -> None:
    """Build the int8 variant of the embedder in use; say how fast it is and what it costs."""
    from attendance.db.engine import make_private_folder
    from attendance.evaluation.reports import check_targets
    from attendance.vision.variants import choose_for

    check_targets(json_target)
    own: Context = context.obj
    make_private_folder(own.home)
    with own.school() as school:
        store = school.models
    record, trials = _built_and_tried(store, faces, (gate, pairs, cache), rebuild)
    choice = choose_for(store, own.config.embedder.precision, store.active())
    screen = console(json_target)
    screen.print(_table(trials, record))
    screen.print(f"In use on this machine: {choice.variant}, {choice.reason}.")
    write_json({"record": record, "trials": trials, "choice": choice}, json_target)


def build_if_missing(store: ModelStore) -> None:
    """Build the int8 variant from the sample class, where NNCF is installed and none is there.

    Raises:
        AttendanceError: the sample class cannot be fetched.
    """
    import importlib.util

    from attendance.config import DetectorConfig
    from attendance.core.errors import ModelError
    from attendance.vision.engines import capabilities
    from attendance.vision.loading import load_detector
    from attendance.vision.weights import kind_of

    name = store.active()
    if kind_of(name) != "facenet":
        return
    try:
        is_there = store.int8.record(store.model_id(name), store.digest(name)) is not None
    except ModelError:
        is_there = False  # damaged: built anew
    can_build = importlib.util.find_spec("nncf") is not None and "INT8" in capabilities()
    if is_there or not can_build:
        return
    detector = load_detector(DetectorConfig(), "cpu", store.cache_dir)
    _record(store, _calibration(detector, None), rebuild=False)


def _built_and_tried(
    store: ModelStore,
    faces: Path | None,
    measured_on: tuple[Path | None, Path | None, Path | None],
    rebuild: bool,
) -> tuple[Int8Record, list[Trial]]:
    """Build where need be, time all variants, and keep what the gate said."""
    from attendance.config import DetectorConfig
    from attendance.evaluation import variant_trials
    from attendance.vision.loading import load_detector, load_variants

    detector = load_detector(DetectorConfig(), "cpu", store.cache_dir)
    calibration = _calibration(detector, faces)
    record = _record(store, calibration, rebuild)
    variants = load_variants(store)
    folder, pairs, cache = measured_on
    gates = {}
    if folder is not None:
        people = _people(detector, folder, pairs, cache)
        gates = variant_trials.gate_variants(variants, people, cache, record.recipe.fingerprint)
        record = replace(record, gate=gates[variants[-1].variant])
        store.int8.amend(record)
    return record, variant_trials.try_variants(variants, calibration.held_out, gates)


def _calibration(detector: Mtcnn, folder: Path | None) -> Any:
    from attendance.evaluation.faces import find_main_faces, photos_digest
    from attendance.evaluation.protocols import read_people
    from attendance.vision.quantization import Calibration

    if folder is not None:
        paths = [path for person in read_people(folder).values() for path in person]
    else:
        folder, paths = _sample()
    found = find_main_faces(detector, folder, paths)
    return Calibration(found.crops(), photos_digest(folder, paths))


def _sample() -> tuple[Path, list[str]]:
    """The photos of the sample class, relative to their folder."""
    import platformdirs

    from attendance.demo.sample_class import sample_photos

    cache = Path(platformdirs.user_cache_dir("attendance", appauthor=False))
    photos = [path for person in sample_photos(cache).values() for path in person]
    folder = photos[0].parents[2]
    return folder, [path.relative_to(folder).as_posix() for path in photos]


def _record(store: ModelStore, calibration: Any, rebuild: bool) -> Int8Record:
    """What is built from this very recipe already, else what is built now."""
    from attendance.core.errors import ModelError
    from attendance.vision import quantization
    from attendance.vision.loading import load_variant

    name = store.active()
    source = quantization.Source(store.path(name), store.digest(name), store.model_id(name))
    try:
        known = store.int8.record(source.model_id, source.sha256)
    except ModelError:
        known = None  # damaged: built anew
    is_same = known is not None and known.recipe == quantization.recipe(source, calibration)
    if known is not None and is_same and not rebuild:
        return known
    return quantization.build(source, calibration, store.int8, load_variant(store, "f32"))


def _people(detector: Mtcnn, folder: Path, pairs: Path | None, cache: Path | None) -> MainFaces:
    from attendance.config import DetectorConfig
    from attendance.evaluation.faces import faces_cache, find_main_faces
    from attendance.evaluation.protocols import read_pairs, read_people

    people = read_people(folder)
    named = read_pairs(pairs, folder).people if pairs is not None else tuple(people)
    paths = [path for person in named for path in people[person]]
    kept = faces_cache(cache, DetectorConfig().model_dump_json())
    return find_main_faces(detector, folder, paths, kept)


def _table(trials: list[Trial], record: Int8Record) -> Table:
    from rich.table import Table

    table = Table("variant", "ms a face, one", "ms a face, of 8", "cosine to f32", "gate")
    table.title = f"int8 of {record.model_id}, {record.size_mb:.1f} MB"
    for trial in trials:
        cosine = f"{trial.parity.mean:.4f} mean, {trial.parity.lowest:.4f} lowest"
        times = (f"{trial.ms_per_face[batch]:.1f}" for batch in ("1", "8"))
        without = "compared with" if trial is trials[0] else "not measured"
        verdict = without if trial.gate is None else str(trial.gate)
        table.add_row(trial.variant, *times, cosine, verdict)
    return table
