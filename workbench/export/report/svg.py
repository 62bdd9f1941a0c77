"""Drawings as SVG: shapes and texts in named colors, written out for a screen or for paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, TypeAlias

from workbench.export.report.colors import Palette
from workbench.export.report.text import plain

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]

_COLORED = ("fill", "stroke")
_NARROW, _WIDE = frozenset("iljtfr.,:;|'!()[] ·"), frozenset("mwMW@%—…")


@dataclass(frozen=True)
class Run:
    """A part of a line of text."""

    text: str
    color: str = "text"
    size: float = 12
    weight: int = 400


_Part: TypeAlias = "tuple[str, Mapping[str, str | float], str | tuple[_Part, ...]]"


class Drawing:
    """A drawing of fixed size, in pixels.

    Args:
        width, height: its size; it may be shown smaller.
        label: what it shows, a sentence for those who cannot see it.
    """

    def __init__(self, width: float, height: float, label: str) -> None:
        self.width, self.height, self.label = width, height, label
        self._parts: list[_Part] = []

    def rect(
        self, x: float, y: float, width: float, height: float, fill: str, *, radius: float = 0, opacity: float = 1
    ) -> None:
        """A filled rectangle."""
        self._add("rect", x=x, y=y, width=max(0.0, width), height=max(0.0, height), rx=radius, fill=fill,
                  opacity=opacity)  # fmt: skip

    def frame(self, x: float, y: float, width: float, height: float, stroke: str) -> None:
        """An outlined rectangle."""
        self._add("rect", x=x, y=y, width=width, height=height, fill="none", stroke=stroke)

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str, width: float = 1, dash: str = "") -> None:
        """A straight line."""
        self._add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width, stroke_dasharray=dash)

    def path(self, points: Sequence[Point], stroke: str, width: float = 1.6, dash: str = "") -> None:
        """A line through points."""
        moves = "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
        self._add("path", d=f"M{moves}", fill="none", stroke=stroke, stroke_width=width, stroke_dasharray=dash,
                  stroke_linejoin="round")  # fmt: skip

    def polygon(self, points: Sequence[Point], fill: str) -> None:
        """A filled polygon."""
        self._add("polygon", points=" ".join(f"{_number(x)},{_number(y)}" for x, y in points), fill=fill)

    def dot(self, x: float, y: float, radius: float, fill: str, stroke: str = "", opacity: float = 1) -> None:
        """A disk, with a stroke around it where one is named."""
        self._add("circle", cx=x, cy=y, r=radius, fill=fill, stroke=stroke, stroke_width=1.6 if stroke else "",
                  opacity=opacity)  # fmt: skip

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        color: str = "text",
        anchor: Anchor = "start",
        size: float = 12,
        weight: int = 400,
        turn: float = 0,
    ) -> None:
        """A text on one line, its baseline at y; ``turn`` in degrees about its anchor."""
        turned = f"rotate({_number(turn)} {_number(x)} {_number(y)})" if turn else ""
        self._add("text", text, x=x, y=y, fill=color, text_anchor="" if anchor == "start" else anchor, font_size=size,
                  font_weight="" if weight == 400 else weight, transform=turned)  # fmt: skip

    def runs(self, x: float, y: float, runs: Sequence[Run], *, anchor: Anchor = "start") -> None:
        """Texts of different weights and colors on one line, one after the other."""
        spans = tuple(("tspan", {"dx": 7 if index else "", "fill": run.color, "font_size": run.size,
                                 "font_weight": "" if run.weight == 400 else run.weight}, run.text)
                      for index, run in enumerate(runs) if run.text)  # fmt: skip
        self._parts.append(("text", {"x": x, "y": y, "text_anchor": "" if anchor == "start" else anchor}, spans))

    def _add(self, tag: str, content: str = "", **attributes: str | float) -> None:
        self._parts.append((tag, attributes, content))

    def svg(self, palette: Palette, *, font: str = "") -> str:
        """The drawing as an SVG element.

        Args:
            palette: what the colors' names stand for.
            font: the typeface, for a file of its own; within a page it has the page's.
        """
        own = ' xmlns="http://www.w3.org/2000/svg"' if font else ""
        named = {"font_family": font, "aria_label": plain(self.label)}
        size = {"width": self.width, "height": self.height}
        box = f"0 0 {_number(self.width)} {_number(self.height)}"
        head = f'<svg{own} role="img" viewBox="{box}"{_attributes({**size, **named}, palette)}>'
        return head + "".join(_element(part, palette) for part in self._parts) + "</svg>"


def _element(part: _Part, palette: Palette) -> str:
    tag, attributes, content = part
    written = _attributes(attributes, palette)
    if not content:
        return f"<{tag}{written}/>"
    inner = escape(plain(content)) if isinstance(content, str) else "".join(_element(each, palette) for each in content)
    return f"<{tag}{written}>{inner}</{tag}>"


def _attributes(attributes: Mapping[str, str | float], palette: Palette) -> str:
    told = []
    for name, value in attributes.items():
        idle = value == "" or (name == "opacity" and value == 1) or (name == "rx" and value == 0)
        if idle:
            continue
        colored = name in _COLORED and isinstance(value, str) and value != "none"
        text = palette(str(value)) if colored else _number(value) if isinstance(value, int | float) else value
        told.append(f' {name.replace("_", "-")}="{escape(text)}"')
    return "".join(told)


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
    return "0" if text in ("-0", "") else text


def text_width(text: str, size: float = 12) -> float:
    """About how wide a text is: a little too much rather than too little, whatever sans face it is set in."""
    return size * sum(
        0.34 if char in _NARROW else 0.95 if char in _WIDE or char > "\u2e7f" else 0.70 if char.isupper() else 0.60
        for char in text
    )


def fitted(text: str, width: float, size: float = 12) -> str:
    """The text, or as much of its start as fits with an ellipsis."""
    text = plain(text)
    if text_width(text, size) <= width:
        return text
    while text and text_width(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def widest(texts: Iterable[str], size: float = 12, *, least: float = 0, most: float = 1e9) -> float:
    """The width of the widest text, within bounds."""
    return min(most, max([least, *(text_width(plain(text), size) for text in texts)]))
