"""Notebooks run offline: the kernels under test refuse other machines, and say when one was tried."""

import pytest

from mi_course.commands.stored_run import run
from mi_course.errors import CourseError
from tests import notebook_environment
from tests.commands.solved_notebook import notebook

TRIES = {
    "a name": "import socket; socket.getaddrinfo('example.org', 80)",
    "a page": "import urllib.request; urllib.request.urlopen('http://example.org')",
    "an address": "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)",
    "an address of the new kind": "import socket; socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
    "a datagram": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
}


@pytest.fixture(autouse=True)
def clean_record():
    notebook_environment.network_attempts()
    yield
    notebook_environment.network_attempts()


@pytest.mark.parametrize("code", TRIES.values(), ids=TRIES)
def test_another_machine_is_refused(code, tmp_path):
    with pytest.raises(CourseError, match="the course runs offline"):
        run(notebook(code), tmp_path)
    assert notebook_environment.network_attempts()


def test_a_try_that_a_cell_keeps_to_itself_is_on_record(tmp_path):
    hidden = f"try:\n    {TRIES['a page']}\nexcept OSError:\n    pass"
    run(notebook(hidden), tmp_path)
    assert notebook_environment.network_attempts() == ["socket.getaddrinfo example.org"]


def test_this_machine_may_be_reached(tmp_path):
    code = """import socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(("localhost", server.getsockname()[1])).close()
"""
    run(notebook(code), tmp_path)
    assert notebook_environment.network_attempts() == []
