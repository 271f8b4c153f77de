"""A room: the one folder that holds all a workshop makes, and the few things that an instructor may want to set."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

INSTRUCTORS_GID = 50000
"""The group that may list the classroom. A number without a name: nothing is entered into /etc/group."""

LONGEST = 26
"""Characters of the room's folder. The path of a kernel's socket begins with it, and Linux allows 107 in all: 9 for
the learners' folder, 17 for a name, and 55 for the socket."""


@dataclass(frozen=True)
class Room:
    """Settings of one hub, each from an environment variable ``MI_COURSE_HUB_…``; see README.md."""

    folder: Path
    ip: str
    port: int
    memory: str
    """What each process of a learner may allocate, for instance "2G"."""
    instructors: tuple[str, ...]
    certificate: str
    key: str
    instructors_gid: int = INSTRUCTORS_GID

    @classmethod
    def from_environment(cls) -> Room:
        """The room as the environment describes it."""

        def setting(name: str, default: str) -> str:
            return os.environ.get(f"MI_COURSE_HUB_{name}", default)

        return cls(
            folder=Path(setting("FOLDER", "/srv/mi-course")),
            ip=setting("IP", ""),
            port=int(setting("PORT", "8000")),
            memory=setting("MEMORY", "2G"),
            instructors=tuple(setting("INSTRUCTORS", "instructor").replace(",", " ").split()),
            certificate=setting("CERTIFICATE", ""),
            key=setting("KEY", ""),
        )

    @property
    def state(self) -> Path:
        """What the hub remembers: its database, its secrets."""
        return self.folder / "hub"

    @property
    def seat_secret(self) -> Path:
        """The secret that the passwords of the seats are made from."""
        return self.state / "seat_secret"

    @property
    def learners(self) -> Path:
        """The learners' homes, one folder each."""
        return self.folder / "learners"

    @property
    def classroom(self) -> Path:
        """Where learners who have joined append their results."""
        return self.folder / "classroom"

    @property
    def handout(self) -> Path:
        """The bare repository that learners get their chapters from."""
        return self.folder / "handout.git"

    @property
    def git_config(self) -> Path:
        """What git knows about the handout on this machine."""
        return self.folder / "gitconfig"

    def prepare(self) -> None:
        """Make what is missing of the folder, with the permissions that README.md promises."""
        if len(str(self.folder)) > LONGEST:
            raise SystemExit(
                f"MI_COURSE_HUB_FOLDER: {self.folder} has more than {LONGEST} characters. Choose a shorter one."
            )
        # Only the hub looks into its own; learners pass through `learners` but cannot list it. In the classroom
        # they can add a file, and neither list the others' nor remove one (the sticky bit); instructors can list.
        for folder, mode in {
            self.folder: 0o755,
            self.state: 0o700,
            self.learners: 0o711,
            self.classroom: 0o1773,
        }.items():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)
        if os.geteuid() == 0:
            os.chown(self.classroom, 0, self.instructors_gid)
            self.classroom.chmod(0o1773)  # changing the group may take the sticky bit
        if not self.seat_secret.exists():
            with open(os.open(self.seat_secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
        self.git_config.write_text(
            f"[include]\n\tpath = /etc/gitconfig\n[safe]\n\tdirectory = {self.handout}\n", encoding="utf-8"
        )
