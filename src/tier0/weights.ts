import { NGRAM_BUCKETS, PIECE_BUCKETS } from "./vocabulary.ts";
import { HEADS } from "./heads.ts";

// The model's file (written by tier0/export.py): little-endian, every section at a multiple of four.
//
//   u32     magic, format, rows, spellings, rows of abuse, bytes of these words, bytes of known words
//   u32     hash of each row's word; hash of each other spelling          u16  and its row
//   f32     the dense layers, scales and calibration, as DENSE lists them
//   i8      rows x 48; (1 + 2,048) x 48 pieces of unknown words; 32,768 x 8 roots of n-grams
//   u8      the words of the rows of abuse, which come first: ASCII, a line each
//   u8      the set of known words (vocabulary.ts)

export const ROW = 48;
export const UNITS = 56;
export const ATTENTION = 4;
export const HIDDEN = 64;
/** For each head: weight of the net, weight of the n-grams, bias, flag point, block point (logits). */
export const CALIBRATION = 5;

const MAGIC = 0x3054474e; // "NGT0"
const FORMAT = 1;
const HEADER = 7;

const DENSE = {
  convolution: 3 * ROW,
  widen: UNITS * ROW,
  widenBias: UNITS,
  gates: 2 * UNITS * UNITS,
  gatesBias: 2 * UNITS,
  attention: ATTENTION * UNITS,
  attentionBias: ATTENTION,
  hidden: HIDDEN * 2 * UNITS,
  hiddenBias: HIDDEN,
  output: HEADS.length * HIDDEN,
  outputBias: HEADS.length,
  skip: HEADS.length * 2 * UNITS,
  pieceScale: ROW,
  ngramScale: HEADS.length,
  ngramBias: HEADS.length,
  calibration: HEADS.length * CALIBRATION,
} as const;

export type Dense = Readonly<Record<keyof typeof DENSE, Float64Array>>;

export interface Weights {
  readonly wordHashes: Uint32Array;
  readonly spellingHashes: Uint32Array;
  readonly spellingRows: Uint16Array;
  /** The words of the rows of abuse, which come first. */
  readonly profane: readonly string[];
  readonly dense: Dense;
  readonly rows: Int8Array;
  readonly pieces: Int8Array;
  readonly ngrams: Int8Array;
  readonly known: Uint8Array;
}

/** Null when the bytes are not such a file, have another format, or are cut off. */
export function readWeights(bytes: ArrayBuffer): Weights | null {
  if (bytes.byteLength < HEADER * 4 || bytes.byteLength % 4 !== 0) return null;
  const [magic, format, rows = 0, spellings = 0, profaneRows = 0, letters = 0, known = 0] =
    new Uint32Array(bytes, 0, HEADER);
  if (magic !== MAGIC || format !== FORMAT) return null;
  const sections = new Sections(bytes, HEADER * 4);
  const sizes = [
    (rows + spellings) * 4,
    even(spellings * 2),
    Object.values(DENSE).reduce((sum, count) => sum + count * 4, 0),
    even(rows * ROW),
    even((1 + PIECE_BUCKETS) * ROW),
    NGRAM_BUCKETS * HEADS.length,
    even(letters),
    even(known),
  ];
  if (sizes.reduce((sum, size) => sum + size, HEADER * 4) !== bytes.byteLength) return null;
  const weights = {
    wordHashes: sections.take(Uint32Array, rows),
    spellingHashes: sections.take(Uint32Array, spellings),
    spellingRows: sections.take(Uint16Array, spellings),
    dense: readDense(sections),
    rows: sections.take(Int8Array, rows * ROW),
    pieces: sections.take(Int8Array, (1 + PIECE_BUCKETS) * ROW),
    ngrams: sections.take(Int8Array, NGRAM_BUCKETS * HEADS.length),
    profane: new TextDecoder().decode(sections.take(Uint8Array, letters)).split("\n"),
    known: sections.take(Uint8Array, known),
  };
  return weights.profane.length === profaneRows && profaneRows <= rows ? weights : null;
}

const even = (bytes: number): number => Math.ceil(bytes / 4) * 4;

/** Converts to doubles, which are multiplied faster than singles. */
const readDense = (sections: Sections): Dense =>
  Object.fromEntries(
    Object.entries(DENSE).map(([name, count]) => [
      name,
      Float64Array.from(sections.take(Float32Array, count)),
    ]),
  ) as unknown as Dense;

interface ArrayOf<A> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, offset: number, length: number): A;
}

class Sections {
  readonly #bytes: ArrayBuffer;
  #at: number;

  constructor(bytes: ArrayBuffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  take<A>(kind: ArrayOf<A>, count: number): A {
    const section = new kind(this.#bytes, this.#at, count);
    this.#at += even(count * kind.BYTES_PER_ELEMENT);
    return section;
  }
}

/**
 * The weights that this build reads, a file in models/. Verdicts name the version; a file with another hash
 * is refused.
 */
export const RELEASE = {
  version: 1,
  file: "tier0-1.bin",
  bytes: 1_341_440,
  sha256: "f31bb5c0c635742821858a75075a9de0d9ea96131f7d366f38a8474d2cedb21b",
} as const;
