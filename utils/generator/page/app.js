// The page: from controls to latents, and from the worker's pixels to the canvas.

import { drawer } from "./drawer.js";
import { allowed, choose as withChoice, chosen, fade, hold } from "./groups.js";
import { between, latents } from "./latents.js";

const $ = (id) => document.getElementById(id);
const about = await (await fetch("./site.json", { cache: "no-cache" })).json();
const canvas = $("canvas");
const context = canvas.getContext("2d");

// The latents of the picture are `base` (of a seed, or on a walk) plus the sliders' directions. Of
// categorical latents, `about.groups`, a chooser for each group says which variant is drawn.
let seed = 7n;
let base = latents(seed, about.z_dim);
let place = "seed_7";
let playing = false;

// Pictures: one at a time, always of the newest request -----------------------------------------

let busy = false;
let again = false;
let open = false;

say("Loading the generator …");
const draw = drawer(about, {
  progress: say,
  failed: say,
  engine: (provider) => {
    $("engine").textContent = provider === "webgpu" ? "WebGPU" : "WebAssembly";
    if (open) return describe();
    open = true;
    for (const part of document.querySelectorAll("fieldset")) part.disabled = false;
    describe();
    show();
  },
});

async function show() {
  again = busy;
  if (busy) return;
  busy = true;
  try {
    do {
      again = false;
      const pixels = await draw(moved());
      context.putImageData(new ImageData(pixels, canvas.width, canvas.height), 0, 0);
      canvas.dataset.pictures = Number(canvas.dataset.pictures ?? 0) + 1;
    } while (again);
  } catch (error) {
    say(`No picture: ${error.message}`);
  } finally {
    busy = false;
  }
}

function moved() {
  if (!about.groups) return along(base.slice());
  if (playing) return base;
  const choice = choosers.map((chooser, g) => allowed(about.groups, g)[chooser.valueAsNumber - 1]);
  return hold(about.groups, along(withChoice(about.groups, base, choice)), choice);
}

function along(z) {
  sliders.forEach((slider, k) => {
    for (let i = 0; i < z.length; i += 1) z[i] += slider.valueAsNumber * about.directions[k][i];
  });
  return z;
}

function say(text) {
  $("status").textContent = text;
}

function describe() {
  const moves = sliders.some((slider) => slider.valueAsNumber !== 0) ? ", moved along directions" : "";
  const description = `Picture of seed ${seed}${rechosen() ? ", with other variants" : ""}${moves}`;
  canvas.setAttribute("aria-label", description);
  say(description);
}

// Seeds -----------------------------------------------------------------------------------------

function goTo(newSeed) {
  seed = newSeed;
  base = latents(seed, about.z_dim);
  place = `seed_${seed}`;
  $("seed").value = String(seed);
  setChoosers();
  describe();
  show();
}

function choose(newSeed) {
  pause();
  goTo(newSeed);
}

const LAST = 10n ** 18n - 1n; // 18 digits, as in generate.py
const randomSeed = () => BigInt(Math.floor(Math.random() * 1e6));

$("seed").addEventListener("input", () => {
  if (/^[0-9]{1,18}$/.test($("seed").value)) {
    pause();
    const typed = $("seed").value;
    goTo(BigInt(typed));
    $("seed").value = typed; // keeps zeros at the beginning while a person types
  }
});
const previous = () => choose(seed > 0n ? seed - 1n : 0n);
const next = () => choose(seed < LAST ? seed + 1n : LAST);
$("previous").addEventListener("click", previous);
$("next").addEventListener("click", next);
$("random").addEventListener("click", () => choose(randomSeed()));

// The walk --------------------------------------------------------------------------------------

const ease = (t) => t * t * (3 - 2 * t);
const frame = () => new Promise(requestAnimationFrame);

async function walk() {
  playing = true;
  $("play").textContent = "Pause";
  $("play").setAttribute("aria-pressed", "true");
  let from = base;
  let goal = randomSeed();
  let end = latents(goal, about.z_dim);
  let share = 0;
  let before = performance.now();
  while (playing) {
    const now = await frame();
    share += Math.max(0, now - before) / 1000 / $("pace").valueAsNumber;
    before = Math.max(now, before);
    if (!playing) break;
    if (share >= 1) {
      goTo(goal);
      from = base;
      goal = randomSeed();
      end = latents(goal, about.z_dim);
      share = 0;
    } else {
      base = between(from, end, ease(share));
      if (about.groups) base = onTheWay(from, base, end, share);
      place = `walk_${seed}_${goal}_${Math.round(100 * share)}`;
      await show();
    }
  }
}

function onTheWay(from, z, end, share) {
  const free = about.groups.gaussian ? z : from;
  return fade(about.groups, free, chosen(about.groups, from), chosen(about.groups, end), share);
}

function pause() {
  playing = false;
  setChoosers();
  $("play").textContent = "Play";
  $("play").setAttribute("aria-pressed", "false");
}

const toggleWalk = () => (playing ? pause() : walk());
$("play").addEventListener("click", toggleWalk);
$("pace").addEventListener("input", () => {
  $("pace").nextElementSibling.value = $("pace").value;
});

// Groups and directions -------------------------------------------------------------------------

function addSlider(text, id, range, touched = () => {}) {
  const label = document.createElement("label");
  label.className = "slider";
  const name = document.createElement("span");
  name.textContent = text;
  const slider = Object.assign(document.createElement("input"), { type: "range", id, ...range });
  const output = document.createElement("output");
  output.htmlFor = slider.id;
  output.value = slider.value;
  slider.addEventListener("input", () => {
    touched(slider);
    output.value = slider.value;
    show();
  });
  slider.addEventListener("change", describe);
  label.append(name, slider, output);
  $("directions").append(label);
  return slider;
}

function setSlider(slider, value) {
  slider.value = value;
  slider.nextElementSibling.value = slider.value;
}

const choosers = (about.groups?.offsets ?? []).map((_, g) =>
  addSlider(
    `group ${g + 1}`, `group_${g + 1}`,
    { min: 1, max: allowed(about.groups, g).length, step: 1, value: 1 },
    (chooser) => {
      const wanted = chooser.value;
      if (playing) pause(); // which sets the choosers to the variants of the walk
      chooser.value = wanted;
    },
  ));
const sliders = about.directions.map((_, k) =>
  addSlider(`direction ${k + 1}`, `direction_${k + 1}`, { min: -4, max: 4, step: 0.1, value: 0 }));
if (choosers.length) $("directions").previousElementSibling.textContent = "Variants";
setChoosers();

/** Sets the choosers to the variants of the base. */
function setChoosers() {
  if (!choosers.length) return;
  chosen(about.groups, base).forEach((variant, g) => {
    setSlider(choosers[g], allowed(about.groups, g).indexOf(variant) + 1);
  });
}

function rechosen() {
  return choosers.some((chooser, g) =>
    allowed(about.groups, g)[chooser.valueAsNumber - 1] !== chosen(about.groups, base)[g]);
}

function reset() {
  for (const slider of sliders) setSlider(slider, 0);
  setChoosers();
  describe();
  show();
}
$("reset").addEventListener("click", reset);

// Enlarge and save ------------------------------------------------------------------------------

function enlarge(on) {
  $("picture").classList.toggle("enlarged", on);
  $("enlarge").setAttribute("aria-pressed", String(on));
  // What the picture covers cannot be reached by keyboard either.
  for (const part of [document.querySelector("header"), $("controls"), document.querySelector("footer")]) {
    part.inert = on;
  }
  $(on ? "back" : "enlarge").focus({ focusVisible: false });
}
const enlarged = () => $("picture").classList.contains("enlarged");
$("enlarge").addEventListener("click", () => enlarge(true));
$("back").addEventListener("click", () => enlarge(false));
canvas.addEventListener("click", () => enlarge(!enlarged()));

function save() {
  const scale = Number($("scale").value);
  const copy = Object.assign(document.createElement("canvas"), {
    width: canvas.width * scale, height: canvas.height * scale,
  });
  const paper = copy.getContext("2d");
  paper.imageSmoothingEnabled = false;
  paper.drawImage(canvas, 0, 0, copy.width, copy.height);
  copy.toBlob((blob) => {
    const link = document.createElement("a");
    const moves = rechosen() || sliders.some((slider) => slider.valueAsNumber !== 0);
    link.download = `${place}${moves ? "_moved" : ""}.png`;
    link.href = URL.createObjectURL(blob);
    link.click();
    URL.revokeObjectURL(link.href);
    say(`Saved as ${link.download}`);
  }, "image/png");
}
$("save").addEventListener("click", save);
$("controls").addEventListener("submit", (event) => event.preventDefault());

// Keys ------------------------------------------------------------------------------------------

const KEYS = {
  ArrowLeft: previous,
  ArrowRight: next,
  r: () => choose(randomSeed()),
  " ": toggleWalk,
  0: reset,
  e: () => enlarge(!enlarged()),
  s: save,
  Escape: () => enlarged() && enlarge(false),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select");
  const pressing = event.target.closest("button") && event.key === " ";
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
  if (canvas.dataset.pictures === undefined || typing || pressing) return;
  event.preventDefault();
  action();
});

