"""All that one thread does in a step, with the layer that each call belongs to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.engine.backend import Array, Backend, Call
from workbench.engine.layer import unchained

Duty = Literal["feeding", "start", "forward", "loss", "backward", "gradient", "update", "waiting"]


@dataclass(frozen=True)
class Owner:
    """What a call is for.

    Attributes:
        layer: the layer's name; empty where it belongs to none or to several.
        duty: what it does for it. ``gradient``: works out a share of the whole batch's gradient, or joins the shards'.
    """

    layer: str
    duty: Duty


Owned = tuple[Owner, Call]


class Task:
    """One shard's calls in order, native ones joined.

    Args:
        backend: the plan's.
        sequence: what to do.
        passing: see ``Backend.joined``.

    Attributes:
        calls: what is called one after the other.
        narrowed: see ``NativeProgram``.
        program: where the whole task is one of machine code, that one.
    """

    def __init__(self, backend: Backend, sequence: Iterable[Owned], passing: Collection[Array]) -> None:
        single = [(owner, call) for owner, chain in sequence for call in unchained([chain])]
        self._owners = {id(call): owner for owner, call in single}
        # Numbers of objects mean something only while these live.
        self._single = [call for _, call in single]
        self.calls = backend.joined(self._single, passing)
        self.program = self.calls[0] if len(self.calls) == 1 and hasattr(self.calls[0], "narrowed") else None
        programs = (getattr(call, "narrowed", {}) for call in self.calls)
        self.narrowed: dict[int, int] = {address: size for narrowed in programs for address, size in narrowed.items()}

    def owner(self, call: Call) -> Owner:
        """What a call, not a joined one, is for."""
        return self._owners[id(call)]

    def __call__(self) -> None:
        # Machine code alone gives no warnings.
        if self.program:
            self.program()
            return
        # Overflow shows as a loss that is not finite, which the training looks for; warnings would only be noise.
        with np.errstate(all="ignore"):
            for call in self.calls:
                call()


Ending = Callable[[int], tuple[list[Owned], list[Array]]]
"""By a shard's number: what its thread does once the batch has gone through all layers, and the arrays of it that
nothing else touches (see ``Backend.joined``)."""
