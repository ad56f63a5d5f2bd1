// From seeds to latents: the same numbers as numpy's default_rng(seed).standard_normal(n, float32).
// SeedSequence, PCG64 (O'Neill 2014, XSL RR 128/64) and the ziggurat of Marsaglia and Tsang (2000).
// In the tail, once in 4000 draws, numpy uses the logarithm of the computer's C library, which may
// round its last bit differently: one such draw in a few hundred differs in that bit.

const MASK_64 = (1n << 64n) - 1n;
const MASK_128 = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

function hasher(start, multiplier) {
  let constant = start;
  return (value) => {
    let hashed = value ^ constant;
    constant = Math.imul(constant, multiplier);
    hashed = Math.imul(hashed, constant);
    return (hashed ^ (hashed >>> 16)) >>> 0;
  };
}

function mixed(x, y) {
  const sum = Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y);
  return (sum ^ (sum >>> 16)) >>> 0;
}

/** numpy's SeedSequence(seed).generate_state(8): eight numbers of 32 bits. */
function seedState(seed) {
  const entropy = [];
  for (let rest = seed; rest > 0n || entropy.length === 0; rest >>= 32n) {
    entropy.push(Number(rest & 0xffffffffn));
  }
  const hash = hasher(0x43b0d7e5, 0x931e8875);
  const pool = [0, 1, 2, 3].map((i) => hash(entropy[i] ?? 0));
  for (let from = 0; from < 4; from += 1) {
    for (let to = 0; to < 4; to += 1) {
      if (from !== to) pool[to] = mixed(pool[to], hash(pool[from]));
    }
  }
  const give = hasher(0x8b51f9dd, 0x58f38ded);
  return Array.from({ length: 8 }, (_, i) => give(pool[i % 4]));
}

/** Returns a function that returns the next 32 random bits of numpy's PCG64(seed). */
function bits(seed) {
  const parts = seedState(seed).map(BigInt);
  const wide = (i) => (parts[i + 1] << 96n) | (parts[i] << 64n) | (parts[i + 3] << 32n) | parts[i + 2];
  const increment = ((wide(4) << 1n) | 1n) & MASK_128;
  const step = (state) => (state * MULTIPLIER + increment) & MASK_128;
  let state = step((step(0n) + wide(0)) & MASK_128);
  let upperHalf = null; // of the last 64 bits, while it is unused
  return () => {
    if (upperHalf !== null) {
      const high = upperHalf;
      upperHalf = null;
      return high;
    }
    state = step(state);
    const folded = (state >> 64n) ^ (state & MASK_64);
    const turn = state >> 122n;
    const word = ((folded >> turn) | (folded << (64n - turn))) & MASK_64;
    upperHalf = Number(word >> 32n);
    return Number(word & 0xffffffffn);
  };
}

// The edges of 256 strips of equal area that cover the normal density. The last one is EDGE; each
// other one follows from its neighbour.
const EDGE = 3.6541528853610088;
const AREA = 0.004928673233974655;
const density = (x) => Math.exp(-0.5 * x * x);
const edges = new Float64Array(256);
edges[255] = EDGE;
for (let i = 255; i > 1; i -= 1) {
  edges[i - 1] = Math.sqrt(-2 * Math.log(density(edges[i]) + AREA / edges[i]));
}
edges[0] = AREA / density(EDGE);
const widths = Float32Array.from(edges, (x) => x / 2 ** 23);
const heights = Float32Array.from(edges, (x, i) => (i ? density(x) : 1));
const inside = Array.from(edges, (x, i) => {
  if (i === 1) return 0;
  return Math.round(((i ? edges[i - 1] : EDGE) / x) * 2 ** 23);
});

const single = Math.fround;

function normal(next) {
  const uniform = () => single((next() >>> 8) / 2 ** 24);
  for (;;) {
    const random = next();
    const strip = random & 0xff;
    const size = (random >>> 9) & 0x7fffff;
    const unsigned = single(size * widths[strip]);
    const x = random & 0x100 ? -unsigned : unsigned;
    if (size < inside[strip]) return x;
    if (strip === 0) {
      for (;;) {
        const beyond = single(-single(1 / EDGE) * single(Math.log1p(-uniform())));
        const y = -single(Math.log1p(-uniform()));
        if (single(y + y) > single(beyond * beyond)) {
          const far = single(single(EDGE) + beyond);
          return size & 0x100 ? -far : far;
        }
      }
    }
    const step = single(heights[strip - 1] - heights[strip]);
    const height = single(single(step * uniform()) + heights[strip]);
    if (height < density(x)) return x;
  }
}

/**
 * The latents of a seed.
 * @param {bigint} seed 0 or more
 * @param {number} count
 * @returns {Float32Array} standard normal
 */
export function latents(seed, count) {
  const next = bits(seed);
  return Float32Array.from({ length: count }, () => normal(next));
}

/**
 * A point between two points, along the sphere: slerp (arXiv:1609.04468).
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {number} share from 0 (a) to 1 (b)
 * @returns {Float32Array}
 */
export function between(a, b, share) {
  const dot = (u, v) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  const lengths = Math.sqrt(dot(a, a) * dot(b, b));
  const cosine = lengths > 0 ? dot(a, b) / lengths : 1;
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const flat = Math.sin(angle) < 1e-3; // alike, opposite or 0: a straight line, as in Python
  const [p, q] = flat
    ? [1 - share, share]
    : [1 - share, share].map((part) => Math.sin(part * angle) / Math.sin(angle));
  return a.map((value, i) => p * value + q * b[i]);
}
