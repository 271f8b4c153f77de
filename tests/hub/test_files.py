"""The files of binder/hub say what the hub needs, and agree with each other and with the rest of the course."""

import re
import sys
import tempfile
import tomllib
import uuid
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from mi_course.commands import links
from tests.hub import proxy
from tests.hub.running import CLONE, PROGRAMS

README = (PROGRAMS / "README.md").read_text("utf-8")
VALUES = yaml.safe_load((PROGRAMS / "zero-to-jupyterhub.yaml").read_text("utf-8"))


@pytest.fixture
def room(monkeypatch):
    from room import Room

    with tempfile.TemporaryDirectory(prefix="mi-hub-", dir="/tmp") as folder:
        monkeypatch.setenv("MI_COURSE_HUB_FOLDER", folder)
        yield Room.from_environment()


def test_a_folder_too_long_for_the_sockets_of_kernels_is_refused(room, monkeypatch):
    long = str(room.folder / "a-folder-with-a-long-name")
    monkeypatch.setenv("MI_COURSE_HUB_FOLDER", long)
    with pytest.raises(SystemExit, match="Choose a shorter one"):
        type(room).from_environment().prepare()
    assert not Path(long).exists()


def test_the_longest_folder_and_name_leave_room_for_the_socket_of_a_kernel():
    pytest.importorskip("jupyterhub")
    import learner_spawner
    import room
    import seats

    name = "a" * 16
    assert re.fullmatch(seats.NAME, name)
    assert not re.fullmatch(seats.NAME, name + "a")
    socket = f"kernel-{uuid.uuid4()}-ipc-5"
    path = f"/{'f' * (room.LONGEST - 1)}/learners/{name}/{learner_spawner.SOCKETS}/{socket}"
    assert len(path) == 107


def test_the_tests_run_with_versions_like_those_that_a_server_gets():
    lines = (PROGRAMS / "requirements.txt").read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    extra = tomllib.loads((CLONE / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"][
        "test"
    ]
    accepted = {each.name: each.specifier for each in map(Requirement, extra)}
    for name, version in pinned.items():
        assert accepted[name].contains(version), name


def test_the_proxy_is_the_same_everywhere():
    named = re.findall(
        rf"{proxy.NAME}[@ ]v?(\d+\.\d+\.\d+)", README + (PROGRAMS / "requirements.txt").read_text("utf-8")
    )
    assert set(named) == {proxy.VERSION}


def test_every_setting_is_in_the_table_and_no_other(room):
    source = (PROGRAMS / "room.py").read_text("utf-8")
    read = {f"MI_COURSE_HUB_{name}" for name in re.findall(r'setting\("(\w+)"', source)}
    table = README[README.index("## Settings") : README.index("Everything else is in")]
    assert set(re.findall(r"MI_COURSE_HUB_\w+", table)) == read


def test_seats_are_printed_the_same_again_and_differ_from_each_other(room, capsys):
    pytest.importorskip("jupyterhub")
    import seats

    seats.main(["20"])
    once = capsys.readouterr().out
    seats.main(["20"])
    assert capsys.readouterr().out == once
    slips = dict(line.split() for line in once.splitlines())
    assert list(slips)[::19] == ["learner-01", "learner-20"]
    assert len(set(slips.values())) == 20
    assert all(re.fullmatch(r"(\w{4}-){2}\w{4}", password) for password in slips.values())
    assert room.seat_secret.stat().st_mode & 0o077 == 0


def test_a_name_that_no_seat_can_have_gets_no_slip(room):
    pytest.importorskip("jupyterhub")
    import seats

    with pytest.raises(SystemExit, match="Ada Lovelace"):
        seats.main(["ada", "Ada Lovelace"])


def test_the_link_is_the_one_that_the_course_prints_for_a_repository():
    import handout

    repository = links.parse("https://example.org/somebody/course")
    assert "https://hub" + handout.link(repository.address) == links.nbgitpuller(repository, "https://hub")


def test_on_kubernetes_the_seats_are_those_of_the_one_server(room, monkeypatch):
    """The snippet of the values, as the chart runs it, with its files in this room."""
    pytest.importorskip("jupyterhub")
    from traitlets.config import Config

    hub = VALUES["hub"]
    mounted = {name: file["mountPath"] for name, file in hub["extraFiles"].items()}
    assert {path.rpartition("/")[0] for path in mounted.values()} == {"/usr/local/lib/mi-course"}
    monkeypatch.setattr(sys, "path", [*sys.path])
    c = Config()
    exec(hub["extraConfig"]["seats"], {"c": c})
    assert c.JupyterHub.authenticator_class.__name__ == "SeatAuthenticator"
    assert c.SeatAuthenticator.secret_file == mounted["seat_secret"]
    for name in mounted:
        assert f"--set-file hub.extraFiles.{name}.stringData=" in README


def test_on_kubernetes_the_classroom_is_where_the_course_looks_for_it():
    storage = VALUES["singleuser"]["storage"]
    [mount], [volume] = storage["extraVolumeMounts"], storage["extraVolumes"]
    assert mount["mountPath"] == VALUES["singleuser"]["extraEnv"]["MI_COURSE_CLASSROOM"]
    assert mount["name"] == volume["name"]
    assert f"`{volume['persistentVolumeClaim']['claimName']}`" in README
