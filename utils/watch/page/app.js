// Asks the server for the state of the run every few seconds and shows it.

import { tableRows } from "./chart.js";

const $ = (id) => document.getElementById(id);
const EVERY = 3000; // milliseconds

let state = { samples: [] };
let chosen = 0; // index of the sample that is shown
let live = true; // show the newest sample as soon as it is there

// Text ------------------------------------------------------------------------------------------

function duration(seconds) {
  const rounded = Math.round(seconds);
  if (rounded < 90) return `${rounded} s`;
  const minutes = Math.round(rounded / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function write(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text; // screen readers announce every change
}

const count = (number) => number.toLocaleString("en");

// Samples ---------------------------------------------------------------------------------------

function load(image, link, source) {
  link.hidden = !source;
  if (!source || image.getAttribute("src") === source) return;
  image.src = source;
  link.href = source;
}

const NO_SAMPLES = {
  running: "No samples yet: the first ones are drawn after the first epoch.",
  shipped: "This run came without samples: python generate.py images draws new ones.",
};

function showSample() {
  const last = state.samples.length - 1;
  if (live) chosen = last;
  chosen = Math.max(0, Math.min(chosen, last));
  const epoch = state.samples[chosen];
  const version = chosen === last ? state.newest : state.session;
  const source = last < 0 ? "" : `./images/sample_${epoch}.png?v=${version}`;
  load($("sample"), $("sample-link"), source);
  if (source) {
    const title = `Samples after epoch ${epoch}`;
    $("sample").alt = `${title}: a grid of generated images, of the same seeds every time`;
    write("caption", `${title} (${chosen + 1} of ${last + 1})`);
  } else {
    write("caption", NO_SAMPLES[state.state] ?? NO_SAMPLES.running);
  }
  load($("real"), $("real-link"), state.real ? `./images/real.png?v=${state.real}` : "");
  $("real-images").hidden = !state.real;
  const slider = $("slider");
  slider.max = Math.max(0, last);
  slider.value = chosen;
  slider.disabled = last < 1;
  slider.setAttribute("aria-valuetext", source ? `epoch ${epoch}` : "none yet");
  $("previous").disabled = chosen <= 0;
  $("next").disabled = chosen >= last;
  $("live").setAttribute("aria-pressed", String(live));
}

function choose(index) {
  chosen = index;
  live = false;
  showSample();
}

function toggleLive() {
  live = !live;
  showSample();
}

$("slider").addEventListener("input", () => choose($("slider").valueAsNumber));
$("previous").addEventListener("click", () => choose(chosen - 1));
$("next").addEventListener("click", () => choose(chosen + 1));
$("live").addEventListener("click", toggleLive);

const KEYS = {
  ArrowLeft: () => choose(chosen - 1),
  ArrowRight: () => choose(chosen + 1),
  Home: () => choose(0),
  l: toggleLive,
};

document.addEventListener("keydown", (event) => {
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  // The slider and the log use the arrow keys themselves.
  if (event.target.closest("input, pre") && event.key !== "l") return;
  event.preventDefault();
  action();
});

// State of the run ------------------------------------------------------------------------------

const STATES = {
  waiting: "Waiting for the training to begin",
  running: "Running",
  stopped: "Stopped",
  finished: "Finished",
  shipped: "Finished and shipped: the generator, without the files of its training",
};

function showProgress() {
  document.title = `${state.epochs ? `${state.epochs} · ` : ""}${state.run}`;
  write("run", state.run);
  write("data", state.data ? `Trained on ${state.data}` : "Data unknown");
  write("state", STATES[state.state]);
  write("age", state.age == null ? "" : `last change ${duration(state.age)} ago`);
  const ended = state.state === "finished" || state.state === "shipped";
  const planned = state.planned ? count(state.planned) : "";
  const done = planned ? `${count(state.epochs)} of ${planned}` : count(state.epochs);
  write("epochs", state.state === "shipped" ? planned || "–" : done);
  $("progress").max = state.planned ?? 1;
  $("progress").value = ended ? $("progress").max : Math.min(state.epochs, state.planned ?? 0);
  write("notice", state.notice ?? "");
  $("notice").hidden = !state.notice;
  write("left", state.seconds_left == null ? "–" : duration(state.seconds_left));
  const speed = state.images_per_second;
  write("speed", speed == null ? "–" : count(Number(speed.toPrecision(3))));
}

function showScores() {
  const scored = state.scores.length > 0;
  $("scores").hidden = !scored;
  $("no-scores").hidden = scored;
  if (state.state === "shipped") write("no-scores", "This run came without scores.");
  write("best-title", state.best == null ? "Best" : `Best, epoch ${state.best}`);
  $("scores").tBodies[0].replaceChildren(...tableRows(state.scores, state.best));
}

function show() {
  showProgress();
  showSample();
  showScores();
  const source = state.converge ? `./images/converge.png?v=${state.converge}` : "";
  load($("converge"), $("converge-link"), source);
  $("no-converge").hidden = Boolean(source);
  if (state.state === "shipped") write("no-converge", "This run came without its curves.");
  write("log", state.log.join("\n") || (state.state === "shipped" ? "This run came without its log." : "Nothing yet."));
}

let timer;

async function poll() {
  clearTimeout(timer);
  try {
    const answer = await fetch("./state.json");
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    state = await answer.json();
    show();
  } catch (error) {
    write("state", "No answer");
    write("age", `from utils.watch (${error.message}): was it stopped?`);
  }
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(poll, EVERY);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else poll();
});
poll();
