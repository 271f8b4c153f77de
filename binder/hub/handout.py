"""Hand out the chapters: put them, and nothing else of this clone, on a branch that learners can pull.

    .venv/bin/python binder/hub/handout.py                  to the room's own repository, on this server
    .venv/bin/python binder/hub/handout.py ADDRESS          to a repository elsewhere that you can push to

Learners get no solutions and no weights: those are installed on the server. Each call adds one commit on top of
what was handed out before, and never rewrites it, so that a learner's next pull can be merged with their edits.
What counts is what is committed in the clone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from room import Room

from mi_course.commands.links import FIRST
from mi_course.commands.links import HANDED_OUT as BRANCH
from mi_course.commands.links import HUB_FOLDER as FOLDER

CLONE = Path(__file__).resolve().parents[2]
AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "mi-course"), ("EMAIL", "mi-course@localhost"))
}


def hand_out(address: str, clone: Path = CLONE) -> bool:
    """Bring the branch at ``address`` up to date with the clone's chapters; says whether there was anything new."""
    git = partial(run_git, clone)
    chapters = git("rev-parse", "HEAD:chapters")
    before = git("ls-remote", address, f"refs/heads/{BRANCH}").split("\t")[0]
    if before:
        git("fetch", "--quiet", address, f"refs/heads/{BRANCH}")
        if git("rev-parse", f"{before}^{{tree}}") == chapters:
            return False
    version = git("rev-parse", "--short", "HEAD")
    follows = ["-p", before] if before else []
    commit = git("commit-tree", chapters, *follows, "-m", f"The chapters of {version}")
    git("push", "--quiet", address, f"{commit}:refs/heads/{BRANCH}")
    return True


def rooms_repository(room: Room) -> str:
    """The address of the room's own repository, which is made if it is not there."""
    if not room.handout.exists():
        room.prepare()
        # Readable by everybody on this machine, whatever the umask.
        run_git(room.folder, "init", "--quiet", "--bare", "--shared=0644", str(room.handout))
    return room.handout.as_uri()


def link(repository: str) -> str:
    """What stands behind the hub's address in the link that a learner opens."""
    asked = {
        "repo": repository,
        "branch": BRANCH,
        "targetPath": FOLDER,
        "urlpath": f"lab/tree/{FOLDER}/{FIRST}",
    }
    return f"/hub/user-redirect/git-pull?{urlencode(asked)}"


def run_git(folder: Path, *arguments: str) -> str:
    """What git answers in ``folder``; ends the program, with git's own words, if it fails."""
    ran = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **AUTHOR}, capture_output=True, text=True
    )
    if ran.returncode != 0:
        raise SystemExit(f"git {arguments[0]} failed: {ran.stderr.strip()}")
    return ran.stdout.strip()


def main(arguments: list[str]) -> None:
    if run_git(CLONE, "status", "--porcelain", "chapters"):
        print("chapters/ has changes that are not committed; they are not handed out.", file=sys.stderr)
    room = Room.from_environment()
    address = arguments[0] if arguments else rooms_repository(room)
    new = hand_out(address)
    print("Handed out." if new else "Nothing new: the branch has these chapters already.")
    print(f"The learners' link, behind the hub's address:\n{link(address)}")


if __name__ == "__main__":
    main(sys.argv[1:])
