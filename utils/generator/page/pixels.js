// The only conversion from the generator's output to pixels.

/**
 * An image in [-1, 1] as RGBA, rounded as in Python: halves to the even number.
 * @param {Float32Array} values of the image, row by row
 * @param {number} channels 1 or 3
 * @returns {Uint8ClampedArray}
 */
export function toPixels(values, channels) {
  const count = values.length / channels;
  const pixels = new Uint8ClampedArray(4 * count).fill(255);
  for (let i = 0; i < count; i += 1) {
    for (let c = 0; c < 3; c += 1) {
      // A Uint8ClampedArray rounds halves to even and clips.
      pixels[4 * i + c] = Math.fround(Math.fround(values[i * channels + (c % channels)] + 1) * 127.5);
    }
  }
  return pixels;
}
