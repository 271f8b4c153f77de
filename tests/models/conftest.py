"""One thread for all of these tests, and a way to see an error as a learner sees it."""

import jaxtyping
import pytest


@pytest.fixture(autouse=True)
def one_thread():
    from mi_course import runtime

    with runtime.one_thread():
        yield


@pytest.fixture
def without_type_checks():
    """The runtime shape checks of the tests are off: what answers is what the package itself says."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)
