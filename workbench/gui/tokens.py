"""The colors of the two themes, by what they are for. Plain data: also reports and plots may read them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tokens:
    """One theme.

    Attributes:
        dark: whether the panels are dark.
        window: behind the panels.
        panel: panels, fields, menus.
        line: borders of panels and controls.
        row_line: between the rows of a table; fainter than ``line``.
        text: ink.
        muted: notes, units, labels of axes.
        faint: what is disabled.
        soft: chips, tracks, the chosen part of a segmented control.
        hover: under the pointer.
        accent, accent_soft: the one color of action, and what is selected.
        accent_hover: the accent under the pointer.
        on_accent: text on the accent.
        warning, warning_soft: shapes and boxes that warn.
        warning_text: warning sentences, darker where the shape's color is too light for small text.
        good, good_soft, good_text: the same for what is well.
        purple, orange: further colors of data.
        grey: shapes that mean nothing in particular.
    """

    dark: bool
    window: str
    panel: str
    line: str
    row_line: str
    text: str
    muted: str
    faint: str
    soft: str
    hover: str
    accent: str
    accent_soft: str
    accent_hover: str
    on_accent: str
    warning: str
    warning_soft: str
    warning_text: str
    good: str
    good_soft: str
    good_text: str
    purple: str
    orange: str
    grey: str

    @property
    def series(self) -> tuple[str, ...]:
        """Colors of runs and layers in plots, in the order in which they are given out (Okabe-Ito)."""
        return (self.accent, self.good, self.purple, self.warning, self.orange, self.muted)


LIGHT = Tokens(
    dark=False,
    window="#F3F5F7",
    panel="#FFFFFF",
    line="#E0E4E9",
    row_line="#EDF0F3",
    text="#1B1F24",
    muted="#5B6470",
    faint="#A4ABB5",
    soft="#EEF1F4",
    hover="#F6F8FA",
    accent="#0072B2",
    accent_soft="#E5F1F8",
    accent_hover="#00639B",
    on_accent="#FFFFFF",
    warning="#D55E00",
    warning_soft="#FBEBDF",
    warning_text="#A84A00",
    good="#009E73",
    good_soft="#E0F3ED",
    good_text="#00795A",
    purple="#B8558A",
    orange="#B07C00",
    grey="#8A93A0",
)

DARK = Tokens(
    dark=True,
    window="#141619",
    panel="#1E1F22",
    line="#30343A",
    row_line="#282B30",
    text="#E7E9EC",
    muted="#9BA4AF",
    faint="#626A74",
    soft="#282B30",
    hover="#24262A",
    accent="#4FA8DC",
    accent_soft="#16303F",
    accent_hover="#6BB8E4",
    on_accent="#0E1A21",
    warning="#F08A3C",
    warning_soft="#3A2413",
    warning_text="#F3A266",
    good="#35C29A",
    good_soft="#14332A",
    good_text="#35C29A",
    purple="#DB8FBA",
    orange="#E3B341",
    grey="#858E99",
)
