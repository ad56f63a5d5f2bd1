// Draws, away from the page, so that it never stands still: latents in, pixels out.

import { toPixels } from "./pixels.js";

const RUNTIMES = [
  { provider: "webgpu", module: "ort.webgpu.min.mjs" },
  { provider: "wasm", module: "ort.wasm.min.mjs" },
];

let session;
let Tensor;
let shape;

async function gpu() {
  try {
    return Boolean(await navigator.gpu?.requestAdapter());
  } catch {
    return false;
  }
}

/** Opens the generator with the first runtime that can draw with it; its provider. */
async function open() {
  const usable = (await gpu()) ? RUNTIMES : RUNTIMES.slice(1);
  let failure;
  for (const { provider, module } of usable) {
    try {
      const ort = await import(`./runtime/${module}`);
      ort.env.wasm.wasmPaths = new URL("./runtime/", import.meta.url).href;
      ort.env.wasm.numThreads = 1; // more need headers that plain file servers do not send
      ort.env.logLevel = "error";
      session = await ort.InferenceSession.create("./generator.onnx", { executionProviders: [provider] });
      Tensor = ort.Tensor;
      await draw(new Float32Array(shape.zDim)); // some graphics cards fail only now
      return provider;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function draw(z) {
  const { images } = await session.run({ latents: new Tensor("float32", z, [1, shape.zDim]) });
  return toPixels(await images.getData(), shape.channels);
}

self.onmessage = async ({ data }) => {
  try {
    if (data.open) {
      shape = data.open;
      self.postMessage({ ready: await open() });
    } else {
      const pixels = await draw(data.z);
      self.postMessage({ id: data.id, pixels }, [pixels.buffer]);
    }
  } catch (error) {
    self.postMessage({ failed: String(error?.message ?? error), id: data.id });
  }
};
