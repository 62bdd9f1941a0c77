"""Recurrent layers as machine code; see ``workbench.engine.kernels.recurrent``."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Calls, Site
from workbench.layers.cells import Cell, GruCell, LstmCell, ReluCell, TanhCell
from workbench.layers.recurrence import calls_of, directions_of

_NAMES: dict[type[Cell], str] = {TanhCell: "tanh", ReluCell: "relu", LstmCell: "lstm", GruCell: "gru"}


def compiled_recurrence(site: Site, kind: type[Cell], units: int) -> Calls:
    """The calls of a recurrent layer in float32 on a CPU; see ``recurrence.compile_recurrence``."""
    return calls_of(site, [_Direction(site, kind, *each, units) for each in directions_of(site)])


class _Direction:
    """One direction's memory, and what is called with it."""

    def __init__(self, site: Site, kind: type[Cell], suffix: str, number: int, units: int) -> None:
        from workbench.engine.kernels.tile import tile_address

        self.site, self.kind, self.suffix, self.number = site, kind, suffix, number
        self.units, self.tile = units, tile_address()
        rows, self.steps, self.features = site.inputs[0].shape
        self.gates = int(self._weight("weight_hh").shape[0]) // units
        self.sizes = np.array(self._sizes(), np.int64)
        self.values = self._buffer("values", self.steps, rows, kind.slots * units)
        self.states = self._buffer("h", self.steps + 1, rows, units)
        self.memory: list[Array] = []
        if kind is LstmCell:
            self.memory = [self._buffer("c", *self.states.shape), self._buffer("tanh_c", self.steps, rows, units)]

    def _sizes(self) -> tuple[int, ...]:
        """The numbers in the order of ``kernels.recurrent.SIZES``."""
        y, kind = self.site.output, self.kind
        turned, every, width = int(bool(self.suffix)), int(y.ndim == 3), int(y.shape[-1])
        return (
            self.steps, self.features, self.units, kind.slots, self.gates, kind.recurrent_slot, turned, every, width,
            self.number * self.units,
        )  # fmt: skip

    def _buffer(self, name: str, *shape: int) -> Array:
        return self.site.buffer(f"{name}{self.suffix}", shape, self.site.output.dtype)

    def _weight(self, name: str) -> Array:
        return self.site.weights.get(f"{name}_l0{self.suffix}")

    def _gradient(self, name: str) -> Array:
        return self.site.gradients.get(f"{name}_l0{self.suffix}")

    def _call(self, kernel: Any, *arguments: Any) -> Call:
        from workbench.engine.kernels.calls import NativeCall

        return NativeCall(kernel, self.site.rows, *(0 if value is None else value for value in arguments))

    def forward(self) -> list[Call]:
        """Weights into the order of the slots, then all steps."""
        from workbench.engine.kernels import recurrent as kernels

        height, bias, hidden = self.gates * self.units, self._weight("bias_ih"), self._weight("bias_hh")
        turned = self._buffer("weights", self.features, height), self._buffer("turned", self.units, height)
        total = None if bias is None else self._buffer("bias", height)
        blocks = self.kind.blocks
        order = np.array([block.gate + place for block in blocks for place in range(block.count)], np.int64)
        apart = not blocks[0].one_bias
        prepare = self._call(
            kernels.recurrent_weights, self.gates, self.units, self.features, self._weight("weight_ih"),
            self._weight("weight_hh"), bias, hidden, *turned, total, order, apart,
        )  # fmt: skip
        alone = [None if hidden is None else hidden[2 * self.units :]] if self.kind is GruCell else []
        steps = self._call(
            getattr(kernels, f"{_NAMES[self.kind]}_forward"), self.tile, self.site.inputs[0], *turned, total,
            self.values, self.states, self.site.output, self.sizes, *self.memory, *alone,
        )  # fmt: skip
        return [prepare, steps]

    def backward(self) -> list[Call]:
        """All steps, then the gradients by the parameters."""
        from workbench.engine.kernels import recurrent as kernels

        site, state = self.site, (self.site.rows, self.units)
        memory = [*self.memory, self._buffer("dc", *state)] if self.memory else []
        steps = self._call(
            getattr(kernels, f"{_NAMES[self.kind]}_backward"), self.tile, site.d_output, self._weight("weight_ih"),
            self._weight("weight_hh"), self.values, self.states, self._buffer("dh", *state), site.d_inputs[0],
            self.number, self.sizes, *memory,
        )  # fmt: skip
        return [steps, *self._weight_gradients()] if site.gradients else [steps]

    def _weight_gradients(self) -> list[Call]:
        from workbench.engine.kernels import recurrent as kernels

        start = self.tile, self.values
        d_state, d_input = self._gradient("weight_hh"), self._gradient("weight_ih")
        found = [self._call(kernels.recurrent_state_gradients, *start, self.states, d_state, self.sizes)]
        for block in self.kind.blocks:
            place = block.slot, block.gate, block.count
            x = self.site.inputs[0]
            found.append(self._call(kernels.recurrent_input_gradients, *start, x, d_input, self.sizes, *place))
        if self._gradient("bias_ih") is None:
            return found
        for block in self.kind.blocks:
            hidden = block.slot if block.one_bias else self.kind.slots - 1
            targets = self._gradient("bias_ih"), self._gradient("bias_hh")
            places = block.slot, hidden, block.gate, block.count
            found.append(self._call(kernels.recurrent_bias_gradients, self.values, *targets, self.sizes, *places))
        return found
