"""`attendance evaluate`: the sub-commands, their options and what they print."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attendance.evaluation.clip_trials_command import clip_trials
from attendance.evaluation.command_scope import (
    PEOPLE,
    CacheOption,
    Handing,
    HtmlOption,
    JsonOption,
    ModelOption,
    Place,
    PlaceOption,
    PlotOption,
    Scope,
    scope_of,
)
from attendance.evaluation.evidence_command import evidence
from attendance.evaluation.photo_commands import crops, robustness, search_drawn_classes
from attendance.evaluation.reports import check_targets
from attendance.evaluation.tables import (
    clips_rows,
    detection_rows,
    identification_rows,
)
from attendance.evaluation.verification_command import verification

if TYPE_CHECKING:
    from attendance.config import DetectorConfig
    from attendance.core.domain import FloatArray, Image

SMALLEST_FACE_PX = 20


class Finder(StrEnum):
    """Who finds the faces."""

    PHOTO = "photo"
    VIDEO = "video"
    REFERENCE = "reference"


app = typer.Typer(
    name="evaluate",
    help="Measure how well faces are verified, identified and detected.",
    no_args_is_help=True,
)
app.command()(verification)
app.command()(robustness)
app.command()(crops)
app.command()(evidence)
app.command()(clip_trials)


@app.command()
def identification(
    context: typer.Context,
    gallery: Annotated[
        Path | None, typer.Option("--gallery", help=PEOPLE + " They are enrolled.")
    ] = None,
    probes: Annotated[
        Path | None, typer.Option("--probes", help=PEOPLE + " They are searched for.")
    ] = None,
    impostors: Annotated[
        Path | None, typer.Option("--impostors", help=PEOPLE + " Nobody of them is enrolled.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option("--images", help=PEOPLE + " Classes are drawn from them.")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option("--pairs", help="With --images: only this file's people.")
    ] = None,
    classes: Annotated[int, typer.Option(min=1, help="Classes drawn from --images.")] = 200,
    class_size: Annotated[int, typer.Option(min=2, help="Members of each.")] = 30,
    templates: Annotated[int, typer.Option(min=1, help="Photos enrolled of each.")] = 5,
    photos_each: Annotated[int, typer.Option(min=2, help="At most so many a person.")] = 6,
    min_photos: Annotated[
        int, typer.Option("--min-photos", min=1, help="Leave out people with fewer photos.")
    ] = 1,
    played: Annotated[
        bool, typer.Option("--clips/--no-clips", help="Play synthetic clips of them as well.")
    ] = True,
    place: PlaceOption = Place.CLASSROOM,
    model: ModelOption = None,
    json_file: JsonOption = None,
    plot: PlotOption = None,
    html: HtmlOption = None,
    cache: CacheOption = None,
) -> None:
    """Who of the enrolled is this, if any? Of two folders, or of classes drawn from one."""
    check_targets(json_file, plot, html)
    scope = scope_of(context)
    if images is None and gallery is not None and probes is not None:
        folders = (gallery, probes, impostors)
        _search_folders(scope, folders, Handing(json_file, plot, html), (cache, model))
    elif images is not None and gallery is None and probes is None and impostors is None:
        if plot is not None:
            raise typer.BadParameter("--plot is for two folders; classes are drawn with --html")
        people = (images, pairs, photos_each, min_photos)
        drawn = (classes, class_size, templates)
        scene = place if played else None
        handing = Handing(json_file, html=html)
        search_drawn_classes(scope, people, drawn, scene, handing, (cache, model))
    else:
        raise typer.BadParameter("give --gallery and --probes, or --images alone")


@app.command()
def detection(
    context: typer.Context,
    images: Annotated[Path, typer.Option("--images", help="Folder of photos.")],
    boxes: Annotated[Path, typer.Option("--boxes", help="JSON of drawn faces, WIDER's fields.")],
    min_face_px: Annotated[
        int, typer.Option("--min-face-px", min=20, max=400, help="Smallest face looked for.")
    ] = SMALLEST_FACE_PX,
    min_score: Annotated[
        float | None, typer.Option(min=0, max=1, help="Faces below do not count.")
    ] = None,
    how: Annotated[
        Finder, typer.Option(help="As photos are, as a video's frames are, or facenet-pytorch.")
    ] = Finder.PHOTO,
    json_file: JsonOption = None,
    plot: PlotOption = None,
) -> None:
    """Are faces found? Recall by size, false detections an image."""
    from attendance.evaluation.detection import evaluate_detection, read_boxes
    from attendance.evaluation.plots import plot_detection

    check_targets(json_file, plot)
    drawn = read_boxes(boxes)
    scope = scope_of(context)
    own = scope.config.detector
    least = own.min_score if min_score is None else min_score
    settings = own.model_copy(update={"min_face_px": min_face_px, "min_score": least})
    report = evaluate_detection(_finder(scope, settings, how), images, drawn, settings)
    if plot is not None:
        plot_detection(report, plot)
    Handing(json_file, plot).over(report, detection_rows(report))


@app.command()
def clips(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("--clips", help="Clips beside their labels.json.")],
    enrolled_from: Annotated[
        int, typer.Option("--enrolled-from", min=0, help="Which clip of each person enrols them.")
    ] = 0,
    json_file: JsonOption = None,
) -> None:
    """Is the right person named when clips are played as the camera? And who when it is none?"""
    from attendance.bootstrap import School
    from attendance.evaluation.clips import evaluate_clips, read_clips

    check_targets(json_file)
    scope = scope_of(context)
    labelled = read_clips(folder)
    school = School(scope.home, scope.config)
    report = evaluate_clips(school, labelled, enrolled_from)
    Handing(json_file).over(report, clips_rows(report))


def _search_folders(
    scope: Scope,
    folders: tuple[Path, Path, Path | None],
    handing: Handing,
    how: tuple[Path | None, str | None],
) -> None:
    from attendance.evaluation.identification import evaluate_identification
    from attendance.evaluation.plots import plot_identification

    embedder = scope.photo_embedder(*how)
    decision = scope.decision(embedder.model_id)
    report = evaluate_identification(embedder, *folders, decision)
    if handing.plot is not None:
        plot_identification(report, handing.plot)
    handing.over(report, identification_rows(report))


def _finder(scope: Scope, settings: DetectorConfig, how: Finder) -> Callable[[Image], FloatArray]:
    if how is Finder.REFERENCE:
        from attendance.vision.reference import FacenetPytorch
        from attendance.vision.weights import DEFAULT, ModelStore

        graph = ModelStore(scope.home / "models").path(DEFAULT)
        return FacenetPytorch(graph, settings.min_face_px, settings.min_score).detect
    detector = scope.detector(settings)
    find = detector.detect if how is Finder.PHOTO else detector.detect_fast
    return lambda image: find(image).boxes
