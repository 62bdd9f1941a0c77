"""Looking up rows of a trained table, and adding up their gradients."""

from __future__ import annotations

from workbench.engine.kernels.native import doubles, floats, kernel, longs, part


@part
def _row_of(value: float, vocabulary: int) -> int:
    """The row that a number stands for: fractions are cut off, what is outside is taken for the nearest, NaN for 0."""
    if value >= vocabulary - 1:
        return vocabulary - 1
    return int(value) if value > 0 else 0


@kernel
def embed(arguments: int, first: int, last: int) -> None:
    """Arguments: x, table, y; numbers a row, values a number, vocabulary."""
    x, table, y, count, dimension, vocabulary = longs(arguments, 6)
    numbers = floats(x, last * count)
    for place in range(first * count, last * count):
        row = _row_of(numbers[place], vocabulary)
        source, out = floats(table + 4 * row * dimension, dimension), floats(y + 4 * place * dimension, dimension)
        for i in range(dimension):
            out[i] = source[i]


@kernel
def embedding_gradient(arguments: int, first: int, last: int) -> None:
    """The output's gradient added up by table row, in the order of the numbers and in float64.

    Arguments: x, dy, gradient of the table, sums ``(most rows that occur, values)`` float64, the place of each table
    row in them (int64, -1 before and after), the table rows that occur (int64); numbers a row, values a number,
    vocabulary, row that stays as it is or -1. All rows at once.
    """
    x, dy, target, sum_place, place_of, found_place, count, dimension, vocabulary, kept = longs(arguments, 10)
    numbers, places, found = floats(x, last * count), longs(place_of, vocabulary), longs(found_place, last * count)
    occur = 0
    for number in range(last * count):
        row = _row_of(numbers[number], vocabulary)
        if row == kept:
            continue
        slope = floats(dy + 4 * number * dimension, dimension)
        if places[row] < 0:
            places[row], found[occur] = occur, row
            occur += 1
            fresh = doubles(sum_place + 8 * places[row] * dimension, dimension)
            for i in range(dimension):
                fresh[i] = slope[i]
        else:
            total = doubles(sum_place + 8 * places[row] * dimension, dimension)
            for i in range(dimension):
                total[i] += slope[i]
    whole = floats(target, vocabulary * dimension)
    for i in range(vocabulary * dimension):
        whole[i] = 0
    for number in range(occur):
        total = doubles(sum_place + 8 * number * dimension, dimension)
        out = floats(target + 4 * found[number] * dimension, dimension)
        for i in range(dimension):
            out[i] = total[i]
        places[found[number]] = -1


@kernel
def no_gradient(arguments: int, first: int, last: int) -> None:
    """Zeros. Arguments: dx; values a row."""
    dx, size = longs(arguments, 2)
    out = floats(dx + 4 * first * size, (last - first) * size)
    for i in range((last - first) * size):
        out[i] = 0
