"""What a browser would make of a widget's HTML: its elements, its text, its styles."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """The elements of some HTML with their attributes, the text outside of styles, and the styles."""

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.text, self.styles = "", ""
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if "style" in self._open:
            self.styles += data
        else:
            self.text += data

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    def all(self, tag: str, **wanted: str) -> list[dict]:
        """The attributes of every element of this kind that has these values; ``class_`` asks for one class."""
        class_ = wanted.pop("class_", None)
        return [
            attributes
            for kind, attributes in self.elements
            if kind == tag
            and (class_ is None or class_ in (attributes.get("class") or "").split())
            and all(attributes.get(name) == value for name, value in wanted.items())
        ]

    @property
    def handlers(self) -> list[str]:
        """Attributes that would run code."""
        return [name for _, attributes in self.elements for name in attributes if name.startswith("on")]
