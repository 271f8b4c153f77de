"""Seats: a name and a password for each place in the room, printed on slips; no sign-up, no list to keep.

    .venv/bin/python binder/hub/seats.py 20                 learner-01 … learner-20
    .venv/bin/python binder/hub/seats.py instructor ada     seats of these names

The password of a seat is computed from its name and the room's secret, so that the same list can be printed
again, and a seat added, while the hub runs. Whoever has a slip has this one seat and no other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import sys
from pathlib import Path

from jupyterhub.auth import Authenticator
from traitlets import Unicode

NAME = r"[a-z][a-z0-9-]{0,15}"


def password(secret: str, name: str) -> str:
    """The password of the seat ``name``: twelve letters and digits, 60 bits."""
    digest = hmac.new(secret.encode(), f"seat {name}".encode(), hashlib.sha256).digest()
    letters = base64.b32encode(digest).decode().lower()[:12]
    return "-".join(letters[start : start + 4] for start in (0, 4, 8))


class SeatAuthenticator(Authenticator):
    """Lets in whoever knows the password of the seat that they name."""

    secret_file = Unicode(config=True, help="The file that holds the room's secret.")
    username_pattern = Unicode(NAME, config=True)

    async def authenticate(self, handler, data: dict[str, str]) -> str | None:
        name = self.normalize_username(data["username"].strip())
        right = password(Path(self.secret_file).read_text("utf-8"), name)
        given = "".join(letter for letter in data["password"].lower() if letter.isalnum())
        return name if hmac.compare_digest(given.encode(), right.replace("-", "").encode()) else None


def main(arguments: list[str]) -> None:
    from room import Room  # not at the top: a hub elsewhere needs this file alone

    names = arguments
    if len(arguments) == 1 and arguments[0].isdigit():
        width = max(2, len(arguments[0]))
        names = [f"learner-{number:0{width}}" for number in range(1, int(arguments[0]) + 1)]
    for name in names:
        if not re.fullmatch(NAME, name):
            raise SystemExit(
                f"{name!r} cannot name a seat: small letters, digits and -, a letter first, at most 16."
            )
    room = Room.from_environment()
    room.prepare()
    secret = room.seat_secret.read_text("utf-8")
    for name in names:
        print(f"{name:<16}  {password(secret, name)}")


if __name__ == "__main__":
    main(sys.argv[1:])
