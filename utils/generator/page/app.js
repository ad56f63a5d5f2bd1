// The page: from controls to latents, and from the worker's pixels to the canvas.

import { read, write } from "./address.js";
import { drawer } from "./drawer.js";
import { allowed, choose as withChoice, chosen, fade, hold } from "./groups.js";
import { between, latents } from "./latents.js";
import { addSlider, setSlider, showEnds } from "./sliders.js";

const $ = (id) => document.getElementById(id);
const about = await (await fetch("./site.json", { cache: "no-cache" })).json();
const canvas = $("canvas");
const context = canvas.getContext("2d");

// The latents of the picture are `base` (of a seed, or on the way to another one) plus the sliders'
// directions. Of categorical latents, `about.groups`, a chooser for each group says which variant
// is drawn.
let seed = 7n;
let base = latents(seed, about.z_dim);
let way = null; // {goal, end, share}: from the seed to another one
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
    follow();
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
  preview();
}

/** The small pictures of the sliders, while nothing else is drawn. */
function preview() {
  showEnds([...choosers, ...sliders], canvas, () => playing || busy, (slider, value) => draw(moved(slider, value)));
}

/** The latents of the picture, or of the one with another value of a slider. */
function moved(changed, value) {
  const valueOf = (slider) => (slider === changed ? value : slider.valueAsNumber);
  if (!about.groups) return along(base.slice(), valueOf);
  if (playing) return base;
  const choice = choosers.map((chooser, g) => allowed(about.groups, g)[valueOf(chooser) - 1]);
  return hold(about.groups, along(withChoice(about.groups, base, choice), valueOf), choice);
}

function along(z, valueOf) {
  sliders.forEach((slider, k) => {
    for (let i = 0; i < z.length; i += 1) z[i] += valueOf(slider) * about.directions[k][i];
  });
  return z;
}

function say(text) {
  $("status").textContent = text;
}

/** Says what the picture is, and writes it into the address. */
function describe() {
  const moves = moving() ? ", moved along directions" : "";
  const variants = rechosen() && !playing ? ", with other variants" : "";
  const place = playing
    ? `Walk from seed ${seed} to seed ${way.goal}`
    : way
      ? `Between seed ${seed} and seed ${way.goal}, after ${Math.round(100 * way.share)} % of the way`
      : `Picture of seed ${seed}`;
  const description = `${place}${variants}${moves}`;
  canvas.setAttribute("aria-label", description);
  say(description);
  const values = new Map(sliders.filter((slider) => slider.valueAsNumber).map(({ id, value }) => [id, value]));
  if (rechosen() && !playing) for (const { id, value } of choosers) values.set(id, value);
  write(seed, playing ? null : way, values);
}

/** Shows the picture that the address says. */
function follow() {
  const said = read(location.hash);
  pause();
  seed = said.seed ?? seed;
  $("seed").value = String(seed);
  base = latents(seed, about.z_dim);
  way = said.to === null ? null : { goal: said.to, end: latents(said.to, about.z_dim), share: said.share };
  if (way) base = onTheWay();
  for (const slider of sliders) setSlider(slider, said.values.get(slider.id) ?? 0);
  setChoosers();
  for (const chooser of choosers) {
    if (said.values.has(chooser.id)) setSlider(chooser, said.values.get(chooser.id));
  }
  describe();
  show();
}
addEventListener("hashchange", () => open && follow());

// Seeds -----------------------------------------------------------------------------------------

function goTo(newSeed) {
  seed = newSeed;
  way = null;
  base = latents(seed, about.z_dim);
  $("seed").value = String(seed);
  setChoosers();
}

function choose(newSeed) {
  pause();
  goTo(newSeed);
  describe();
  show();
}

const LAST = 10n ** 18n - 1n; // 18 digits, as in generate.py
const randomSeed = () => BigInt(Math.floor(Math.random() * 1e6));

$("seed").addEventListener("input", () => {
  if (/^[0-9]{1,18}$/.test($("seed").value)) {
    const typed = $("seed").value;
    choose(BigInt(typed));
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

/** Begins, or goes on, with a walk to one random seed after another. */
async function walk() {
  playing = true;
  $("play").textContent = "Pause";
  $("play").setAttribute("aria-pressed", "true");
  setOut();
  let before = performance.now();
  while (playing) {
    const now = await frame();
    if (!playing) break;
    way.share += Math.max(0, now - before) / 1000 / $("pace").valueAsNumber;
    before = Math.max(now, before);
    if (way.share >= 1) {
      goTo(way.goal);
      setOut();
    } else {
      base = onTheWay();
    }
    await show();
  }
}

/** Chooses where the walk goes, unless it was on its way, and says so. */
function setOut() {
  const goal = way?.goal ?? randomSeed();
  way ??= { goal, end: latents(goal, about.z_dim), share: 0 };
  describe();
}

/** The latents on the way from the seed to the goal. */
function onTheWay() {
  const from = latents(seed, about.z_dim);
  const z = between(from, way.end, ease(way.share));
  if (!about.groups) return z;
  const free = about.groups.gaussian ? z : from;
  return fade(about.groups, free, chosen(about.groups, from), chosen(about.groups, way.end), way.share);
}

function pause() {
  if (!playing) return;
  playing = false;
  setChoosers();
  $("play").textContent = "Play";
  $("play").setAttribute("aria-pressed", "false");
  describe();
  show();
}

const toggleWalk = () => (playing ? pause() : walk());
$("play").addEventListener("click", toggleWalk);
$("pace").addEventListener("input", () => {
  $("pace").nextElementSibling.value = $("pace").value;
});

// Groups and directions -------------------------------------------------------------------------

const choosers = (about.groups?.offsets ?? []).map((_, g) =>
  addSlider(
    $("directions"), `group ${g + 1}`, `group_${g + 1}`,
    { min: 1, max: allowed(about.groups, g).length, step: 1, value: 1 },
    {
      touched(chooser) {
        const wanted = chooser.value;
        if (playing) pause(); // which sets the choosers to the variants of the walk
        setSlider(chooser, wanted);
        show();
      },
      changed: describe,
    },
  ));
const sliders = about.directions.map((_, k) =>
  addSlider(
    $("directions"), `direction ${k + 1}`, `direction_${k + 1}`,
    { min: -4, max: 4, step: 0.1, value: 0 }, { touched: show, changed: describe },
  ));
if (choosers.length) $("directions").previousElementSibling.textContent = "Variants";

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

function moving() {
  return sliders.some((slider) => slider.valueAsNumber !== 0);
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
    const place = way ? `walk_${seed}_${way.goal}_${Math.round(100 * way.share)}` : `seed_${seed}`;
    link.download = `${place}${rechosen() || moving() ? "_moved" : ""}.png`;
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
