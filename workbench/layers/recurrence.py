"""How a recurrent layer computes: one product for all steps' inputs, then step after step, and the same backward.

Everything is kept time-major, ``(steps, rows, ...)``, so that a step's values lie together. Only the product with the
previous state has to wait for the step before; the products for the weights' and the input's gradients are made once,
over all steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Calls, Chain, Site
from workbench.layers.cells import Cell, Track


def compile_recurrence(site: Site, kind: type[Cell], units: int) -> Calls:
    """The calls of a recurrent layer.

    Args:
        site: with parameters named and laid out as in PyTorch; those of a second direction end in ``_reverse``. Its
            output is ``(rows, steps, units)`` for all steps or ``(rows, units)`` for the last one, twice as wide where
            there are two directions.
        kind: the cell.
        units: the state's size in one direction.
    """
    inputs = _Inputs(site, "bias_ih_l0" in site.weights)
    directions = [
        _Direction(site, kind, suffix, inputs, slice(number * units, (number + 1) * units))
        for suffix, number in directions_of(site)
    ]

    def forward() -> None:
        inputs.fill()
        for direction in directions:
            direction.forward()

    def backward() -> None:
        for number, direction in enumerate(directions):
            direction.backward()
            inputs.add_gradient(direction.input_part, direction.input_weight, first=number == 0)

    return Calls(forward, backward)


def directions_of(site: Site) -> list[tuple[str, int]]:
    """The directions that a layer has: the end of its parameters' names, and its number."""
    suffixes = [suffix for suffix in ("", "_reverse") if f"weight_hh_l0{suffix}" in site.weights]
    return [(suffix, number) for number, suffix in enumerate(suffixes)]


class Direction(Protocol):
    """One direction, computed by kernels."""

    def forward(self) -> Iterable[Call]:
        """Fills its part of the output."""
        ...

    def backward(self) -> Iterable[Call]:
        """Fills its gradients."""
        ...


def calls_of(site: Site, directions: Sequence[Direction]) -> Calls:
    """One direction after the other."""
    forward = Chain(*(call for direction in directions for call in direction.forward()))
    if not site.training or site.d_output is None:
        return Calls(forward, Chain())
    return Calls(forward, Chain(*(call for direction in directions for call in direction.backward())))


class _Inputs:
    """What all steps read, time-major, with a column of ones where there is a bias to multiply."""

    def __init__(self, site: Site, bias: bool) -> None:
        self.site, self.xp = site, site.xp
        rows, steps, self.features = site.inputs[0].shape
        self.values = site.buffer("x", (steps, rows, self.features + bias), site.output.dtype)
        self.matrix = self.values.reshape(steps * rows, -1)
        self.ones = self.matrix[:, self.features :]
        dx = site.d_inputs[0]
        self.d_values = site.buffer("dx", (steps, rows, self.features), dx.dtype) if dx is not None else None

    def fill(self) -> None:
        """Take over the layer's input."""
        self.xp.copyto(self.values[:, :, : self.features], self.site.inputs[0].transpose(1, 0, 2))
        self.ones[...] = 1

    def add_gradient(self, gates: Array, weight: Array, first: bool) -> None:
        """Add one direction's gradient to the layer's input gradient, where one is wanted.

        Args:
            gates: the gates' gradients for all steps, ``(steps * rows, gates)``.
            weight: ``(gates, features)``.
            first: whether there is nothing yet to add to.
        """
        dx, part = self.site.d_inputs[0], self.d_values
        if dx is None or part is None:
            return
        self.site.backend.matmul(gates, weight, out=part.reshape(-1, self.features))
        if first:
            self.xp.copyto(dx, part.transpose(1, 0, 2))
        else:
            self.xp.add(dx, part.transpose(1, 0, 2), out=dx)


class _Direction:
    """One direction: its weights beside each other, its loop and its gradients.

    Attributes:
        input_part: ``(steps * rows, gates)``: the input's part of all steps' values.
        input_weight: ``(gates, features)``: the weights that belong to it.
    """

    def __init__(self, site: Site, kind: type[Cell], suffix: str, inputs: _Inputs, columns: slice) -> None:
        self.site, self.xp, self.inputs, self.columns = site, site.xp, inputs, columns
        self.weights, self.gradients = _of_direction(site.weights, suffix), _of_direction(site.gradients, suffix)
        self.weight = self.weights["weight_hh"]
        rows, units = self.weight.shape
        self.track = track = Track(site, kind, suffix, rows // units, units)
        self.cell = kind(track)
        matrix, start = track.values.reshape(-1, kind.slots * units), kind.recurrent_slot * units
        self.input_part, self.recurrent_part = matrix[:, :rows], matrix[:, start : start + rows]
        # The product of each step reads it, and is faster where it lies in order.
        self.turned = track.buffer("turned", units, rows)
        self.joined = track.buffer("joined", rows, inputs.matrix.shape[1])
        self.input_weight = self.joined[:, : inputs.features]
        self.blocks = [
            (_rows(block.slot, block.count, units), _rows(block.gate, block.count, units), block.one_bias)
            for block in kind.blocks
        ]
        self.sequences = site.output.ndim == 3
        self.steps = [(track.before[number], self.cell.step(number)) for number in track.order()]
        if site.training and site.d_output is not None:
            self._bind_backward()

    def _bind_backward(self) -> None:
        track, dy = self.track, self.site.d_output[..., self.columns]
        first, last = track.order()[0], track.order()[-1]
        products = self.recurrent_part.reshape(track.steps, self.site.rows, -1)
        self.d_joined = track.buffer("d_joined", *self.joined.shape)
        self.back = track.buffer("back", *track.dh.shape) if self.cell.carries else track.dh
        self.d_last = dy[:, last] if self.sequences else dy
        self.steps_backward = [
            (
                dy[:, number] if self.sequences and number != last else None,
                self.cell.step_backward(number),
                products[number] if number != first else None,
            )
            for number in reversed(track.order())
        ]

    def forward(self) -> None:
        """Fill this direction's part of the output."""
        xp, matmul, track, turned = self.xp, self.site.backend.matmul, self.track, self.turned
        xp.copyto(turned, self.weight.T)
        self._join()
        matmul(self.inputs.matrix, self.joined.T, out=self.input_part)
        for array in self.cell.to_clear():
            array[...] = 0
        for before, step in self.steps:
            matmul(before, turned, out=track.recurrent)
            step()
        states = track.after.transpose(1, 0, 2) if self.sequences else track.after[track.order()[-1]]
        xp.copyto(self.site.output[..., self.columns], states)

    def _join(self) -> None:
        """Weights and biases in one matrix, so that one product with the ones beside the input adds both."""
        for here, there, one_bias in self.blocks:
            self.xp.copyto(self.input_weight[here], self.weights["weight_ih"][there])
            if "bias_ih" in self.weights:
                bias = self.joined[here, -1]
                self.xp.copyto(bias, self.weights["bias_ih"][there])
                if one_bias:
                    self.xp.add(bias, self.weights["bias_hh"][there], out=bias)

    def backward(self) -> None:
        """Fill the gradients by the gates and by the weights."""
        xp, matmul, carries = self.xp, self.site.backend.matmul, self.cell.carries
        dh, back = self.track.dh, self.back
        xp.copyto(dh, self.d_last)
        for array in self.cell.to_clear_backward():
            array[...] = 0
        for dy, step, gates in self.steps_backward:
            if dy is not None:
                xp.add(dh, dy, out=dh)
            step()
            if gates is not None:
                matmul(gates, self.weight, out=back)
                if carries:
                    xp.add(dh, back, out=dh)
        if self.gradients:
            self._weight_gradients()

    def _weight_gradients(self) -> None:
        xp, matmul = self.xp, self.site.backend.matmul
        gradients, before = self.gradients, self.track.before
        matmul(self.recurrent_part.T, before.reshape(-1, self.track.units), out=gradients["weight_hh"])
        matmul(self.input_part.T, self.inputs.matrix, out=self.d_joined)
        for here, there, one_bias in self.blocks:
            xp.copyto(gradients["weight_ih"][there], self.d_joined[here, : self.inputs.features])
            if "bias_ih" in gradients:
                xp.copyto(gradients["bias_ih"][there], self.d_joined[here, -1])
                self._hidden_bias_gradient(here, there, one_bias)

    def _hidden_bias_gradient(self, here: slice, there: slice, one_bias: bool) -> None:
        d_bias = self.gradients["bias_hh"][there]
        if one_bias:
            self.xp.copyto(d_bias, self.d_joined[here, -1])
        else:
            self.xp.matmul(self.inputs.ones[:, 0], self.recurrent_part[:, there], out=d_bias)


def _of_direction(arrays: dict[str, Array], suffix: str) -> dict[str, Array]:
    """A direction's arrays by their names without its suffix."""
    end = f"_l0{suffix}"
    return {name.removesuffix(end): array for name, array in arrays.items() if name.endswith(end)}


def _rows(start: int, count: int, units: int) -> slice:
    return slice(start * units, (start + count) * units)
