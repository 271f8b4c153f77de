"""A workshop in small: the real hub and proxy with the course's configuration, and two learners."""

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("jupyterhub", reason="JupyterHub is not installed: pip install -e '.[test]'")
pytest.importorskip("nbgitpuller", reason="nbgitpuller is not installed: pip install -e '.[test]'")

from tests.hub import proxy
from tests.hub.learner import Learner
from tests.hub.running import CLONE, CannotRun, Hub

FOLDER, NOTEBOOK = "mi-course", "mi-course/06_induction_heads.ipynb"
separate_users = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0,
    reason="only a hub that root starts gives each learner a user of their own",
)


@pytest.fixture(scope="module")
def hub():
    if proxy.find() is None:
        pytest.skip("no configurable-http-proxy here: npm install --global configurable-http-proxy")
    try:
        with Hub() as hub:
            yield hub
    except CannotRun as why:
        pytest.skip(f"no hub here: {why}")


@pytest.fixture(scope="module")
def instructors_clone(tmp_path_factory):
    """A repository with the course's chapters, in which an instructor can commit."""
    clone = tmp_path_factory.mktemp("clone")
    shutil.copytree(CLONE / "chapters", clone / "chapters")
    (clone / "solutions").mkdir()
    (clone / "solutions" / "answers.txt").write_text("42")
    run_git(clone, "init", "--quiet")
    commit(clone)
    return clone


def run_git(folder, *arguments):
    import handout

    return handout.run_git(folder, *arguments)


def commit(clone):
    run_git(clone, "add", "--all")
    run_git(clone, "commit", "--quiet", "--message", "A change")


@pytest.fixture(scope="module")
def link(hub, instructors_clone):
    """What the link that learners open tells nbgitpuller."""
    import handout

    repository = handout.rooms_repository(hub.room)
    assert handout.hand_out(repository, instructors_clone)
    return {"repository": repository, "branch": handout.BRANCH, "into": handout.FOLDER}


@pytest.fixture(scope="module")
def learners(hub, link):
    """Ada and Ben, whose servers started together, with the chapters in their folders."""

    def come_in(name):
        learner = hub.learner(name)
        learner.log_in()
        learner.start_server()
        learner.pull(**link)
        return learner

    with ThreadPoolExecutor() as pool:
        return list(pool.map(come_in, ["ada", "ben"]))


@pytest.fixture(scope="module")
def ada(learners):
    return learners[0]


@pytest.fixture(scope="module")
def ben(learners):
    return learners[1]


@pytest.fixture(scope="module")
def kernel(ada):
    with ada.kernel(FOLDER) as kernel:
        yield kernel


@pytest.fixture(scope="module")
def bens_kernel(ben):
    with ben.kernel(FOLDER) as kernel:
        yield kernel


def test_a_learner_gets_the_chapters_and_no_solutions(ada):
    names = {entry["name"] for entry in ada.get(f"api/contents/{FOLDER}").json()["content"]}
    assert names == {path.name for path in (CLONE / "chapters").glob("*.ipynb")}


def test_jupyterlab_opens_the_chapter_with_the_settings_of_the_course(ada):
    assert "JupyterLab" in ada.get(f"lab/tree/{NOTEBOOK}").text
    tracker = ada.get("lab/api/settings/@jupyterlab/notebook-extension:tracker").json()
    assert tracker["schema"]["properties"]["windowingMode"]["default"] == "none"


def test_a_kernel_runs_the_course_with_one_thread(kernel):
    ran = kernel.run("import mi_course as mc; print(mc.load('induction-2l').config.n_layers)")
    assert (ran.text, ran.error) == ("2\n", "")
    assert kernel.run("import torch; torch.get_num_threads()").text == "1"
    assert kernel.run("import shutil; bool(shutil.which('mi-course'))").text == "True"


def test_nobody_comes_in_with_the_slip_of_another_seat(hub):
    with pytest.raises(PermissionError):
        Learner(hub.address, "ada", hub.slip("ben")).log_in()


def test_a_learner_cannot_use_the_server_of_another(ada, ben):
    with pytest.raises(PermissionError):
        ben.get(f"api/contents/{NOTEBOOK}", of="ada")


@separate_users
def test_a_learner_cannot_read_the_files_of_another_or_reach_their_kernel(hub, ada, bens_kernel):
    home = hub.room.learners / "ada"
    sockets = list((home / ".run").glob("kernel-*-ipc-*"))
    assert (home / NOTEBOOK).is_file()
    assert sockets
    for attempt in (
        f"open({str(home / NOTEBOOK)!r})",
        f"import os; os.listdir({str(hub.room.learners)!r})",
        f"import socket; socket.socket(socket.AF_UNIX).connect({str(sockets[0])!r})",
        f"open({str(hub.room.seat_secret)!r})",
    ):
        assert bens_kernel.run(attempt).error.startswith("PermissionError"), attempt


@separate_users
def test_a_learner_adds_to_the_classroom_and_sees_and_removes_nothing_of_the_others(hub, kernel, bens_kernel):
    join = (
        "from mi_course.exercises import sharing; import os; sharing.join(os.environ['MI_COURSE_CLASSROOM'])"
    )
    assert kernel.run(join).error == ""
    [adas] = hub.room.classroom.iterdir()
    assert json.loads(adas.read_text("ascii"))["event"] == "joined"
    assert bens_kernel.run("import os; room = os.environ['MI_COURSE_CLASSROOM']").error == ""
    for attempt in ("os.listdir(room)", f"os.remove({str(adas)!r})", f"open({str(adas)!r}, 'a')"):
        assert bens_kernel.run(attempt).error.startswith("PermissionError"), attempt
    assert bens_kernel.run("open(f'{room}/learner-0123456789abcdef.jsonl', 'x').close()").error == ""


@separate_users
def test_instructors_and_nobody_else_can_list_the_classroom(hub):
    someone = {"user": 50999, "group": 50999}
    for groups, allowed in (([hub.room.instructors_gid], True), ([], False)):
        listing = subprocess.run(
            ["ls", hub.room.classroom], extra_groups=groups, capture_output=True, **someone
        )
        assert (listing.returncode == 0) is allowed


@separate_users
def test_a_cell_that_wants_more_memory_than_there_is_fails_and_its_kernel_lives(kernel):
    assert kernel.run("kept = 1; bytearray(3 * 10**9)").error.startswith("MemoryError")
    assert kernel.run("import torch; torch.zeros(10**9)").error.startswith("RuntimeError")
    assert kernel.run("kept").text == "1"


def test_an_update_brings_what_is_new_and_keeps_every_edit(hub, ada, link, instructors_clone):
    import handout

    notebook = ada.read(NOTEBOOK)
    [first, second, *_] = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    first["source"] += "\n# Ada's own line"
    second["source"] = "# Ada's answer"
    ada.save(NOTEBOOK, notebook)
    ada.save(f"{FOLDER}/16_extra.ipynb", notebook)

    path = instructors_clone / "chapters" / "06_induction_heads.ipynb"
    changed = json.loads(path.read_text("utf-8"))
    for cell in changed["cells"]:
        if cell["id"] == second["id"]:
            cell["source"] = ["# the instructor's second thoughts"]
    changed["cells"][0]["source"] += ["\n", "A sentence that the instructor added."]
    path.write_text(json.dumps(changed, indent=1, ensure_ascii=False) + "\n", "utf-8")
    shutil.copy(path, path.with_name("16_extra.ipynb"))
    commit(instructors_clone)
    assert handout.hand_out(link["repository"], instructors_clone)
    ada.pull(**link)

    merged = {cell["id"]: cell["source"] for cell in ada.read(NOTEBOOK)["cells"]}
    assert merged[first["id"]] == first["source"]
    assert merged[second["id"]] == "# Ada's answer"
    assert "A sentence that the instructor added." in merged[changed["cells"][0]["id"]]
    extras = [
        entry["name"]
        for entry in ada.get(f"api/contents/{FOLDER}").json()["content"]
        if "extra" in entry["name"]
    ]
    [aside] = [name for name in extras if name != "16_extra.ipynb"]
    assert "# Ada's answer" in [cell["source"] for cell in ada.read(f"{FOLDER}/{aside}")["cells"]]


def test_what_was_handed_out_is_not_handed_out_again(link, instructors_clone):
    import handout

    assert not handout.hand_out(link["repository"], instructors_clone)


def test_a_hub_that_is_started_again_after_a_crash_finds_the_servers_with_their_kernels(hub, ada, kernel):
    kernel.run("before = 'the restart'")
    hub.crash()
    hub.start()
    again = ada.connect(kernel.id)
    assert again.run("before").text == "'the restart'"
    again.close()
