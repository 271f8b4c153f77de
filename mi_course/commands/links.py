"""Print what depends on where your copy of the repository lives: Binder badge, Colab, hub and pip lines.

Nothing is looked up and nothing is opened: the lines follow from the address alone.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from mi_course.errors import CourseError

FIRST = "00_welcome.ipynb"
HANDED_OUT = "chapters"
"""The branch that holds the chapters and nothing else, for learners on a hub (see binder/hub)."""
HUB_FOLDER = "mi-course"
"""The folder in which a learner on a hub finds them."""

_SSH = re.compile(r"(?:ssh://)?(?:[\w.-]+@)?(?P<host>[\w-]+(?:\.[\w-]+)+)(?::\d+/|[:/])(?P<path>[^\s:]+)")
_NAME = re.compile(r"[\w.~-]+")
_BINDER_PROVIDERS = {"github.com": "gh", "gitlab.com": "gl"}


@dataclass(frozen=True)
class Repository:
    """Where a copy of the repository is: its host, and the path of its page there."""

    host: str
    path: str

    @property
    def address(self) -> str:
        return f"https://{self.host}/{self.path}"


def add_arguments(parser) -> None:
    parser.add_argument(
        "address", nargs="?", metavar="ADDRESS", help="of the repository; default: this clone's origin"
    )
    parser.add_argument(
        "--branch", default="main", help="branch, or better a tag, to open (default: %(default)s)"
    )
    parser.add_argument(
        "--hub", metavar="URL", help="your JupyterHub: adds the link that hands out the chapters"
    )


def run(options) -> int:
    from mi_course.commands import notebook_folders

    repository = parse(options.address or _origin())
    names = [path.name for path in sorted(notebook_folders.chapters().glob("*.ipynb"))]
    print("\n".join(lines(repository, _branch(options.branch), names, _hub(options.hub))))
    return 0


def parse(address: str) -> Repository:
    """The repository at an address of its page, or at one that git clones from; CourseError for anything else.

    A name and password in the address are dropped: no line that is printed has them.
    """
    text = address.strip()
    if "://" in text and not text.startswith("ssh://"):
        parts = urlsplit(text)
        host, path, scheme = parts.hostname or "", parts.path, parts.scheme
        if parts.query or parts.fragment:
            raise _not_an_address(address, "it has a ? or # behind the repository")
    elif found := _SSH.fullmatch(text):
        host, path, scheme = found["host"], found["path"], "https"
    else:
        raise _not_an_address(address, "it names no host")
    if scheme != "https":
        raise _not_an_address(address, f"it begins with {scheme}://")
    path = path.strip("/").removesuffix(".git")
    steps = path.split("/")
    if "." not in host:
        raise _not_an_address(address, "it names no host")
    if len(steps) < 2 or not all(_NAME.fullmatch(step) and step.strip(".") for step in steps):
        raise _not_an_address(address, "it needs an owner and a repository")
    if "-" in steps or (host == "github.com" and len(steps) > 2):
        raise _not_an_address(address, "it leads to a page inside the repository")
    return Repository(host, path)


def lines(repository: Repository, branch: str, chapters: list[str], hub: str | None) -> Iterator[str]:
    """Everything that depends on the address, in Markdown where it belongs on a page."""
    yield f"For {repository.address}, branch or tag {branch}"
    yield from ("", "## Binder badge, for the README", "")
    yield f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder(repository, branch)})"
    yield from ("", "## Colab, chapter by chapter", "")
    if repository.host == "github.com":
        yield from (f"- [{name}]({colab(repository, branch, name)})" for name in chapters)
    else:
        yield f"Colab opens notebooks from github.com only; from {repository.host} they have to be uploaded."
    yield from ("", "## On your hub: hands out the chapters, and brings them up to date", "")
    yield nbgitpuller(repository, hub) if hub else "Give the hub's address with --hub."
    yield from ("", "## Install without a clone", "")
    yield f'pip install "{pip_requirement(repository, branch)}"'


def binder(repository: Repository, branch: str) -> str:
    """The link that starts a server on mybinder.org and opens the first chapter there."""
    provider = _BINDER_PROVIDERS.get(repository.host, "git")
    place = {"gh": repository.path, "gl": quote(repository.path, safe="")}.get(
        provider, quote(repository.address, safe="")
    )
    query = urlencode({"urlpath": f"lab/tree/chapters/{FIRST}"})
    return f"https://mybinder.org/v2/{provider}/{place}/{quote(branch)}?{query}"


def colab(repository: Repository, branch: str, chapter: str) -> str:
    """The link that opens one chapter in Colab, which reads it from GitHub."""
    return (
        f"https://colab.research.google.com/github/{repository.path}/blob/{quote(branch)}/chapters/{chapter}"
    )


def nbgitpuller(repository: Repository, hub: str) -> str:
    """The link that lays the chapters into a learner's folder on a hub and opens the first one."""
    query = {
        "repo": repository.address,
        "branch": HANDED_OUT,
        "targetPath": HUB_FOLDER,
        "urlpath": f"lab/tree/{HUB_FOLDER}/{FIRST}",
    }
    return f"{hub}/hub/user-redirect/git-pull?{urlencode(query)}"


def pip_requirement(repository: Repository, branch: str) -> str:
    """What pip installs the course from, where there is no clone."""
    return f"mi-course @ git+{repository.address}@{branch}"


def _origin() -> str:
    """Where this clone was cloned from."""
    from mi_course.commands import notebook_folders

    command = ["git", "-C", str(notebook_folders.clone()), "remote", "get-url", "origin"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise CourseError(
            "This clone has no remote named origin. Give the address:  mi-course links https://HOST/OWNER/REPOSITORY"
        ) from None


def _branch(name: str) -> str:
    if not re.fullmatch(r"[\w.+-]+(/[\w.+-]+)*", name):
        raise CourseError(f"{name!r} is no name of a branch or a tag.")
    return name


def _hub(address: str | None) -> str | None:
    if address is None:
        return None
    parts = urlsplit(address.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise CourseError(
            f"{address!r} is no address of a hub. It looks like this:  --hub https://hub.example.org"
        )
    return address.strip().rstrip("/").removesuffix("/hub")


def _not_an_address(address: str, why: str) -> CourseError:
    shown = re.sub(r"//[^/@\s]*@", "//", address.strip())
    return CourseError(
        f"{shown!r} is no address of a repository: {why}. It looks like this:  https://HOST/OWNER/REPOSITORY"
    )
