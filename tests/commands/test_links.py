import subprocess
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from mi_course import cli
from mi_course.commands import links, notebook_folders
from mi_course.errors import CourseError

GITHUB = links.Repository("github.com", "ada/mi-course")
GITLAB = links.Repository("gitlab.com", "uni/group/mi-course")
OTHER = links.Repository("git.example.org", "ada/mi-course")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://github.com/ada/mi-course", GITHUB),
        ("https://github.com/ada/mi-course.git", GITHUB),
        (" https://github.com/ada/mi-course/\n", GITHUB),
        ("git@github.com:ada/mi-course.git", GITHUB),
        ("ssh://git@gitlab.com/uni/group/mi-course.git", GITLAB),
        ("https://gitlab.com/uni/group/mi-course", GITLAB),
        ("ssh://git@git.example.org:2222/ada/mi-course", OTHER),
        ("https://GIT.example.org/ada/mi-course", OTHER),
    ],
)
def test_every_way_to_write_an_address_is_the_same_repository(address, expected):
    assert links.parse(address) == expected


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("mi-course", "names no host"),
        ("/srv/git/mi-course.git", "names no host"),
        ("../mi-course", "names no host"),
        ("C:\\git\\mi-course", "names no host"),
        ("", "names no host"),
        ("http://github.com/ada/mi-course", "begins with http://"),
        ("file:///mi-course", "begins with file://"),
        ("https://localhost/ada/mi-course", "names no host"),
        ("https://github.com/ada", "an owner and a repository"),
        ("https://github.com/ada/my course", "an owner and a repository"),
        ("https://github.com/ada/..", "an owner and a repository"),
        ("https://github.com/ada/mi-course/tree/main", "a page inside"),
        ("https://gitlab.com/ada/mi-course/-/tree/main", "a page inside"),
        ("https://github.com/ada/mi-course?tab=readme", r"a \? or #"),
    ],
)
def test_what_is_no_address_is_told_with_the_reason(address, why):
    with pytest.raises(CourseError, match=why):
        links.parse(address)


@pytest.mark.parametrize(
    "address", ["https://ada:secret@github.com/ada/mi-course", "https://secret@x.org/a?b"]
)
def test_a_password_in_the_address_is_never_printed(address, capsys):
    cli.main(["links", address])
    said = capsys.readouterr()
    assert "secret" not in said.out + said.err


@pytest.mark.parametrize(
    ("repository", "place"),
    [
        (GITHUB, "gh/ada/mi-course/v1"),
        (GITLAB, "gl/uni%2Fgroup%2Fmi-course/v1"),
        (OTHER, "git/https%3A%2F%2Fgit.example.org%2Fada%2Fmi-course/v1"),
    ],
    ids=["GitHub", "GitLab", "any git"],
)
def test_binder_finds_the_repository_and_opens_the_first_chapter(repository, place):
    link = urlsplit(links.binder(repository, "v1"))
    assert link.path == f"/v2/{place}"
    (opened,) = parse_qs(link.query)["urlpath"]
    assert (notebook_folders.clone() / opened.removeprefix("lab/tree/")).is_file()


def test_colab_has_a_link_to_every_chapter_and_says_that_it_reads_github_only(capsys):
    assert cli.main(["links", GITHUB.address, "--branch", "v1.0"]) == 0
    said = capsys.readouterr().out
    here = sorted(path.name for path in notebook_folders.chapters().glob("*.ipynb"))
    assert len(here) == 16
    for name in here:
        assert f"https://colab.research.google.com/github/ada/mi-course/blob/v1.0/chapters/{name}" in said
    assert cli.main(["links", OTHER.address]) == 0
    said = capsys.readouterr().out
    assert "colab.research" not in said
    assert "from github.com only" in said


@pytest.mark.parametrize("hub", ["https://hub.example.org", "https://hub.example.org/hub/"])
def test_the_hubs_link_names_branch_folder_and_first_chapter(hub, capsys):
    assert cli.main(["links", GITLAB.address, "--hub", hub]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "git-pull" in line)
    assert line.startswith("https://hub.example.org/hub/user-redirect/git-pull?")
    assert parse_qs(urlsplit(line).query) == {
        "repo": [GITLAB.address],
        "branch": ["chapters"],
        "targetPath": ["mi-course"],
        "urlpath": ["lab/tree/mi-course/00_welcome.ipynb"],
    }


def test_the_line_for_pip_is_a_requirement_of_this_package():
    requirements = pytest.importorskip("packaging.requirements")
    parsed = requirements.Requirement(links.pip_requirement(GITHUB, "v1"))
    assert parsed.name == "mi-course"
    assert parsed.url == "git+https://github.com/ada/mi-course@v1"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--hub", "hub.example.org"], "no address of a hub"),
        (["--hub", "https://x.org/?next=1"], "no address of a hub"),
        (["--branch", "my branch"], "no name of a branch"),
    ],
)
def test_a_hub_or_branch_that_cannot_be_is_told(arguments, said, capsys):
    assert cli.main(["links", GITHUB.address, *arguments]) == 1
    assert said in capsys.readouterr().err


@pytest.fixture
def clone(tmp_path, monkeypatch):
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    monkeypatch.setattr(notebook_folders, "clone", lambda: tmp_path)
    return tmp_path


def test_without_an_address_the_clones_origin_is_taken(clone, capsys):
    origin = "git@github.com:ada/mi-course.git"
    subprocess.run(["git", "-C", str(clone), "remote", "add", "origin", origin], check=True)
    assert cli.main(["links"]) == 0
    said = capsys.readouterr().out
    assert "For https://github.com/ada/mi-course, branch or tag main" in said
    assert "lab/tree/chapters/00_welcome.ipynb" in unquote(said)


def test_a_clone_without_origin_asks_for_the_address(clone, capsys):
    assert cli.main(["links"]) == 1
    assert "Give the address:  mi-course links https://" in capsys.readouterr().err
