"""One name, one face: which of several claims to it stands."""

from __future__ import annotations

from collections.abc import Sequence


def weaker_claims(claims: Sequence[tuple[int, float]]) -> list[int]:
    """The claims that must not stand, because a stronger one is made to the same student.

    A track claims one student only, the one it is accepted for, and the margin keeps a second one
    from being acceptable to it; so leaving each student to the strongest claim is already the
    assignment with the highest sum of scores, which the Hungarian method finds where there is a
    choice (a property test holds the two equal).

    Args:
        claims: student and score of each, scores above 0; of equal ones the first stands.

    Returns:
        Indexes into `claims`, the strongest of them first.

    >>> weaker_claims([(7, 0.6), (8, 0.5), (7, 0.9), (7, 0.7)])
    [3, 0]
    """
    holders: dict[int, int] = {}
    by_score = sorted(range(len(claims)), key=lambda i: -claims[i][1])
    return [i for i in by_score if holders.setdefault(claims[i][0], i) != i]
