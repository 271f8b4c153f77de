"""One thread for all of these tests."""

import pytest


@pytest.fixture(autouse=True)
def one_thread():
    from mi_course import runtime

    with runtime.one_thread():
        yield
