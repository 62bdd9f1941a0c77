"""One layer on buffers of its own: forward and backward without a network around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from support.cases import Case, whole_numbers

from workbench.engine.backend import Backend
from workbench.engine.layer import Calls, Clock, Site
from workbench.engine.network import Network, Node
from workbench.engine.parameters import Parameters

Array = np.ndarray[Any, Any]


class LayerRig:
    """A layer with random inputs and parameters."""

    def __init__(
        self,
        kind: str,
        case: Case,
        *,
        dtype: Any = np.float64,
        training: bool = True,
        rows: int = 5,
        backend: Backend | None = None,
        **fields: Any,
    ) -> None:
        self.backend = backend or Backend()
        self.layer = case.layer(kind, **fields)
        self.shapes = case.inputs
        numbers = np.random.default_rng(7)
        self.inputs = [self._values((rows, *shape), numbers).astype(dtype) for shape in case.inputs]
        self.output = np.full((rows, *self.layer.output_shape(case.inputs)), np.nan, dtype)
        self.d_inputs = [np.full_like(x, np.nan) for x in self.inputs]
        self.d_output = np.empty_like(self.output)
        self.parameters = Parameters(_network_of(self.layer, case), self.backend, dtype)
        self._randomize(numbers)
        trained = self.parameters.layout.trained if training else 0
        self.gradient = np.full(trained, np.nan, dtype)
        self._buffers: dict[str, Array] = {}
        self.calls = self.layer.compile(self._site(training))

    def _values(self, shape: tuple[int, ...], numbers: np.random.Generator) -> Array:
        if self.layer.looks_up:
            # Fractions are cut off: between whole numbers nothing changes, which is what differences see too.
            return whole_numbers(self.layer, shape, numbers) + 0.5
        return numbers.normal(size=shape)

    def _randomize(self, numbers: np.random.Generator) -> None:
        self.parameters.values[...] = numbers.normal(scale=0.5, size=self.parameters.values.shape)
        for slot in self.parameters.layout.states:
            positive = slot.parameter.name.endswith("var")
            values = numbers.uniform(0.5, 2.0, slot.parameter.shape) if positive else numbers.normal()
            slot.view(self.parameters.state)[...] = values

    def _site(self, training: bool) -> Site:
        parameters, name = self.parameters, self.layer.name
        return Site(
            backend=self.backend,
            training=training,
            inputs=list(self.inputs),
            output=self.output,
            d_inputs=list(self.d_inputs),
            d_output=self.d_output,
            weights=parameters.views(parameters.values, name),
            gradients={} if self.layer.frozen else parameters.views(self.gradient, name),
            state=parameters.state_views(name),
            clock=Clock(seed=3),
            key=name,
            first_row=0,
            batch_rows=self.output.shape[0],
            shard=0,
            meet=None,
            buffer=self._buffer,
        )

    def _buffer(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        # Garbage at first, as a real buffer may hold: a layer must not rely on zeros.
        fresh = np.full(shape, 1, dtype)
        return self._buffers.setdefault(f"{name} {shape}", fresh)

    def forward(self) -> Array:
        """The output for the present inputs and parameters."""
        if self.calls.start:
            self.calls.start()
        self.calls.forward()
        return self.output.copy()

    def backward(self, d_output: Array) -> list[Array]:
        """The gradients by the inputs; those by the parameters are in ``gradient`` then."""
        self.d_output[...] = d_output
        go_back(self.calls)
        views = self.parameters.views(self.gradient, self.layer.name)
        for shared in self.calls.shared:
            view = views[shared.parameter]
            shared.call(0, view, False)()
        return [d.copy() for d in self.d_inputs]


def go_back(calls: Calls) -> None:
    """A layer's backward pass with what it is prepared by."""
    if calls.turn:
        calls.turn()
    calls.backward()


def _network_of(layer: Any, case: Case) -> Network:
    shapes = case.inputs
    node = Node(
        layer,
        0,
        tuple("input" for _ in shapes),
        shapes,
        layer.output_shape(shapes),
        layer.parameters(shapes),
        layer.state(shapes),
    )
    return Network(shapes[0], (node,), 1)


def central_differences(function: Callable[[], float], values: Array, step: float = 1e-6) -> Array:
    """The gradient of a function by the values that it reads, in place, one by one."""
    flat, slopes = values.reshape(-1), np.empty(values.size)
    assert values.flags.c_contiguous, "a copy would not change what the function reads"
    for index in range(flat.size):
        kept = flat[index]
        flat[index] = kept + step
        above = function()
        flat[index] = kept - step
        below = function()
        flat[index] = kept
        slopes[index] = (above - below) / (2 * step)
    return slopes.reshape(values.shape)


def assert_close(found: Any, expected: Any, tolerance: float, what: str = "") -> None:
    """Equal to within the tolerance, relative to the largest expected value."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: {found.shape} is not {expected.shape}"
    if not expected.size:
        return
    scale = max(float(np.abs(expected).max()), 1e-12)
    worst = float(np.abs(found.astype(np.float64) - expected).max())
    assert worst <= tolerance * scale, f"{what}: off by {worst:g} at a scale of {scale:g}"
