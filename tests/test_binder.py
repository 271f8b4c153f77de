"""`binder/` describes a server that can be built, with the packages that the course asks for."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.notebooks.course_notebooks import CLONE

BINDER = CLONE / "binder"


def pinned() -> dict[str, str]:
    """The version of each package in binder/requirements.txt."""
    lines = (BINDER / "requirements.txt").read_text("utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith(("#", "-")))


def test_every_package_of_the_course_is_pinned_to_a_version_that_it_accepts():
    declared = tomllib.loads((CLONE / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    requirements = [Requirement(line) for line in declared]
    assert {each.name for each in requirements} == pinned().keys()
    for each in requirements:
        assert each.specifier.contains(pinned()[each.name]), each


def test_its_python_is_one_that_the_course_runs_on():
    [version] = re.findall(r"^python-(\d+\.\d+)$", (BINDER / "runtime.txt").read_text("utf-8"), re.MULTILINE)
    project = tomllib.loads((CLONE / "pyproject.toml").read_text("utf-8"))["project"]
    assert Requirement(f"python{project['requires-python']}").specifier.contains(version)


@pytest.fixture(scope="module")
def dockerfile():
    """What repo2docker would build; it needs no container engine for that."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(CLONE)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout + ran.stderr


def test_repo2docker_reads_the_layout(dockerfile):
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in dockerfile
    paths = re.sub(r"-([0-9a-f]{2})", lambda code: chr(int(code[1], 16)), dockerfile)
    assert "environment.py-3.11-linux-64.lock" in paths
    assert "RUN ./binder/postBuild" in dockerfile


def test_the_packages_are_installed_before_the_course_is_copied(dockerfile):
    """A commit then rebuilds seconds of the image, not gigabytes of it."""
    assert dockerfile.index('binder/requirements.txt"\n') < dockerfile.index("COPY --chown=0:0 src/ ")


def test_after_the_build_the_course_is_installed_and_its_weights_are_checked(tmp_path):
    """`postBuild`, with stand-ins for pip and the course's command that note how they were called."""
    for name in ("python", "mi-course"):
        stub = tmp_path / "bin" / name
        stub.parent.mkdir(exist_ok=True)
        stub.write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path / "called"}\n')
        stub.chmod(0o755)
    (tmp_path / "prefix" / "etc" / "jupyter").mkdir(parents=True)
    environment = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "NB_PYTHON_PREFIX": str(tmp_path / "prefix")}
    subprocess.run([BINDER / "postBuild"], cwd=CLONE, env=environment, check=True)
    installed, checked = (tmp_path / "called").read_text().splitlines()
    assert installed == "python -m pip install --no-deps --no-cache-dir --editable ."
    assert checked == "mi-course doctor"
    assert Path(tmp_path, "prefix/etc/jupyter/labconfig/default_setting_overrides.json").is_file()
