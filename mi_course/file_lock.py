"""One at a time: a lock between processes, which the system takes back when its holder dies."""

import contextlib
import os
import time


@contextlib.contextmanager
def one_at_a_time(path, waiting=None):
    """Hold the lock file ``path`` while the block runs; wait for it if another process holds it.

    ``waiting()`` is called once when there is something to wait for. The lock file stays behind,
    empty: removing it would let two processes hold two locks of the same name. Where the disk knows
    no locks (some network folders) the block runs without one.
    """
    with open(path, "ab") as file:
        try:
            _acquire(file, waiting or (lambda: None))
        except OSError:
            yield
        else:
            try:
                yield
            finally:
                _release(file)


if os.name == "nt":
    import msvcrt

    def _acquire(file, waiting):
        told = False
        while True:
            try:
                file.seek(0)
                return msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except PermissionError:
                if not told:
                    waiting()
                    told = True
                time.sleep(0.1)

    def _release(file):
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _acquire(file, waiting):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)

    def _release(file):
        fcntl.flock(file, fcntl.LOCK_UN)
