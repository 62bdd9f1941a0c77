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
    """PyTorch's optimizer that does what a recipe's says; a decay that PyTorch lacks is ``decay_as_torch``'s."""
    # L2 and weight decay act on weights, not on biases and norm scales.
    decay = spec.decay() if spec.kind in _DECAYING else l2
    groups = [
        {"params": weights_of(model), "weight_decay": decay},
        {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    return torch_rule(groups, spec)


def weights_of(model: Any) -> list[Any]:
    """The parameters that decay acts on."""
    return [parameter for parameter in model.parameters() if parameter.ndim > 1]


_DECAYING = ("adamw", "nadam", "lion")
"""Kinds whose decay PyTorch's rule takes over, where it does not take L2 in its place."""


def torch_rule(parameters: Any, spec: Any) -> Any:
    """PyTorch's optimizer for parameters or groups of them."""
    from torch import optim

    rate = spec.learning_rate
    match spec.kind:
        case "sgd":
            return optim.SGD(parameters, lr=rate)
        case "momentum":
            return optim.SGD(parameters, lr=rate, momentum=spec.beta, dampening=spec.dampening)
        case "nesterov":
            return optim.SGD(parameters, lr=rate, momentum=spec.beta, nesterov=True)
        case "rmsprop":
            given = {"alpha": spec.rho, "eps": spec.epsilon, "momentum": spec.momentum, "centered": spec.centered}
            return optim.RMSprop(parameters, lr=rate, **given)
        case "adagrad":
            return optim.Adagrad(parameters, lr=rate, eps=spec.epsilon)
        case "lion":
            return torch_lion(parameters, spec)
    betas, given = (spec.beta1, spec.beta2), {"lr": rate, "eps": spec.epsilon}
    match spec.kind:
        case "adam" if spec.epsilon_inside_root:
            return _torch_adam_of_the_lecture(parameters, spec)
        case "adam":
            return optim.Adam(parameters, betas=betas, amsgrad=spec.amsgrad, **given)
        case "adamw":
            given["amsgrad"] = spec.amsgrad
            return optim.AdamW(parameters, betas=betas, weight_decay=spec.weight_decay, **given)
    assert spec.kind == "nadam"
    more = {"momentum_decay": spec.momentum_decay, "weight_decay": spec.decay(), "decoupled_weight_decay": True}
    return optim.NAdam(parameters, betas=betas, **given, **more)


def decay_as_torch(weights: Any, spec: Any) -> None:
    """Decoupled decay before a step of a rule of PyTorch that has none."""
    import torch

    if spec.kind not in _DECAYING:
        with torch.no_grad():
            for weight in weights:
                weight.mul_(1 - spec.learning_rate * spec.decay())


def _own_rule(parameters: Any, defaults: dict[str, Any], update: Any) -> Any:
    """An optimizer that PyTorch lacks, from the rule of one parameter."""
    import torch

    class Rule(torch.optim.Optimizer):
        @torch.no_grad()
        def step(self) -> None:
            for group in self.param_groups:
                for parameter in group["params"]:
                    update(parameter, self.state[parameter], group)

    return Rule(parameters, defaults)


def torch_lion(parameters: Any, spec: Any) -> Any:
    """Lion, from the paper's Algorithm 2."""
    import torch

    def update(parameter: Any, state: Any, group: dict[str, Any]) -> None:
        mean = state.get("m", torch.zeros_like(parameter))
        direction = torch.sign(torch.lerp(parameter.grad, mean, spec.beta1))
        state["m"] = torch.lerp(parameter.grad, mean, spec.beta2)
        parameter.sub_(group["lr"] * (direction + group["weight_decay"] * parameter))

    return _own_rule(parameters, {"lr": spec.learning_rate, "weight_decay": spec.weight_decay}, update)


def _torch_adam_of_the_lecture(parameters: Any, spec: Any) -> Any:
    import torch

    def update(parameter: Any, state: Any, group: dict[str, Any]) -> None:
        gradient, step = parameter.grad, state.get("t", 0) + 1
        mean = spec.beta1 * state.get("v", torch.zeros_like(parameter)) + (1 - spec.beta1) * gradient
        square = spec.beta2 * state.get("s", torch.zeros_like(parameter)) + (1 - spec.beta2) * gradient**2
        state["t"], state["v"], state["s"] = step, mean, square
        if spec.amsgrad:
            square = state["most"] = torch.maximum(state.get("most", square), square)
        root = torch.sqrt(square / (1 - spec.beta2**step) + spec.epsilon)
        parameter.sub_(group["lr"] * mean / (1 - spec.beta1**step) / root)

    return _own_rule(parameters, {"lr": spec.learning_rate}, update)
