"""Seeds, devices, threads."""

import random
import warnings

import numpy as np
import pytest
import torch

from mi_course import runtime


@pytest.fixture(autouse=True)
def no_device_asked_for(monkeypatch):
    monkeypatch.delenv("MI_COURSE_DEVICE", raising=False)


def draw():
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_a_seed_repeats_all_random_numbers():
    runtime.seed_everything(3)
    first = draw()
    runtime.seed_everything(3)
    assert draw() == first
    runtime.seed_everything(4)
    assert all(a != b for a, b in zip(draw(), first))


@pytest.mark.parametrize("cuda", [True, False])
@pytest.mark.parametrize("mps", [True, False])
def test_no_graphics_card_is_chosen_by_itself(monkeypatch, cuda, mps):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert runtime.choose_device() == "cpu"


def test_what_is_asked_for_is_chosen(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert runtime.choose_device("cuda") == "cuda"
    monkeypatch.setenv("MI_COURSE_DEVICE", "cuda:0")
    assert runtime.choose_device() == "cuda:0"
    assert runtime.choose_device("cpu") == "cpu"


def test_an_empty_variable_asks_for_nothing(monkeypatch):
    monkeypatch.setenv("MI_COURSE_DEVICE", "")
    assert runtime.choose_device() == "cpu"


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "mps"])
def test_a_device_that_is_not_here_is_refused_with_a_remedy(monkeypatch, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match=f"device='{device}' is not on this machine; use device=\"cpu\""):
        runtime.choose_device(device)


def test_a_word_that_is_no_device_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="device='gpu' is not a device torch knows"):
        runtime.choose_device("gpu")


def test_mps_comes_with_a_warning_and_nothing_else_does(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.warns(UserWarning, match="MPS is known to return wrong numbers"):
        assert runtime.choose_device("mps") == "mps"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runtime.choose_device("cpu")
        runtime.choose_device()


def test_one_thread_is_given_back_also_after_an_exception():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(ZeroDivisionError), runtime.one_thread():
            _ = torch.get_num_threads() / (torch.get_num_threads() - 1)
        assert torch.get_num_threads() == 2
        with runtime.one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
