// Categorical latents, as in utils/drawing/latents.py and walks.py: the same numbers.
//
// `groups` is {scale, gaussian, offsets: a list of each group's offsets}; far below 0 is masked.

const CERTAIN = 32; // difference of two logits whose softmax is a choice
const OUT_OF_REACH = 12; // standard normal numbers never differ by as much
const REST = 0.1; // of a group's time, before and after its change
const smooth = (t) => t * t * (3 - 2 * t);
const clip = (x, low, high) => Math.min(high, Math.max(low, x));

/** The numbers of the variants that a group can choose. */
export function allowed(groups, group) {
  const offsets = groups.offsets[group];
  const least = Math.max(...offsets) - OUT_OF_REACH;
  return [...offsets.keys()].filter((variant) => offsets[variant] > least);
}

/** Latents plus offsets, one list for each group. */
function levels(groups, z) {
  const count = groups.offsets[0].length;
  return groups.offsets.map((offsets, g) => offsets.map((offset, v) => z[g * count + v] + offset));
}

const highest = (list) => list.indexOf(Math.max(...list));
const others = (list, variant) => Math.max(...list.filter((_, v) => v !== variant));

/**
 * The variants that latents choose.
 * @param {Float32Array} z
 * @returns {number[]} one for each group
 */
export function chosen(groups, z) {
  return levels(groups, z).map(highest);
}

/** Latents with some of the levels replaced; `change` gives [variant, level] pairs of a group. */
function withLevels(groups, z, change) {
  const result = z.slice();
  const count = groups.offsets[0].length;
  levels(groups, z).forEach((list, g) => {
    for (const [v, level] of change(list, g)) result[g * count + v] = level - groups.offsets[g][v];
  });
  return result;
}

const alone = (groups, list, v) => Math.max(list[v], others(list, v) + CERTAIN / groups.scale);

/** Latents that choose given variants, with as little change as possible. */
export function hold(groups, z, choice) {
  return withLevels(groups, z, (list, g) => [[choice[g], alone(groups, list, choice[g])]]);
}

/** Latents that choose given variants: those of the old and the new one change places. */
export function choose(groups, z, choice) {
  const swapped = z.slice();
  const count = groups.offsets[0].length;
  chosen(groups, z).forEach((old, g) => {
    const [a, b] = [g * count + old, g * count + choice[g]];
    [swapped[a], swapped[b]] = [z[b], z[a]];
  });
  return hold(groups, swapped, choice);
}

/**
 * Latents on the way from one choice to another: one group after another fades.
 * @param {Float32Array} z the latents if nothing is held
 * @param {number[]} old variants
 * @param {number[]} next variants
 * @param {number} time from 0 to 1
 * @returns {Float32Array}
 */
export function fade(groups, z, old, next, time) {
  const margin = CERTAIN / groups.scale;
  const changing = [...old.keys()].filter((g) => old[g] !== next[g]);
  return withLevels(groups, z, (list, g) => {
    const [a, b] = [old[g], next[g]];
    if (a === b) return [[a, alone(groups, list, a)]];
    const own = clip(time * changing.length - changing.indexOf(g), 0, 1);
    const share = smooth(clip((own - REST) / (1 - 2 * REST), 0, 1));
    const difference = clip((Math.log(share) - Math.log1p(-share)) / groups.scale, -margin, margin);
    const top = Math.max(...list) + margin;
    const faded = [top - Math.max(difference, 0), top + Math.min(difference, 0)];
    const first = own < 0.5;
    const free = first ? [alone(groups, list, a), list[b]] : [list[a], alone(groups, list, b)];
    const near = clip((first ? own : 1 - own) / REST, 0, 1);
    return [a, b].map((v, i) => [v, free[i] + near * (faded[i] - free[i])]);
  });
}
