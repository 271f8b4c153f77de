// Starts the deck. Where a slide is fuller than the screen, first its pictures are drawn smaller, then all of it;
// below the least size it scrolls.
const HEIGHT = 720, STEP = 0.05;
const PICTURES = { from: 1.4, to: 0.8 }, ALL = { from: 1, to: 0.5 };

function fit(slide) {
  if (!slide || slide.dataset.fitted) return;
  let size = ALL.from;
  const tooFull = () => slide.scrollHeight * size > HEIGHT || slide.scrollWidth > slide.clientWidth + 1;
  for (let picture = PICTURES.from; tooFull() && picture > PICTURES.to; picture -= STEP)
    slide.style.setProperty("--picture-size", picture);
  while (tooFull() && size > ALL.to) {
    size -= STEP;
    slide.style.zoom = size;
  }
  if (tooFull()) {
    slide.style.height = `${HEIGHT / size}px`;
    slide.style.overflow = "auto";
    slide.tabIndex = 0;
  }
  slide.dataset.fitted = size.toFixed(2);
}

Reveal.initialize({
  width: 1280, height: HEIGHT, margin: 0.04, center: false,
  hash: true, slideNumber: "c/t", transition: "none", plugins: [RevealNotes],
});
for (const event of ["ready", "slidechanged"]) Reveal.on(event, ({ currentSlide }) => fit(currentSlide));
