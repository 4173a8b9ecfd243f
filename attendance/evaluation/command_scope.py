"""What the commands of `attendance evaluate` share: their school, options, and how they report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from attendance.evaluation.reports import STANDARD_OUTPUT, write_json
from attendance.evaluation.tables import Row, figures_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from attendance.config import Config, DecisionConfig, DetectorConfig
    from attendance.evaluation.embedding import PhotoEmbedder
    from attendance.evaluation.faces import MainFaces
    from attendance.vision.embedder import NamedEmbedder
    from attendance.vision.facenet import FaceNet
    from attendance.vision.mtcnn import Mtcnn

JsonOption = Annotated[
    str | None, typer.Option("--json", metavar="FILE|-", help="Write the figures as JSON.")
]
PlotOption = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", help="Write a PNG plot.")
]
HtmlOption = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write a page with tables and plots in it."),
]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        help="Keep embeddings there, in clear, for the next run; nothing is kept without it.",
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="Of `attendance models list`; the one in use."),
]
PEOPLE = "Folder with one sub-folder a person."


class Place(StrEnum):
    """Where synthetic clips are played: the keys of `evaluation.looks.SCENES`."""

    CLASSROOM = "classroom"
    STREET = "street"


PlaceOption = Annotated[
    Place, typer.Option("--place", help="What the clips look like: seated, or in the street.")
]


@dataclass(frozen=True)
class Scope:
    """The school the command works for, from the main command's options."""

    home: Path
    config: Config

    def detector(self, settings: DetectorConfig | None = None) -> Mtcnn:
        """The detector with these settings, the school's own by default."""
        from attendance.vision.loading import load_detector
        from attendance.vision.weights import ModelStore

        store = ModelStore(self.home / "models")
        chosen = self.config.detector if settings is None else settings
        return load_detector(chosen, self.config.embedder.device, store.cache_dir)

    def embedder(self, model: str | None = None) -> NamedEmbedder:
        """The school's embedder in use, or the one of these weights."""
        from attendance.vision.loading import load_embedder
        from attendance.vision.weights import ModelStore

        return load_embedder(self.config.embedder, ModelStore(self.home / "models"), name=model)

    def facenet(self) -> FaceNet:
        """FaceNet, whichever embedder is in use: what only makes sense for its crops."""
        from attendance.vision.loading import load_facenet
        from attendance.vision.weights import ModelStore

        return load_facenet(self.config.embedder, ModelStore(self.home / "models"))

    def decision(self, model_id: str) -> DecisionConfig:
        """The section `decision` of the settings on the scale of a model."""
        from attendance.bootstrap import School

        return School(self.home, self.config).decision(model_id)

    @property
    def cache_key(self) -> str:
        """What embeddings depend on beside the embedder."""
        return self.config.detector.model_dump_json()

    def photo_embedder(self, cache: Path | None, model: str | None = None) -> PhotoEmbedder:
        """The school's detector and embedder for photos; of these weights, if any are named."""
        from attendance.evaluation.cache import EmbeddingCache
        from attendance.evaluation.embedding import PhotoEmbedder
        from attendance.evaluation.faces import faces_cache

        embedder = self.embedder(model)
        key = f"{embedder.model_id}|{embedder.variant}|{self.cache_key}"
        kept = EmbeddingCache(cache, key) if cache is not None else None
        faces = faces_cache(cache, self.cache_key)
        return PhotoEmbedder(self.detector(), embedder, kept, faces)

    def main_faces(self, folder: Path, paths: list[str], cache: Path | None) -> MainFaces:
        """The faces some photos were taken for."""
        from attendance.evaluation.faces import faces_cache, find_main_faces

        kept = faces_cache(cache, self.cache_key)
        return find_main_faces(self.detector(), folder, paths, kept)


def scope_of(context: typer.Context) -> Scope:
    """The school of the main command; the default one where it was called by itself."""
    if context.obj is None:
        from attendance.config import load_config
        from attendance.home import default_home

        return Scope(default_home(), load_config())
    return Scope(context.obj.home, context.obj.config)


@dataclass(frozen=True)
class Handing:
    """Where the outcome goes.

    Attributes:
        json_file: `-` for standard output.
        plot: a PNG, drawn by who has something to draw.
        html: a page with tables and plots.
    """

    json_file: str | None
    plot: Path | None = None
    html: Path | None = None

    def over(
        self, report: Any, rows: list[Row], figures: Sequence[tuple[str, Figure]] = ()
    ) -> None:
        """JSON and a page where they were asked for, the table where the JSON is not.

        Args:
            report: the figures.
            rows: the same for people.
            figures: plots for the page, with their captions.
        """
        if self.json_file is not None:
            write_json(report, self.json_file)
        title = re.sub(
            "(?<!^)(?=[A-Z])", " ", type(report).__name__.removesuffix("Report")
        ).capitalize()
        if self.html is not None:
            from attendance.evaluation.html_page import write_page

            write_page(self.html, title, rows, figures)
        console = Console(stderr=self.json_file == STANDARD_OUTPUT)
        console.print(figures_table(title, rows))
