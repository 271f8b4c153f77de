"""JupyterHub for a workshop on one server: a seat for each learner, one folder for all that the room makes.

    .venv/bin/jupyterhub -f binder/hub/jupyterhub_config.py

README.md beside this file is the runbook. What a room may want to change is read from the environment, by
`room.py`. Started by root, each learner gets a Unix user of their own. Started by anybody else, all learners are
that one user, and the hub answers on this machine only: good for trying it out.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from learner_spawner import LearnerSpawner
from room import Room
from seats import SeatAuthenticator

from mi_course.commands.lab import JUPYTER_CONFIG

c = get_config()  # noqa: F821 - JupyterHub provides it
room = Room.from_environment()
room.prepare()
as_root = os.geteuid() == 0

# Where it answers. Hub and proxy talk to each other on this machine only, on the two ports behind the first.
c.JupyterHub.bind_url = (
    f"{'https' if room.certificate else 'http'}://{room.ip if as_root else '127.0.0.1'}:{room.port}"
)
c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = room.certificate, room.key
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{room.port + 1}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{room.port + 2}"

# What is installed beside the course is found by its name: the proxy, and for learners the command `mi-course`.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ.get("PATH", os.defpath)])

# What it remembers, in a folder that only it can read.
c.JupyterHub.db_url = f"sqlite:///{room.state / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(room.state / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(room.state / "proxy.pid")
# A hub that is started anew finds the learners' servers as it left them, with their kernels.
c.JupyterHub.cleanup_servers = False

# Who may come in: whoever has the password of a seat.
c.JupyterHub.authenticator_class = SeatAuthenticator
c.SeatAuthenticator.secret_file = str(room.seat_secret)
c.SeatAuthenticator.admin_users = set(room.instructors)
c.SeatAuthenticator.allow_all = True
c.JupyterHub.template_vars = {
    "announcement_login": "The name of your seat and its password are on your slip."
}

# What a learner gets. Everybody starts within the same minute, on few cores: nobody is turned away for that.
c.JupyterHub.concurrent_spawn_limit = 0
c.Spawner.start_timeout = c.Spawner.http_timeout = 300
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.default_url = "/lab"
c.Spawner.mem_limit = room.memory
c.Spawner.environment = {
    "JUPYTER_CONFIG_PATH": str(JUPYTER_CONFIG),
    "MI_COURSE_CLASSROOM": str(room.classroom),
    # One thread a kernel. On a shared machine more of them only wait for each other.
    "OMP_NUM_THREADS": "1",
    # Names the handout's repository as one that learners may clone although it is not theirs.
    "GIT_CONFIG_SYSTEM": str(room.git_config),
}
c.Spawner.args = [
    # A kernel whose notebook has been closed for half an hour gives its memory back.
    "--MappingKernelManager.cull_idle_timeout=1800",
    "--MappingKernelManager.cull_interval=120",
]
if as_root:
    c.JupyterHub.spawner_class = LearnerSpawner
    c.LearnerSpawner.homes = str(room.learners)
    c.LearnerSpawner.instructors_gid = room.instructors_gid
else:
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(room.learners / "{username}")
    print("Not started by root: every learner can read every other learner's files. For trying out only.")

# A server that nobody has used for two hours is stopped. The files stay.
c.JupyterHub.services = [
    {"name": "idle-culler", "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=7200"]}
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
]
