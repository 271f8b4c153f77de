"""One thread for all of these tests: their matrices are small."""

import pytest


@pytest.fixture(autouse=True)
def one_thread():
    from mi_course import runtime

    with runtime.one_thread():
        yield
