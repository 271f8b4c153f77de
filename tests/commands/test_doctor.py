import argparse
import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys

import pytest

from mi_course.commands import doctor
from mi_course.models import pretrained


def lines(check):
    return [str(finding) for finding in doctor._survive(check)]


@pytest.fixture
def healthy(tmp_path, course_home, monkeypatch):
    """An installation with one shipped model, intact, and a public one that is not here."""
    folder = tmp_path / "weights" / "mini"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    (folder / "card.json").write_text(json.dumps({"files": {"model.safetensors": {"sha256": digest}}}))
    monkeypatch.setattr(pretrained, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("MI_COURSE_DEVICE", raising=False)
    return folder


def test_a_healthy_installation_is_ready(healthy, capsys):
    assert doctor.run(argparse.Namespace()) == 0
    said = capsys.readouterr().out
    assert "❌" not in said
    assert said.endswith("Ready.\n")
    for what in (
        "Python 3.",
        "torch 2.",
        "memory",
        "disk",
        "can be written",
        "mini: shipped, intact",
        "device",
    ):
        assert what in said
    assert "mi-course models fetch alexnet" in said


def test_every_requirement_of_the_package_is_looked_at_and_no_test_tool(healthy):
    said = "\n".join(lines(doctor.packages))
    assert "jupyterlab" in said
    assert "pytest" not in said


def test_a_missing_or_wrong_package_is_told_with_its_remedy(monkeypatch):
    required = ["torch==2.0.0", "no-such-package>=1", "numpy>=1.0", 'ruff>=1; extra == "test"']
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: required)
    wrong, missing, right = lines(doctor.packages)
    assert wrong.startswith("❌ torch")
    assert 'pip install "torch==2.0.0"' in wrong
    assert missing.startswith("❌ no-such-package is missing")
    assert right.startswith("✅ numpy")


def test_damaged_weights_are_told(healthy, capsys):
    (healthy / "model.safetensors").write_bytes(b"Weights")
    assert doctor.run(argparse.Namespace()) == 1
    assert "❌ model mini" in capsys.readouterr().out


def test_a_damaged_public_model_is_told(healthy, course_home):
    path = course_home / "models" / pretrained.PUBLIC["alexnet"].file
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    assert any(line.startswith("❌ model alexnet") for line in lines(doctor.models))


def test_a_home_that_cannot_be_written_is_told(healthy, course_home):
    course_home.write_text("a file in the way")
    assert any(
        line.startswith("❌ your folder") and "MI_COURSE_HOME" in line for line in lines(doctor.folders)
    )


def test_little_memory_or_disk_is_a_warning_only(healthy, monkeypatch):
    monkeypatch.setattr(doctor, "GIGABYTE", 1 << 60)
    assert lines(doctor.memory)[0].startswith("⚠️ memory")
    assert lines(doctor.disk)[0].startswith("⚠️ disk")


def test_mps_is_warned_about_and_a_missing_cuda_is_an_error(healthy, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("MI_COURSE_DEVICE", "mps")
    assert lines(doctor.device)[0].startswith("⚠️ device: mps")
    monkeypatch.setenv("MI_COURSE_DEVICE", "cuda")
    assert lines(doctor.device)[0].startswith("❌ device")
    monkeypatch.delenv("MI_COURSE_DEVICE")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert lines(doctor.device)[0].startswith("✅ device: CPU")
    assert "left alone" in lines(doctor.device)[0]


def test_it_runs_where_no_package_is_installed(tmp_path):
    package = os.path.dirname(os.path.dirname(doctor.__file__))
    code = f"""
import sys
sys.path.insert(0, {os.path.dirname(package)!r})
from mi_course.cli import main
sys.exit(main(["doctor"]))
"""
    command = [sys.executable, "-I", "-S", "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 1
    assert run.stderr == ""
    assert "mi-course is not installed" in run.stdout
    assert "memory: not checked, psutil is missing" in run.stdout
    assert "device: not checked, torch is missing" in run.stdout
