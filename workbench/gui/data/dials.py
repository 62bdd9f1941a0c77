"""The sliders of augmentations: made from their fields' facts, with ends that suit the data. No widgets."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from workbench.gui.figures import SPACE
from workbench.recipe.fields import FieldFacts, facts
from workbench.recipe.kinds import AugmentSpec

_SIGNS = {
    ("rotate", "degrees"): "±{}",
    ("shift", "pixels"): "±{}",
    ("brightness", "amount"): "±{}",
    ("crop", "pixels"): "≤{}",
    ("blur", "sigma"): "≤{}",
}
"""How the numbers are meant; others are written as they are."""
_FACTORS = {("scale", "amount"), ("contrast", "amount")}
"""Shares on top of 1: written as the factor."""


@dataclass(frozen=True)
class Dial:
    """One slider.

    The lower half of the slider's way covers a quarter of the range: small changes are the usual ones.

    Attributes:
        kind: of the augmentation.
        field: what is changed.
        high: the value at the right end; the field itself may allow more.
        step: values are rounded to multiples of it.
    """

    kind: str
    field: FieldFacts
    high: float
    step: float

    def share(self, value: float) -> float:
        """The slider's place for a value, from 0; above 1 where the value is beyond its end."""
        return sqrt(max(0.0, value) / self.high)

    def value(self, share: float) -> float:
        """The value for a place of the slider."""
        return min(self.high, float(f"{round(self.high * share * share / self.step) * self.step:.6g}"))

    def text(self, value: float) -> str:
        """``±20°``, ``2 px``, ``×1.1``, ``5 %``."""
        where = (self.kind, self.field.name)
        if where in _FACTORS:
            return f"×{1 + value:.2f}"
        if self.field.unit == "fraction":
            number = f"{100 * value:.4g}{SPACE}%"
        elif self.field.unit == "°":
            number = f"{value:.4g}°"
        else:
            number = f"{value:.4g}{SPACE}{self.field.unit}".strip()
        return _SIGNS.get(where, "{}").format(number)


def dials_of(kind: type[AugmentSpec], shape: tuple[int, ...]) -> tuple[Dial, ...]:
    """The sliders of a kind: its numbers that are not for experts only.

    Args:
        kind: of augmentation.
        shape: of an example: ``(H, W, C)`` or ``(F,)``.
    """
    fields = [field for field in facts(kind).values() if field.annotation is float and not field.advanced]
    return tuple(_dial(kind.kind, field, shape) for field in fields)


def _dial(kind: str, field: FieldFacts, shape: tuple[int, ...]) -> Dial:
    most = field.high if field.high is not None else 1.0
    if field.unit == "px":
        half = min(shape[:2]) // 2 if len(shape) == 3 else 2
        return Dial(kind, field, min(most, max(1.0, float(half))), 0.5 if half < 100 else 1.0)
    if field.unit == "fraction":
        return Dial(kind, field, min(most, 1.0), 0.01)
    return Dial(kind, field, most, 1.0 if most > 20 else 0.1)
