"""`attendance bench`: speed and what it saw, beside what others run today, in one run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attendance.cli.context import Context, JsonOption, console, write_json
from attendance.core.errors import AttendanceError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

LFW_VIEW_1 = Path("lfw-view1") / "images"


def bench(
    context: typer.Context,
    seconds: Annotated[
        float, typer.Option(min=0.2, max=120, help="Length of the synthetic videos.")
    ] = 20.0,
    faces: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Faces for them, one sub-folder a person. Default: lfw-view1/images under "
            "ATTENDANCE_DATA, or else the demo's sample class.",
        ),
    ] = None,
    video: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A real clip to measure besides.")
    ] = None,
    json_target: JsonOption = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PNG. Default: beside the JSON.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of people, seats and paths.")] = 0,
) -> None:
    """Measure ours beside facenet-pytorch, YuNet + SFace and dlib. About three minutes."""
    import platformdirs

    from attendance.cli.quantize import build_if_missing
    from attendance.evaluation.reports import check_targets
    from attendance.evaluation.speed import BenchOptions, measure
    from attendance.evaluation.speed_figures import figures
    from attendance.evaluation.speed_plot import plot_speed
    from attendance.evaluation.speed_table import summary, tables

    target = plot or _beside(json_target)
    check_targets(json_target, target)
    own: Context = context.obj
    cache = Path(platformdirs.user_cache_dir("attendance", appauthor=False))
    options = BenchOptions(_people(faces, cache), cache, seconds, seed, _existing(video))
    screen = console(json_target)
    with own.school() as school, screen.status("Building the int8 embedder if it is missing"):
        try:
            build_if_missing(school.models)
        except AttendanceError as error:
            screen.print(f"Without the int8 embedder, as {error}")
    with own.school() as school, _progress(screen) as progress:
        found = figures(measure(school, options, progress))
    write_json(found, json_target)
    if target is not None:
        plot_speed(found, target)
    for table in tables(found):
        screen.print(table)
    screen.print(summary(found))


def _progress(screen: Console) -> Progress:
    from rich.progress import Progress, TimeElapsedColumn

    return Progress(*Progress.get_default_columns(), TimeElapsedColumn(), console=screen)


def _beside(json_target: str | None) -> Path | None:
    if json_target is None or json_target == "-":
        return None
    return Path(json_target).with_suffix(".png")


def _existing(video: Path | None) -> Path | None:
    if video is not None and not video.is_file():
        raise AttendanceError(f"there is no video {video}")
    return video


def _people(faces: Path | None, cache: Path) -> Mapping[str, Sequence[Path]]:
    """Photos of each person: of the folder named, of the evaluation data, of the sample class."""
    from attendance.demo.sample_class import sample_photos
    from attendance.evaluation.protocols import read_people

    data = os.environ.get("ATTENDANCE_DATA")
    folder = faces or (Path(data) / LFW_VIEW_1 if data else None)
    if folder is None or not (faces or folder.is_dir()):
        return sample_photos(cache)
    return {name: [folder / p for p in paths] for name, paths in read_people(folder).items()}
