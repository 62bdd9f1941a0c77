"""One augmentation: on or off, its slider, and behind a button everything else."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from workbench.gui.data.dials import Dial, dials_of
from workbench.gui.data.editor import DataEditor
from workbench.gui.data.form_popup import Act, FormPopup
from workbench.gui.text import wrapped
from workbench.gui.widgets.buttons import Button
from workbench.gui.widgets.check_box import CheckBox
from workbench.gui.widgets.slider import Slider
from workbench.recipe.fields import facts
from workbench.recipe.kinds import AugmentSpec

WIDTH = 268
_NAMES = 96


class DialRow(QWidget):
    """Edits one entry of the recipe's augmentations.

    Args:
        editor: writes it.
        place: its place in the list.
        spec: what it is; its kind stays the same.
        shape: of an example.
    """

    def __init__(self, editor: DataEditor, place: int, spec: AugmentSpec, shape: tuple[int, ...]) -> None:
        super().__init__()
        self._editor, self.place, self._spec, self._shape = editor, place, spec, shape
        self.check = CheckBox(spec.human_name())
        self.check.setFixedWidth(_NAMES)
        self.check.setToolTip(wrapped(spec.about))
        self.check.setAccessibleName(self.tr("{0} on").format(spec.human_name()))
        self.check.toggled.connect(lambda on: editor.turn_augmentation(self.place, on))
        self.sliders = {dial.field.name: self._slider(dial) for dial in dials_of(type(spec), shape)}
        self.more = Button("", "quiet", icon_name="menu", clicked=self.open_settings)
        self.more.setToolTip(self.tr("All settings, order, remove"))
        self.more.setAccessibleName(self.tr("Settings of {0}").format(spec.human_name()))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.check)
        for slider in self.sliders.values():
            row.addWidget(slider, 1)
        if not self.sliders:
            row.addStretch(1)
        row.addWidget(self.more)
        self.show_spec(spec)

    def _slider(self, dial: Dial) -> Slider:
        name = dial.field.name

        def text(share: float) -> str:
            # A value of the recipe may lie beyond the slider's end, or between two of its steps.
            value = float(getattr(self._spec, name))
            return dial.text(value if abs(dial.share(value) - share) < 1e-9 else dial.value(share))

        slider = Slider(0.0, 1.0, steps=200, text=text, name=f"{self._spec.human_name()}, {dial.field.label}")
        slider.setToolTip(wrapped(dial.field.help))
        slider.valueChanged.connect(lambda share: self._on_slide(dial, share))
        return slider

    def _on_slide(self, dial: Dial, share: float) -> None:
        value = dial.value(share)
        words = f"{self._spec.human_name()} {dial.text(value)}"
        self._editor.set_augmentation(self.place, dial.field.name, value, words)

    def show_spec(self, spec: AugmentSpec) -> None:
        """Show what the recipe says of it."""
        self._spec = spec
        self.check.blockSignals(True)
        self.check.setChecked(spec.enabled)
        self.check.blockSignals(False)
        for dial in dials_of(type(spec), self._shape):
            slider = self.sliders[dial.field.name]
            if dial.value(slider.value()) != getattr(spec, dial.field.name) or not slider.isEnabled():
                slider.setValue(dial.share(getattr(spec, dial.field.name)))
            slider.setEnabled(spec.enabled)

    def open_settings(self) -> FormPopup:
        """Open all fields of it, its place in the order, and the way to take it out."""
        editor, place, spec = self._editor, self.place, self._spec
        acts = (
            Act(self.tr("Earlier"), lambda: editor.move_augmentation(place, place - 1), place > 0),
            Act(
                self.tr("Later"),
                lambda: editor.move_augmentation(place, place + 1),
                place < len(editor.recipe.augment) - 1,
            ),
            Act(self.tr("Remove"), lambda: editor.remove_augmentation(place)),
        )
        fields = [name for name in facts(type(spec)) if name != "enabled"]
        path = f"data.augment[{place}]"
        popup = FormPopup(spec.human_name(), spec.about, editor.document, path, type(spec), fields, acts, self)
        popup.open_below(self.more)
        return popup
