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

    folder = resources() / "report"
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style = read_file(folder / "report.css").decode()
    for place, theme in (("/* LIGHT */", LIGHT), ("/* DARK */", DARK)):
        style = style.replace(place, variables(theme))
    return environment.get_template("report.html.j2").render(report=tree_of(report, on_screen), style=style)


_TAGS = frozenset(
    "html head meta title style body main header footer nav section article div span p h1 h2 h3 h4 ul ol li a table"
    " caption colgroup col thead tbody tfoot tr th td dl dt dd figure figcaption pre code details summary strong em"
    " blockquote time svg rect line path polygon circle text tspan".split()
)
_ATTRIBUTES = frozenset(
    "lang charset name content http-equiv class id style href scope datetime role aria-label aria-hidden viewbox width"
    " height x y dx x1 y1 x2 y2 cx cy r rx d points fill stroke stroke-width stroke-dasharray stroke-linejoin opacity"
    " text-anchor font-size font-weight transform colspan open".split()
)


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
        if tag not in _TAGS:
            self.found.append(f"the tag {tag!r}")
        for name, value in attrs:
            if name not in _ATTRIBUTES:
                self.found.append(f"the attribute {name!r} of {tag!r}")
            elif name == "href" and not (value or "").startswith("#"):
                self.found.append(f"a link to {value!r}")
            elif "url(" in (value or "").lower() and name in ("style", "fill", "stroke"):
                self.found.append(f"an address in {name!r}")

    def unknown_decl(self, data: str) -> None:
        self.found.append("a declaration")

    def handle_pi(self, data: str) -> None:
        self.found.append("a processing instruction")
