// The page's connection to the worker: sends latents, receives pixels.

/**
 * Starts the worker and opens the generator.
 * @param {{z_dim: number, channels: number}} about
 * @param {{progress: function, engine: function, failed: function}} on called with a text while
 *     the generator loads; with the provider, once it can draw and when it changes; with a message
 *     when loading failed
 * @returns {function(Float32Array): Promise<Uint8ClampedArray>} draws: latents to RGBA
 */
export function drawer(about, on) {
  const worker = new Worker("./worker.js", { type: "module" });
  const waiting = new Map();
  let number = 0;

  worker.onmessage = ({ data }) => {
    if (data.progress) on.progress(data.progress);
    else if (data.engine) on.engine(data.engine);
    else if (data.id === undefined) on.failed(`The generator could not be opened: ${data.failed}`);
    else {
      const { resolve, reject } = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.pixels) resolve(data.pixels);
      else reject(new Error(data.failed));
    }
  };
  worker.onerror = (event) => on.failed(`The page's worker failed: ${event.message ?? "no reason given"}`);
  worker.postMessage({ open: { zDim: about.z_dim, channels: about.channels } });

  return (z) =>
    new Promise((resolve, reject) => {
      number += 1;
      waiting.set(number, { resolve, reject });
      worker.postMessage({ id: number, z });
    });
}
