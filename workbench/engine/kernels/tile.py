"""The one kernel on which all matrix products and convolutions stand: a small block of sums kept in registers.

``c[r, v] = start + sum over k of a[r, k] * b[k, v]`` for a few rows ``r`` and one or two vectors ``v`` of columns. The
sum runs over three nested counts (outer, middle, inner), each with its own step on the left side, so that ``a`` may be
a matrix, a transposed one, or the windows of a picture where they lie: no copy of windows (im2col) is ever made. On the
right side one row follows the other at a fixed distance.

A second kind of tile works channel by channel: ``c[r, v] = start + sum over k of a[r, k, v] * b[k, v]``.

Written as LLVM instructions, because a compiler does not keep a block of sums in registers by itself. The left value is
broadcast, the right ones are loaded as vectors (as in Goto and van de Geijn, Anatomy of high-performance matrix
multiplication, ACM TOMS 2008).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from workbench.engine.kernels.machine import machine
from workbench.engine.kernels.native import Function, intrinsic

_inserted: Any = cgutils.get_or_insert_function
_FLOAT, _LONG, _INT = ir.FloatType(), ir.IntType(64), ir.IntType(32)
_SIZE = 4
_SHARING = 7
"""Rows of the left side whose addresses are told by one register and their distance from it. A register each there are
not, and addresses that are fetched from memory take the place of values.
"""
_ARGUMENTS = 17
"""Rows and vectors, then what a tile takes (see ``tile``)."""


def most_rows(vectors: int) -> int:
    """The most rows of a tile of one or two vectors: the sums of either fill the registers."""
    return machine().rows * (3 - vectors)


class _Tile:
    """Writes the function for one number of rows and of vectors; the last vector may be partly filled.

    With ``spread`` each value of the left side meets all columns of the right one; without, it has these columns too.
    """

    def __init__(self, module: Any, rows: int, vectors: int, spread: bool) -> None:
        self.rows, self.vectors, self.width, self.spread = rows, vectors, machine().width, spread
        self.module, self.vector = module, ir.VectorType(_FLOAT, self.width)
        kind = ir.FunctionType(ir.VoidType(), [_LONG] * (_ARGUMENTS - 2))
        self.function = ir.Function(module, kind, f"tile_{rows}_{vectors}")
        self.function.linkage = "internal"
        self.build: Any = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.masked = vectors == 1
        self._write()

    def _write(self) -> None:
        (a, a_row, a_outer, a_middle, a_inner, outer, middle, inner, b, b_row, c, c_row, start, start_row, last) = (
            self.function.args
        )
        steps = [self._bytes(step) for step in (a_outer, a_middle, a_inner)]
        a_bytes, self.b_row = self._bytes(a_row), self._bytes(b_row)
        self.a_rows = [self._opaque(self.build.mul(a_bytes, _LONG(row))) for row in range(_SHARING)]
        starts = [self.build.add(a, self.build.mul(a_bytes, _LONG(row))) for row in range(0, self.rows, _SHARING)]
        self.mask: Any = self._mask(last) if self.masked else None
        sums = self._first_sums(start, self._bytes(start_row))
        sums = self._loops((outer, middle, inner), steps, starts, b, sums)
        for row in range(self.rows):
            for vector in range(self.vectors):
                place = self._place(c, self._bytes(c_row), row, vector)
                self._store(sums[row * self.vectors + vector], place)
        self.build.ret_void()

    def _opaque(self, value: Any) -> Any:
        """The same value, of which the compiler no longer knows where it comes from.

        It would work out each row's address from the one before, and so let each row wait for all others.
        """
        return self.build.asm(ir.FunctionType(_LONG, [_LONG]), "", "=r,0", [value], False)

    def _bytes(self, count: Any) -> Any:
        return self.build.mul(count, _LONG(_SIZE))

    def _place(self, start: Any, row_bytes: Any, row: int, vector: int) -> Any:
        address = self.build.add(start, self.build.mul(row_bytes, _LONG(row)))
        return self.build.add(address, _LONG(_SIZE * self.width * vector))

    def _mask(self, last: Any) -> Any:
        lanes = ir.Constant(ir.VectorType(_INT, self.width), list(range(self.width)))
        return self.build.icmp_signed("<", lanes, self._spread(self.build.trunc(last, _INT), _INT))

    def _spread(self, value: Any, kind: Any) -> Any:
        """The value in each place of a vector."""
        one = self.build.insert_element(ir.Constant(ir.VectorType(kind, self.width), ir.Undefined), value, _INT(0))
        return self.build.shuffle_vector(one, one, ir.Constant(ir.VectorType(_INT, self.width), [0] * self.width))

    def _first_sums(self, start: Any, start_row: Any) -> list[Any]:
        """What the sums begin with: what lies at ``start``, or 0 where that is a null address."""
        build, zero = self.build, ir.Constant(self.vector, [0.0] * self.width)
        entry, given, go = build.block, build.append_basic_block("given"), build.append_basic_block("go")
        build.cbranch(build.icmp_signed("!=", start, _LONG(0)), given, go)
        build.position_at_end(given)
        places = [(row, vector) for row in range(self.rows) for vector in range(self.vectors)]
        loaded = [self._load(self._place(start, start_row, row, vector)) for row, vector in places]
        build.branch(go)
        build.position_at_end(go)
        sums = []
        for value in loaded:
            joined = build.phi(self.vector)
            joined.add_incoming(zero, entry)
            joined.add_incoming(value, given)
            sums.append(joined)
        return sums

    def _loops(self, counts: tuple[Any, ...], steps: list[Any], a: list[Any], b: Any, sums: list[Any]) -> list[Any]:
        """Nested loops; each carries the left addresses of its level, and the right address and all sums through."""
        if not counts:
            return [self.build.add(b, self.b_row), *self._multiply_add(a, b, sums)]
        build, before = self.build, self.build.block
        head = build.append_basic_block("loop")
        build.branch(head)
        build.position_at_end(head)
        carried = []
        for value in (_LONG(0), b, *a, *sums):
            joined = build.phi(value.type)
            joined.add_incoming(value, before)
            carried.append(joined)
        number, b_here, *rest = carried
        a_here, sums_here = rest[: len(a)], rest[len(a) :]
        inner = self._loops(counts[1:], steps[1:], a_here, b_here, sums_here)
        # An inner loop hands back its sums; the right address comes along, as it never starts again.
        b_next, sums_next = (inner[0], inner[1:])
        a_next = [self._opaque(build.add(place, steps[0])) for place in a_here]
        after = [build.add(number, _LONG(1)), b_next, *a_next, *sums_next]
        for joined, value in zip(carried, after, strict=True):
            joined.add_incoming(value, build.block)
        done = build.append_basic_block("done")
        build.cbranch(build.icmp_signed("<", after[0], counts[0]), head, done)
        build.position_at_end(done)
        return [b_next, *sums_next] if len(counts) < len(("outer", "middle", "inner")) else sums_next

    def _multiply_add(self, a: list[Any], b: Any, sums: list[Any]) -> list[Any]:
        build = self.build
        right = [self._load(build.add(b, _LONG(_SIZE * self.width * vector)), vector) for vector in range(self.vectors)]
        fma = self._intrinsic(f"llvm.fma.v{self.width}f32", self.vector, [self.vector] * 3)
        found = []
        for row in range(self.rows):
            start, distance = a[row // _SHARING], self.a_rows[row % _SHARING]
            left = self._left(build.add(start, distance) if row % _SHARING else start)
            found += [
                build.call(fma, [left[vector], right[vector], sums[row * self.vectors + vector]])
                for vector in range(self.vectors)
            ]
        return found

    def _left(self, address: Any) -> list[Any]:
        build = self.build
        if self.spread:
            value = build.load(build.inttoptr(address, _FLOAT.as_pointer()), align=_SIZE)
            return [self._spread(value, _FLOAT)] * self.vectors
        places = [build.add(address, _LONG(_SIZE * self.width * vector)) for vector in range(self.vectors)]
        return [self._load(place, vector) for vector, place in enumerate(places)]

    def _load(self, address: Any, vector: int | None = None) -> Any:
        place = self.build.inttoptr(address, self.vector.as_pointer())
        if not self.masked:
            return self.build.load(place, align=_SIZE)
        kinds = [self.vector.as_pointer(), _INT, self.mask.type, self.vector]
        load = self._intrinsic(f"llvm.masked.load.v{self.width}f32.p0", self.vector, kinds)
        return self.build.call(load, [place, _INT(_SIZE), self.mask, ir.Constant(self.vector, [0.0] * self.width)])

    def _store(self, value: Any, address: Any) -> None:
        place = self.build.inttoptr(address, self.vector.as_pointer())
        if not self.masked:
            self.build.store(value, place, align=_SIZE)
            return
        kinds = [self.vector, self.vector.as_pointer(), _INT, self.mask.type]
        store = self._intrinsic(f"llvm.masked.store.v{self.width}f32.p0", ir.VoidType(), kinds)
        self.build.call(store, [value, place, _INT(_SIZE), self.mask])

    def _intrinsic(self, name: str, gives: Any, takes: list[Any]) -> Any:
        return _inserted(self.module, ir.FunctionType(gives, takes), name)


def _choice(spread: bool) -> Callable[[Any, Any, Any, Any], Any]:
    """Writes a jump to the function for the numbers of rows and vectors, which are the first two arguments."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        values = [builder.extract_value(values[0], number) for number in range(_ARGUMENTS)]
        done = builder.append_basic_block("chosen")
        choice = builder.switch(builder.add(builder.mul(values[0], _LONG(2)), values[1]), done)
        for vectors in (1, 2):
            for rows in range(1, most_rows(vectors if spread else 2) + 1):
                block = builder.append_basic_block(f"case_{rows}_{vectors}")
                choice.add_case(_LONG(rows * 2 + vectors), block)
                with builder.goto_block(block):
                    builder.call(_Tile(builder.module, rows, vectors, spread).function, values[2:])
                    builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return write


@intrinsic
def _choose(typing_context: Any, numbers: Any) -> Any:
    return types.void(numbers), _choice(spread=True)


@intrinsic
def _choose_by_channel(typing_context: Any, numbers: Any) -> Any:
    return types.void(numbers), _choice(spread=False)


def _tile(
    rows: int, vectors: int, a: int, a_row: int, a_outer: int, a_middle: int, a_inner: int, outer: int, middle: int,
    inner: int, b: int, b_row: int, c: int, c_row: int, start: int, start_row: int, last: int,
) -> None:  # fmt: skip
    """A block of sums.

    Args:
        rows: 1 to ``most_rows(vectors)``; of the tile of the second kind to ``machine().rows``.
        vectors: 1 or 2; with 1 only the first ``last`` columns are read and written.
        a: address of the left side; the other ``a_...`` are steps in elements: to the next row, and for each level of
            the sum.
        outer, middle, inner: how often each level runs, at least once.
        b, b_row: address of the right side, and elements from one of its rows to the next.
        c, c_row: address and row step of the result.
        start, start_row: what the sums begin with: a null address for 0, a bias with a row step of 0, or ``c`` itself
            to add to it.
        last: columns in the last vector.
    """
    _choose(
        (rows, vectors, a, a_row, a_outer, a_middle, a_inner, outer, middle, inner, b, b_row, c, c_row, start,
         start_row, last)
    )  # fmt: skip


def _channel_tile(
    rows: int, vectors: int, a: int, a_row: int, a_outer: int, a_middle: int, a_inner: int, outer: int, middle: int,
    inner: int, b: int, b_row: int, c: int, c_row: int, start: int, start_row: int, last: int,
) -> None:  # fmt: skip
    """The same, where the left side has the columns of the right one."""
    _choose_by_channel(
        (rows, vectors, a, a_row, a_outer, a_middle, a_inner, outer, middle, inner, b, b_row, c, c_row, start,
         start_row, last)
    )  # fmt: skip


TILE, CHANNEL_TILE = Function(_tile, _ARGUMENTS), Function(_channel_tile, _ARGUMENTS)


def tile_address() -> Function:
    """What stands for the tile's address among a call's arguments: it is compiled with the kernels that use it."""
    return TILE


def channel_tile_address() -> Function:
    """The same for the tile of the second kind."""
    return CHANNEL_TILE
