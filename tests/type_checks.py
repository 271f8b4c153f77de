"""Runtime shape checks off for a while: for many runs of code whose shapes other tests check."""

from contextlib import contextmanager

import jaxtyping
import pytest


@contextmanager
def unchecked():
    """Also a decorator. While it is open, jaxtyping checks nothing: a transformer then runs many times as fast."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", before)


values_only = pytest.mark.usefixtures("without_type_checks")
"""Marks a test of what comes out, where another test of its file runs the same code with its shapes checked."""
