"""Gathering and normalizing a batch on a GPU in one launch, where the examples lie there."""

from __future__ import annotations

import struct
from math import prod

import numpy as np

from workbench.data.supply import Supply
from workbench.engine.backend import Array
from workbench.engine.plan import Plan

_PLACES = 2
"""The number of the argument of ``gather_batch`` that changes from batch to batch."""


def cuda_fill(supply: Supply, plan: Plan, places: Array) -> CudaFill | None:
    """What fills the first rows of a plan, as many as there are places; None where no kernel can.

    Args:
        supply: the examples.
        plan: to be filled.
        places: the examples' numbers on the device, int64 ``(n,)``.
    """
    inputs = supply.there
    if supply.backend.cuda is None or inputs is None or plan.input.dtype != np.float32:
        return None
    fits = inputs.dtype in (np.float32, np.uint8) and inputs.flags.c_contiguous and prod(plan.input.shape) < 2**30
    return CudaFill(supply, inputs, plan, places) if fits else None


class CudaFill:
    """Fills a plan's buffers with rows."""

    def __init__(self, supply: Supply, inputs: Array, plan: Plan, places: Array) -> None:
        launcher, rows = supply.backend.cuda, len(places)
        assert launcher is not None
        size, targets, out = prod(inputs.shape[1:]), supply.targets, plan.targets[:rows]
        octets, values = (inputs, 0) if inputs.dtype == np.uint8 else (0, inputs)
        classes, answers = ((targets, out), (0, 0)) if targets.dtype == np.int64 else ((0, 0), (targets, out))
        self._launcher, self._places = launcher, places
        self._call = launcher.over(
            rows * size, "gather_batch", octets, values, places, supply.shift, supply.scale, plan.input[:rows], size,
            len(supply.shift), *classes, *answers, prod(targets.shape[1:]), supply.strengths, plan.strengths[:rows],
            rows,
        )  # fmt: skip

    def __call__(self, places: Array) -> None:
        """Fill in the examples of these numbers, int64 ``(n,)`` on the device, all of which must exist."""
        # They must live until the launch is over: their memory is given to others in the order of launches.
        self._places = places
        self._call.write(_PLACES, struct.pack("Q", self._launcher.address(places)))
        self._call()
