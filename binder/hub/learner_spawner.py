"""A learner's server as a Unix user of its own, without an account on the machine.

JupyterHub's `LocalProcessSpawner` wants an account for each learner; its "simple" variant runs all of them as one
user, who can read everything. Here a learner is a user *number* and a home folder that belongs to it, closed to the
others. Nothing is entered into /etc/passwd: when the folder is deleted, the learner is gone.
"""

from __future__ import annotations

import os
import pwd
import resource
from collections.abc import Callable
from pathlib import Path

from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Integer, Unicode

SOCKETS = ".run"
"""Where a learner's kernels have their sockets; a short name, see `room.LONGEST`."""
TEMPORARY = ".tmp"
"""A learner's temporary files, in their home: nobody else sees them, and they go with it."""


class LearnerSpawner(LocalProcessSpawner):
    """Starts a learner's server with their own user number, home, and limits. The hub must run as root."""

    homes = Unicode(config=True, help="The folder of the learners' homes; only root may write to it.")
    first_uid = Integer(50001, config=True, help="The first learner's user number.")
    instructors_gid = Integer(config=True, help="The group of the instructors, who are the hub's admins.")
    most_processes = Integer(512, config=True, help="Processes and threads that one learner may have.")

    @property
    def home(self) -> Path:
        return Path(self.homes) / self.user.name

    def get_args(self) -> list[str]:
        # Kernels talk through sockets in the learner's own folder. A TCP port would be open to every learner.
        return ["--KernelManager.transport=ipc", *super().get_args()]

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        return env | {
            "HOME": str(self.home),
            "USER": self.user.name,
            "LOGNAME": self.user.name,
            "SHELL": "/bin/bash",
            "JUPYTER_RUNTIME_DIR": str(self.home / SOCKETS),
            "TMPDIR": str(self.home / TEMPORARY),
        }

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """What the new process does before it becomes the learner's server."""
        home, uid = self.home, self._move_in()
        groups = [self.instructors_gid] if self.user.admin else []
        processes, memory = self.most_processes, self.mem_limit

        def become_the_learner() -> None:
            os.setgroups(groups)
            os.setgid(uid)
            os.setuid(uid)
            resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
            if memory:
                # Of each process by itself, so it is the kernel's own allocation that fails: an error that the
                # learner can read, where a limit on the whole server would kill the kernel.
                resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
            os.umask(0o077)
            os.chdir(home)
            os.makedirs(TEMPORARY, exist_ok=True)

        return become_the_learner

    def _move_in(self) -> int:
        """The learner's number: that of their home, which is made if they come for the first time."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        if self.home.stat().st_uid < self.first_uid:
            uid = max([self.first_uid - 1, *(home.stat().st_uid for home in Path(self.homes).iterdir())]) + 1
            while _is_somebody(uid):
                uid += 1
            os.chown(self.home, uid, uid)
        return self.home.stat().st_uid


def _is_somebody(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
