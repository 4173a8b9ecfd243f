"""`attendance evaluate background | calibration`: what calibrating starts from; if it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attendance.core.errors import AttendanceError
from attendance.evaluation.command_scope import (
    PEOPLE,
    CacheOption,
    Handing,
    HtmlOption,
    JsonOption,
    ModelOption,
    Scope,
    scope_of,
)

if TYPE_CHECKING:
    from attendance.core.impostors import Background
    from attendance.evaluation.background import Crowd

ImagesOption = Annotated[Path, typer.Option("--images", help=PEOPLE)]
PairsOption = Annotated[
    Path | None, typer.Option("--people", help="LFW pairs file: only the people it names.")
]
TARGETS, SIZES = (0.01, 0.003), (10, 30, 60)


def background(
    context: typer.Context,
    images: ImagesOption,
    people: PairsOption = None,
    model: ModelOption = None,
    into: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to keep it. Default: what the program ships."),
    ] = None,
    cache: CacheOption = None,
) -> None:
    """Measure how strangers fare with rosters of every size: what `calibrate` starts from."""
    from attendance.calibration.background import SHIPPED, keep_background
    from attendance.evaluation.background import measure_background

    scope = scope_of(context)
    crowd, model_id = _crowd(scope, images, people, model, cache)
    found = measure_background(crowd, model_id, scope.config.decision)
    keep_background(found, into or SHIPPED)
    size, rate = int(found.sizes[-1]), max(0.01, found.least_fpir)
    typer.echo(
        f"{found.model_id}: {found.strangers} strangers, rosters of up to {size} of "
        f"{found.people} people; {size} take a threshold of {found.threshold(size, rate):.3f} "
        f"to name {100 * rate:.1f} % of strangers"
    )


def calibration(
    context: typer.Context,
    images: ImagesOption,
    people: PairsOption = None,
    model: ModelOption = None,
    target_fpir: Annotated[
        list[float] | None,
        typer.Option(min=1e-4, max=0.2, help="Asked for; may be repeated. 0.01 and 0.003."),
    ] = None,
    roster_size: Annotated[
        list[int] | None,
        typer.Option(min=2, max=500, help="People on each; may be repeated. 10, 30 and 60."),
    ] = None,
    rosters: Annotated[int, typer.Option(min=2, max=5000, help="Drawn of each size.")] = 60,
    json_file: JsonOption = None,
    html: HtmlOption = None,
    cache: CacheOption = None,
) -> None:
    """Is calibration honest? Predicted against observed false accepts, on people it never saw."""
    from attendance.evaluation.calibration_check import (
        check_calibration,
        honesty_figures,
        honesty_rows,
    )
    from attendance.evaluation.reports import check_targets

    check_targets(json_file, html)
    scope = scope_of(context)
    crowd, model_id = _crowd(scope, images, people, model, cache)
    report = check_calibration(
        crowd,
        _background(model_id),
        scope.config.decision,
        targets=target_fpir or TARGETS,
        sizes=roster_size or SIZES,
        n_rosters=rosters,
    )
    figures = honesty_figures(report) if html is not None else ()
    Handing(json_file, html=html).over(report, honesty_rows(report), figures)


def _crowd(
    scope: Scope, images: Path, pairs: Path | None, model: str | None, cache: Path | None
) -> tuple[Crowd, str]:
    from attendance.evaluation.background import read_crowd
    from attendance.evaluation.protocols import read_pairs, read_people

    everybody = read_people(images)
    chosen = everybody if pairs is None else dict.fromkeys(read_pairs(pairs, images).people)
    embedder = scope.photo_embedder(cache, model)
    crowd = read_crowd(embedder, images, {name: everybody[name] for name in chosen})
    return crowd, embedder.model_id


def _background(model_id: str) -> Background:
    from attendance.calibration.background import shipped_background

    found = shipped_background(model_id)
    if found is None:
        raise AttendanceError(
            f"there is no background of {model_id}: `attendance evaluate background` makes one"
        )
    return found
