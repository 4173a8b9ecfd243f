"""The same networks in torch: the engine where there is a GPU, the reference in tests.

Imported only by those two and by the one-time conversion of .pt weights; a running system on a
CPU never pays for importing torch.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import torch
from facenet_pytorch import InceptionResnetV1
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from openvino.frontend import FrontEndManager

from attendance.core.domain import FloatArray, Image
from attendance.core.errors import ModelError
from attendance.vision.engines import Net
from attendance.vision.mtcnn import MtcnnNets

_BATCHNORM_EPS = 0.001


def gpu() -> str | None:
    """The torch device of a GPU, None where there is none."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else None


def working_type(device: str) -> torch.dtype:
    """What a device computes in: half precision on a GPU, f32 on the CPU."""
    return torch.float32 if device == "cpu" else torch.float16


def variant(device: str) -> str:
    """Engine and precision, as recorded with embeddings.

    >>> variant("cuda")
    'torch-cuda-f16'
    """
    return f"torch-{device}-{'f32' if working_type(device) is torch.float32 else 'f16'}"


def mtcnn_nets(device: str = "cpu", dtype: torch.dtype | None = None) -> MtcnnNets:
    """facenet-pytorch's own P-Net, R-Net and O-Net behind the array interface.

    A batch goes to the device once, as the bytes it is made of, and is scaled there.

    Args:
        device: of torch.
        dtype: computed in; None leaves it to the device.
    """
    dtype = dtype or working_type(device)
    p, r, o = PNet(), RNet(), ONet()
    p.softmax4_1 = r.softmax5_1 = o.softmax6_1 = torch.nn.Identity()  # scores are logits
    for module in (p, r, o):
        module.eval().to(device, dtype, memory_format=torch.channels_last)

    def run(module: Any, images: Image) -> list[torch.Tensor]:
        rgb = torch.from_numpy(images).to(device).flip(3).permute(0, 3, 1, 2)
        with torch.inference_mode():
            outputs = module((rgb.to(dtype) - 127.5) * 0.0078125)
        *others, logits = (out.float().cpu() for out in outputs)
        return [(logits[:, 1] - logits[:, 0]).unsqueeze(1), *others]

    def p_net(images: Image) -> FloatArray:
        joined = torch.cat(run(p, images), dim=1).permute(0, 2, 3, 1)
        return np.asarray(joined.numpy(), np.float32)

    def rows(module: Any, images: Image) -> FloatArray:
        return np.asarray(torch.cat(run(module, images), dim=1).numpy(), np.float32)

    return MtcnnNets(p_net, lambda crops: rows(r, crops), lambda crops: rows(o, crops))


def facenet_net(
    module: InceptionResnetV1, device: str = "cpu", dtype: torch.dtype | None = None
) -> Net:
    """InceptionResnetV1 as a net: (n, 160, 160, 3) float32 RGB -> (n, 512) float32.

    Args:
        module: moved to the device.
        device: of torch.
        dtype: computed in; None leaves it to the device.
    """
    dtype = dtype or working_type(device)
    module = module.eval().to(device, dtype, memory_format=torch.channels_last)

    def run(images: FloatArray) -> tuple[FloatArray, ...]:
        with torch.inference_mode():
            batch = torch.from_numpy(images).to(device, dtype).permute(0, 3, 1, 2)
            return (module(batch).float().cpu().numpy(),)

    return run


def facenet_from_graph(path: Path) -> InceptionResnetV1:
    """facenet-pytorch's module with the constants of the frozen TensorFlow graph.

    Batch norms are folded into the graph's convolutions, so the module's become identities with
    the graph's offset: weight 1, mean 0, variance 1 - eps. Both list their convolutions in the
    same order, which the parity test proves.
    """
    *layers, bottleneck = _graph_layers(path)
    module = InceptionResnetV1().eval()
    state = module.state_dict()
    convolutions = [key.removesuffix(".weight") for key in state if state[key].ndim == 4]
    for name, layer in zip(convolutions, layers, strict=True):
        kernel, offset = _convolution_constants(layer)
        state[f"{name}.weight"] = kernel
        state.update(_offset_state(name, offset.flatten()))
    state.update(_bottleneck_state(bottleneck))
    module.load_state_dict(state)
    return module


def _graph_layers(path: Path) -> list[Any]:
    """The node that ends each layer, in the graph's order: 132 convolutions, the bottleneck."""
    frontend = FrontEndManager().load_by_framework("tf")
    graph = frontend.decode(frontend.load(str(path)))
    names = [op.get_friendly_name() for op in graph.get_ordered_ops()]
    ends = [name for name in names if name.endswith(("/FusedBatchNorm_1", "/BiasAdd"))]
    loaded = frontend.load(str(path))
    loaded.override_all_outputs([loaded.get_place_by_tensor_name(name) for name in ends])
    model = frontend.convert(loaded)
    by_name = {output.get_any_name(): output for output in model.outputs}
    return [by_name[f"{name}:0"].get_node().input_value(0).get_node() for name in ends]


def _operand(node: Any, kind: str) -> Any:
    """The nearest node of this kind, going up along first operands."""
    while node.get_type_name() != kind:
        node = node.input_value(0).get_node()
    return node


def _constant(node: Any, kind: str) -> torch.Tensor:
    """The second operand of the nearest node of this kind."""
    constant = _operand(node, kind).input_value(1).get_node()
    return torch.from_numpy(np.array(constant.get_data(), np.float32))


def _convolution_constants(layer: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return _constant(layer, "Convolution"), _constant(layer, "Add")


def _offset_state(convolution: str, offset: torch.Tensor) -> dict[str, torch.Tensor]:
    if not convolution.endswith(".conv"):
        return {f"{convolution}.bias": offset}
    bn = convolution.removesuffix("conv") + "bn"
    return {
        f"{bn}.weight": torch.ones_like(offset),
        f"{bn}.bias": offset,
        f"{bn}.running_mean": torch.zeros_like(offset),
        f"{bn}.running_var": torch.full_like(offset, 1 - _BATCHNORM_EPS),
    }


def _bottleneck_state(layer: Any) -> dict[str, torch.Tensor]:
    return {
        "last_linear.weight": _constant(layer, "MatMul").T.contiguous(),
        "last_bn.weight": _constant(layer, "Multiply"),
        "last_bn.bias": _constant(layer, "Add"),
        "last_bn.running_mean": _constant(layer, "Subtract"),
        "last_bn.running_var": _constant(layer, "Divide") ** 2 - _BATCHNORM_EPS,
    }


def facenet_from_state(path: Path) -> InceptionResnetV1:
    """facenet-pytorch's module with the state dict in a .pt file.

    Raises:
        ModelError: the file is truncated or holds something else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        module = InceptionResnetV1().eval()
        module.load_state_dict({k: v for k, v in state.items() if not k.startswith("logits.")})
    except Exception as error:  # torch raises half a dozen kinds, none of them documented
        raise ModelError(
            f"{path} does not hold the weights of facenet-pytorch's InceptionResnetV1 "
            "(truncated, or another network); nothing was changed"
        ) from error
    return module


def convert(module: InceptionResnetV1, target: Path) -> None:
    """Write the module as an OpenVINO model that takes (n, 160, 160, 3)."""

    class ChannelsLast(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            embeddings: torch.Tensor = module(images.permute(0, 3, 1, 2))
            return embeddings

    module = module.eval().requires_grad_(False)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit", category=FutureWarning)
        model = ov.convert_model(ChannelsLast().eval(), example_input=torch.zeros(1, 160, 160, 3))
    model.reshape([-1, 160, 160, 3])
    ov.save_model(model, target, compress_to_fp16=False)


def download(name: str, folder: Path) -> Path:
    """Fetch published weights with facenet-pytorch's own loader.

    Raises:
        ModelError: the network does not give them.
    """
    import os

    from facenet_pytorch.models.inception_resnet_v1 import load_weights

    before = os.environ.get("TORCH_HOME")
    os.environ["TORCH_HOME"] = str(folder)
    try:
        load_weights(InceptionResnetV1(classify=True, num_classes=8631), name)
    except Exception as error:  # urllib, socket, ssl and pickle errors alike mean: not fetched
        raise ModelError(
            f"the {name} weights could not be downloaded ({error}); download the file elsewhere "
            f"and run `attendance models fetch {name} --file FILE`"
        ) from error
    finally:
        if before is None:
            del os.environ["TORCH_HOME"]
        else:
            os.environ["TORCH_HOME"] = before
    return next((folder / "checkpoints").glob(f"*{name}.pt"))
