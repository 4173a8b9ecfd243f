"""`attendance evaluate verification`: one embedder in full, or several side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attendance.evaluation.command_scope import (
    PEOPLE,
    CacheOption,
    Handing,
    HtmlOption,
    JsonOption,
    ModelOption,
    PlotOption,
    Scope,
    scope_of,
)
from attendance.evaluation.reports import check_targets
from attendance.evaluation.tables import verification_rows

if TYPE_CHECKING:
    from attendance.evaluation.protocols import Pairs

    _Judged = tuple[Pairs, tuple[str, Pairs] | None]


def verification(
    context: typer.Context,
    images: Annotated[Path, typer.Option("--images", help=PEOPLE)],
    pairs: Annotated[Path, typer.Option("--pairs", help="LFW pairs file, with or without folds.")],
    threshold_from: Annotated[
        Path | None,
        typer.Option("--threshold-from", help="Pairs file over the same images to choose it on."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=2, help="Only so many pairs, for a quick look.")
    ] = None,
    json_file: JsonOption = None,
    plot: PlotOption = None,
    html: HtmlOption = None,
    cache: CacheOption = None,
    model: ModelOption = None,
    embedders: Annotated[
        str | None,
        typer.Option(
            "--embedders",
            metavar="NAME,...",
            help="Several side by side: names of `attendance models list`, each with :f32, :bf16 "
            "or :int8 and FaceNet's with @margin0 if wanted; fused is FaceNet and SFace together.",
        ),
    ] = None,
) -> None:
    """Are two photos of one person? Accuracy, EER, VAL at FAR."""
    from attendance.evaluation.protocols import read_pairs

    if embedders is not None and model is not None:
        raise typer.BadParameter("give --model or --embedders, not both")
    check_targets(json_file, plot, html)
    judged = read_pairs(pairs, images)
    sample = judged if limit is None else judged.sample(limit)
    others = (threshold_from.name, read_pairs(threshold_from, images)) if threshold_from else None
    scope, handing = scope_of(context), Handing(json_file, plot, html)
    if embedders is None:
        _one(scope, images, (sample, others), handing, (cache, model))
    else:
        _side_by_side(scope, images, (sample, others), handing, (cache, embedders))


def _one(
    scope: Scope,
    images: Path,
    judged: _Judged,
    handing: Handing,
    how: tuple[Path | None, str | None],
) -> None:
    from attendance.evaluation.page_plots import verification_figures
    from attendance.evaluation.plots import plot_verification
    from attendance.evaluation.verification import evaluate_verification

    report = evaluate_verification(scope.photo_embedder(*how), images, *judged)
    if handing.plot is not None:
        plot_verification(report, handing.plot)
    figures = verification_figures(report) if handing.html else ()
    handing.over(report, verification_rows(report), figures)


def _side_by_side(
    scope: Scope, images: Path, judged: _Judged, handing: Handing, how: tuple[Path | None, str]
) -> None:
    from attendance.evaluation.embedder_choice import load_choice, read_choices
    from attendance.evaluation.page_plots import side_by_side_figures
    from attendance.evaluation.plots import plot_side_by_side
    from attendance.evaluation.protocols import photos_to_compare
    from attendance.evaluation.side_by_side import evaluate_side_by_side
    from attendance.evaluation.side_by_side_table import side_by_side_rows
    from attendance.vision.weights import ModelStore

    cache, text = how
    choices, fused = read_choices(text)
    store = ModelStore(scope.home / "models")
    embedders = {one.text: load_choice(one, scope.config.embedder, store) for one in choices}
    faces = scope.main_faces(images, photos_to_compare(images, *judged), cache)
    report = evaluate_side_by_side(embedders, fused, faces, *judged, (cache, scope.cache_key))
    if handing.plot is not None:
        plot_side_by_side(report, handing.plot)
    figures = side_by_side_figures(report) if handing.html else ()
    handing.over(report, side_by_side_rows(report), figures)
