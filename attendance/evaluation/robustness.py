"""How much worse photos cost: VAL at FAR 1e-3 over all pairs of some people, damage by damage.

Both photos of a pair are damaged alike, as in Schroff et al., "FaceNet", 2015, tables 4 and 5
(JPEG quality and image size), whose figures stand beside ours; their photos are other ones, so
compare how both fall, not where they begin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from attendance.core import metrics
from attendance.core.domain import FloatArray, IntArray
from attendance.core.metrics import Doubles, Integers
from attendance.core.quality import pose_deg
from attendance.evaluation.all_pairs import AllPairs, compare_all
from attendance.evaluation.cache import EmbeddingCache
from attendance.evaluation.damage import DAMAGES, FACE_SIZE, JPEG, UNTOUCHED, Damage
from attendance.evaluation.embedding import read_image
from attendance.evaluation.faces import MainFaces
from attendance.evaluation.protocols import ProtocolError, person_of
from attendance.evaluation.reports import shown
from attendance.evaluation.simulated_classes import PeopleSamples, Rate, share_samples
from attendance.vision.embedder import NamedEmbedder

FAR = 1e-3
SAVE_EVERY = 250
YAW_BINS_DEG = (0, 10, 20, 30, 90)
PUBLISHED = {
    **{(JPEG, str(q)): v for q, v in
       ((10, 0.673), (20, 0.814), (30, 0.839), (50, 0.855), (70, 0.861), (90, 0.865))},
    **{(FACE_SIZE, f"{px}x{px} px"): v for px, v in
       ((40, 0.378), (80, 0.795), (120, 0.845), (160, 0.857), (256, 0.864))},
}  # fmt: skip
"""VAL at FAR 1e-3 by Schroff et al., tables 4 and 5."""


@dataclass(frozen=True)
class DamageFigures:
    """What one damage does.

    Attributes:
        kind: what was done.
        level: how much.
        val: at FAR 1e-3, the threshold chosen anew for photos damaged like that.
        lost: by how much that is less than of the photos as they are, on the same people.
        val_kept: VAL at the threshold of the photos as they are, which is what a system that was
            set up on good photos has.
        far_kept: FAR at that threshold; nan where it is above 3 %.
        published: VAL in the FaceNet paper's table; null where it has none.
    """

    kind: str
    level: str
    val: Rate
    lost: Rate
    val_kept: float
    far_kept: float
    published: float | None


@dataclass(frozen=True)
class YawFigures:
    """Same-person pairs of the photos as they are, by the face that is turned further.

    Attributes:
        from_deg: of yaw to either side.
        to_deg: likewise.
        accepted: at the threshold that holds FAR 1e-3 over all pairs.
        n_people: whose pairs these are.
    """

    from_deg: int
    to_deg: int
    accepted: Rate
    n_people: int


@dataclass(frozen=True)
class RobustnessReport:
    """Figures of `evaluate robustness`.

    Attributes:
        n_undetected: photos without a face; their pairs have similarity -1, damaged or not.
        threshold: that holds FAR 1e-3 on the photos as they are.
        face_px: median height of the faces as they are.
    """

    n_people: int
    n_photos: int
    n_undetected: int
    n_same: int
    n_cross: int
    threshold: float
    face_px: float
    damages: tuple[DamageFigures, ...]
    yaw: tuple[YawFigures, ...]
    model_id: str
    variant: str


def evaluate_robustness(
    embedder: NamedEmbedder,
    faces: MainFaces,
    cache: Path | None = None,
    key: str = "",
    damages: Sequence[Damage] = DAMAGES,
    replicates: int = 500,
) -> RobustnessReport:
    """Damage all photos in every way, and compare all pairs anew each time.

    Args:
        embedder: of faces.
        faces: in the photos as they are.
        cache: keeps embeddings from one run to the next; None keeps nothing.
        key: whatever else the embeddings depend on, for the cache.
        damages: the untouched first.
        replicates: of the bootstrap over people.

    Raises:
        PhotoError: a photo is no image.
        ProtocolError: nobody has two photos.
    """
    owners = np.unique([person_of(path) for path in faces.paths], return_inverse=True)[1]
    owners = np.asarray(owners, np.intp)
    if not len(owners) or np.bincount(owners).max() < 2 or not owners.any():
        raise ProtocolError("robustness takes at least two people, one of them with two photos")
    embedded = embed_damaged(embedder, faces, damages, cache, key)
    compared = {d: compare_all(rows, owners, faces.found) for d, rows in embedded.items()}
    samples = {d: _val(everything, replicates) for d, everything in compared.items()}
    clean = compared[UNTOUCHED]
    threshold = clean.threshold(FAR)
    seen = faces.boxes[faces.found]
    return RobustnessReport(
        n_people=len(clean.photos_each),
        n_photos=len(faces.paths),
        n_undetected=int((~faces.found).sum()),
        n_same=clean.n_same,
        n_cross=clean.n_cross,
        threshold=threshold,
        face_px=float(np.median(seen[:, 3] - seen[:, 1])) if len(seen) else float("nan"),
        damages=tuple(
            _figures(d, compared[d], samples[d], samples[UNTOUCHED], threshold) for d in damages
        ),
        yaw=_by_yaw(faces, embedded[UNTOUCHED], owners, threshold, replicates),
        model_id=embedder.model_id,
        variant=embedder.variant,
    )


def embed_damaged(
    embedder: NamedEmbedder,
    faces: MainFaces,
    damages: Sequence[Damage],
    cache: Path | None,
    key: str,
) -> dict[Damage, FloatArray]:
    """Embeddings of every photo damaged in every way, (n, d) each, zeros without a face.

    Raises:
        PhotoError: a photo is no image.
    """
    stores = {d: EmbeddingCache(cache, _settings(embedder, d, key)) if cache else None
              for d in damages}  # fmt: skip
    rows = {d: s.read(faces.folder, faces.paths) if s else {} for d, s in stores.items()}
    missing = [
        i for i in np.flatnonzero(faces.found).tolist()
        if any(faces.paths[i] not in known for known in rows.values())
    ]  # fmt: skip
    for count, i in enumerate(shown(missing, "Damaging and embedding"), start=1):
        todo = [d for d in damages if faces.paths[i] not in rows[d]]
        for damage, row in zip(todo, _embed_one(embedder, faces, i, todo), strict=True):
            rows[damage][faces.paths[i]] = row
        if count % SAVE_EVERY == 0 or count == len(missing):
            _save(stores, faces, rows)
    nothing = np.zeros(embedder.dimension, np.float32)
    return {d: np.stack([known.get(p, nothing) for p in faces.paths]) for d, known in rows.items()}


def _settings(embedder: NamedEmbedder, damage: Damage, key: str) -> str:
    return f"damaged|{embedder.model_id}|{embedder.variant}|{key}|{damage.kind}|{damage.level}"


def _embed_one(
    embedder: NamedEmbedder, faces: MainFaces, row: int, damages: Sequence[Damage]
) -> list[FloatArray]:
    image, face = read_image(faces.folder / faces.paths[row]), faces.at(row)
    return [embedder.embed(*damage.apply(image, face))[0] for damage in damages]


def _save(
    stores: Mapping[Damage, EmbeddingCache | None],
    faces: MainFaces,
    rows: Mapping[Damage, dict[str, FloatArray]],
) -> None:
    for damage, store in stores.items():
        if store is not None and rows[damage]:
            store.write(faces.folder, rows[damage])


def _val(everything: AllPairs, replicates: int) -> PeopleSamples:
    n_people = len(everything.photos_each)

    def statistic(drawn: Integers) -> Doubles:
        return everything.val_at_far([FAR], drawn)

    value = statistic(np.ones(n_people, np.intp))
    return PeopleSamples(value, metrics.bootstrap_people(statistic, n_people, replicates))


def _figures(
    damage: Damage,
    everything: AllPairs,
    own: PeopleSamples,
    clean: PeopleSamples,
    threshold: float,
) -> DamageFigures:
    lost = PeopleSamples(clean.value - own.value, clean.samples - own.samples)
    n_accepted = int((everything.tail >= threshold).sum())
    is_cut_off = n_accepted == len(everything.tail) < everything.n_cross
    return DamageFigures(
        damage.kind,
        damage.level,
        own.rates(everything.n_same)[0],
        lost.rates(everything.n_same)[0],
        float(metrics.accepted_share(everything.genuine, threshold)[0]),
        float("nan") if is_cut_off else metrics.rate(n_accepted, everything.n_cross),
        PUBLISHED.get((damage.kind, damage.level)),
    )


def _by_yaw(
    faces: MainFaces,
    embeddings: FloatArray,
    owners: IntArray,
    threshold: float,
    replicates: int,
) -> tuple[YawFigures, ...]:
    yaw = np.array([abs(pose_deg(points)[0]) for points in faces.landmarks])
    left, right = np.triu_indices(len(owners), k=1)
    is_own = owners[left] == owners[right]
    left, right = left[is_own], right[is_own]
    is_seen = faces.found[left] & faces.found[right]
    cosine = np.einsum("nd,nd->n", embeddings[left], embeddings[right])
    is_accepted = is_seen & (cosine >= threshold)
    turned = np.maximum(yaw[left], yaw[right])
    bins = pairwise(YAW_BINS_DEG)
    return tuple(
        _yaw_bin(low, high, is_accepted[inside], owners[left[inside]], replicates)
        for low, high in bins
        for inside in [(turned >= low) & (turned < high)]
    )


def _yaw_bin(
    low: int, high: int, is_accepted: metrics.Bools, people: IntArray, replicates: int
) -> YawFigures:
    present, people = np.unique(people, return_inverse=True)
    if not len(present):
        none = float("nan")
        return YawFigures(low, high, Rate(none, none, none, 0), 0)
    samples = share_samples(is_accepted, people.astype(np.intp), len(present), replicates)
    return YawFigures(low, high, samples.rates(len(people))[0], len(present))
