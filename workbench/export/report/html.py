"""The report as one HTML file: no scripts, nothing from elsewhere, light and dark, for screen and paper."""

from __future__ import annotations

from html.parser import HTMLParser

from workbench.errors import RunError
from workbench.export.report.blocks import Report, tree_of
from workbench.export.report.colors import DARK, LIGHT, on_screen, variables
from workbench.store.bundled import resources
from workbench.store.files import read_file


def to_html(report: Report) -> str:
    """The report as a page; equal reports give equal pages."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup, escape

    folder = resources() / "report"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Where a long command may break, without a space that would be copied with it.
    environment.filters["breakable"] = lambda text: escape(text).replace(".", Markup(".<wbr>"))
    style = read_file(folder / "report.css").decode()
    for place, theme in (("/* LIGHT */", LIGHT), ("/* DARK */", DARK)):
        style = style.replace(place, variables(theme))
    page = environment.get_template("report.html.j2").render(report=tree_of(report, on_screen), style=style)
    return page.strip() + "\n"


_TAGS = """
html head meta title style body main header footer nav section article div span p h1 h2 h3 ul ol li a table thead tbody
tfoot tr th td dl dt dd figure figcaption pre code wbr details summary strong blockquote svg rect line path polygon
circle text tspan
"""
_ATTRIBUTES = """
lang charset name content http-equiv class id href scope role aria-label viewbox width height x y dx x1 y1 x2 y2 cx cy r
rx d points fill stroke stroke-width stroke-dasharray stroke-linejoin opacity text-anchor font-size font-weight
transform
"""
_KNOWN_TAGS, _KNOWN_ATTRIBUTES = frozenset(_TAGS.split()), frozenset(_ATTRIBUTES.split())


def check_inert(page: str) -> None:
    """See that a page can do nothing: known tags and attributes only, links only within the page.

    Raises:
        RunError: it holds something else, which is a mistake of this program.
    """
    strange = _Inspector.findings(page)
    if strange:
        raise RunError(f"the report would not be inert: {strange[0]}", mend="Nothing was written; please report this.")


class _Inspector(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    @classmethod
    def findings(cls, page: str) -> list[str]:
        inspector = cls()
        inspector.feed(page)
        inspector.close()
        return inspector.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _KNOWN_TAGS:
            self.found.append(f"the tag {tag!r}")
        for name, value in attrs:
            if name not in _KNOWN_ATTRIBUTES:
                self.found.append(f"the attribute {name!r} of {tag!r}")
            elif name == "href" and not (value or "").startswith("#"):
                self.found.append(f"a link to {value!r}")
            elif name in ("fill", "stroke") and "url(" in (value or "").lower():
                self.found.append(f"an address in {name!r}")

    def unknown_decl(self, data: str) -> None:
        self.found.append("a declaration")

    def handle_pi(self, data: str) -> None:
        self.found.append("a processing instruction")
