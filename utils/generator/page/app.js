// The page: from controls to latents, and from the worker's pixels to the canvas.

import { drawer } from "./drawer.js";
import { between, latents } from "./latents.js";

const $ = (id) => document.getElementById(id);
const about = await (await fetch("./site.json", { cache: "no-cache" })).json();
const canvas = $("canvas");
const context = canvas.getContext("2d");

// The latents of the picture are `base` (of a seed, or on a walk) plus the sliders' directions.
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
  const z = base.slice();
  sliders.forEach((slider, k) => {
    for (let i = 0; i < z.length; i += 1) z[i] += slider.valueAsNumber * about.directions[k][i];
  });
  return z;
}

function say(text) {
  $("status").textContent = text;
}

function describe() {
  const changed = sliders.some((slider) => slider.valueAsNumber !== 0);
  const description = `Picture of seed ${seed}${changed ? ", moved along directions" : ""}`;
  canvas.setAttribute("aria-label", description);
  say(description);
}

// Seeds -----------------------------------------------------------------------------------------

function goTo(newSeed) {
  seed = newSeed;
  base = latents(seed, about.z_dim);
  place = `seed_${seed}`;
  $("seed").value = String(seed);
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
      place = `walk_${seed}_${goal}_${Math.round(100 * share)}`;
      await show();
    }
  }
}

function pause() {
  playing = false;
  $("play").textContent = "Play";
  $("play").setAttribute("aria-pressed", "false");
}

const toggleWalk = () => (playing ? pause() : walk());
$("play").addEventListener("click", toggleWalk);
$("pace").addEventListener("input", () => {
  $("pace").nextElementSibling.value = $("pace").value;
});

// Directions ------------------------------------------------------------------------------------

const sliders = about.directions.map((_, k) => {
  const label = document.createElement("label");
  label.className = "slider";
  const name = document.createElement("span");
  name.textContent = `direction ${k + 1}`;
  const slider = Object.assign(document.createElement("input"), {
    type: "range", min: -4, max: 4, step: 0.1, value: 0, id: `direction_${k + 1}`,
  });
  const output = document.createElement("output");
  output.htmlFor = slider.id;
  output.value = "0";
  slider.addEventListener("input", () => {
    output.value = slider.value;
    show();
  });
  slider.addEventListener("change", describe);
  label.append(name, slider, output);
  $("directions").append(label);
  return slider;
});

function reset() {
  for (const slider of sliders) {
    slider.value = 0;
    slider.nextElementSibling.value = "0";
  }
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
    const moved = sliders.some((slider) => slider.valueAsNumber !== 0);
    link.download = `${place}${moved ? "_moved" : ""}.png`;
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

