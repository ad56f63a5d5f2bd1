// The address of the page says which picture it shows, so that a link leads to the same picture:
// #seed=7, #seed=7&direction_2=1.5, or between two seeds #seed=7&to=12&share=0.4.

const SEED = /^[0-9]{1,18}$/; // 18 digits, as in generate.py

/**
 * Reads what an address says; what it says wrongly is passed over.
 * @param {string} hash
 * @returns {{seed: ?bigint, to: ?bigint, share: number, values: Map<string, number>}} the values of
 *     sliders by their ids
 */
export function read(hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const seeds = ["seed", "to"].map((name) => (SEED.test(said.get(name) ?? "") ? BigInt(said.get(name)) : null));
  const share = Number(said.get("share"));
  for (const name of ["seed", "to", "share"]) said.delete(name);
  const numbers = [...said].filter(([, text]) => text !== "" && Number.isFinite(Number(text)));
  return {
    seed: seeds[0],
    to: share > 0 && share < 1 ? seeds[1] : null,
    share,
    values: new Map(numbers.map(([id, text]) => [id, Number(text)])),
  };
}

let timer;

/**
 * Writes the address, soon: browsers refuse to do so more than 100 times in 30 seconds.
 * @param {bigint} seed
 * @param {?{goal: bigint, share: number}} way between the seed and another one
 * @param {Map<string, string>} values of the sliders that were moved, by their ids
 */
export function write(seed, way, values) {
  const said = new URLSearchParams({ seed: String(seed) });
  if (way) {
    said.set("to", String(way.goal));
    said.set("share", way.share.toFixed(4));
  }
  for (const [id, value] of values) said.set(id, value);
  clearTimeout(timer);
  timer = setTimeout(() => history.replaceState(null, "", `#${said}`), 300);
}
