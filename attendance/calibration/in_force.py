"""What a session opened now would go by: settings, size of the roster, newest calibration."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from attendance.calibration.models import OperatingPoint
from attendance.core.cohort import caution
from attendance.core.impostors import Background

TARGET_FPIR = 0.01
STRANGERS = 10
STRICTNESS_SIZE = 30
"""The roster by which the settings' threshold was chosen, and is carried over to other models."""


@dataclass(frozen=True)
class InForce:
    """The decision's thresholds, and where they come from.

    Attributes:
        thresholds: the section `decision` of the settings, raised where it had to be.
        enrolled: people of today's roster who have templates.
        strangers: unknown people a session is assumed to see.
        expected_false_accepts: names wrongly given a session; None where the model has neither a
            background nor an operating point.
        interval: 95 % of it, over rosters of other people and strangers.
        point: the calibration in force.
        cohort: version of the camera's cohort, its tracks and its people.
        is_outdated: the roster has changed since the calibration.
    """

    thresholds: dict[str, float]
    enrolled: int
    strangers: int
    expected_false_accepts: float | None
    interval: tuple[float, float] | None
    point: OperatingPoint | None
    cohort: tuple[int, int, int] | None
    is_outdated: bool

    @property
    def is_calibrated(self) -> bool:
        """Whether a calibration of this very roster is in force."""
        return self.point is not None and not self.is_outdated

    @property
    def threshold_words(self) -> str:
        """From what score on somebody is named."""
        threshold, margin = self.thresholds["threshold"], self.thresholds["margin"]
        return f"Names from a score of {threshold:.2f} on, {margin:.2f} ahead of the next person"

    @property
    def expectation_words(self) -> str:
        """How many names may be wrong."""
        if self.expected_false_accepts is None or self.interval is None:
            return "How many wrong names to expect is not known for this model"
        return (
            f"{self.expected_false_accepts:.2f} wrong names a session expected if "
            f"{self.strangers} unknown people are seen (95 %: {self.interval[0]:.1f} to "
            f"{self.interval[1]:.1f})"
        )

    @property
    def cohort_words(self) -> str:
        """What is known of the camera."""
        if self.cohort is None:
            return (
                "This camera's light and lens are not known yet: until it has seen some people, "
                "names need a higher score and you are asked more often"
            )
        return f"Camera known from {self.cohort[2]} people (version {self.cohort[0]})"

    def advice(self, course: str) -> str:
        """What to do; empty where all is done."""
        command = f"`attendance calibrate --course {course}`"
        if self.point is None:
            return f"Not calibrated: run {command}."
        if self.is_outdated:
            return f"The roster has changed since the calibration: run {command} again."
        return ""


def in_force(
    configured: dict[str, float],
    background: Background | None,
    enrolled: Collection[int],
    point: OperatingPoint | None,
    cohort: tuple[int, int, int] | None,
) -> InForce:
    """The strictest of what the settings, the roster's size and the calibration ask for.

    For a camera that has shown few people the threshold is raised by `caution`, and the band in
    which staff is asked grows with it.

    A calibration is believed for the roster it was made from. Where people have come or gone since,
    the size of today's roster has its say as well, and where there is none, only that.

    Args:
        configured: the section `decision` of the settings, carried over to the model; its
            threshold is the least.
        background: of the model; None where nobody has measured it.
        enrolled: ids of the people with templates.
        point: the newest operating point that fits.
        cohort: version of the camera's cohort, its tracks and its people.
    """
    size = max(len(enrolled), 1)
    is_outdated = point is not None and set(point.students) != set(enrolled)
    wished = [configured["threshold"]]
    if point is not None:
        wished.append(point.thresholds["threshold"])
    if background is not None and (point is None or is_outdated):
        target = point.target_fpir if point else TARGET_FPIR
        wished.append(background.threshold(size, max(target, background.least_fpir)))
    known = round(max(wished), 3)
    threshold = round(known * (1 + caution(cohort[2] if cohort else 0, size)), 3)
    strangers = point.strangers if point else STRANGERS
    expected, interval = _expected(background, size, threshold, strangers)
    return InForce(
        configured | raised(configured, known) | {"threshold": threshold},
        len(enrolled),
        strangers,
        expected,
        interval,
        point,
        cohort,
        is_outdated,
    )


def carried_over(
    configured: dict[str, float], chosen_for: Background | None, background: Background | None
) -> dict[str, float]:
    """The settings' thresholds on the scale of another model, as strict as they were.

    Scores of two models do not mean the same. A threshold stands for the share of strangers that a
    roster of 30 names at it, and becomes the one at which the other model names as many.

    Args:
        configured: the section `decision` of the settings.
        chosen_for: of the model that the settings are made for.
        background: of the model in use.

    Returns:
        The settings as they are where either model was not measured. Where their threshold is so
        high that nothing was measured there, the strictest measured one and as much above it.
    """
    if chosen_for is None or background is None or chosen_for.model_id == background.model_id:
        return configured
    asked = configured["threshold"]
    least = max(background.least_fpir, chosen_for.least_fpir)
    rate = max(chosen_for.rate(STRICTNESS_SIZE, asked), least)
    above = max(0.0, asked - chosen_for.threshold(STRICTNESS_SIZE, least))
    threshold = round(background.threshold(STRICTNESS_SIZE, rate) + above, 3)
    return configured | raised(configured, threshold)


def raised(configured: dict[str, float], threshold: float) -> dict[str, float]:
    """Threshold and review threshold, as far apart as in the settings; neither below 0.

    >>> raised({"threshold": 0.5, "review_threshold": 0.4}, 0.75)
    {'threshold': 0.75, 'review_threshold': 0.65}
    """
    apart = configured["threshold"] - configured["review_threshold"]
    return {"threshold": threshold, "review_threshold": round(max(threshold - apart, 0.0), 3)}


def _expected(
    background: Background | None, size: int, threshold: float, strangers: int
) -> tuple[float | None, tuple[float, float] | None]:
    if background is None:
        return None, None
    low, high = background.interval(size, threshold, strangers)
    return strangers * background.rate(size, threshold), (strangers * low, strangers * high)
