"""Runs at the start of every kernel under test: connections to other machines are refused and recorded.

A cell that swallows the refusal is found by the record, a file named by MI_COURSE_NETWORK_LOG.
"""


def _refuse_other_machines():
    import ipaddress
    import os
    import socket
    import sys

    log = os.environ["MI_COURSE_NETWORK_LOG"]
    own_names = {"", "localhost", socket.gethostname()}

    def is_here(host):
        if isinstance(host, bytes):
            host = host.decode("ascii", "replace")
        if host is None or host in own_names:
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    def refuse(event, arguments):
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = arguments[1]
            if not isinstance(address, tuple):
                return  # a socket of this machine's file system, or one connected before
            host = address[0]
        elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
            host = arguments[0]
        else:
            return
        if not is_here(host):
            with open(log, "a", encoding="utf-8") as file:
                file.write(f"{event} {host}\n")
            raise ConnectionRefusedError(f"A notebook tried to reach {host!r}; the course runs offline.")

    sys.addaudithook(refuse)


_refuse_other_machines()
del _refuse_other_machines
