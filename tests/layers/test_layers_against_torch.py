"""Values, gradients and running statistics of every kind of layer against PyTorch, in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.backends import on_both
from support.cases import Case, all_cases
from support.layer_rig import LayerRig, assert_close
from support.networks import Bench, network_around, random_parameters

from workbench.engine.backend import Backend

torch = pytest.importorskip("torch")
from support.torch_twin import LayerTwin, NetworkTwin, from_torch, to_torch  # noqa: E402

pytestmark = pytest.mark.oracle


def _draws(layer: Any) -> bool:
    """Whether chance takes part in training: PyTorch draws other numbers."""
    return layer.role == "regularization" or getattr(layer, "dropout", 0) > 0


every_case = pytest.mark.parametrize(("kind", "case"), all_cases())
with_state = pytest.mark.parametrize(("kind", "case"), all_cases(lambda layer, shapes: bool(layer.state(shapes))))
without_chance = pytest.mark.parametrize(("kind", "case"), all_cases(lambda layer, _: not _draws(layer)))


def _twin(rig: LayerRig, training: bool) -> LayerTwin:
    twin = LayerTwin(rig.layer, rig.shapes)
    tensors = {name.removeprefix("layer."): torch.from_numpy(t) for name, t in rig.parameters.export().items()}
    twin.module.load_state_dict(tensors, strict=True)
    twin.module.train(training)
    return twin


@on_both
@every_case
def test_that_values_in_inference_equal_torch(kind: str, case: Case, backend: Backend) -> None:
    rig = LayerRig(kind, case, dtype=np.float32, training=False, backend=backend)
    expected = _twin(rig, False)(*(to_torch(x) for x in rig.inputs))
    assert_close(rig.forward(), from_torch(expected), 1e-5, "output")


@on_both
@without_chance
def test_that_values_and_gradients_in_training_equal_torch(kind: str, case: Case, backend: Backend) -> None:
    rig = LayerRig(kind, case, dtype=np.float32, backend=backend)
    twin = _twin(rig, True)
    inputs = [to_torch(x).requires_grad_() for x in rig.inputs]
    expected = twin(*inputs)
    direction = np.random.default_rng(5).normal(size=rig.output.shape).astype(np.float32)
    assert_close(rig.forward(), from_torch(expected), 1e-5, "output")
    expected.backward(to_torch(direction))
    d_inputs = rig.backward(direction)
    for ours, theirs in zip(d_inputs, inputs, strict=True):
        # What is looked up has no gradient in PyTorch, and 0 here.
        expected_gradient = torch.zeros_like(theirs) if theirs.grad is None else theirs.grad
        assert_close(ours, from_torch(expected_gradient), 1e-5, "input gradient")
    _assert_same_parameter_gradients(rig, twin.module)


def _assert_same_parameter_gradients(rig: LayerRig, module: Any) -> None:
    theirs = dict(module.named_parameters())
    for slot in rig.parameters.layout.slots:
        ours = slot.view(rig.gradient)
        turned = ours.transpose(slot.parameter.axes) if slot.parameter.axes else ours
        assert_close(turned, theirs[slot.parameter.name].grad.numpy(), 1e-5, slot.name)
    assert len(theirs) == len(rig.parameters.layout.slots)


@on_both
@with_state
def test_that_running_statistics_equal_torch_after_some_steps(kind: str, case: Case, backend: Backend) -> None:
    rig = LayerRig(kind, case, dtype=np.float32, backend=backend)
    twin = _twin(rig, True)
    numbers = np.random.default_rng(1)
    for _ in range(4):
        for x in rig.inputs:
            x[...] = numbers.normal(loc=2.0, scale=3.0, size=x.shape)
        rig.forward()
        twin(*(to_torch(x) for x in rig.inputs))
    buffers = dict(twin.module.named_buffers())
    for slot in rig.parameters.layout.states:
        assert_close(slot.view(rig.parameters.state), buffers[slot.parameter.name].numpy(), 1e-5, slot.name)


@on_both
@every_case
def test_that_a_network_around_the_layer_equals_torch(kind: str, case: Case, backend: Backend) -> None:
    network = network_around(kind, case)
    parameters = random_parameters(network, backend=backend)
    bench = Bench(parameters, 6, training=False)
    twin = NetworkTwin(network, parameters.export())
    twin.modules.eval()
    output, _ = bench.run()
    assert_close(output, from_torch(twin(to_torch(bench.plan.input))), 1e-5)
