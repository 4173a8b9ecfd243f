"""What a variant of an embedder costs in recognition, beside its f32 original.

Both compare all pairs of photos of the same people, each at its own threshold, and are judged on
the same people drawn anew: what moves both alike cancels, and the interval is that of the loss.
"""

from __future__ import annotations

import numpy as np

from attendance.core.domain import FloatArray
from attendance.evaluation.all_pairs import AllPairs, compare_all, val_gain
from attendance.evaluation.faces import MainFaces
from attendance.evaluation.protocols import ProtocolError, person_of
from attendance.vision.quantized import Gate

FAR = 1e-3
REPLICATES = 1000


class GateKeeper:
    """Compares variants of one embedder with its f32 original on the same faces.

    Args:
        faces: of at least two people, some with two photos or more.
        reference: (n, d) embeddings of them in f32.
        replicates: of the bootstrap over people.

    Raises:
        ProtocolError: nobody has two photos, or there is only one person.
    """

    def __init__(
        self, faces: MainFaces, reference: FloatArray, replicates: int = REPLICATES
    ) -> None:
        names = [person_of(path) for path in faces.paths]
        self._owners = np.asarray(np.unique(names, return_inverse=True)[1], np.intp)
        self._found = faces.found
        self._replicates = replicates
        self._reference = compare_all(reference, self._owners, self._found)
        if not self._reference.n_same or not self._reference.n_cross:
            raise ProtocolError(
                f"{faces.folder}: the gate compares people with each other and with themselves; "
                "it takes two people or more, with two photos or more"
            )

    def judge(self, embeddings: FloatArray) -> Gate:
        """The loss of the variant that gave these (n, d) embeddings."""
        variant = compare_all(embeddings, self._owners, self._found)
        return loss_in_val(self._reference, variant, self._replicates)


def loss_in_val(reference: AllPairs, variant: AllPairs, replicates: int = REPLICATES) -> Gate:
    """The loss in VAL at FAR 1e-3 with its paired interval.

    Args:
        reference: all pairs in f32.
        variant: the same pairs.
        replicates: samples of people, the same ones for both.
    """
    ((loss, low, high),) = val_gain(variant, reference, [FAR], replicates)
    return Gate(
        loss_points=100 * loss,
        low_points=100 * low,
        high_points=100 * high,
        far=FAR,
        n_people=len(reference.photos_each),
        n_same=reference.n_same,
        n_cross=reference.n_cross,
    )
