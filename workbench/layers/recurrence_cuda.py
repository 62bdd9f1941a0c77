"""Recurrent layers on a GPU; see ``recurrent.cu``.

One product for all steps' inputs, then for each step a product with the previous state and a launch for the rest; the
same backward. The gradients by the weights are made once, over all steps.
"""

from __future__ import annotations

from math import prod

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.pointwise import column_sums
from workbench.engine.cuda.products import launcher_of, parts_of, product, product_parts
from workbench.engine.layer import Calls, Site
from workbench.layers.cells import Cell, GruCell, LstmCell, ReluCell
from workbench.layers.recurrence import calls_of, directions_of


def recurrence_on_cuda(site: Site, kind: type[Cell], units: int) -> Calls:
    """The calls of a recurrent layer in float32; see ``recurrence.compile_recurrence``."""
    return calls_of(site, [_Direction(site, kind, *each, units) for each in directions_of(site)])


class _Direction:
    """One direction's memory, and what is launched with it."""

    def __init__(self, site: Site, kind: type[Cell], suffix: str, number: int, units: int) -> None:
        self.site, self.kind, self.suffix, self.number, self.units = site, kind, suffix, number, units
        self.launcher = launcher_of(site.backend)
        self.rows, self.steps, self.features = site.inputs[0].shape
        self.weight = self._weight("weight_hh")
        self.width = int(self.weight.shape[0])
        self.values = self._buffer("values", self.rows, self.steps, self.width)
        self.states = self._buffer("h", self.steps + 1, self.rows, units)
        if kind is LstmCell:
            self.memory = self._buffer("c", self.steps + 1, self.rows, units)
        elif kind is GruCell:
            self.memory = self._buffer("m", self.steps, self.rows, units)
        self.order = range(self.steps - 1, -1, -1) if suffix else range(self.steps)

    def _buffer(self, name: str, *shape: int) -> Array:
        return self.site.buffer(f"{name}{self.suffix}", shape, self.site.output.dtype)

    def _weight(self, name: str) -> Array:
        return self.site.weights.get(f"{name}_l0{self.suffix}")

    def _gradient(self, name: str) -> Array:
        return self.site.gradients.get(f"{name}_l0{self.suffix}")

    def _before(self, step: int) -> int:
        """Where among the states the one that a step reads stands; the one it gives stands on its other side."""
        return step + 1 if self.suffix else step

    def _after(self, step: int) -> int:
        return step if self.suffix else step + 1

    def _sizes(self, step: int, parts: int) -> tuple[int, ...]:
        """In the order of ``Step`` in ``recurrent.cu``."""
        y = self.site.output
        start, each = self.number * self.units, prod(y.shape[1:])
        return self.rows, self.units, self.steps, step, parts, each, start + (step * y.shape[2] if y.ndim == 3 else 0)

    def _seen(self, array: Array, step: int) -> Array:
        """The output or its gradient, where this step has a part in it."""
        return array if array.ndim == 3 or step == self.order[-1] else 0

    def _product(self, left: Array, right: Array, out: Array, bias: Array | None = None) -> list[Call]:
        return product(self.site.backend, left, right, out, self.site.buffer, bias)

    def forward(self) -> list[Call]:
        """All steps."""
        site, bias = self.site, self._weight("bias_ih")
        inputs, values = site.inputs[0].reshape(-1, self.features), self.values.reshape(-1, self.width)
        calls = self._product(inputs, self._weight("weight_ih").T, values, bias)
        first = self.states[self._before(self.order[0])]
        calls.append(self.launcher.over(prod(first.shape), "fill_zeros", first, prod(first.shape)))
        parts = parts_of(site.backend, self.rows, self.width, self.units)
        products = self._buffer("recurrent", parts, self.rows, self.width)
        for step in self.order:
            begins = step == self.order[0]
            before = self.states[self._before(step)]
            if not begins:
                calls += product_parts(site.backend, before, self.weight.T, products)
            calls.append(self._step(step, 0 if begins else products, 0 if begins else parts))
        return calls

    def _step(self, step: int, products: Array, parts: int) -> Call:
        hidden, state = self._weight("bias_hh"), self.states[self._after(step)]
        start = self.values, products, 0 if hidden is None else hidden
        end = state, self._seen(self.site.output, step)
        sizes, begins, count = self._sizes(step, parts), step == self.order[0], prod(state.shape)
        if self.kind is LstmCell:
            before = 0 if begins else self.memory[self._before(step)]
            return self.launcher.over(count, "lstm_step", *start, before, self.memory[self._after(step)], *end, sizes)
        if self.kind is GruCell:
            before = 0 if begins else self.states[self._before(step)]
            return self.launcher.over(count, "gru_step", *start, before, self.memory[step], *end, sizes)
        return self.launcher.over(count, "plain_step", *start, *end, int(self.kind is ReluCell), sizes)

    def backward(self) -> list[Call]:
        """All steps backward, then the gradients by the parameters and by the input."""
        site, calls = self.site, list[Call]()
        parts = parts_of(site.backend, self.rows, self.units, self.width)
        back = self._buffer("back", parts, self.rows, self.units)
        slopes = self._buffer("slopes", self.steps, self.rows, self.width)
        for step in reversed(self.order):
            last = step == self.order[-1]
            calls.append(self._step_back(step, slopes[step], 0 if last else back, 0 if last else parts))
            if step != self.order[0]:
                calls += product_parts(site.backend, slopes[step], self.weight, back)
        if site.gradients:
            calls += self._weight_gradients(slopes)
        return [*calls, *self._input_gradient()]

    def _step_back(self, step: int, slopes: Array, back: Array, parts: int) -> Call:
        last, begins, state = step == self.order[-1], step == self.order[0], self.states[self._after(step)]
        end = back, self._seen(self.site.d_output, step)
        sizes, count = self._sizes(step, parts), prod(state.shape)
        if self.kind is LstmCell:
            before = 0 if begins else self.memory[self._before(step)]
            kept = before, self.memory[self._after(step)], self._buffer("dc", self.rows, self.units)
            return self.launcher.over(count, "lstm_step_back", self.values, slopes, *kept, *end, int(last), sizes)
        if self.kind is GruCell:
            before = 0 if begins else self.states[self._before(step)]
            kept = before, self.memory[step], self._buffer("carry", self.rows, self.units)
            return self.launcher.over(count, "gru_step_back", self.values, slopes, *kept, *end, int(last), sizes)
        rectified = int(self.kind is ReluCell)
        return self.launcher.over(count, "plain_step_back", self.values, slopes, state, *end, rectified, sizes)

    def _weight_gradients(self, slopes: Array) -> list[Call]:
        inputs, values = self.site.inputs[0].reshape(-1, self.features), self.values.reshape(-1, self.width)
        first = 1 if self.suffix else 0
        before = self.states[first : first + self.steps].reshape(-1, self.units)
        over_steps = slopes.reshape(-1, self.width)
        calls = self._product(over_steps.T, before, self._gradient("weight_hh"))
        calls += self._product(values.T, inputs, self._gradient("weight_ih"))
        if self._gradient("bias_ih") is not None:
            calls += column_sums(self.launcher, values, self._gradient("bias_ih"), self.site.buffer)
            calls += column_sums(self.launcher, over_steps, self._gradient("bias_hh"), self.site.buffer)
        return calls

    def _input_gradient(self) -> list[Call]:
        dx = self.site.d_inputs[0]
        if dx is None:
            return []
        target = dx if self.number == 0 else self._buffer("dx", *dx.shape)
        values = self.values.reshape(-1, self.width)
        calls = self._product(values, self._weight("weight_ih"), target.reshape(-1, self.features))
        if self.number:
            calls.append(self.launcher.over(prod(dx.shape), "add_values", dx, target, dx, prod(dx.shape)))
        return calls
