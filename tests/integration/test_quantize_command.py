"""`attendance models quantize` from photos to figures, with a small network in FaceNet's place."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import skimage.data
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from attendance.__main__ import app

# what NNCF and the torch it brings along say of themselves
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

N_PEOPLE = 6


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """(n, 160, 160, 3) to (n, 12): one convolution, averaged."""
    kernels = np.random.default_rng(0).normal(size=(12, 3, 8, 8)).astype(np.float32)
    nodes = [
        helper.make_node("Transpose", ["x"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "kernels"], ["felt"], strides=[8, 8]),
        helper.make_node("Relu", ["felt"], ["positive"]),
        helper.make_node("ReduceMean", ["positive"], ["y"], axes=[2, 3], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 160, 160, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 12])],
        [numpy_helper.from_array(kernels, "kernels")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    file = tmp_path_factory.mktemp("weights") / "small.onnx"
    onnx.save(model, file)
    return file


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The astronaut in six tints, four exposures each: nobody a network could mistake."""
    folder = tmp_path_factory.mktemp("people")
    face = cv2.resize(skimage.data.astronaut()[:, :, ::-1], (256, 256)).astype(np.float32)
    for i, tint in enumerate(np.random.default_rng(0).uniform(0.5, 1.0, (N_PEOPLE, 3))):
        (folder / f"p{i}").mkdir()
        for k in range(4):
            photo = (face * tint * (0.85 + 0.05 * k)).astype(np.uint8)
            cv2.imwrite(str(folder / f"p{i}" / f"{k}.png"), photo)
    return folder


def test_from_photos_to_figures(tmp_path: Path, weights: Path, people: Path) -> None:
    home = tmp_path / "school"

    def run(*words: str) -> Any:
        result = CliRunner().invoke(app, ["--home", str(home), "models", *words])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout) if "--json" in words else None

    run("fetch", "small", "--file", str(weights))
    assert home.stat().st_mode & 0o077 == 0, "a school's folder is for its owner only"
    run("use", "small")
    built = run("quantize", "--faces", str(people), "--json", "-")
    assert built["record"]["gate"] is None
    assert "no gate" in built["choice"]["int8"]
    model = next((home / "models" / "_int8").glob("*/model.bin"))
    written = model.stat().st_mtime_ns

    judged = run("quantize", "--faces", str(people), "--gate", str(people), "--json", "-")
    assert model.stat().st_mtime_ns == written, "the same recipe is not built twice"
    gate = judged["record"]["gate"]
    assert (gate["n_people"], gate["n_same"]) == (N_PEOPLE, 36)
    trials = judged["trials"]
    assert trials[0]["variant"] == "openvino-f32"
    assert trials[-1]["gate"] == gate
    is_taken = judged["choice"]["variant"] == "int8"
    assert is_taken is (gate["high_points"] < 1)
