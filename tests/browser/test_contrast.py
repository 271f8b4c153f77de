"""The measure of contrast, on pages whose ratios are known."""

import pytest

from tests.browser.contrast import CONTRASTS, too_faint

pytestmark = pytest.mark.browser

PAGES = {
    "black on white": ("<p style='color:#000'>a</p>", 21.0),
    "the palest grey that passes": ("<p style='color:#767676'>a</p>", 4.54),
    "one step paler": ("<p style='color:#777'>a</p>", 4.48),
    "half transparent ink": ("<p style='color:rgb(0 0 0 / .5)'>a</p>", 3.98),
    "half transparent parts": ("<div style='opacity:.5;background:#fff;color:#000'><p>a</p></div>", 3.98),
    "white on a dark parent": ("<div style='background:#595959'><p style='color:#fff'>a</p></div>", 7.0),
    "the worst end of a gradient": (
        "<p style='background:linear-gradient(#fff,#777);color:#fff'>a</p>",
        1.0,
    ),
    "colours in a layer of one colour": (
        "<p style='background:linear-gradient(rgb(0 0 0/1) 0 100%),#fff;color:#fff'>a</p>",
        21.0,
    ),
    "outside of its parent": (
        "<div style='background:#000;position:relative;height:9px;width:9px'>"
        "<p style='position:absolute;top:90px;color:#000'>a</p></div>",
        21.0,
    ),
    "cut off at the end of its own paper": (
        "<div style='background:#000'><p style='background:#fff;color:#000;width:20px;overflow:hidden;white-space:pre'>"
        "a long line that goes on beyond its paper</p></div>",
        21.0,
    ),
    "a field": ("<input style='color:#777;background:#fff' value='a'>", 4.48),
    "what CSS writes": ("<style>i::before{content:'7 %';color:#777}</style><i></i>", 4.48),
    "large": ("<p style='color:#949494;font-size:24px'>a</p>", 3.03),
}


@pytest.fixture(scope="module")
def page(opened_browser):
    with opened_browser.empty_page() as page:
        yield page


@pytest.mark.parametrize(("html", "ratio"), PAGES.values(), ids=PAGES)
def test_a_known_ratio_is_measured(page, html, ratio):
    page.set_content(html)
    (text,) = page.locator("body").evaluate_all(CONTRASTS)
    assert text["ratio"] == pytest.approx(ratio, abs=0.03)


def test_only_what_is_too_faint_is_named(page):
    page.set_content(
        "<p style='color:#777'>faint</p><p style='color:#767676'>enough</p>"
        "<p style='color:#949494;font-size:24px'>large enough</p><button disabled>off</button>"
        "<p style='opacity:0'>unseen</p>"
    )
    assert too_faint(page.locator("body")) == {"'faint' in <p class=\"\">": 4.48}


def test_nothing_to_measure_is_an_error(page):
    page.set_content("<img alt='a picture'>")
    with pytest.raises(AssertionError, match="no text to read"):
        too_faint(page.locator("body"))
