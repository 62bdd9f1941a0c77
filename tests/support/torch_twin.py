"""A network in PyTorch, put together from what each layer says of itself in ``torch()``."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.layer import Layer
from workbench.engine.network import Network
from workbench.engine.parameters import Tensors


def to_torch(array: np.ndarray[Any, Any]) -> Any:
    """A batch channels-first."""
    import torch

    turned = np.moveaxis(array, -1, 1) if array.ndim > 2 else array
    return torch.from_numpy(np.ascontiguousarray(turned))


def from_torch(tensor: Any) -> np.ndarray[Any, Any]:
    """A batch channels-last."""
    array: np.ndarray[Any, Any] = tensor.detach().numpy()
    return np.moveaxis(array, 1, -1) if array.ndim > 2 else array


class LayerTwin:
    """One layer's module and call."""

    def __init__(self, layer: Layer, shapes: Any) -> None:
        import torch
        from torch import nn
        from torch.nn import functional

        self._names = {"torch": torch, "nn": nn, "F": functional}
        source = layer.torch(shapes)
        exec(source.helper, self._names)
        self.module = eval(source.module, self._names) if source.module else nn.Identity()
        self._call = source.call

    def __call__(self, *inputs: Any) -> Any:
        names = [f"_input{number}" for number in range(len(inputs))]
        call = self._call.format(*names, self="_self", all=", ".join(names))
        return eval(call, {**self._names, **dict(zip(names, inputs, strict=True)), "_self": self.module})


class NetworkTwin:
    """All layers by name."""

    def __init__(self, network: Network, tensors: Tensors, dtype: Any = None) -> None:
        import torch

        self.nodes = network.nodes
        self.layers = {node.name: LayerTwin(node.layer, node.input_shapes) for node in network.nodes}
        self.modules = torch.nn.ModuleDict({name: twin.module for name, twin in self.layers.items()})
        self.modules.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()}, strict=True)
        self.modules.to(dtype or torch.float32)
        for node in network.nodes:
            if node.layer.frozen:
                self.layers[node.name].module.requires_grad_(False)

    def __call__(self, x: Any) -> Any:
        values = {"input": x}
        for node in self.nodes:
            if node.layer.frozen:
                self.layers[node.name].module.eval()
            values[node.name] = self.layers[node.name](*(values[name] for name in node.inputs))
        return values[self.nodes[-1].name]

    def gradients(self) -> Tensors:
        """By parameter name, of what is trained."""
        return {name: p.grad.numpy() for name, p in self.modules.named_parameters() if p.grad is not None}

    def tensors(self) -> Tensors:
        """All weights and running statistics."""
        state = self.modules.state_dict()
        return {name: t.detach().numpy() for name, t in state.items() if not name.endswith("num_batches_tracked")}


def torch_optimizer(model: Any, spec: Any, l2: float = 0.0) -> Any:
    """PyTorch's optimizer that does what a recipe's says."""
    import torch

    # L2 and weight decay act on weights, not on biases and norm scales.
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": weights, "weight_decay": l2}, {"params": others, "weight_decay": 0.0}]
    rate, optim = spec.learning_rate, torch.optim
    match spec.kind:
        case "sgd":
            return optim.SGD(groups, lr=rate)
        case "momentum":
            return optim.SGD(groups, lr=rate, momentum=spec.beta)
        case "nesterov":
            return optim.SGD(groups, lr=rate, momentum=spec.beta, nesterov=True)
        case "rmsprop":
            return optim.RMSprop(groups, lr=rate, alpha=spec.rho, eps=spec.epsilon)
        case "adam":
            return optim.Adam(groups, lr=rate, betas=(spec.beta1, spec.beta2), eps=spec.epsilon)
    groups[0]["weight_decay"] = spec.weight_decay
    return optim.AdamW(groups, lr=rate, betas=(spec.beta1, spec.beta2), eps=spec.epsilon)
