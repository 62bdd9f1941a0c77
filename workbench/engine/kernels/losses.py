"""Losses and their gradients by the logits."""

from __future__ import annotations

from math import log, log1p
from typing import Any

import numpy as np

from workbench.engine.kernels.functions import exponential, logistic, softplus
from workbench.engine.kernels.native import doubles, floats, kernel, longs, matrix, part


@kernel
def strength_scale(arguments: int, first: int, last: int) -> None:
    """1 / sum of strengths, or 0 where they are all 0. Arguments: strengths, scale. All rows at once."""
    strength_place, scale_place = longs(arguments, 2)
    strengths, total = floats(strength_place, last), 0.0
    for row in range(last):
        total += strengths[row]
    floats(scale_place, 1)[0] = np.float32(1.0 / total) if total > 0 else np.float32(0)


@part
def _largest(z: Any, classes: int) -> tuple[Any, int]:
    """The largest logit of a row and its class; a NaN is taken over, so that it reaches the loss."""
    most, best = z[0], 0
    for k in range(1, classes):
        if z[k] > most or z[k] != z[k]:
            most, best = z[k], k
    return most, best


@part
def _powers(z: Any, most: Any, powers: Any, classes: int) -> Any:
    """Fill in ``exp(z - most)``; their sum."""
    total = np.float32(0)
    for k in range(classes):
        powers[k] = exponential(z[k] - most)
    for k in range(classes):
        total += powers[k]
    return total


@kernel
def softmax_cross_entropy(arguments: int, first: int, last: int) -> None:
    """Arguments: logits, d_logits or 0, targets, strengths, scale, sums; classes; label smoothing. All rows at once."""
    z_place, d_place, target_place, strength_place, scale_place, sum_place, classes = longs(arguments, 7)
    smoothing = doubles(arguments, 8)[7]
    kept, spread = np.float32(1.0 - smoothing), np.float32(smoothing / classes)
    z, targets, strengths = matrix(z_place, last, classes), longs(target_place, last), floats(strength_place, last)
    scale, sums = floats(scale_place, 1)[0], doubles(sum_place, 2)
    d = matrix(d_place, last, classes)
    loss, wrong = 0.0, 0
    powers = np.empty(classes, np.float32)
    for row in range(last):
        target = targets[row]
        most, best = _largest(z[row], classes)
        total: Any = _powers(z[row], most, powers, classes)
        each = log(total) - kept * (z[row, target] - most)
        if smoothing > 0:
            for k in range(classes):
                each -= spread * (z[row, k] - most)
        loss += each * strengths[row]
        wrong += best != target
        if d_place:
            weight = strengths[row] * scale
            share = weight / total
            for k in range(classes):
                d[row, k] = powers[k] * share - spread * weight
            d[row, target] -= kept * weight
    sums[0], sums[1] = loss, wrong


@kernel
def focal_loss(arguments: int, first: int, last: int) -> None:
    """Arguments: logits, d_logits or 0, targets, strengths, scale, sums; classes; gamma. All rows at once."""
    z_place, d_place, target_place, strength_place, scale_place, sum_place, classes = longs(arguments, 7)
    gamma = doubles(arguments, 8)[7]
    z, targets, strengths = matrix(z_place, last, classes), longs(target_place, last), floats(strength_place, last)
    scale, sums = floats(scale_place, 1)[0], doubles(sum_place, 2)
    d = matrix(d_place, last, classes)
    loss, wrong = 0.0, 0
    powers = np.empty(classes, np.float32)
    for row in range(last):
        target = targets[row]
        most, best = _largest(z[row], classes)
        total: Any = _powers(z[row], most, powers, classes)
        right = powers[target] / total
        # 1 - p as the sum of the other classes, which keeps the digits of a small one.
        powers[target] = 0
        others: Any = np.float32(0)
        for k in range(classes):
            others += powers[k]
        rest = float(others / total)
        rest = 1.0 if rest > 1.0 else rest
        logarithm = log1p(-rest) if rest < 0.5 else float(z[row, target] - most) - log(total)
        weak = rest**gamma
        loss -= weak * logarithm * strengths[row]
        wrong += best != target
        if d_place:
            slope = weak * (1.0 - gamma * right * logarithm / max(rest, 1e-30)) * strengths[row] * scale
            share = np.float32(slope / total)
            for k in range(classes):
                d[row, k] = powers[k] * share
            d[row, target] = -slope * rest
    sums[0], sums[1] = loss, wrong


@kernel
def binary_cross_entropy(arguments: int, first: int, last: int) -> None:
    """Arguments: logits, d_logits or 0, targets, strengths, scale, sums. All rows at once."""
    z_place, d_place, target_place, strength_place, scale_place, sum_place = longs(arguments, 6)
    z, targets, strengths = floats(z_place, last), longs(target_place, last), floats(strength_place, last)
    scale, sums, d = floats(scale_place, 1)[0], doubles(sum_place, 2), floats(d_place, last)
    loss, wrong = 0.0, 0
    for row in range(last):
        positive = targets[row] > 0
        # What speaks against the right class: neither a small loss nor a small slope loses its digits.
        against = -z[row] if positive else z[row]
        loss += softplus(against) * strengths[row]
        wrong += (z[row] > 0) != positive
        if d_place:
            slope = logistic(against) * (strengths[row] * scale)
            d[row] = -slope if positive else slope
    sums[0], sums[1] = loss, wrong


@kernel
def sigmoid_cross_entropy(arguments: int, first: int, last: int) -> None:
    """The mean over an example's known labels, those whose target is not below 0.

    Arguments: logits, d_logits or 0, targets, strengths, scale, sums; labels; weight of those that are there, label
    smoothing. All rows at once.
    """
    z_place, d_place, target_place, strength_place, scale_place, sum_place, labels = longs(arguments, 7)
    weight, smoothing = np.float32(doubles(arguments, 9)[7]), np.float32(doubles(arguments, 9)[8])
    kept, spread, one = np.float32(1.0) - smoothing, np.float32(0.5) * smoothing, np.float32(1.0)
    strengths, scale, sums = floats(strength_place, last), floats(scale_place, 1)[0], doubles(sum_place, 2)
    loss, wrong = 0.0, 0.0
    for row in range(last):
        at = 4 * row * labels
        z, y, d = floats(z_place + at, labels), floats(target_place + at, labels), floats(d_place + at, labels)
        known, misses, each = 0, 0, np.float32(0)
        for k in range(labels):
            known += y[k] >= 0
        share = one / np.float32(max(known, 1))
        slope = strengths[row] * scale * share
        for k in range(labels):
            if y[k] >= 0:
                present: Any = kept * y[k] + spread
                absent: Any = one - present
                present *= weight
                misses += (z[k] > 0) != (y[k] > 0)
                each += present * softplus(-z[k]) + absent * softplus(z[k])
                if d_place:
                    d[k] = (absent * logistic(z[k]) - present * logistic(-z[k])) * slope
            elif d_place:
                d[k] = np.float32(0)
        loss += each * share * strengths[row]
        wrong += misses / max(known, 1)
    sums[0], sums[1] = loss, wrong


@kernel
def normalized_logistic(arguments: int, first: int, last: int) -> None:
    """Arguments: logits, d_logits or 0, targets, strengths, scale, sums; classes. All rows at once."""
    z_place, d_place, target_place, strength_place, scale_place, sum_place, classes = longs(arguments, 7)
    z, targets, strengths = matrix(z_place, last, classes), longs(target_place, last), floats(strength_place, last)
    scale, sums = floats(scale_place, 1)[0], doubles(sum_place, 2)
    d = matrix(d_place, last, classes)
    loss, wrong = 0.0, 0
    logarithms, powers = np.empty(classes, np.float32), np.empty(classes, np.float32)
    for row in range(last):
        target = targets[row]
        for k in range(classes):
            logarithms[k] = -softplus(-z[row, k])
        most = _largest(logarithms, classes)[0]
        total: Any = _powers(logarithms, most, powers, classes)
        loss += (log(total) - (logarithms[target] - most)) * strengths[row]
        wrong += _largest(z[row], classes)[1] != target
        if d_place:
            weight, share = np.float32(strengths[row] * scale), np.float32(1) / total
            for k in range(classes):
                d[row, k] = powers[k] * share * logistic(-z[row, k]) * weight
            # 1 - s of the right class as the sum of the others, which keeps the digits of a small one.
            powers[target] = 0
            others: Any = np.float32(0)
            for k in range(classes):
                others += powers[k]
            d[row, target] = -others * share * logistic(-z[row, target]) * weight
    sums[0], sums[1] = loss, wrong


@part
def _shortfall(lead: Any, margin: Any, power: int) -> tuple[Any, Any]:
    """What is missing to the margin, to a power of 1 or 2, and its derivative; NaN stays NaN."""
    short = np.float32(0) if lead + margin < 0 else lead + margin
    if power == 2:
        return short * short, short + short
    return short, np.float32(1) if short > 0 else short


@kernel
def hinge_loss(arguments: int, first: int, last: int) -> None:
    """Arguments: logits, d_logits or 0, targets, strengths, scale, sums; classes, power; margin. All rows at once."""
    z_place, d_place, target_place, strength_place, scale_place, sum_place, classes, power = longs(arguments, 8)
    margin, share = np.float32(doubles(arguments, 9)[8]), np.float32(1.0 / classes)
    z, targets, strengths = matrix(z_place, last, classes), longs(target_place, last), floats(strength_place, last)
    scale, sums = floats(scale_place, 1)[0], doubles(sum_place, 2)
    d = matrix(d_place, last, classes)
    loss, wrong = 0.0, 0
    for row in range(last):
        target, weight = targets[row], np.float32(strengths[row] * scale * share)
        each, slopes = 0.0, 0.0
        for k in range(classes):
            if k != target:
                value, slope = _shortfall(z[row, k] - z[row, target], margin, power)
                each += value
                slopes += slope
                if d_place:
                    d[row, k] = slope * weight
        loss += each * share * strengths[row]
        wrong += _largest(z[row], classes)[1] != target
        if d_place:
            d[row, target] = -slopes * weight
    sums[0], sums[1] = loss, wrong


@kernel
def binary_hinge_loss(arguments: int, first: int, last: int) -> None:
    """Arguments: logits, d_logits or 0, targets, strengths, scale, sums; power; margin. All rows at once."""
    z_place, d_place, target_place, strength_place, scale_place, sum_place, power = longs(arguments, 7)
    margin = np.float32(doubles(arguments, 8)[7])
    z, targets, strengths = floats(z_place, last), longs(target_place, last), floats(strength_place, last)
    scale, sums, d = floats(scale_place, 1)[0], doubles(sum_place, 2), floats(d_place, last)
    loss, wrong = 0.0, 0
    for row in range(last):
        positive = targets[row] > 0
        value, slope = _shortfall(-z[row] if positive else z[row], margin, power)
        loss += value * strengths[row]
        wrong += (z[row] > 0) != positive
        if d_place:
            weight = strengths[row] * scale
            d[row] = -slope * weight if positive else slope * weight
    sums[0], sums[1] = loss, wrong


SQUARED, ABSOLUTE, HUBER = 0, 1, 2
"""What ``regression_loss`` makes of a difference."""


@kernel
def regression_loss(arguments: int, first: int, last: int) -> None:
    """The mean over outputs of a function of the differences.

    Arguments: outputs, d_outputs or 0, targets, strengths, scale, sums; how many outputs, which function; Huber's
    delta. All rows at once.
    """
    z_place, d_place, target_place, strength_place, scale_place, sum_place, outputs, function = longs(arguments, 8)
    delta, half = np.float32(doubles(arguments, 9)[8]), np.float32(0.5)
    strengths, scale, sums = floats(strength_place, last), floats(scale_place, 1)[0], doubles(sum_place, 2)
    loss, squares, share = 0.0, 0.0, 1.0 / outputs
    for row in range(last):
        at = 4 * row * outputs
        z, y, d = floats(z_place + at, outputs), floats(target_place + at, outputs), floats(d_place + at, outputs)
        each, weight = 0.0, np.float32(strengths[row] * scale * share)
        for k in range(outputs):
            difference = z[k] - y[k]
            size = abs(difference)
            # NaN stays NaN in each of them.
            if function == SQUARED:
                value, slope = difference * difference, difference + difference
            elif function == ABSOLUTE:
                value, slope = (
                    size,
                    np.float32(1) if difference > 0 else np.float32(-1) if difference < 0 else difference,
                )
            else:
                near = delta if size > delta else size
                value, slope = near * (size - half * near), -near if difference < 0 else near
            each += value
            squares += difference * difference
            if d_place:
                d[k] = slope * weight
        loss += each * share * strengths[row]
    sums[0], sums[1] = loss, squares * share
