// Makes pictures from a seed, as decoded pixels, to compare the network with TensorFlow.js. They show
// nothing, but they reach every class and every edge of the resizing.

/** mulberry32: the same numbers on every machine. */
function randomFrom(/** @type {number} */ seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Sizes: one pixel, one row, one column, the network's own size, sizes close to it, a wide one. */
const SIZES = [
  [1, 1],
  [8000, 1],
  [1, 3000],
  [224, 224],
  [223, 225],
  [2, 2],
  [640, 427],
  [100, 400],
  [448, 448],
  [1200, 900],
];

/** @typedef {{ data: Uint8ClampedArray, width: number, height: number }} Pixels */

/** The colour of a pixel at a place from 0 to 1, by kind of picture. */
const PAINTERS = [
  (random) => () => [random() * 255, random() * 255, random() * 255],
  (random) => {
    const [r, g, b] = [random(), random(), random()];
    return (x, y) => [255 * (r * x + (1 - r) * y), 255 * Math.abs(g - x), 255 * Math.abs(b - y)];
  },
  (random) => {
    const [red, green, blue] = [random() * 255, random() * 255, random() * 255];
    return () => [red, green, blue];
  },
  (random) => {
    const blobs = Array.from({ length: 6 }, () => ({
      x: random(),
      y: random(),
      size: 0.05 + random() * 0.3,
      colour: [180 + random() * 75, 120 + random() * 80, 90 + random() * 80],
    }));
    return (x, y) =>
      blobs.find((blob) => Math.hypot(x - blob.x, y - blob.y) < blob.size)?.colour ?? [30, 40, 60];
  },
  (random) => {
    const [waves, turn] = [2 + random() * 60, random() * 7];
    return (x, y) => {
      const value = 127 + 127 * Math.sin(waves * (x * Math.cos(turn) + y * Math.sin(turn)));
      return [value, 255 - value, 128];
    };
  },
];

/** @returns {Generator<{ name: string, pixels: Pixels }>} */
export function* madePictures(/** @type {number} */ count) {
  for (let at = 0; at < count; at += 1) {
    const random = randomFrom(at + 1);
    const [width, height] = SIZES[at % SIZES.length];
    const painter = Math.floor(at / SIZES.length) % PAINTERS.length;
    const paint = PAINTERS[painter](random);
    const data = new Uint8ClampedArray(width * height * 4);
    for (let y = 0, to = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1, to += 4) {
        data.set(paint(x / width, y / height), to);
        data[to + 3] = 255;
      }
    }
    yield {
      name: `${at}: ${width} x ${height}, painter ${painter}`,
      pixels: { data, width, height },
    };
  }
}
