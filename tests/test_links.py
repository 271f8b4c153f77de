"""Links lead somewhere, as far as can be told without a network: targets exist, addresses are well formed, and
one thing has one address everywhere."""

import functools
import re
from collections import defaultdict
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from tests.notebooks.course_notebooks import CHAPTERS, CLONE, SOLUTIONS, read

PAGES = sorted(
    [CLONE / "LICENSE", *CLONE.glob("*.md"), *CLONE.glob("solutions/*.md"), *CLONE.glob("binder/**/*.md")]
)
CODE = re.compile(r"^```.*?^```|^(?: {4}|\t).*?$|(?P<ticks>`+).+?(?P=ticks)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(\s*(?P<target>[^()\s]+(?:\([^()\s]*\)[^()\s]*)*)|<(?P<bracketed>https?:[^>]*)>")
ANYWHERE = re.compile(r"https?://[^\s<>\"'`]+")
REFERENCE = re.compile(
    r"(?<!\*)\*(?P<title>[^*]{4,})\*(?!\*)(?:(?!\*|\n-).){0,150}?(?:<|\]\()(?P<address>https?:[^>)\s]+)",
    re.DOTALL,
)
TRACKING = re.compile(r"utm_\w+|fbclid|gclid|ref|ref_src|source|si|share|usp", re.IGNORECASE)


@functools.cache
def prose(path: Path) -> str:
    """What a page or a notebook says in words: Markdown without its code."""
    if path.suffix == ".ipynb":
        text = "\n\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    else:
        text = path.read_text("utf-8")
    return CODE.sub("", text)


def targets(text: str) -> list[str]:
    """Where the links of a Markdown text lead."""
    return [found["target"] or found["bracketed"] for found in LINK.finditer(text)]


def addresses(text: str) -> list[str]:
    """Every address on another machine in a text, in a link or bare."""
    return [found.rstrip(".,;:!?)]*_") for found in ANYWHERE.findall(text)]


def slug(heading: str) -> str:
    """The anchor that code hosts make of a heading."""
    spoken = re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", spoken.strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    return set(map(slug, re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)))


def broken(path: Path, text: str) -> list[str]:
    """The links of a page or notebook to files or headings that are not there."""
    problems = []
    for target in targets(text):
        file, _, anchor = target.partition("#")
        there = path.parent / unquote(file) if file else path
        if urlsplit(target).scheme or (there.exists() and (not anchor or anchor in anchors(there))):
            continue
        problems.append(target)
    return problems


def malformed(address: str) -> str | None:
    """What is wrong with the form of an address; None if nothing is."""
    parts = urlsplit(address)
    if parts.scheme != "https":
        return "not https"
    if "." not in (parts.hostname or "") or re.search(r"[^\w.-]", parts.netloc):
        return "no host"
    if any(TRACKING.fullmatch(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        return "tracks who sent the reader"
    if parts.hostname == "arxiv.org" and not re.fullmatch(r"/abs/\d{4}\.\d{4,5}", parts.path):
        return "arXiv: /abs/ and the number, without a version"
    if re.search(r"//|\s|\.\.", parts.path):
        return "a path with // or .. in it"
    return None


def same_place(address: str) -> str:
    """An address without what two spellings of it may differ in."""
    parts = urlsplit(address.lower())
    path = re.sub(r"/(index\.html)?$", "", parts.path)
    return f"{(parts.hostname or '').removeprefix('www.')}{path}?{parts.query}"


def references(text: str) -> list[tuple[str, str]]:
    """Title and address of every work in a text's list of references: *Title* … <address> or [words](address)."""
    _, _, listed = text.partition("## References")
    return [
        (re.sub(r"\W+", " ", found["title"]).strip().lower(), found["address"])
        for found in REFERENCE.finditer(listed)
    ]


everything = pytest.mark.parametrize(
    "path", [*PAGES, *SOLUTIONS, *CHAPTERS], ids=lambda path: path.relative_to(CLONE).as_posix()
)
once = pytest.mark.parametrize(
    "path", [*PAGES, *SOLUTIONS], ids=lambda path: path.relative_to(CLONE).as_posix()
)


@everything
def test_what_a_link_leads_to_in_the_clone_is_there(path):
    assert broken(path, prose(path)) == []


@once
def test_addresses_are_well_formed(path):
    found = {address: malformed(address) for address in addresses(prose(path))}
    assert {address: problem for address, problem in found.items() if problem} == {}


def spellings(texts):
    """The addresses that are spelled in several ways, by what they have in common."""
    found = defaultdict(set)
    for text in texts:
        for address in addresses(text):
            found[same_place(address)].add(address.partition("#")[0])
    return [sorted(ways) for ways in found.values() if len(ways) > 1]


def several_addresses(texts):
    """The works that are referred to at several addresses, by title."""
    found = defaultdict(set)
    for text in texts:
        for title, address in references(text):
            found[title].add(address)
    return {title: sorted(ways) for title, ways in found.items() if len(ways) > 1}


def test_one_page_is_spelled_in_one_way_everywhere():
    assert spellings(map(prose, [*PAGES, *SOLUTIONS])) == []


def test_one_work_has_one_address_everywhere():
    assert several_addresses(map(prose, [*PAGES, *SOLUTIONS])) == {}
    assert sum(len(references(prose(path))) for path in SOLUTIONS) > 100


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_a_list_of_references_names_no_address_twice(path):
    _, _, listed = prose(path).partition("## References")
    found = addresses(listed)
    assert sorted(found) == sorted(set(found))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](LICENSE) [b](#here--there) [c](README.md#two-commands) [d](https://x.org/nowhere)", []),
        ("[a](NOWHERE.md)", ["NOWHERE.md"]),
        ("[a](#elsewhere) ![b](x.png)", ["#elsewhere", "x.png"]),
        ("[a](README.md#no-such-heading)", ["README.md#no-such-heading"]),
    ],
)
def test_a_broken_link_is_found(tmp_path, text, expected):
    (tmp_path / "LICENSE").touch()
    (tmp_path / "README.md").write_text("## Two commands\n")
    page = tmp_path / "page.md"
    page.write_text("# Here – there\n")
    assert broken(page, text) == expected


@pytest.mark.parametrize(
    "address",
    [
        "http://x.org/a",
        "https://localhost/a",
        "https://x.org/a?utm_source=y",
        "https://x.org//a",
        "https://arxiv.org/pdf/2211.00593",
        "https://arxiv.org/abs/2211.00593v2",
        "https://ada@x.org/",
    ],
)
def test_a_malformed_address_is_found(address):
    assert malformed(address)


def test_several_ways_to_one_place_are_found():
    assert spellings(["<https://x.org/a/>", "see https://www.x.org/a/index.html."]) == [
        ["https://www.x.org/a/index.html", "https://x.org/a/"]
    ]
    assert spellings(["https://x.org/a", "[b](https://x.org/b), https://x.org/a#c"]) == []
    texts = [
        "## References\n- *Zoom In: a Study*, Distill (2020). <https://x.org/a>",
        "## References\n- **Ada.** *Zoom in —\na study.* [Distill](https://y.org/b)\n- *Other*\n- [c](https://z.org)",
    ]
    assert several_addresses(texts) == {"zoom in a study": ["https://x.org/a", "https://y.org/b"]}


def test_code_is_no_prose(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("[a](b)\n\n    [c](d)\n\n```\n[e](f)\n```\nand `[g](h)`\n")
    assert targets(prose(page)) == ["b"]
