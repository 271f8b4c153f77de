"""The engine in a real kernel: what a notebook shows, and what the stop button does."""

import os
import textwrap
import time

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient


@pytest.fixture
def execute(toy_chapter):
    """Run cells in a fresh kernel and return each cell's outputs."""

    def run(*cells):
        setup = f"""
            import mi_course.exercises, mi_course as mc
            mi_course.exercises.__path__.append({str(toy_chapter)!r})
        """
        sources = [textwrap.dedent(source).strip() for source in (setup, *cells)]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
        return [cell.outputs for cell in notebook.cells[1:]]

    return run


def displayed(outputs):
    (output,) = outputs
    assert output.output_type in ("display_data", "execute_result")
    return output.data


def printed(outputs):
    return "".join(output.get("text", "") for output in outputs)


WRONG = """
def double(x):
    print("size", tuple(x.shape))
    y = 3 * x
    return undefined

double = mc.exercise("98.double", double)
"""


def test_a_card_is_shown_as_html_and_as_the_same_text(execute):
    wrong, used, right, table = execute(
        WRONG,
        "double(4)",
        'seven = mc.exercise("98.seven", 7)',
        "mc.progress()",
    )
    data = displayed(wrong)
    assert "Double &lt;it&gt;" in data["text/html"]
    assert "--jp-error-color1" in data["text/html"]
    assert data["text/plain"].startswith("❌ 98.double · Double <it>: not yet")
    assert "in line 4: `return undefined`" in data["text/plain"]
    assert "  | size (2, 3)" in data["text/plain"]
    assert displayed(used)["text/plain"] == "8"
    assert displayed(right)["text/plain"] == "✅ 98.seven · Seven: right"
    assert "<table" in displayed(table)["text/html"]
    assert "✅ 98.seven" in displayed(table)["text/plain"]


def test_an_endless_loop_leaves_the_notebook_alive(execute):
    stopped, after = execute(
        """
        def double(x):
            while True:
                print("round and round")

        double = mc.exercise("98.double", double)
        """,
        "print(double(21))",
    )
    assert "was stopped" in displayed(stopped)["text/plain"]
    assert printed(after) == "42\n"


PREDICT = 'mc.predict("98.p", "Edges or <noise>?", ["edges", "noise"])'
CONTROLS = """
from ipywidgets import Button, ToggleButtons
from ipywidgets.widgets import widget

def last(kind):
    return [each for each in widget._instances.values() if isinstance(each, kind)][-1]

choice, button = last(ToggleButtons), last(Button)
"""


def test_a_prediction_is_committed_by_its_controls(execute):
    asked, _, steps, again, after = execute(
        PREDICT,
        CONTROLS,
        """
        button.click()
        print(mc.prediction("98.p"), choice.disabled)
        choice.index = 1
        button.click()
        print(mc.prediction("98.p"), choice.disabled, button.description)
        button.click()
        choice.index = 0
        button.click()
        print(mc.prediction("98.p"), choice.disabled)
        """,
        PREDICT,
        CONTROLS
        + """
print(choice.value, choice.disabled)
mc.reveal("98.p", "noise")
button.click()
print(choice.disabled, button.disabled)
""",
    )
    data = displayed(asked)
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"].startswith("🤔 Edges or <noise>?\n  0: edges\n  1: noise\n")
    assert printed(steps) == "None False\nnoise True Change\nedges True\n"
    assert "You predicted: edges" in displayed(again)["text/plain"]
    assert printed(after) == "edges True\nTrue True\n"
    assert any("You predicted: edges" in output.get("data", {}).get("text/plain", "") for output in after)


def test_hints_and_predictions_are_there_after_a_restart(execute):
    execute('mc.hint("98.double")', 'mc.predict("98.p", "Q?", ["edges", "noise"], choice=0)')
    hints, prediction = execute('mc.hint("98.double", again=True)', 'print(mc.prediction("98.p"))')
    assert "Hint 1 of 2: Think of two." in displayed(hints)["text/plain"]
    assert printed(prediction) == "edges\n"


@pytest.mark.skipif(os.name == "nt", reason="interrupts take another way on Windows")
def test_the_stop_button_stops_a_check(toy_chapter):
    manager, client = start_new_kernel()
    try:
        code = f"""
import mi_course.exercises, mi_course as mc, dataclasses, sys, threading
mi_course.exercises.__path__.append({str(toy_chapter)!r})
from mi_course.exercises import registry
task = dataclasses.replace(registry.find("98.double"), seconds=600.0)
registry.find = lambda id: task
def endless(x):
    while True:
        pass
print("begins")
mc.exercise("98.double", endless)
"""
        message = client.execute(code, stop_on_error=False)  # else the kernel may drop what comes next
        while client.get_iopub_msg(timeout=60)["content"].get("text") != "begins\n":
            pass
        time.sleep(1)
        begun = time.monotonic()
        manager.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=30))["parent_header"]["msg_id"] != message:
            pass
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert time.monotonic() - begun < 10
        client.execute("print(len([t for t in threading.enumerate() if t.name == 'exercise']))")
        texts = []
        while not texts:
            content = client.get_iopub_msg(timeout=30)["content"]
            texts += [content["text"]] if "text" in content else []
        assert texts == ["0\n"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
