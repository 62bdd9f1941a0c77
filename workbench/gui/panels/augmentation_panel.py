"""Step 1, Data, below: random changes of training examples, shown on examples while they are set."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QStackedWidget, QWidget

from workbench.gui.data.dial_grid import DialGrid
from workbench.gui.data.editor import DataEditor
from workbench.gui.data.noise_view import NoiseView
from workbench.gui.data.strip import kinds_for, number_features, usable
from workbench.gui.data.strip_view import StripView
from workbench.gui.data_desk import DataDesk, DataState
from workbench.gui.document import Document
from workbench.gui.text import safe
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.combo import Combo
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.panel import INSIDE, Panel

_CLOSED, _HIGHEST = 78, 16777215
_OFFERED = 400
"""Columns to choose from; a list of more is no help."""


class AugmentationPanel(Panel):
    """The recipe's augmentations: the strip above, the sliders below. Closed to a line where there are none.

    Signals:
        opened: whether there is something to see now.
    """

    opened = Signal(bool)

    def __init__(self, document: Document, desk: DataDesk, editor: DataEditor, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("Augmentation"))
        self._document, self._desk, self._editor = document, desk, editor
        self._open: bool | None = None
        self.strip, self.noise, self.dials = StripView(), NoiseView(), DialGrid(editor)
        self.columns = Combo()
        self.columns.setAccessibleName(self.tr("Column that is shown"))
        self.columns.setFixedWidth(140)
        self.other = Button(self.tr("Other pictures"), "quiet", clicked=self.strip.other_examples)
        self.draw = Button(self.tr("Next epoch"), "quiet", clicked=self._next_draw)
        self.draw.setToolTip(self.tr("Each pass over the data draws anew"))
        self.plus = Button(self.tr("+ Add"))
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self.plus.set_menu(self.menu)
        for control in (self.columns, self.other, self.draw, self.plus):
            self.add_control(control)
        self._views = QStackedWidget()
        self._views.addWidget(self.strip)
        self._views.addWidget(self.noise)
        self.hint = Label("", "muted", wrap=True)
        self.problem = Label("", "error", wrap=True)
        for widget, stretch in ((self.hint, 0), (self._views, 1), (self.problem, 0), (self.dials, 0)):
            self.add(widget, padded=True, stretch=stretch)
        self.add_space(INSIDE - 8)
        self.columns.valueChanged.connect(lambda name: self.noise.show_column(str(name)))
        desk.changed.connect(self._on_data)
        document.recipeChanged.connect(lambda *_: self._on_recipe())
        self._on_data(desk.state)

    # --- following -----------------------------------------------------------------------------------------------

    def shape(self) -> tuple[int, ...]:
        """Of an example; empty where there are none."""
        state = self._desk.state
        if state is None:
            return ()
        if state.content.shape is not None:
            return state.content.shape
        return state.dataset.encoder.input_shape if state.dataset else (len(state.content.columns),)

    def _on_data(self, state: DataState | None) -> None:
        pictures = len(self.shape()) == 3
        names = number_features(state.dataset) if state and state.dataset and not pictures else []
        self.columns.set_options([(name, safe(name)) for name in names[:_OFFERED]])
        self._fill_menu()
        self._views.setCurrentWidget(self.strip if pictures else self.noise)
        self.strip.show_state(state if pictures else None)
        self.noise.show_column(str(self.columns.value() or ""))
        self.noise.show_dataset(state.dataset if state and not pictures else None)
        self._on_recipe()

    def _fill_menu(self) -> None:
        self.menu.clear()
        for kind in kinds_for(self.shape()) if self.shape() else []:
            action = self.menu.addAction(kind.human_name())
            action.setToolTip(kind.about)
            action.triggered.connect(lambda _=False, name=kind.kind: self._editor.add_augmentation(name))
        self.plus.setEnabled(not self.menu.isEmpty())

    def _on_recipe(self) -> None:
        specs, shape = self._document.recipe.data.augment, self.shape()
        seed = self._document.recipe.training.seed
        self.dials.show_specs(specs if shape else (), shape)
        self.strip.show_specs(specs, seed)
        self.noise.show_specs(specs, seed)
        self._tell(specs, shape)

    def _tell(self, specs: tuple[object, ...], shape: tuple[int, ...]) -> None:
        pictures, ready = len(shape) == 3, self._desk.dataset is not None
        self._show_open(bool(specs) and bool(shape))
        self._views.setVisible(bool(self._open) and ready and len(shape) != 2)
        for widget, shown in (
            (self.columns, not pictures and self.columns.count() > 0),
            (self.other, pictures),
            (self.draw, len(shape) != 2),
        ):
            widget.setVisible(shown and bool(self._open) and ready)
        self.set_note(self.tr("training set only, drawn anew in each epoch") if self._open else "")
        if pictures:
            words = self.tr("Turned, shifted or noisy copies of the pictures teach what does not matter.")
        else:
            words = self.tr("Gaussian noise on the measurements keeps a network from learning them by heart.")
        self.hint.setText(words)
        self._show_problems(shape)

    def _show_problems(self, shape: tuple[int, ...]) -> None:
        specs = self._document.recipe.data.augment
        off = [one for one, used in zip(specs, usable(specs, shape), strict=True) if one.enabled and not used.enabled]
        names = ", ".join(one.human_name() for one in off)
        self.problem.setText(self.tr("Does not fit these examples: {0}. Remove it.").format(names) if off else "")
        self.problem.setVisible(bool(off) and bool(shape))

    def _show_open(self, open_: bool) -> None:
        if open_ == self._open:
            return
        self._open = open_
        self.hint.setVisible(not open_)
        self.dials.setVisible(open_)
        self.setMaximumHeight(_HIGHEST if open_ else _CLOSED)
        self.setMinimumHeight(0 if open_ else _CLOSED)
        self.opened.emit(open_)

    def _next_draw(self) -> None:
        self.strip.other_draw()
        self.noise.other_draw()
