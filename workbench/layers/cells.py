"""The cells of recurrent layers: what a step's values are, and which functions of ``gates.py`` compute them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from workbench.engine.backend import Array, Call
from workbench.engine.layer import Site
from workbench.layers.gates import (
    gru_step,
    gru_step_backward,
    lstm_step,
    lstm_step_backward,
    relu_step,
    relu_step_backward,
    tanh_step,
    tanh_step_backward,
)


@dataclass(frozen=True)
class Block:
    """Gates that stand together both in the parameters and in a step's values.

    Attributes:
        slot: the first one's place in a step's values.
        gate: its place in the parameters.
        count: how many they are.
        one_bias: whether their two biases only ever act as a sum.
    """

    slot: int
    gate: int
    count: int
    one_bias: bool = True


class Track:
    """The memory of one direction, time-major.

    Attributes:
        values: ``(steps, rows, slots * units)``: the input's part of the pre-activations, then the gates, and after
            the backward pass the gradients by the pre-activations.
        recurrent: ``(rows, gates * units)``: the previous state's part of one step's pre-activations.
        first: ``(rows, units)``: the state that the first step reads.
        before, after: ``(steps, rows, units)``: the state that each step reads, and the one that it gives.
        dh: ``(rows, units)``: the state's gradient on its way back through time.
    """

    def __init__(self, site: Site, cell: type[Cell], suffix: str, gates: int, units: int) -> None:
        self.site, self.suffix, self.units = site, suffix, units
        self.steps = int(site.inputs[0].shape[1])
        self.values = self.buffer("values", self.steps, site.rows, cell.slots * units)
        self.recurrent = self.buffer("recurrent", site.rows, gates * units)
        self.first, self.before, self.after = self.states("h")
        self.dh = self.buffer("dh", site.rows, units)

    def buffer(self, name: str, *shape: int) -> Array:
        """Memory of this direction."""
        return self.site.buffer(f"{name}{self.suffix}", shape, self.site.output.dtype)

    def states(self, name: str) -> tuple[Array, Array, Array]:
        """Memory for a state: the first one, and by step those read and those given."""
        kept = self.buffer(name, self.steps + 1, self.site.rows, self.units)
        if self.suffix:
            return kept[-1], kept[1:], kept[:-1]
        return kept[0], kept[:-1], kept[1:]

    def order(self) -> Sequence[int]:
        """The steps in the order in which they are computed; a direction with a suffix goes backward."""
        return range(self.steps - 1, -1, -1) if self.suffix else range(self.steps)


class Cell(ABC):
    """What differs between the kinds of recurrent layers, bound to one direction's memory."""

    slots: ClassVar[int] = 1
    """How many values a step has for each unit; the input's part comes first."""
    recurrent_slot: ClassVar[int] = 0
    """Where the previous state's part starts."""
    blocks: ClassVar[tuple[Block, ...]] = (Block(0, 0, 1),)
    """Which gates of the parameters the input's part consists of."""
    carries: ClassVar[bool] = False
    """Whether the backward function leaves in ``dh`` what goes to the step before without a product."""

    def __init__(self, track: Track) -> None:
        self.track, self.xp = track, track.site.xp

    @abstractmethod
    def step(self, number: int) -> Call:
        """What fills the state after a step."""

    @abstractmethod
    def step_backward(self, number: int) -> Call:
        """What fills a step's gradients."""

    def to_clear(self) -> list[Array]:
        """What is 0 before the first step."""
        return [self.track.first]

    def to_clear_backward(self) -> list[Array]:
        """What is 0 before the last step's backward function."""
        return []


class TanhCell(Cell):
    """``h = tanh(W x + U h + b)``."""

    def step(self, number: int) -> Call:
        track = self.track
        return partial(tanh_step, self.xp, track.values[number], track.recurrent, track.after[number])

    def step_backward(self, number: int) -> Call:
        track = self.track
        return partial(tanh_step_backward, self.xp, track.values[number], track.after[number], track.dh)


class ReluCell(Cell):
    """``h = max(W x + U h + b, 0)``."""

    def step(self, number: int) -> Call:
        track = self.track
        return partial(relu_step, self.xp, track.values[number], track.recurrent, track.after[number])

    def step_backward(self, number: int) -> Call:
        track = self.track
        return partial(relu_step_backward, self.xp, track.values[number], track.after[number], track.dh)


class LstmCell(Cell):
    """Long short-term memory; gates i, f, g, o."""

    slots, blocks = 4, (Block(0, 0, 4),)

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        rows, training = track.site.rows, track.site.training
        self.first, self.before, self.after = track.states("c")
        # Only the backward pass needs it longer than for its own step.
        self.tanh_c = track.buffer("tanh_c", track.steps if training else 1, rows, track.units)
        self.dc, self.work = track.buffer("dc", rows, track.units), track.buffer("work", 2, rows, track.units)

    def step(self, number: int) -> Call:
        track, tanh_c = self.track, self.tanh_c[min(number, len(self.tanh_c) - 1)]
        states = self.before[number], self.after[number], tanh_c, track.after[number]
        return partial(lstm_step, self.xp, track.values[number], track.recurrent, *states)

    def step_backward(self, number: int) -> Call:
        track = self.track
        states = self.before[number], self.tanh_c[number], track.dh, self.dc
        return partial(lstm_step_backward, self.xp, track.values[number], *states, self.work)

    def to_clear(self) -> list[Array]:
        return [self.track.first, self.first]

    def to_clear_backward(self) -> list[Array]:
        return [self.dc]


class GruCell(Cell):
    """Gated recurrent unit; gates r, z, n, and beside them m, the previous state's part of n.

    A step's values are n, r, z, m: the first three are the input's part, the last three the previous state's.
    """

    slots, recurrent_slot, carries = 4, 1, True
    blocks = (Block(0, 2, 1, one_bias=False), Block(1, 0, 2))

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        bias = track.site.weights.get(f"bias_hh_l0{track.suffix}")
        self.bias = None if bias is None else bias[2 * track.units :]
        self.work = track.buffer("work", 2, track.site.rows, track.units)

    def step(self, number: int) -> Call:
        track = self.track
        states = track.before[number], track.after[number]
        return partial(gru_step, self.xp, track.values[number], track.recurrent, self.bias, *states)

    def step_backward(self, number: int) -> Call:
        track = self.track
        states = track.before[number], track.dh
        return partial(gru_step_backward, self.xp, track.values[number], *states, self.work)
