"""Which variant of the embedder is taken, and what a gate lets through."""

from dataclasses import replace

import pytest

from attendance.core.errors import ModelError
from attendance.vision.quantized import Gate, Int8Record, Parity, Recipe
from attendance.vision.variants import Asked, choose

OLD = ("FP32", "INT8")
NEW = ("BF16", "FP32", "INT8")
BARE = ("FP32",)

RECIPE = Recipe("source", "photos", "settings", "nncf 0")
PASSED = Gate(0.1, -0.3, 0.6, 1e-3, 963, 23_524, 3_731_646)
FAILED = replace(PASSED, high_points=1.2)
BUILT = Int8Record("model", RECIPE, 92, 24.1, ("a", "b"), Parity(0.998, 0.99, 24))
PROVEN = replace(BUILT, gate=PASSED)


@pytest.mark.parametrize(
    ("asked", "offered", "record", "variant", "said"),
    [
        ("auto", NEW, None, "bf16", "int8 is not built: run `attendance models quantize`"),
        ("auto", OLD, None, "f32", "int8 is not built"),
        ("auto", NEW, BUILT, "bf16", "int8 is built, no gate"),
        ("auto", NEW, replace(BUILT, gate=FAILED), "bf16", "gate failed: loss 0.10 points"),
        ("auto", OLD, PROVEN, "int8", "gate passed: loss 0.10 points, 95 % -0.30 to 0.60"),
        ("auto", NEW, PROVEN, "int8", "n = 963 people"),
        ("auto", BARE, PROVEN, "f32", "does not compute int8"),
        ("f32", NEW, PROVEN, "f32", "gate passed"),
        ("bf16", NEW, PROVEN, "bf16", "gate passed"),
        ("int8", OLD, BUILT, "int8", "no gate"),
        ("int8", OLD, replace(BUILT, gate=FAILED), "int8", "gate failed"),
    ],
)
def test_the_variant_taken(
    asked: Asked, offered: tuple[str, ...], record: Int8Record | None, variant: str, said: str
) -> None:
    choice = choose(asked, offered, record)
    assert choice.variant == variant
    assert said in choice.int8


def test_a_damaged_int8_model_costs_speed_not_service() -> None:
    choice = choose("auto", NEW, None, "the int8 model x is damaged")
    assert choice.variant == "bf16"
    assert "x is damaged" in choice.reason


@pytest.mark.parametrize(
    ("asked", "offered", "record", "message"),
    [
        ("bf16", OLD, None, "does not compute.*set it to auto"),
        ("int8", NEW, None, "not built: run `attendance models quantize`"),
        ("int8", BARE, PROVEN, "does not compute int8"),
    ],
)
def test_what_is_asked_for_by_name_and_cannot_be_had_is_an_error(
    asked: Asked, offered: tuple[str, ...], record: Int8Record | None, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        choose(asked, offered, record)


@pytest.mark.parametrize(
    ("high", "passes", "reason"),
    [
        (0.99, True, "below one point"),
        (1.0, False, "the bar itself is not below it"),
        (float("nan"), False, "nothing was measured"),
    ],
)
def test_the_bar_of_the_gate(high: float, passes: bool, reason: str) -> None:
    assert replace(PASSED, high_points=high).passes is passes, reason


@pytest.mark.parametrize(
    ("parity", "passes"),
    [
        (Parity(0.998, 0.99, 24), True),
        (Parity(0.998, 0.94, 24), False),
        (Parity(0.98, 0.96, 24), False),
        (Parity(float("nan"), float("nan"), 0), False),
    ],
)
def test_the_bar_of_the_parity_check(parity: Parity, passes: bool) -> None:
    assert parity.passes is passes


def test_a_recipe_is_named_by_all_of_it() -> None:
    others = [replace(RECIPE, **{key: "other"}) for key in RECIPE.__dataclass_fields__]
    assert len({RECIPE.fingerprint, *(one.fingerprint for one in others)}) == len(others) + 1
