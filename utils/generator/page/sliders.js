// Sliders with a small picture at each end, which shows what they change.

/**
 * Adds a slider to a part of the page.
 * @param {HTMLElement} part
 * @param {string} text its name
 * @param {string} id
 * @param {{min: number, max: number, step: number, value: number}} range
 * @param {{touched: function, changed: function}} on called with the slider while it moves, and
 *     when it rests
 * @returns {HTMLInputElement}
 */
export function addSlider(part, text, id, range, on) {
  const label = document.createElement("label");
  label.className = "slider pictured";
  const name = document.createElement("span");
  name.textContent = text;
  const slider = Object.assign(document.createElement("input"), { type: "range", id, ...range });
  const output = document.createElement("output");
  output.htmlFor = slider.id;
  output.value = slider.value;
  slider.addEventListener("input", () => {
    output.value = slider.value;
    on.touched(slider);
  });
  slider.addEventListener("change", () => on.changed(slider));
  label.append(name, end(), slider, end(), output); // a label names the first control in it
  part.append(label);
  return slider;
}

function end() {
  const picture = document.createElement("canvas");
  picture.setAttribute("aria-hidden", "true"); // it would say nothing that can be heard
  return picture;
}

/** Sets a slider and the number that it shows. */
export function setSlider(slider, value) {
  slider.value = value;
  slider.parentElement.querySelector("output").value = slider.value;
}

const REST = 150; // milliseconds without a new picture before the small ones are drawn
let newest = 0;

/**
 * Draws the small pictures one after another, until something else is to be drawn.
 * @param {HTMLInputElement[]} sliders
 * @param {{width: number, height: number}} size of a picture
 * @param {function(): boolean} occupied whether something else is drawn
 * @param {function(HTMLInputElement, number): Promise<Uint8ClampedArray>} draw the pixels with
 *     another value of a slider
 */
export async function showEnds(sliders, { width, height }, occupied, draw) {
  newest += 1;
  const own = newest;
  const over = () => own !== newest || occupied();
  await new Promise((done) => setTimeout(done, REST));
  for (const slider of sliders) {
    const pictures = slider.parentElement.querySelectorAll("canvas");
    for (const [i, value] of [slider.min, slider.max].entries()) {
      if (over()) return;
      let pixels;
      try {
        pixels = await draw(slider, Number(value));
      } catch {
        return; // the large picture says what is wrong
      }
      if (over()) return;
      Object.assign(pictures[i], { width, height });
      pictures[i].getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
    }
  }
}
