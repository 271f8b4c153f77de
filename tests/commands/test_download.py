import dataclasses
import errno
import hashlib
import http.server
import os
import re
import subprocess
import sys
import threading

import pytest

from mi_course.commands import models
from mi_course.commands.download import download
from mi_course.errors import CourseError, UnknownName
from mi_course.models import pretrained

CONTENT = bytes(range(256)) * 12_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT on this machine; can cut connections, ignore ranges, or serve something else."""

    content = CONTENT
    small = {}  # noqa: RUF012 (more files by their path; a test puts a dictionary of its own in place)
    stop_after = None  # bytes of an answer's body after which the connection breaks
    ranges = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.sent = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/model.pth"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        begin = int(wanted[1]) if wanted and self.server.ranges else 0
        content = {"/model.pth": self.server.content, **self.server.small}.get(self.path)
        if content is None:
            return self.send_error(404)
        if begin >= len(content):
            return self.send_error(416)
        body = content[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        part = body[: self.server.stop_after]
        self.server.sent.append(len(part))  # before the client can have it all and look
        self.wfile.write(part)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def silent(here, total):
    pass


def test_a_file_arrives_whole_and_is_counted_on_the_way(server, tmp_path):
    seen = []
    download(server.url, tmp_path / "new" / "model.pth", SHA256[:8], lambda *numbers: seen.append(numbers))
    assert (tmp_path / "new" / "model.pth").read_bytes() == CONTENT
    assert os.listdir(tmp_path / "new") == ["model.pth"]
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_broken_connection_is_told_and_the_next_call_fetches_only_the_rest(server, tmp_path):
    server.stop_after = 1_000_000
    with pytest.raises(CourseError, match="goes on where it stopped"):
        download(server.url, tmp_path / "model.pth", SHA256, silent)
    assert os.listdir(tmp_path) == ["model.pth.part"]
    server.stop_after = None
    download(server.url, tmp_path / "model.pth", SHA256, silent)
    assert (tmp_path / "model.pth").read_bytes() == CONTENT
    assert server.sent == [1_000_000, len(CONTENT) - 1_000_000]


def test_a_server_that_knows_no_ranges_sends_all_of_it_again(server, tmp_path):
    (tmp_path / "model.pth.part").write_bytes(CONTENT[:1000])
    server.ranges = False
    download(server.url, tmp_path / "model.pth", SHA256, silent)
    assert (tmp_path / "model.pth").read_bytes() == CONTENT


def test_a_part_that_was_complete_is_only_checked(server, tmp_path):
    (tmp_path / "model.pth.part").write_bytes(CONTENT)
    download(server.url, tmp_path / "model.pth", SHA256, silent)
    assert (tmp_path / "model.pth").read_bytes() == CONTENT
    assert server.sent == []


def test_a_wrong_file_is_refused_and_deleted(server, tmp_path):
    server.content = b"<html>log in</html>"
    with pytest.raises(CourseError, match="is not the published file"):
        download(server.url, tmp_path / "model.pth", SHA256, silent)
    assert os.listdir(tmp_path) == []


def test_a_refusal_of_the_server_is_told(server, tmp_path):
    with pytest.raises(CourseError, match="404"):
        download(server.url + "x", tmp_path / "model.pth", SHA256, silent)
    assert os.listdir(tmp_path) == []


def test_no_network_is_told(server, tmp_path):
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(CourseError, match="could not be reached"):
        download(url, tmp_path / "model.pth", SHA256, silent)


FULL_DISK = """
import resource, sys
from pathlib import Path
from mi_course.commands.download import download
resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
try:
    download(sys.argv[1], Path(sys.argv[2]), sys.argv[3], lambda *_: None)
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX's limits on resources")
def test_a_full_disk_is_told_and_the_rest_can_be_fetched_later(server, tmp_path):
    target = tmp_path / "model.pth"
    command = [sys.executable, "-c", FULL_DISK, server.url, str(target), SHA256]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith("CourseError")
    assert os.strerror(errno.EFBIG) in said
    assert "MI_COURSE_HOME" in said
    assert not target.exists()
    download(server.url, target, SHA256, silent)
    assert target.read_bytes() == CONTENT


@pytest.fixture
def public_model(server, course_home, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    model = pretrained.PublicModel("tiny", "tiny.pth", server.url, 3, SHA256[:8], "CC0", "a tiny model")
    monkeypatch.setitem(pretrained.PUBLIC, "tiny", model)
    return model


def test_fetching_puts_a_model_where_load_looks_for_it(public_model, course_home, capsys, server):
    assert "not here; get it:  mi-course models fetch tiny" in models.listing()
    assert models.fetch("tiny") == 0
    assert pretrained.path_of("tiny") == course_home / "models" / "tiny.pth"
    captured = capsys.readouterr()
    assert "licence: CC0" in captured.out
    assert "3 MB of 3 MB" in captured.err
    assert f"here: {course_home / 'models' / 'tiny.pth'}" in models.listing()
    assert models.fetch("tiny") == 0
    assert len(server.sent) == 1


def test_a_model_whose_hash_nobody_published_is_said_to_be_unchecked(public_model, monkeypatch, capsys):
    assert models.UNHASHED not in models.listing().partition("a tiny model")[2]
    monkeypatch.setitem(pretrained.PUBLIC, "tiny", dataclasses.replace(public_model, sha256_prefix=""))
    assert models.UNHASHED in models.listing().partition("a tiny model")[2]
    assert models.fetch("tiny") == 0
    assert models.UNHASHED in capsys.readouterr().out


@pytest.fixture
def model_of_several_files(server, course_home, tmp_path, monkeypatch):
    """A public model with a config and a tokenizer beside its weights."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    server.small = {f"/{name}": name.encode() for name in ("config.json", "vocab.json", "merges.txt")}
    beside = tuple(
        pretrained.PublicFile(
            path[1:], server.url.replace("/model.pth", path), hashlib.sha256(content).hexdigest()
        )
        for path, content in server.small.items()
    )
    model = pretrained.PublicModel(
        "talker",
        "talker/model.pth",
        server.url,
        3,
        SHA256,
        "CC0",
        "a tiny language model",
        beside,
        ("me/talker",),
    )
    monkeypatch.setitem(pretrained.PUBLIC, "talker", model)
    return course_home / "models" / "talker"


def test_a_model_of_several_files_is_fetched_whole_into_a_folder_of_its_own(model_of_several_files, server):
    assert models.fetch("talker") == 0
    files = {
        path.name: path.read_bytes() for path in model_of_several_files.iterdir() if path.suffix != ".lock"
    }
    assert files == {"model.pth": CONTENT, **{path[1:]: content for path, content in server.small.items()}}
    assert pretrained.path_of("talker") == model_of_several_files / "model.pth"
    assert models.fetch("talker") == 0
    assert len(server.sent) == 4


def test_a_small_file_that_is_missing_is_fetched_again_and_the_large_one_is_not(
    model_of_several_files, server
):
    models.fetch("talker")
    (model_of_several_files / "merges.txt").unlink()
    assert pretrained.path_of("talker") is None
    server.sent.clear()
    assert models.fetch("talker") == 0
    assert sum(server.sent) < 100
    assert pretrained.path_of("talker") is not None


def test_a_wrong_small_file_is_refused(model_of_several_files, server):
    server.small = {**server.small, "/vocab.json": b"a login page"}
    with pytest.raises(CourseError, match=r"vocab\.json is not the published file"):
        models.fetch("talker")
    assert pretrained.path_of("talker") is None


def test_a_damaged_copy_is_replaced(public_model, course_home, capsys):
    path = course_home / "models" / "tiny.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    assert models.fetch("tiny") == 0
    assert "Fetching it again" in capsys.readouterr().out
    assert path.read_bytes() == CONTENT


def test_a_folder_that_cannot_be_written_is_told(public_model, course_home):
    course_home.write_text("a file in the way")
    with pytest.raises(CourseError, match="MI_COURSE_HOME"):
        models.fetch("tiny")


def test_an_unknown_model_offers_the_known_ones():
    with pytest.raises(UnknownName, match="alexnet"):
        models.fetch("alexnett")
