"""Which texts on a page are too faint to read: measured in the browser, after all themes and styles.

assert too_faint(browser.page.locator(".mi-explorer, .mi-card")) == {}
"""

from __future__ import annotations

ENOUGH, ENOUGH_FOR_LARGE = 4.5, 3.0
"""Ratios of WCAG 2.2, level AA (success criterion 1.4.3); large is from 24 pixels, or 18.66 where bold."""


def too_faint(part) -> dict[str, float]:
    """The texts inside a Playwright locator (of one element or many) that stand out too little, with their ratios.

    Counted are visible texts, what stands in fields and lists, and texts that CSS writes (``::before``); controls that
    are switched off are not, and pictures behind a text are not looked at. Raises ``AssertionError`` where there is
    no text at all: then nothing was measured.
    """
    texts = part.evaluate_all(CONTRASTS)
    assert texts, f"There is no text to read in {part}."
    return {
        f"{text['words']!r} in {text['where']}": round(text["ratio"], 2)
        for text in texts
        if text["ratio"] < (ENOUGH_FOR_LARGE if text["large"] else ENOUGH)
    }


CONTRASTS = r"""roots => {
  // Colours are [red, green, blue, opacity], the first three from 0 to 255; the canvas knows every way to write one.
  const pen = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const known = new Map();
  const read = written => {
    if (!known.has(written)) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = written;
      pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      known.set(written, [r, g, b, a / 255]);
    }
    return known.get(written);
  };
  const mix = (top, under, share) => under.map((channel, i) => share * top[i] + (1 - share) * channel);
  const over = (top, under) => mix(top, under, top[3]);
  const light = colour => colour.slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = ({ink, paper}) => {
    const [low, high] = [light(ink), light(paper)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const COLOUR = /(?:rgba?|color|oklch|oklab|lab|lch)\([^()]*\)/g;

  // The papers that an element may lay on one: a gradient has several colours, and each may be behind a text.
  const papers = (style, paper) => {
    let found = [over(read(style.backgroundColor), paper)];
    for (const layer of style.backgroundImage.split(/,\s*(?=[a-z-]*gradient\()/).reverse()) {
      const stops = [...new Set(layer.match(COLOUR) ?? [])].map(read);
      if (stops.length) found = found.flatMap(under => stops.map(stop => over(stop, under)));
    }
    return found;
  };
  // Ink and paper as they are seen: `chain` leads from the page down to the text, `paper` is what lies below it.
  const seen = (chain, ink, paper) => {
    if (!chain.length) return [{ink: over(ink, paper), paper}];
    const {style, behind} = chain[0], opacity = Number(style.opacity);
    return (behind ? papers(style, paper) : [paper])
      .flatMap(own => seen(chain.slice(1), ink, own))
      .map(pair => ({ink: mix(pair.ink, paper, opacity), paper: mix(pair.paper, paper, opacity)}));
  };
  // The part of a box that is not cut off, by its element or by one around it in the roots; null if nothing is left.
  const uncut = (box, element) => {
    let {left, right, top, bottom} = box;
    for (let part = element; roots.some(root => root.contains(part)); part = part.parentElement) {
      if (getComputedStyle(part).overflowX !== 'hidden') continue;
      const edge = part.getBoundingClientRect();
      [left, right] = [Math.max(left, edge.left), Math.min(right, edge.right)];
      [top, bottom] = [Math.max(top, edge.top), Math.min(bottom, edge.bottom)];
    }
    return right - left > 1 && bottom - top > 1 ? {left, right, top, bottom} : null;
  };
  const measure = (element, words, style, box) => {
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const chain = [];
    for (let part = element; part; part = part.parentElement) {
      const {left, right, top, bottom} = part.getBoundingClientRect();
      // What is placed outside of its parent does not stand on the parent's paper.
      const behind = part === document.documentElement || part === document.body
        || (left <= x && x <= right && top <= y && y <= bottom);
      chain.unshift({style: getComputedStyle(part), behind});
    }
    const size = parseFloat(style.fontSize);
    return {
      words: words.trim().slice(0, 60), where: `<${element.localName} class="${element.className}">`,
      ratio: Math.min(...seen(chain, read(style.color), [255, 255, 255, 1]).map(ratio)),
      large: size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700),
    };
  };
  const hidden = element => !element.checkVisibility({opacityProperty: true, visibilityProperty: true})
    || element.matches(':disabled, [aria-disabled=true], [aria-hidden=true], [aria-hidden=true] *, style, script');

  const found = [];
  for (const element of new Set(roots.flatMap(root => [root, ...root.querySelectorAll('*')]))) {
    if (hidden(element)) continue;
    const style = getComputedStyle(element);
    for (const node of element.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim() || element.localName === 'option') continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const box = uncut(range.getBoundingClientRect(), element);
      if (box) found.push(measure(element, node.data, style, box));
    }
    const box = element.getBoundingClientRect();
    if (element.matches('select, textarea, input:not([type=radio], [type=checkbox], [type=range])')) {
      const words = element.localName === 'select' ? element.selectedOptions[0]?.text : element.value;
      if (words && box.width > 1) found.push(measure(element, words, style, box));
    }
    for (const name of ['::before', '::after']) {
      const written = getComputedStyle(element, name);
      if (/[\p{L}\p{N}%]/u.test(written.content.replace(/^(none|normal)$/, '')) && parseFloat(written.fontSize) >= 1)
        found.push(measure(element, written.content, written, box));
    }
  }
  return found;
}"""
"""JavaScript: every text in the elements, how large it is, and the ratio of its ink to the paper behind it."""
