"""Long listings on paper: two columns in pieces that stay whole, so that a page may end between any two of them."""

from __future__ import annotations

from collections.abc import Sequence

_MOST = 18
"""Lines of a column of a piece, about: small enough to fill pages, large enough to read."""


def side_by_side(text: str, most: int = _MOST) -> tuple[tuple[str, str], ...]:
    """A listing as left and right columns, piece by piece; read left before right, from the first piece to the last.

    Pieces and columns begin where a paragraph (up to an empty line) does. Joined by empty lines they give the text.

    Args:
        text: paragraphs between empty lines.
        most: about how many lines a column may have; a longer paragraph stays whole all the same.
    """
    pieces: list[list[str]] = [[]]
    for paragraph in text.split("\n\n"):
        if _lines(pieces[-1]) >= 2 * most or (pieces[-1] and _lines([*pieces[-1], paragraph]) > 2 * most + most // 2):
            pieces.append([])
        pieces[-1].append(paragraph)
    return tuple(_halves(piece) for piece in pieces)


def _halves(paragraphs: Sequence[str]) -> tuple[str, str]:
    """Cut where the higher of both columns is the lowest; the left one is the longer where two cuts are as good."""
    cuts = range(len(paragraphs), 0, -1)
    at = min(cuts, key=lambda cut: max(_lines(paragraphs[:cut]), _lines(paragraphs[cut:])))
    return "\n\n".join(paragraphs[:at]), "\n\n".join(paragraphs[at:])


def _lines(paragraphs: Sequence[str]) -> int:
    return sum(paragraph.count("\n") + 2 for paragraph in paragraphs)
