// Draws in a thread of its own, so that the page stays responsive: latents in, pixels out.

import { toPixels } from "./pixels.js";

const RUNTIMES = [
  { provider: "webgpu", module: "ort.webgpu.min.mjs" },
  { provider: "wasm", module: "ort.wasm.min.mjs" },
];

let session;
let Tensor;
let shape;
let engine;

async function gpu() {
  try {
    return Boolean(await navigator.gpu?.requestAdapter());
  } catch {
    return false;
  }
}

const progress = (text) => self.postMessage({ progress: text });

/** Downloads the generator and reports progress at every tenth of the file. */
async function download() {
  // Not from the cache unchecked: an old generator would not fit the directions of a new site.
  const reply = await fetch("./generator.onnx", { cache: "no-cache" });
  if (!reply.ok) throw new Error(`generator.onnx: ${reply.status} ${reply.statusText}`);
  // A server that compresses the file gives the compressed length, which is of no use here.
  const size = reply.headers.get("Content-Encoding") ? 0 : Number(reply.headers.get("Content-Length"));
  const pieces = [];
  let length = 0;
  let reported = 0;
  for (const reader = reply.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    length += value.length;
    const tenths = size ? Math.floor((10 * length) / size) : 0;
    if (tenths > reported) progress(`Loading the generator … ${10 * tenths} %`);
    reported = Math.max(reported, tenths);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** Opens the generator with the first of the runtimes that can draw with it. */
async function open(runtimes) {
  if (typeof WebAssembly === "undefined") throw new Error("this browser has no WebAssembly, which the page needs");
  const file = await download();
  let failure;
  for (const { provider, module } of runtimes) {
    try {
      progress(`Starting ${provider === "webgpu" ? "WebGPU" : "WebAssembly"} …`);
      const ort = await import(`./runtime/${module}`);
      ort.env.wasm.wasmPaths = new URL("./runtime/", import.meta.url).href;
      ort.env.wasm.numThreads = 1; // more threads need headers that plain file servers do not send
      ort.env.logLevel = "error";
      session = await ort.InferenceSession.create(file, { executionProviders: [provider] });
      Tensor = ort.Tensor;
      await run(new Float32Array(shape.zDim)); // some graphics cards fail only now
      engine = provider;
      self.postMessage({ engine });
      return;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function run(z) {
  const { images } = await session.run({ latents: new Tensor("float32", z, [1, shape.zDim]) });
  return toPixels(await images.getData(), shape.channels);
}

async function draw(z) {
  try {
    return await run(z);
  } catch (error) {
    if (engine !== "webgpu") throw error;
    await open(RUNTIMES.slice(1)); // the connection to a graphics card can be lost at any time
    return run(z);
  }
}

self.onmessage = async ({ data }) => {
  try {
    if (data.open) {
      shape = data.open;
      await open((await gpu()) ? RUNTIMES : RUNTIMES.slice(1));
    } else {
      const pixels = await draw(data.z);
      self.postMessage({ id: data.id, pixels }, [pixels.buffer]);
    }
  } catch (error) {
    self.postMessage({ failed: String(error?.message ?? error), id: data.id });
  }
};
