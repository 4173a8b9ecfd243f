"""Which variant of the embedder a processor gets, and why.

int8 where it is built and proven, bf16 where the processor has it, f32 everywhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from attendance.core.errors import ModelError
from attendance.vision.engines import capabilities, chosen_precision
from attendance.vision.quantized import Int8Record
from attendance.vision.weights import ModelStore, kind_of

Asked = Literal["auto", "f32", "bf16", "int8"]
VariantName = Literal["f32", "bf16", "int8"]

FACENET_ONLY = "int8 is for FaceNet's weights only"
NOT_BUILT = "int8 is not built: run `attendance models quantize`"


@dataclass(frozen=True)
class Choice:
    """A variant and the reason for it.

    Attributes:
        reason: a sentence for people.
        int8: what became of the int8 variant, a sentence.
    """

    variant: VariantName
    reason: str
    int8: str


def choose(
    asked: Asked, offered: Sequence[str], record: Int8Record | None, problem: str = ""
) -> Choice:
    """The variant to compute with.

    Args:
        asked: `embedder.precision` of the settings.
        offered: the engine's capabilities on this processor.
        record: of a usable int8 model; None without one.
        problem: why a model that was built is not usable.

    Raises:
        ModelError: a variant was asked for by name that cannot be had.
    """
    state = _int8_state(offered, record, problem)
    if asked == "int8" and (record is None or "INT8" not in offered):
        raise ModelError(f"int8 was asked for, but {state}")
    if asked == "int8":
        return Choice("int8", "asked for in the settings", state)
    is_proven = record is not None and record.proof is not None and record.proof.passes
    if asked == "auto" and is_proven and "INT8" in offered:
        return Choice("int8", "the fastest one, and its gate passed", state)
    plain = chosen_precision(asked, offered)
    why = "asked for in the settings" if asked != "auto" else f"the processor's best; {state}"
    return Choice(plain, why, state)


def _int8_state(offered: Sequence[str], record: Int8Record | None, problem: str) -> str:
    if "INT8" not in offered:
        return "this processor does not compute int8"
    if record is None:
        return problem or NOT_BUILT
    gate = record.proof
    if gate is None:
        return "int8 is built, no gate: run `attendance models quantize --gate DIR`"
    return f"int8 is built, gate {'passed' if gate.passes else 'failed'}: {gate}"


def choose_for(store: ModelStore, asked: Asked, name: str) -> Choice:
    """The variant of these weights on this machine.

    Raises:
        ModelError: the weights are not installed, or a variant was asked for by name that cannot
            be had.
    """
    record, problem = None, "" if kind_of(name) == "facenet" else FACENET_ONLY
    try:
        record = store.int8.record(store.model_id(name), store.digest(name))
    except ModelError as error:
        problem = str(error)
    return choose(asked, capabilities(), record, problem)
