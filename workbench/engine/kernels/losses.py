"""Losses and their gradients by the logits."""

from __future__ import annotations

from math import log

import numpy as np

from workbench.engine.kernels.functions import exponential
from workbench.engine.kernels.native import doubles, floats, kernel, longs, matrix


@kernel
def strength_scale(arguments: int, first: int, last: int) -> None:
    """1 / sum of strengths, or 0 where they are all 0. Arguments: strengths, scale. All rows at once."""
    strength_place, scale_place = longs(arguments, 2)
    strengths, total = floats(strength_place, last), 0.0
    for row in range(last):
        total += strengths[row]
    floats(scale_place, 1)[0] = np.float32(1.0 / total) if total > 0 else np.float32(0)


@kernel
def softmax_cross_entropy(arguments: int, first: int, last: int) -> None:
    """Arguments: logits, d_logits or 0, targets, strengths, scale, sums; classes. All rows at once."""
    z_place, d_place, target_place, strength_place, scale_place, sum_place, classes = longs(arguments, 7)
    z, targets, strengths = matrix(z_place, last, classes), longs(target_place, last), floats(strength_place, last)
    scale, sums = floats(scale_place, 1)[0], doubles(sum_place, 2)
    d = matrix(d_place, last, classes)
    loss, wrong = 0.0, 0
    powers = np.empty(classes, np.float32)
    for row in range(last):
        most, best = z[row, 0], 0
        for k in range(1, classes):
            # A NaN is taken over, so that it reaches the loss.
            if z[row, k] > most or z[row, k] != z[row, k]:
                most, best = z[row, k], k
        total = np.float32(0)
        for k in range(classes):
            powers[k] = exponential(z[row, k] - most)
        for k in range(classes):
            total += powers[k]
        target = targets[row]
        loss += (log(total) - (z[row, target] - most)) * strengths[row]
        wrong += best != target
        if d_place:
            weight = strengths[row] * scale
            share = weight / total
            for k in range(classes):
                d[row, k] = powers[k] * share
            d[row, target] -= weight
    sums[0], sums[1] = loss, wrong
