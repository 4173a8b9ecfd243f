"""OpenVINO as the engine of the networks: arrays in, arrays out.

A `Net` is a plain callable, so that the cascade and the embedder neither know nor care whether
OpenVINO or torch (`torch_nets`) computes. A net may be called from any thread; beyond as many calls
as it has streams, callers wait for each other.
"""

from __future__ import annotations

import queue
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import openvino as ov
import openvino.opset13 as ops
from openvino.frontend import FrontEndManager

from attendance.core.domain import FloatArray
from attendance.core.errors import ModelError

Net = Callable[[FloatArray], tuple[FloatArray, ...]]
Precision = Literal["auto", "f32", "bf16"]


def capabilities() -> tuple[str, ...]:
    """What OpenVINO offers on this processor, such as BF16, FP32, INT8; asked, never guessed."""
    return tuple(str(name) for name in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


def processor() -> str:
    """The processor as OpenVINO knows it."""
    return " ".join(str(ov.Core().get_property("CPU", "FULL_DEVICE_NAME")).split())


def version() -> str:
    """Of OpenVINO."""
    return str(ov.__version__).partition("-")[0]


def chosen_precision(asked: Precision, offered: Sequence[str]) -> Literal["f32", "bf16"]:
    """The precision to compute in.

    Raises:
        ModelError: bf16 was asked for by name and the processor does not have it.

    >>> chosen_precision("auto", ("FP32", "BF16")), chosen_precision("auto", ("FP32",))
    ('bf16', 'f32')
    """
    has_bf16 = "BF16" in offered
    if asked == "bf16" and not has_bf16:
        raise ModelError(
            "embedder.precision is bf16, which this processor does not compute "
            f"(it offers {', '.join(offered)}); set it to auto"
        )
    return "bf16" if has_bf16 and asked != "f32" else "f32"


class OpenVinoEngine:
    """Compiles models for the CPU and hands them out as nets.

    Args:
        precision: auto takes bf16 where the processor has it, else f32.
        cache_dir: where compiled models are kept between starts; None keeps none.
        threads: processor threads, 0 for all.
        streams: how many calls of a net may run side by side, sharing the threads.

    Attributes:
        precision: what it computes in.
        variant: engine and precision, as recorded with embeddings.

    Raises:
        ModelError: bf16 was asked for by name and the processor does not have it.
    """

    def __init__(
        self,
        precision: Precision = "f32",
        cache_dir: Path | None = None,
        threads: int = 0,
        streams: int = 1,
    ) -> None:
        self._core = ov.Core()
        self._cache_dir = cache_dir
        offered = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = chosen_precision(precision, offered)
        self.variant = f"openvino-{self.precision}"
        self._settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # several nets at once would queue for one core
            "INFERENCE_PRECISION_HINT": self.precision,
        }
        self._streams = streams
        if threads:
            self._settings["INFERENCE_NUM_THREADS"] = threads
        if streams > 1:
            self._settings["NUM_STREAMS"] = streams
        if cache_dir is not None:
            self._settings["CACHE_DIR"] = str(cache_dir)

    def read(self, path: Path) -> ov.Model:
        """The model in a .pb, .onnx or .xml file.

        Raises:
            ModelError: the file is missing or no model that OpenVINO understands.
        """
        if not path.is_file():
            raise ModelError(f"model file {path} is missing; `attendance models list` shows why")
        try:
            if path.suffix == ".onnx":  # asked by name, or the others are tried, noisily
                onnx = FrontEndManager().load_by_framework("onnx")
                return onnx.convert(onnx.load(str(path)))
            return self._core.read_model(path)
        except Exception as error:  # each frontend raises a kind of its own
            raise ModelError(f"{path} is not a model OpenVINO can read; is it complete?") from error

    def embedder(
        self, path: Path, digest: str, read: Callable[[Path], ov.Model] | None = None
    ) -> tuple[Net, int]:
        """A net for any number of face crops, and the dimension of its embeddings.

        Freed of its batch once and kept as OpenVINO's own format, a model is ready several times
        sooner: a compiled model whose file did not change is taken up without reading the model.

        Args:
            path: of the model.
            digest: of its content, names what is kept.
            read: makes a model of the file; FaceNet's way if none is given.

        Raises:
            ModelError: the file is no model that OpenVINO understands.
        """
        read = read or self.read_embedder
        if self._cache_dir is None:
            return self._compiled(read(path))
        ready = self._cache_dir / f"embedder-{digest[:16]}" / "model.xml"
        if ready.is_file():
            try:
                return self._compiled(ready)
            except RuntimeError:  # a damaged cache is made anew
                shutil.rmtree(ready.parent, ignore_errors=True)
        model = read(path)
        _keep(model, ready.parent)
        return self._compiled(ready if ready.is_file() else model)

    def ready_embedder(self, path: Path) -> tuple[Net, int]:
        """The same from an .xml file that takes any number of crops already.

        Raises:
            ModelError: the file is no model that OpenVINO understands.
        """
        try:
            return self._compiled(path)
        except RuntimeError as error:
            raise ModelError(f"{path} is not a model OpenVINO can compile") from error

    def read_embedder(self, path: Path) -> ov.Model:
        """The model in a file, made to take any number of crops.

        Raises:
            ModelError: the file is no model that OpenVINO understands.
        """
        model = self.read(path)
        _free_batch(model)
        return model

    def _compiled(self, model: ov.Model | Path) -> tuple[Net, int]:
        compiled = self._core.compile_model(model, "CPU", self._settings)
        return _net(compiled), int(compiled.outputs[0].get_partial_shape()[1].get_length())

    def compile(self, model: ov.Model) -> Net:
        """A net that runs this model with its outputs in the model's order."""
        return _net(self._core.compile_model(model, "CPU", self._settings), self._streams)


def _net(compiled: ov.CompiledModel, streams: int = 1) -> Net:
    """The compiled model as a net, one call a stream at a time.

    Its outputs are copies: the next call writes over the memory.
    """
    outputs = list(compiled.outputs)
    idle: queue.SimpleQueue[ov.InferRequest] = queue.SimpleQueue()
    for _ in range(streams):
        idle.put(compiled.create_infer_request())

    def run(batch: FloatArray) -> tuple[FloatArray, ...]:
        request = idle.get()
        try:
            results = request.infer({0: batch}, share_inputs=True, share_outputs=True)
            return tuple(np.array(results[output]) for output in outputs)
        finally:
            idle.put(request)

    return run


def _keep(model: ov.Model, folder: Path) -> None:
    """Write the model into a folder that is there whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    try:
        ov.save_model(model, partial / "model.xml", compress_to_fp16=False)
        if folder.is_dir() and not (folder / "model.xml").is_file():
            shutil.rmtree(folder)
        partial.rename(folder)
    except (OSError, RuntimeError):  # a full disk, or another process was first
        shutil.rmtree(partial, ignore_errors=True)


def _free_batch(model: ov.Model) -> None:
    """Let a model that was frozen for one image take any number of them.

    Reshapes with a pattern such as (1, 512) hold it to one: the 1 becomes "as many as there are".
    """
    for node in model.get_ops():
        if node.get_type_name() != "Reshape":
            continue
        pattern = node.input_value(1).get_node()
        if pattern.get_type_name() != "Constant":
            continue
        shape = pattern.get_data().tolist()
        if shape[:1] == [1] and -1 not in shape:
            free = ops.constant(np.array([-1, *shape[1:]], np.int64))
            node.input(1).replace_source_output(free.output(0))
    model.reshape([-1, 160, 160, 3])


def check_embedder(model: ov.Model, path: Path) -> None:
    """Whether a model takes face crops and gives embeddings.

    Raises:
        ModelError: with the shapes that were found.
    """
    inputs, outputs = model.inputs, model.outputs
    found = [str(port.get_partial_shape()) for port in (*inputs, *outputs)]
    if len(inputs) != 1 or not inputs[0].get_partial_shape().compatible(
        ov.PartialShape([-1, 160, 160, 3])
    ):
        raise ModelError(f"{path}: an embedder takes one (n, 160, 160, 3) input, found {found}")
    if len(outputs) != 1 or len(outputs[0].get_partial_shape()) != 2:
        raise ModelError(f"{path}: an embedder gives one (n, d) output, found {found}")
