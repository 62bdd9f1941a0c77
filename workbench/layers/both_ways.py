"""What two directions found, as their sum or mean instead of side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.calls import Launcher
from workbench.engine.layer import Calls, Chain, Site


def merging(site: Site, share: float, compiler: Callable[[Site], Calls]) -> Calls:
    """A layer's calls whose halves are added.

    Args:
        site: of the layer; its output is ``(..., units)``.
        share: what the sum is multiplied by.
        compiler: gives the calls that fill ``(..., 2 * units)``, both directions side by side.
    """
    shape = (*site.output.shape[:-1], 2 * site.output.shape[-1])
    both = site.buffer("both", tuple(shape), site.output.dtype)
    d_both = site.buffer("d_both", tuple(shape), site.output.dtype) if site.d_output is not None else None
    inner = compiler(replace(site, output=both, d_output=d_both))
    merge, spread = _pair(site, share, both, d_both)
    backward = inner.backward if spread is None else Chain(spread, inner.backward)
    return replace(inner, forward=Chain(inner.forward, merge), backward=backward)


def _pair(site: Site, share: float, both: Array, d_both: Array | None) -> tuple[Call, Call | None]:
    """The call that adds halves, and the one that gives each of them the gradient."""
    if site.compiled:
        return _compiled(site, share, both, d_both)
    if site.cuda:
        return _on_cuda(site, site.cuda, share, both, d_both)
    xp, y, units, number = site.xp, site.output, site.output.shape[-1], site.output.dtype.type(share)

    def merge() -> None:
        xp.add(both[..., :units], both[..., units:], out=y)
        xp.multiply(y, number, out=y)

    if d_both is None:
        return merge, None

    def spread() -> None:
        for half in (d_both[..., :units], d_both[..., units:]):
            xp.multiply(site.d_output, number, out=half)

    return merge, spread


def _compiled(site: Site, share: float, both: Array, d_both: Array | None) -> tuple[Call, Call | None]:
    from workbench.engine.kernels import recurrent as kernels
    from workbench.engine.kernels.calls import NativeCall

    y, units = site.output, site.output.shape[-1]
    places, moved = prod(y.shape[1:-1]), 3 * y.itemsize * prod(y.shape[1:])
    merge = NativeCall(kernels.merge_halves, site.rows, both, y, places, units, share, row_bytes=moved)
    if d_both is None:
        return merge, None
    arrays = site.d_output, d_both
    return merge, NativeCall(kernels.spread_halves, site.rows, *arrays, places, units, share, row_bytes=moved)


def _on_cuda(
    site: Site, launcher: Launcher, share: float, both: Array, d_both: Array | None
) -> tuple[Call, Call | None]:
    count, units = prod(site.output.shape), site.output.shape[-1]
    merge = launcher.over(count, "merge_halves", both, site.output, units, share, count)
    if d_both is None:
        return merge, None
    return merge, launcher.over(count, "spread_halves", site.d_output, d_both, units, share, count)
