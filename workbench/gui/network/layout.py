"""Where the nodes of a network's diagram stand: depth downwards, branches side by side. No Qt.

Every node follows its first input in a lane of its own, so that the main chain is one straight line; a branch takes the
nearest lane that is free beside it. An edge that passes nodes takes a free lane too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count

Cell = tuple[int, int]
"""(lane, rank)."""


@dataclass(frozen=True)
class Edge:
    """From one node to a later one, through cells of lanes that are free."""

    source: str
    target: str
    through: tuple[Cell, ...]


@dataclass(frozen=True)
class Layout:
    """Cells of nodes, and edges between them.

    Attributes:
        cells: each node's lane and rank; lane 0 is the main chain's, negative ones stand to the left.
        edges: in the order of the targets.
        ranks: how many there are.
    """

    cells: dict[str, Cell]
    edges: tuple[Edge, ...]
    ranks: int


def lay_out(nodes: Mapping[str, Sequence[str]]) -> Layout:
    """Find a place for every node.

    Args:
        nodes: by name the names of what each reads, in an order in which nothing reads what comes later. Names that are
            no nodes are left out.
    """
    known = {name: tuple(one for one in dict.fromkeys(inputs) if one in nodes) for name, inputs in nodes.items()}
    ranks: dict[str, int] = {}
    for name, inputs in known.items():
        ranks[name] = max((ranks[one] + 1 for one in inputs), default=0)
    taken: set[Cell] = set()
    cells: dict[str, Cell] = {}
    for name, inputs in known.items():
        lane = _lane_for_node(cells.get(inputs[0]) if inputs else None, ranks[name], taken)
        cells[name] = (lane, ranks[name])
        taken.add(cells[name])
    edges = [_route(source, name, cells, taken) for name, inputs in known.items() for source in inputs]
    return Layout(cells, tuple(edges), max(ranks.values(), default=-1) + 1)


def _lane_for_node(parent: Cell | None, rank: int, taken: set[Cell]) -> int:
    start, first = parent if parent else (0, rank - 1)
    for lane in _nearest(start):
        # The way down from the parent must be free too, or the edge would run through another node.
        if all((lane, between) not in taken for between in range(first + 1, rank + 1)):
            return lane
    raise AssertionError("there is always another lane")


def _route(source: str, target: str, cells: Mapping[str, Cell], taken: set[Cell]) -> Edge:
    (start, first), (end, last) = cells[source], cells[target]
    between = range(first + 1, last)
    if not between:
        return Edge(source, target, ())
    for lane in chain((end, start), _nearest(end)):
        if all((lane, rank) not in taken for rank in between):
            through = tuple((lane, rank) for rank in between)
            taken.update(through)
            return Edge(source, target, through)
    raise AssertionError("there is always another lane")


def _nearest(start: int) -> Iterator[int]:
    yield start
    yield from (start + sign * away for away in count(1) for sign in (1, -1))
