"""Convolution and pooling of any geometry, in pieces and with ties, against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.cases import Case
from support.layer_rig import LayerRig, assert_close

torch = pytest.importorskip("torch")
from support.torch_twin import LayerTwin, from_torch, to_torch  # noqa: E402

pytestmark = pytest.mark.oracle
small = st.integers(1, 5)
pairs = st.tuples(small, small)
paddings = st.one_of(st.sampled_from(["same", "valid"]), st.tuples(st.integers(0, 4), st.integers(0, 4)))


def _assert_equals_torch(rig: LayerRig) -> None:
    twin = LayerTwin(rig.layer, rig.shapes)
    twin.module.to(torch.float64)
    tensors = rig.parameters.export().items()
    twin.module.load_state_dict({name.removeprefix("layer."): torch.from_numpy(t) for name, t in tensors})
    x = to_torch(rig.inputs[0]).requires_grad_()
    expected = twin(x)
    direction = np.random.default_rng(5).normal(size=rig.output.shape)
    assert_close(rig.forward(), from_torch(expected), 1e-10)
    expected.backward(to_torch(direction))
    assert_close(rig.backward(direction)[0], from_torch(x.grad), 1e-10)
    for slot in rig.parameters.layout.slots:
        ours = slot.view(rig.gradient).transpose(slot.parameter.axes or (0,))
        assert_close(ours, getattr(twin.module, slot.parameter.name).grad.numpy(), 1e-10)


@settings(max_examples=150, deadline=None)
@given(size=pairs, channels=st.integers(1, 3), kernel=pairs, stride=pairs, padding=paddings)
def test_that_a_convolution_of_any_geometry_equals_torch(size, channels, kernel, stride, padding) -> None:
    case = Case({"filters": 2, "kernel": kernel, "stride": stride, "padding": padding}, ((*size, channels),))
    margin = (0, 0) if padding == "valid" else padding
    assume(padding == "same" or all(s + 2 * m >= k for s, m, k in zip(size, margin, kernel, strict=True)))
    _assert_equals_torch(LayerRig("conv2d", case, rows=3))


@settings(max_examples=60, deadline=None)
@given(size=pairs, multiplier=st.integers(1, 3), kernel=pairs, stride=pairs, dilation=pairs)
def test_that_a_depthwise_convolution_of_any_geometry_equals_torch(size, multiplier, kernel, stride, dilation) -> None:
    fields = {"multiplier": multiplier, "kernel": kernel, "stride": stride, "dilation": dilation}
    _assert_equals_torch(LayerRig("depthwise_conv2d", Case(fields, ((*size, 2),)), rows=3))


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(["max_pool2d", "average_pool2d"]), size=pairs, window=pairs, stride=st.none() | pairs)
def test_that_pooling_of_any_geometry_equals_torch(kind, size, window, stride) -> None:
    assume(all(w <= s for w, s in zip(window, size, strict=True)))
    _assert_equals_torch(LayerRig(kind, Case({"window": window, "stride": stride}, ((*size, 2),)), rows=2))


def test_that_a_convolution_in_many_pieces_equals_one_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.engine.backend import Backend

    monkeypatch.setattr(Backend, "piece_bytes", 5000)
    _assert_equals_torch(LayerRig("conv2d", Case({"filters": 3}, ((6, 5, 2),)), rows=17))


def test_that_of_equal_values_in_a_window_the_first_gets_the_gradient() -> None:
    for fields in ({}, {"window": 3, "stride": 1}):
        rig = LayerRig("max_pool2d", Case(fields, ((6, 6, 2),)))
        rig.inputs[0][...] = np.random.default_rng(0).integers(0, 2, rig.inputs[0].shape)
        _assert_equals_torch(rig)
