"""`attendance evaluate evidence`: its options and what it prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attendance.evaluation.command_scope import (
    PEOPLE,
    CacheOption,
    Handing,
    JsonOption,
    ModelOption,
    Place,
    PlaceOption,
    scope_of,
)
from attendance.evaluation.evidence_table import evidence_rows
from attendance.evaluation.reports import check_targets


def evidence(
    context: typer.Context,
    images: Annotated[Path, typer.Option("--images", help=PEOPLE)],
    train: Annotated[
        Path, typer.Option("--train", help="LFW pairs file: its people choose the thresholds.")
    ],
    test: Annotated[
        Path, typer.Option("--test", help="LFW pairs file: the rules are judged on its people.")
    ],
    rosters: Annotated[
        int, typer.Option("--rosters", min=1, help="Classes drawn from either, of 30 if they do.")
    ] = 100,
    place: PlaceOption = Place.CLASSROOM,
    model: ModelOption = None,
    json_file: JsonOption = None,
    cache: CacheOption = None,
) -> None:
    """Which rule names tracks best? Photos played as clips before classes of thirty."""
    from attendance.evaluation.evidence import evaluate_evidence
    from attendance.evaluation.evidence_cast import choose
    from attendance.evaluation.evidence_stage import set_stage
    from attendance.evaluation.footage import filmer_for
    from attendance.evaluation.protocols import read_pairs

    handing = Handing(json_file)
    check_targets(json_file)
    casts = [choose(images, read_pairs(file, images).people) for file in (train, test)]
    scope = scope_of(context)
    embedder, photos = scope.embedder(model), scope.photo_embedder(cache, model)
    filmer = filmer_for(embedder, scope.detector(), cache, scope.cache_key, place)
    chosen_on, judged_on = (set_stage(photos, filmer, images, cast) for cast in casts)
    identity = (photos.model_id, photos.variant)
    report = evaluate_evidence(chosen_on, judged_on, scope.config.decision, identity, rosters)
    handing.over(report, evidence_rows(report))
