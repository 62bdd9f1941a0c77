"""The files and folders that the examples come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from workbench.gui.data.editor import DataEditor
from workbench.gui.data.form_popup import Act, FormPopup
from workbench.gui.data.sections.section import Section
from workbench.gui.data_desk import DataState
from workbench.gui.document import Document
from workbench.gui.figures import grouped
from workbench.gui.text import tip
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.combo import Combo
from workbench.gui.widgets.labels import ElidedLabel, Label
from workbench.recipe.data import Source

_SETS = ("any", "train", "dev", "test")
_READING = ("labels", "examples", "format", "separator", "decimal", "encoding")


class SourcesSection(Section):
    """A source is given to one set or to the split, and tagged with the distribution that it stands for."""

    paths = ("data.sources",)

    def __init__(self, document: Document, editor: DataEditor, parent: QWidget | None = None) -> None:
        super().__init__("Sources", parent=parent)
        self._document, self._editor = document, editor
        self._rows: list[SourceRow] = []
        self._holder = QVBoxLayout()
        self._holder.setSpacing(10)
        self.column.addLayout(self._holder)
        self.finish()
        document.recipeChanged.connect(self._update)
        self._sizes: tuple[int, ...] = ()
        self._update()

    def rows(self) -> list[SourceRow]:
        """The sources' lines."""
        return list(self._rows)

    def show_state(self, state: DataState | None) -> None:
        self._sizes = state.sizes if state else ()
        self._update()

    def _update(self) -> None:
        sources = self._document.recipe.data.sources
        if [row.path for row in self._rows] != [source.path for source in sources]:
            self._build(sources)
        known = self._sizes if len(self._sizes) == len(sources) else (None,) * len(sources)
        for row, source, size in zip(self._rows, sources, known, strict=True):
            row.show_source(source, size)

    def _build(self, sources: tuple[Source, ...]) -> None:
        for row in self._rows:
            row.hide()
            row.deleteLater()
        self._rows = [self._row(place, source) for place, source in enumerate(sources)]
        for row in self._rows:
            self._holder.addWidget(row)

    def _row(self, place: int, source: Source) -> SourceRow:
        return SourceRow(
            source,
            lambda field, value: self._editor.set_source(place, field, value),
            lambda row: self._open_settings(place, row),
        )

    def _open_settings(self, place: int, row: SourceRow) -> FormPopup:
        """How the file is read, and the way to take it out."""
        removable = len(self._rows) > 1
        acts = (Act(self.tr("Remove this source"), lambda: self._editor.remove_source(place), removable),)
        name, about = Path(row.path).name, self.tr("How it is read; what is left empty is found out.")
        popup = FormPopup(name, about, self._document, f"data.sources[{place}]", Source, _READING, acts, row)
        popup.open_below(row.more)
        return popup


class SourceRow(QWidget):
    """A source: its name and size, the set that it goes to, its distribution."""

    def __init__(
        self, source: Source, change: Callable[[str, str], None], settings: Callable[[SourceRow], object]
    ) -> None:
        super().__init__()
        self.path = source.path
        name = ElidedLabel(Path(source.path).name)
        name.setToolTip(tip(source.path))
        self.size_label = Label("", "note")
        self.sets = Combo([(one, self.tr("any set") if one == "any" else one) for one in _SETS])
        self.sets.setAccessibleName(self.tr("Set of {0}").format(name.text()))
        self.sets.setFixedWidth(104)
        self.sets.setToolTip(self.tr("Put all of it into one set; any takes part in the split"))
        self.distribution = QLineEdit()
        self.distribution.setPlaceholderText(self.tr("distribution, e.g. a scanner"))
        self.distribution.setAccessibleName(self.tr("Distribution of {0}").format(name.text()))
        self.distribution.setMaxLength(200)
        self.more = Button("", "quiet", icon_name="menu", clicked=lambda: settings(self))
        self.more.setToolTip(self.tr("How it is read; remove"))
        self.more.setAccessibleName(self.tr("Settings of {0}").format(name.text()))
        self._told = ""
        self._lay_out(name)
        self.sets.valueChanged.connect(lambda value: change("set", str(value)))
        self.distribution.editingFinished.connect(lambda: self._on_typed(change))

    def _lay_out(self, name: QWidget) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        for row in (first, second):
            row.setSpacing(6)
        first.addWidget(name, 1)
        first.addWidget(self.size_label)
        first.addWidget(self.more)
        second.addWidget(self.sets)
        second.addWidget(self.distribution, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(first)
        column.addLayout(second)

    def show_source(self, source: Source, size: int | None) -> None:
        """Show what the recipe says of it."""
        self.sets.setValue(source.set)
        if not self.distribution.hasFocus() or source.distribution != self._told:
            self.distribution.setText(source.distribution)
        self._told = source.distribution
        self.size_label.setText("" if size is None else self.tr("{0} rows").format(grouped(size)))

    def _on_typed(self, change: Callable[[str, str], None]) -> None:
        if self.distribution.text() != self._told:
            change("distribution", self.distribution.text())
