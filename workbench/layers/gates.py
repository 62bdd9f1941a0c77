"""What a recurrent layer does with its pre-activations at one step, forward and backward.

All arguments are arrays ``(rows, ...)`` that stay where they are between steps; ``workbench.engine.kernels.recurrent``
does the same as machine code. ``gates`` holds a step's values side by side: the input's part of the pre-activations
before the forward function, the gates' values after it, and the gradients by the pre-activations after the backward
function. ``recurrent`` is the previous state's part of the pre-activations. ``dh`` is the loss's gradient by the step's
state.
"""

from __future__ import annotations

from typing import Any

from workbench.engine.backend import Array


def tanh_step(xp: Any, gates: Array, recurrent: Array, h: Array) -> None:
    """``h = tanh(gates + recurrent)``, all ``(rows, H)``."""
    xp.add(gates, recurrent, out=h)
    xp.tanh(h, out=h)


def tanh_step_backward(xp: Any, gates: Array, h: Array, dh: Array) -> None:
    """``gates = dh * (1 - h²)``."""
    xp.multiply(h, h, out=gates)
    xp.subtract(1, gates, out=gates)
    xp.multiply(gates, dh, out=gates)


def relu_step(xp: Any, gates: Array, recurrent: Array, h: Array) -> None:
    """``h = max(gates + recurrent, 0)``, all ``(rows, H)``."""
    xp.add(gates, recurrent, out=h)
    xp.maximum(h, 0, out=h)


def relu_step_backward(xp: Any, gates: Array, h: Array, dh: Array) -> None:
    """``gates = dh`` where the state is above 0."""
    xp.sign(h, out=gates)
    xp.multiply(gates, dh, out=gates)


def lstm_step(xp: Any, gates: Array, recurrent: Array, c_before: Array, c: Array, tanh_c: Array, h: Array) -> None:
    """``c = f * c_before + i * g``, ``h = o * tanh(c)`` (Hochreiter and Schmidhuber, 1997; Gers et al., 2000).

    Args:
        xp: the array module.
        gates, recurrent: ``(rows, 4 * H)`` in PyTorch's order i, f, g, o.
        c_before, c, tanh_c, h: ``(rows, H)``.
    """
    size = h.shape[1]
    i, f, g, o = (gates[:, start : start + size] for start in range(0, 4 * size, size))
    xp.add(gates, recurrent, out=gates)
    _sigmoid(xp, gates[:, : 2 * size])
    xp.tanh(g, out=g)
    _sigmoid(xp, o)
    xp.multiply(f, c_before, out=c)
    xp.multiply(i, g, out=h)
    xp.add(c, h, out=c)
    xp.tanh(c, out=tanh_c)
    xp.multiply(o, tanh_c, out=h)


def lstm_step_backward(
    xp: Any, gates: Array, c_before: Array, tanh_c: Array, dh: Array, dc: Array, work: Array
) -> None:
    """The gates' gradients, and in ``dc`` the gradient by ``c_before``.

    Args:
        xp: the array module.
        gates: ``(rows, 4 * H)``, as ``lstm_step`` left it.
        c_before, tanh_c, dh: ``(rows, H)``.
        dc: ``(rows, H)``, the gradient by the step's ``c`` that comes from the steps after it.
        work: ``(2, rows, H)``, overwritten.
    """
    size = dh.shape[1]
    i, f, g, o = (gates[:, start : start + size] for start in range(0, 4 * size, size))
    one, other = work
    # dc += dh * o * (1 - tanh(c)²)
    xp.multiply(tanh_c, tanh_c, out=one)
    xp.subtract(1, one, out=one)
    xp.multiply(one, o, out=one)
    xp.multiply(one, dh, out=one)
    xp.add(dc, one, out=dc)
    # o: dh * tanh(c) * o (1 - o)
    xp.multiply(dh, tanh_c, out=one)
    _times_slope_of_sigmoid(xp, o, one, other)
    # g: dc * i * (1 - g²), which overwrites g: what i needs of it is kept in `one`.
    xp.multiply(dc, g, out=one)
    xp.multiply(g, g, out=g)
    xp.subtract(1, g, out=g)
    xp.multiply(g, i, out=g)
    xp.multiply(g, dc, out=g)
    # i: dc * g * i (1 - i)
    _times_slope_of_sigmoid(xp, i, one, other)
    # f: dc * c_before * f (1 - f), and on to the step before: dc * f
    xp.multiply(dc, c_before, out=one)
    xp.multiply(dc, f, out=dc)
    _times_slope_of_sigmoid(xp, f, one, other)


def gru_step(xp: Any, gates: Array, recurrent: Array, bias: Array | None, h_before: Array, h: Array) -> None:
    """``n = tanh(n + r * m)``, ``h = (1 - z) * n + z * h_before`` (Cho et al., EMNLP 2014; m as in cuDNN and PyTorch).

    Args:
        xp: the array module.
        gates: ``(rows, 4 * H)``: n, r, z, m, of which m is only filled here.
        recurrent: ``(rows, 3 * H)``: r, z, m.
        bias: ``(H,)``, added to m.
        h_before, h: ``(rows, H)``.
    """
    size = h.shape[1]
    n, r, z, m = (gates[:, start : start + size] for start in range(0, 4 * size, size))
    both = gates[:, size : 3 * size]
    xp.add(both, recurrent[:, : 2 * size], out=both)
    _sigmoid(xp, both)
    if bias is None:
        xp.copyto(m, recurrent[:, 2 * size :])
    else:
        xp.add(recurrent[:, 2 * size :], bias, out=m)
    xp.multiply(r, m, out=h)
    xp.add(n, h, out=n)
    xp.tanh(n, out=n)
    xp.subtract(h_before, n, out=h)
    xp.multiply(h, z, out=h)
    xp.add(h, n, out=h)


def gru_step_backward(xp: Any, gates: Array, h_before: Array, dh: Array, work: Array) -> None:
    """The gates' gradients, and in ``dh`` what goes straight to the step before: ``dh * z``.

    Args:
        xp: the array module.
        gates: ``(rows, 4 * H)``, as ``gru_step`` left it; the gradients have the same order.
        h_before, dh: ``(rows, H)``.
        work: ``(2, rows, H)``, overwritten.
    """
    size = dh.shape[1]
    n, r, z, m = (gates[:, start : start + size] for start in range(0, 4 * size, size))
    one, other = work
    # n: dh * (1 - z) * (1 - n²), kept in `other` until n is no longer needed.
    xp.multiply(n, n, out=one)
    xp.subtract(1, one, out=one)
    xp.subtract(1, z, out=other)
    xp.multiply(other, one, out=other)
    xp.multiply(other, dh, out=other)
    # z: dh * (h_before - n) * z (1 - z), and on to the step before: dh * z
    xp.subtract(h_before, n, out=one)
    xp.multiply(one, dh, out=one)
    xp.multiply(dh, z, out=dh)
    xp.copyto(n, other)
    _times_slope_of_sigmoid(xp, z, one, other)
    # r: dn * m * r (1 - r), m: dn * r
    xp.multiply(n, m, out=one)
    xp.multiply(n, r, out=m)
    _times_slope_of_sigmoid(xp, r, one, other)


def _sigmoid(xp: Any, x: Array) -> None:
    """In place, by way of tanh, which overflows nowhere: ``(1 + tanh(x / 2)) / 2``."""
    half = x.dtype.type(0.5)
    xp.multiply(x, half, out=x)
    xp.tanh(x, out=x)
    xp.multiply(x, half, out=x)
    xp.add(x, half, out=x)


def _times_slope_of_sigmoid(xp: Any, gate: Array, d: Array, work: Array) -> None:
    """``gate = d * gate * (1 - gate)``."""
    xp.subtract(1, gate, out=work)
    xp.multiply(gate, work, out=gate)
    xp.multiply(gate, d, out=gate)
