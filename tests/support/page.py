"""An HTML page as a test sees it: its tags, its texts, its tables."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "wbr", "hr", "input", "rect", "line", "path", "polygon", "circle"}


class Page(HTMLParser):
    """A parsed page.

    Attributes:
        tags: each start tag with its attributes.
        texts: what stands between tags, by the tag it stands in.
        tables: rows of cell texts.
        unclosed: tags that were closed in the wrong order or not at all.
    """

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.tables: list[list[list[str]]] = []
        self.unclosed: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        self.unclosed += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.unclosed.append(tag)

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        self.texts.append((inside, data))
        if "table" in self._open and self.tables[-1] and self.tables[-1][-1]:
            self.tables[-1][-1][-1] += data.strip()

    def text(self, tag: str = "") -> str:
        """All texts, or those directly within a tag, as one."""
        return "\n".join(data for inside, data in self.texts if tag in ("", inside) and inside != "style")

    def values(self, tag: str, attribute: str) -> list[str]:
        """The values of an attribute."""
        return [str(attributes[attribute]) for name, attributes in self.tags if name == tag and attribute in attributes]

    def table(self, head: str) -> list[list[str]]:
        """The rows of the table whose first head is this, without its head."""
        return next(rows[1:] for rows in self.tables if rows[0][0] == head)
