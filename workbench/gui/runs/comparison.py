"""Which runs the plots show, and by which sign each is known."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from workbench.gui.run_desk import RunDesk
from workbench.gui.runs.markers import INKS, Marker, shape_of

_BY_ITSELF = 2
"""Parents of new runs that are kept in the plot without having been asked for."""


class Comparison(QObject):
    """The selected run, and those it is compared with.

    A run that is started from another one is compared with it by itself: what the change did is what one wants to see.

    Signals:
        changed: other runs are shown, or in other colors.
        keptChanged: other runs are to be compared with, whichever is selected.
    """

    changed = Signal()
    keptChanged = Signal()

    def __init__(self, runs: RunDesk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._project: object = runs.project
        self._pinned: list[int] = []
        self._parents: list[int] = []
        self._known = {entry.number for entry in runs.entries}
        self._inks: dict[int, int] = {}
        runs.selected.connect(lambda _: self._update())
        runs.listChanged.connect(self._on_list)
        self._update()

    def shown(self) -> tuple[int, ...]:
        """The runs in the plots, the selected one first."""
        return tuple(self._inks)

    def is_shown(self, number: int) -> bool:
        """Whether a run is in the plots."""
        return number in self._inks

    def marker(self, number: int) -> Marker:
        """A run's sign."""
        return Marker(shape_of(number), self._inks.get(number))

    def toggle(self, number: int) -> None:
        """Put a run into the plots, or take it out; the selected one stays."""
        if number in self._pinned or number in self._parents:
            self._pinned = [other for other in self._pinned if other != number]
            self._parents = [other for other in self._parents if other != number]
        else:
            self._pinned = [*self._pinned, number][-(INKS - 1) :]
        self._update()
        self.keptChanged.emit()

    @property
    def kept(self) -> tuple[int, ...]:
        """The runs that stay in the plots whichever is selected."""
        return tuple(dict.fromkeys([*self._parents, *self._pinned]))

    def pin(self, numbers: Iterable[int]) -> None:
        """Put runs into the plots, as far as there are such."""
        known = {entry.number for entry in self._runs.entries}
        self._pinned = [number for number in numbers if number in known][-(INKS - 1) :]
        self._update()

    def _on_list(self) -> None:
        if self._runs.project is not self._project:
            self._project, self._pinned, self._parents = self._runs.project, [], []
            self._known = {entry.number for entry in self._runs.entries}
        kept = self.kept
        for entry in self._runs.entries:
            if entry.number not in self._known and entry.parent is not None:
                others = [number for number in self._parents if number != entry.parent]
                self._parents = [*others, entry.parent][-_BY_ITSELF:]
        self._known = {entry.number for entry in self._runs.entries}
        self._update()
        if self.kept != kept:
            self.keptChanged.emit()

    def _update(self) -> None:
        wanted = [self._runs.current, *reversed(self._pinned), *reversed(self._parents)]
        numbers = [number for number in dict.fromkeys(wanted) if number in self._known][:INKS]
        kept = {number: self._inks[number] for number in numbers if number in self._inks}
        inks: dict[int, int] = {}
        for number in numbers:
            inks[number] = kept[number] if number in kept else _free(number, {*kept.values(), *inks.values()})
        if inks != self._inks or list(inks) != list(self._inks):
            self._inks = inks
            for number in inks:
                self._runs.curves(number)
            self.changed.emit()


def _free(number: int, taken: set[int]) -> int:
    """A run's usual color, or the next one that no other run in the plots has."""
    first = (number - 1) % (INKS - 1)
    order = [*range(first, INKS - 1), *range(first), INKS - 1]
    return next((ink for ink in order if ink not in taken), first)
