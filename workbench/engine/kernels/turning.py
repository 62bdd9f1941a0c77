"""Transposition of matrices in squares that are held in registers."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from workbench.engine.kernels.machine import machine
from workbench.engine.kernels.native import floats, intrinsic, part

WIDTH = machine().width
_LONG, _INT, _FLOAT = ir.IntType(64), ir.IntType(32), ir.FloatType()


@intrinsic
def _turn_square(typing_context: Any, source: Any, source_row: Any, target: Any, target_row: Any) -> Any:
    """Transpose ``WIDTH`` rows of ``WIDTH`` values; addresses, and bytes from row to row."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.VectorType(_FLOAT, WIDTH)

        def place(start: Any, step: Any, number: int) -> Any:
            return builder.inttoptr(builder.add(start, builder.mul(step, _LONG(number))), kind.as_pointer())

        rows = [builder.load(place(values[0], values[1], number), align=4) for number in range(WIDTH)]
        for number, row in enumerate(_exchanged(builder, rows)):
            builder.store(row, place(values[2], values[3], number), align=4)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), write


def _exchanged(builder: Any, rows: list[Any]) -> list[Any]:
    """Swap the off-diagonal quarters of the square, then of each quarter, down to single values."""
    step = WIDTH // 2
    while step:
        low, high = _masks(step)
        for number in range(WIDTH):
            if not number & step:
                upper, lower = rows[number], rows[number + step]
                rows[number] = builder.shuffle_vector(upper, lower, low)
                rows[number + step] = builder.shuffle_vector(upper, lower, high)
        step //= 2
    return rows


def _masks(step: int) -> tuple[Any, Any]:
    """Which values of two rows stand in the upper one afterwards, and which in the lower one."""
    upper = [place if not place & step else WIDTH + place - step for place in range(WIDTH)]
    lower = [place + step if not place & step else WIDTH + place for place in range(WIDTH)]
    kind = ir.VectorType(_INT, WIDTH)
    return ir.Constant(kind, upper), ir.Constant(kind, lower)


@part
def turn(source: int, rows: int, columns: int, source_row: int, target: int, target_row: int) -> None:
    """Write the transposed matrix ``(columns, rows)``; ``..._row`` are elements from one row to the next."""
    whole_rows, whole_columns = rows - rows % WIDTH, columns - columns % WIDTH
    for row in range(0, whole_rows, WIDTH):
        for column in range(0, whole_columns, WIDTH):
            _turn_square(
                source + 4 * (row * source_row + column), 4 * source_row, target + 4 * (column * target_row + row),
                4 * target_row,
            )  # fmt: skip
    for row in range(rows):
        line = floats(source + 4 * row * source_row, columns)
        for column in range(whole_columns if row < whole_rows else 0, columns):
            floats(target + 4 * (column * target_row + row), 1)[0] = line[column]
