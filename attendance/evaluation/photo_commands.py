"""`attendance evaluate robustness` and `crops`: what photos and crops do to recognition."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from attendance.evaluation.command_scope import (
    PEOPLE,
    CacheOption,
    Handing,
    HtmlOption,
    JsonOption,
    Scope,
    scope_of,
)
from attendance.evaluation.reports import check_targets
from attendance.evaluation.tables import classes_rows, crops_rows, robustness_rows

_Images = Annotated[Path, typer.Option("--images", help=PEOPLE)]
_PhotosEach = Annotated[
    int, typer.Option("--photos-each", min=1, help="At most so many photos a person.")
]
_MinPhotos = Annotated[
    int, typer.Option("--min-photos", min=1, help="Leave out people with fewer photos.")
]
_Limit = Annotated[
    int | None, typer.Option("--limit", min=2, help="Only so many people, for a quicker look.")
]


def robustness(
    context: typer.Context,
    images: _Images,
    pairs: Annotated[
        Path | None, typer.Option("--pairs", help="Only the people of this LFW pairs file.")
    ] = None,
    photos_each: _PhotosEach = 5,
    min_photos: _MinPhotos = 1,
    limit: _Limit = None,
    json_file: JsonOption = None,
    html: HtmlOption = None,
    cache: CacheOption = None,
) -> None:
    """What do JPEG, small faces, blur, light, masks, glasses and turned heads cost?"""
    from attendance.evaluation.page_plots import robustness_figures
    from attendance.evaluation.protocols import photos_of_people
    from attendance.evaluation.robustness import evaluate_robustness

    check_targets(json_file, html)
    paths = photos_of_people(images, pairs, photos_each, min_photos, limit)
    scope = scope_of(context)
    faces = scope.main_faces(images, paths, cache)
    report = evaluate_robustness(scope.embedder(), faces, cache, scope.cache_key)
    Handing(json_file, html=html).over(
        report, robustness_rows(report), robustness_figures(report) if html else ()
    )


def crops(
    context: typer.Context,
    images: _Images,
    choose_on: Annotated[
        Path, typer.Option("--choose-on", help="LFW pairs file naming the people to choose on.")
    ],
    confirm_on: Annotated[
        Path | None,
        typer.Option("--confirm-on", help="Pairs file of others, who see today's and the best."),
    ] = None,
    photos_each: _PhotosEach = 6,
    min_photos: _MinPhotos = 2,
    limit: _Limit = None,
    classes: Annotated[int, typer.Option(min=1, help="Simulated classes.")] = 100,
    class_size: Annotated[int, typer.Option(min=2, help="Members of each.")] = 30,
    json_file: JsonOption = None,
    cache: CacheOption = None,
) -> None:
    """Which crop and templates recognise best? Chosen on some people, confirmed on others."""
    from attendance.evaluation.crop_trials import evaluate_crops
    from attendance.evaluation.protocols import photos_of_people

    check_targets(json_file)
    chosen_on = photos_of_people(images, choose_on, photos_each, min_photos, limit)
    others = (
        photos_of_people(images, confirm_on, photos_each, min_photos, limit) if confirm_on else []
    )
    scope = scope_of(context)
    faces = scope.main_faces(images, [*chosen_on, *others], cache)
    report = evaluate_crops(
        scope.facenet(),
        faces,
        len(chosen_on),
        scope.config.decision,
        (classes, class_size),
        cache,
        scope.cache_key,
    )
    Handing(json_file).over(report, crops_rows(report))


def search_drawn_classes(
    scope: Scope,
    people: tuple[Path, Path | None, int, int],
    drawn: tuple[int, int, int],
    scene: str | None,
    handing: Handing,
    how: tuple[Path | None, str | None],
) -> None:
    """The part of `identification` that draws its classes from one folder."""
    from attendance.evaluation.class_evaluation import (
        ClassPlan,
        evaluate_classes,
        photos_for_classes,
    )
    from attendance.evaluation.footage import filmer_for
    from attendance.evaluation.page_plots import class_figures
    from attendance.evaluation.protocols import photos_of_people

    images, pairs, photos_each, min_photos = people
    plan = ClassPlan(*drawn)
    every = photos_of_people(images, pairs, photos_each, min_photos)
    paths = photos_for_classes(every, plan.class_size, plan.n_templates)
    photos = scope.photo_embedder(*how).embed(images, paths)
    embedder, film = scope.embedder(how[1]), None
    if scene is not None:
        filmer = filmer_for(embedder, scope.detector(), how[0], scope.cache_key, scene)
        film = partial(filmer.film, images)
    identity = (embedder.model_id, embedder.variant)
    decision = scope.decision(embedder.model_id)
    report = evaluate_classes(photos, decision, plan, identity, film)
    handing.over(report, classes_rows(report), class_figures(report) if handing.html else ())
