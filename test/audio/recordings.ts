// Tiny valid recordings of each container, made here: silence mostly, but frames, packets, tables
// and checksums are as their standards want them. Options make them lie.

export type Bytes = Uint8Array<ArrayBuffer>;

type Piece = string | number | readonly number[] | Uint8Array;

/** Texts as Latin-1, numbers as bytes. */
export function joined(...pieces: readonly Piece[]): Bytes {
  const arrays = pieces.map((piece) =>
    typeof piece === "string"
      ? Uint8Array.from(piece, (letter) => letter.charCodeAt(0))
      : Uint8Array.from(typeof piece === "number" ? [piece] : piece),
  );
  const bytes = new Uint8Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    bytes.set(array, at);
    at += array.length;
  }
  return bytes;
}

const big = (value: number, width: number): number[] =>
  Array.from({ length: width }, (_, at) => Math.floor(value / 256 ** (width - 1 - at)) % 256);
const little = (value: number, width: number): number[] => big(value, width).toReversed();

const repeated = (count: number, make: (at: number) => Uint8Array): Bytes =>
  joined(...Array.from({ length: count }, (_, at) => make(at)));

// WAV

export interface WavOptions {
  readonly ms?: number;
  readonly rate?: number;
  readonly channels?: number;
  readonly tag?: number;
  /** What the headers say instead of what is there. */
  readonly dataSize?: number;
  readonly byteRate?: number;
  readonly fmtTwice?: boolean;
  readonly after?: Uint8Array;
}

/** 16-bit PCM. */
export function wav(options: WavOptions = {}): Bytes {
  const { ms = 1000, rate = 8000, channels = 1, tag = 1, after = new Uint8Array() } = options;
  const block = channels * 2;
  const size = Math.floor((ms * rate) / 1000) * block;
  const fmt = joined(
    "fmt ", little(16, 4), little(tag, 2), little(channels, 2), little(rate, 4),
    little(options.byteRate ?? rate * block, 4), little(block, 2), little(16, 2),
  ); // prettier-ignore
  return joined(
    "RIFF", little(36 + size, 4), "WAVE", fmt, options.fmtTwice === true ? fmt : [],
    "data", little(options.dataSize ?? size, 4), new Uint8Array(size), after,
  ); // prettier-ignore
}

// MPEG audio and ADTS

/** MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes, 1,152 samples. */
export const mp3Frame = (content: Uint8Array = new Uint8Array(413)): Bytes =>
  joined([0xff, 0xfb, 0x90, 0x00], content);

export const MP3_FRAME_MS = (1152 * 1000) / 44_100;

export interface Mp3Options {
  readonly frames?: number;
  /** What a Xing header says there are. */
  readonly xing?: number;
  /** An ID3v2 tag of so many bytes, which may say another size. */
  readonly tag?: { readonly bytes: Uint8Array; readonly says?: number };
}

export function mp3({ frames = 38, xing, tag }: Mp3Options = {}): Bytes {
  const says = tag?.says ?? tag?.bytes.length ?? 0;
  const size = [21, 14, 7, 0].map((shift) => Math.floor(says / 2 ** shift) % 128);
  const id3 = tag === undefined ? [] : joined("ID3", [4, 0, 0], size, tag.bytes);
  const first = new Uint8Array(413);
  // Behind the header and, for stereo, 32 bytes of side information: flags, frames.
  if (xing !== undefined) first.set(joined("Xing", big(1, 4), big(xing, 4)), 32);
  return joined(
    id3,
    mp3Frame(first),
    repeated(frames - 1, () => mp3Frame()),
  );
}

/** 1,024 samples at 16 kHz, mono. */
export function adts(frames = 16, bytes = 64): Bytes {
  const length = [0x40 | (bytes >> 11), (bytes >> 3) & 255, ((bytes & 7) << 5) | 31];
  return repeated(frames, () =>
    joined([0xff, 0xf1, 0x60], length, [0xfc], new Uint8Array(bytes - 7)),
  );
}

// FLAC

function crc8(bytes: Uint8Array): number {
  return bytes.reduce((crc, byte) => {
    let next = crc ^ byte;
    for (let bit = 0; bit < 8; bit += 1) next = next & 0x80 ? ((next << 1) ^ 7) & 255 : next << 1;
    return next;
  }, 0);
}

/** Frames of 4,096 samples at 44.1 kHz; `total` is what STREAMINFO says there are. */
export function flac(
  options: { readonly frames?: number; readonly total?: number; readonly rate?: number } = {},
): Bytes {
  const { frames = 11, rate = 44_100 } = options;
  const total = options.total ?? frames * 4096;
  const info = joined(
    big(4096, 2), big(4096, 2), big(0, 3), big(0, 3),
    big(rate * 16 + 1 * 2, 3), big(0xf0, 1), big(total, 4), new Uint8Array(16),
  ); // prettier-ignore
  const frame = (at: number): Bytes => {
    // Sync, fixed blocks; 4,096 samples, 44.1 kHz; stereo, 16 bits; its number.
    const header = Uint8Array.from([0xff, 0xf8, 0xc9, 0x18, at % 128]);
    return joined(header, crc8(header), new Uint8Array(20));
  };
  return joined("fLaC", 0x80, big(34, 3), info, repeated(frames, frame));
}

// Ogg

export interface Page {
  readonly packets: readonly Uint8Array[];
  readonly granule: number;
  readonly flags?: number;
  readonly serial?: number;
}

export function oggPage({ packets, granule, flags = 0, serial = 1 }: Page): Bytes {
  const lacing = packets.flatMap(({ length }) => [
    ...Array.from({ length: Math.floor(length / 255) }, () => 255),
    length % 255,
  ]);
  return joined(
    "OggS", 0, flags, little(granule, 8), little(serial, 4), little(0, 4), little(0, 4),
    lacing.length, lacing, ...packets,
  ); // prettier-ignore
}

/** 20 ms of CELT, one frame; 48 kHz as far as granules are concerned. */
export const opusPacket = (toc = 0xf8, bytes = 40): Bytes => joined(toc, new Uint8Array(bytes - 1));

const OPUS_HEAD = joined("OpusHead", 1, 1, little(312, 2), little(48_000, 4), little(0, 2), 0);
const OPUS_TAGS = joined("OpusTags", little(4, 4), "test", little(0, 4));

export interface OpusOptions {
  readonly packets?: number;
  readonly toc?: number;
  readonly granule?: number;
  readonly serial?: number;
}

export function opus(options: OpusOptions = {}): Bytes {
  const { packets = 50, toc = 0xf8, serial = 1 } = options;
  const granule = options.granule ?? packets * 960;
  return joined(
    oggPage({ packets: [OPUS_HEAD], granule: 0, flags: 2, serial }),
    oggPage({ packets: [OPUS_TAGS], granule: 0, serial }),
    oggPage({
      packets: Array.from({ length: packets }, () => opusPacket(toc)),
      granule,
      flags: 4,
      serial,
    }),
  );
}

/** Blocks of 256 and 2,048 samples at 44.1 kHz. */
const VORBIS_HEAD = joined(
  "\x01vorbis",
  little(0, 4),
  1,
  little(44_100, 4),
  new Uint8Array(12),
  0xb8,
  1,
);

export interface VorbisOptions {
  readonly packets?: number;
  readonly granule?: number;
  readonly head?: Uint8Array;
}

export function vorbis(options: VorbisOptions = {}): Bytes {
  const { packets = 43, head = VORBIS_HEAD } = options;
  const granule = options.granule ?? packets * 1024;
  const headers = [
    joined("\x03vorbis", new Uint8Array(9)),
    joined("\x05vorbis", new Uint8Array(30)),
  ];
  return joined(
    oggPage({ packets: [head], granule: 0, flags: 2 }),
    oggPage({ packets: headers, granule: 0 }),
    oggPage({
      packets: Array.from({ length: packets }, () => new Uint8Array(30)),
      granule,
      flags: 4,
    }),
  );
}

// MP4

export const box = (type: string, ...content: readonly Piece[]): Bytes => {
  const inner = joined(...content);
  return joined(big(inner.length + 8, 4), type, inner);
};

const fullBox = (type: string, ...content: readonly Piece[]): Bytes =>
  box(type, big(0, 4), ...content);

const descriptor = (tag: number, ...content: readonly Piece[]): Bytes => {
  const inner = joined(...content);
  return joined(tag, inner.length, inner);
};

export interface Mp4Options {
  /** AAC frames of 1,024 samples at 16 kHz: 64 ms each. */
  readonly frames?: number;
  readonly movieMs?: number;
  readonly mediaTicks?: number;
  readonly tableTicks?: number;
  /** What the table of sizes says there are. */
  readonly samples?: number;
  /** Milliseconds of each edit. */
  readonly edits?: readonly number[];
  readonly objectType?: number;
  readonly soundTracks?: number;
  /** As fragments of so many frames, as a browser records. */
  readonly fragment?: number;
}

const plain = (type: string, samples: number, rate: number, ...boxes: readonly Piece[]): Bytes =>
  box(
    type, new Uint8Array(6), big(1, 2), new Uint8Array(8), big(samples, 2), big(16, 2), big(0, 4),
    big(rate, 2), big(0, 2), ...boxes,
  ); // prettier-ignore

/** Apple Lossless: frames of so many samples, at 44.1 kHz. */
export const alacEntry = (samples = 4096): Bytes =>
  plain("alac", 2, 44_100, fullBox("alac", big(samples, 4), new Uint8Array(16), big(44_100, 4)));

export interface PacketMp4Options {
  readonly entry?: Bytes;
  /** Each packet's bytes. */
  readonly packets: readonly Bytes[];
  /** Of the media's clock, 48 kHz, for each packet. */
  readonly ticks?: number;
  readonly timescale?: number;
  /** Boxes beside those of the table. */
  readonly more?: readonly Bytes[];
  /** How many packets the chunks say they have. */
  readonly inChunk?: number;
}

/** A movie of packets in two chunks, as a muxer writes it: the sound first, so that offsets are known. */
export function packetMp4({
  entry = plain("Opus", 1, 48_000, box("dOps", new Uint8Array(11))),
  packets,
  ticks = 960,
  timescale = 48_000,
  more = [],
  inChunk = Math.ceil(packets.length / 2),
}: PacketMp4Options): Bytes {
  const ftyp = box("ftyp", "M4A ", big(0, 4), "M4A ");
  const sizes = packets.map(({ length }) => length);
  const firstAt = ftyp.length + 8;
  const secondAt = sizes.slice(0, inChunk).reduce((sum, size) => sum + size, firstAt);
  const total = ticks * packets.length;
  const track = box(
    "trak",
    fullBox("tkhd", new Uint8Array(16), big(0, 4), new Uint8Array(60)),
    box(
      "mdia",
      fullBox("mdhd", new Uint8Array(8), big(timescale, 4), big(total, 4), big(0, 4)),
      fullBox("hdlr", big(0, 4), "soun", new Uint8Array(13)),
      box(
        "minf",
        box(
          "stbl",
          fullBox("stsd", big(1, 4), entry),
          fullBox("stts", big(1, 4), big(packets.length, 4), big(ticks, 4)),
          fullBox("stsz", big(0, 4), big(packets.length, 4), ...sizes.map((size) => big(size, 4))),
          fullBox("stsc", big(1, 4), big(1, 4), big(inChunk, 4), big(1, 4)),
          fullBox("stco", big(2, 4), big(firstAt, 4), big(secondAt, 4)),
          ...more,
        ),
      ),
    ),
  ); // prettier-ignore
  const moov = box(
    "moov",
    fullBox("mvhd", new Uint8Array(8), big(1000, 4), big(0, 4), new Uint8Array(80)),
    track,
  );
  return joined(ftyp, box("mdat", ...packets), moov);
}

export interface FragmentOptions {
  readonly packets: readonly Bytes[];
  /** How many packets each fragment has. */
  readonly inFragment?: number;
  /** How a packet's place is given. */
  readonly by?: "moof" | "base" | "neither";
  /** How the sizes are given: of each packet, or one for all, by the fragment or by the movie. */
  readonly sizes?: "each" | "fragment" | "movie";
  /** Milliseconds that each packet is said to take. */
  readonly saidMs?: number;
  /** Added to each place. */
  readonly aside?: number;
  /** Flags of `tfhd` beside those that are needed. */
  readonly flags?: number;
  /** Runs that each fragment's packets are split over; the second does not say where it begins. */
  readonly split?: boolean;
  readonly tracksInFragment?: number;
  readonly defaults?: number;
}

/** Opus in fragments, as a browser or a packager for DASH writes it: each `moof` before its packets. */
export function fragmentedOpus({
  packets,
  inFragment = 10,
  by = "moof",
  sizes = "each",
  saidMs = 20,
  aside = 0,
  flags = 0,
  split = false,
  tracksInFragment = 1,
  defaults = 1,
}: FragmentOptions): Bytes {
  const oneSize = packets[0]?.length ?? 0;
  const track = box(
    "trak",
    fullBox("tkhd", new Uint8Array(80)),
    box(
      "mdia",
      fullBox("mdhd", new Uint8Array(8), big(48_000, 4), big(0, 4), big(0, 4)),
      fullBox("hdlr", big(0, 4), "soun", new Uint8Array(13)),
      box(
        "minf",
        box(
          "stbl",
          fullBox("stsd", big(1, 4), plain("Opus", 1, 48_000, box("dOps", new Uint8Array(11)))),
          ...["stts", "stsc", "stco"].map((type) => fullBox(type, big(0, 4))),
          fullBox("stsz", big(0, 4), big(0, 4)),
        ),
      ),
    ),
  );
  const trex = fullBox("trex", big(1, 4), big(1, 4), big(48 * saidMs, 4), big(sizes === "movie" ? oneSize : 0, 4), big(0, 4)); // prettier-ignore
  let file = joined(
    box("ftyp", "iso6", big(0, 4), "iso6"),
    box(
      "moov",
      fullBox("mvhd", new Uint8Array(8), big(1000, 4), big(0, 4), new Uint8Array(80)),
      track,
      box("mvex", ...Array.from({ length: defaults }, () => trex)),
    ),
  );
  for (let first = 0; first < packets.length; first += inFragment) {
    const own = packets.slice(first, first + inFragment);
    const moofAt = file.length;
    const run = (some: readonly Bytes[], offset: number | null) =>
      box(
        "trun",
        big((sizes === "each" ? 0x200 : 0) + (offset === null ? 0 : 1), 4),
        big(some.length, 4),
        offset === null ? [] : big(offset, 4),
        ...(sizes === "each" ? some.map(({ length }) => big(length, 4)) : []),
      );
    const moofOf = (dataAt: number): Bytes => {
      const offset = (by === "base" ? 0 : dataAt - moofAt) + aside;
      const half = split ? Math.ceil(own.length / 2) : own.length;
      const traf = box(
        "traf",
        box(
          "tfhd",
          big(flags + (by === "moof" ? 0x20000 : by === "base" ? 1 : 0) + (sizes === "fragment" ? 0x10 : 0), 4),
          big(1, 4),
          by === "base" ? big(dataAt, 8) : [],
          sizes === "fragment" ? big(oneSize, 4) : [],
        ),
        run(own.slice(0, half), offset),
        split ? run(own.slice(half), null) : [],
      ); // prettier-ignore
      return box("moof", ...Array.from({ length: tracksInFragment }, () => traf));
    };
    file = joined(file, moofOf(moofAt + moofOf(0).length + 8), box("mdat", ...own));
  }
  return file;
}

export function mp4(options: Mp4Options = {}): Bytes {
  const { frames = 16, fragment, soundTracks = 1 } = options;
  const whole = fragment === undefined ? frames : 0;
  const movieMs = options.movieMs ?? whole * 64;
  // Object type AAC-LC, 16 kHz, mono.
  const config = descriptor(5, [0x14, 0x08]);
  const decoder = descriptor(4, options.objectType ?? 0x40, 0x15, new Uint8Array(11), config);
  const esds = fullBox("esds", descriptor(3, big(1, 2), 0, decoder));
  const entry = box(
    "mp4a", new Uint8Array(6), big(1, 2), new Uint8Array(8), big(1, 2), big(16, 2), big(0, 4),
    big(16_000, 2), big(0, 2), esds,
  ); // prettier-ignore
  const edits = options.edits ?? [];
  const track = box(
    "trak",
    fullBox("tkhd", new Uint8Array(16), big(movieMs, 4), new Uint8Array(60)),
    edits.length === 0
      ? []
      : box("edts", fullBox("elst", big(edits.length, 4), ...edits.map((ms) => joined(big(ms, 4), big(0, 4), big(0x10000, 4))))),
    box(
      "mdia",
      fullBox("mdhd", new Uint8Array(8), big(16_000, 4), big(options.mediaTicks ?? whole * 1024, 4), big(0, 4)),
      fullBox("hdlr", big(0, 4), "soun", new Uint8Array(13)),
      box(
        "minf",
        box(
          "stbl",
          fullBox("stsd", big(1, 4), entry),
          fullBox("stts", big(1, 4), big(whole, 4), big(whole === 0 ? 0 : (options.tableTicks ?? whole * 1024) / whole, 4)),
          fullBox("stsz", big(20, 4), big(options.samples ?? whole, 4)),
        ),
      ),
    ),
  ); // prettier-ignore
  const extending = box(
    "mvex",
    fullBox("trex", big(1, 4), big(1, 4), big(1024, 4), big(20, 4), big(0, 4)),
  );
  const moov = box(
    "moov",
    fullBox("mvhd", new Uint8Array(8), big(1000, 4), big(movieMs, 4), new Uint8Array(80)),
    ...Array.from({ length: soundTracks }, () => track),
    fragment === undefined ? [] : extending,
  );
  const moof = box(
    "moof",
    box("traf", fullBox("tfhd", big(1, 4)), fullBox("trun", big(fragment ?? 0, 4))),
  );
  const fragments = fragment === undefined ? 0 : frames / fragment;
  return joined(
    box("ftyp", "M4A ", big(0, 4), "M4A "),
    moov,
    fragments === 0 ? box("mdat", new Uint8Array(frames * 20)) : [],
    repeated(fragments, () => joined(moof, box("mdat", new Uint8Array((fragment ?? 0) * 20)))),
  );
}

// WebM

/** Sizes of eight bytes; null: unknown. */
export const element = (id: number, size: number | null, ...content: readonly Piece[]): Bytes => {
  const idBytes = big(id, Math.ceil(Math.log2(id + 1) / 8));
  return joined(idBytes, size === null ? [1, 255, 255, 255, 255, 255, 255, 255] : [1, ...big(size, 7)], ...content);
}; // prettier-ignore

export const sized = (id: number, ...content: readonly Piece[]): Bytes => {
  const inner = joined(...content);
  return element(id, inner.length, inner);
};

export interface WebmOptions {
  readonly packets?: number;
  readonly toc?: number;
  /** What Info says, in milliseconds. */
  readonly duration?: number;
  readonly codec?: string;
  readonly lacing?: number;
  /** Milliseconds between blocks. */
  readonly apart?: number;
  readonly encodings?: boolean;
  readonly inCluster?: Uint8Array;
  readonly scales?: number;
}

/** As a browser records: a segment and clusters of unknown size. */
export function webm(options: WebmOptions = {}): Bytes {
  const { packets = 50, toc = 0xf8, apart = 20, lacing = 0 } = options;
  const duration = new DataView(new ArrayBuffer(8));
  duration.setFloat64(0, options.duration ?? 0);
  const info = sized(
    0x1549a966,
    ...Array.from({ length: options.scales ?? 1 }, () => sized(0x2ad7b1, big(1_000_000, 3))),
    options.duration === undefined ? [] : sized(0x4489, new Uint8Array(duration.buffer)),
  );
  const track = sized(
    0xae,
    sized(0xd7, 1),
    sized(0x83, 2),
    sized(0x86, options.codec ?? "A_OPUS"),
    sized(0x63a2, OPUS_HEAD),
    options.encodings === true ? sized(0x6d80, sized(0x6240, 0)) : [],
  );
  const cluster = (at: number): Bytes => {
    const count = Math.min(25, packets - at * 25);
    const block = (index: number) =>
      sized(
        0xa3,
        0x81,
        big(index * apart, 2),
        0x80 | lacing,
        lacing === 0 ? [] : 1,
        opusPacket(toc),
      );
    return joined(
      element(0x1f43b675, null),
      sized(0xe7, big(at * 25 * apart, 4)),
      options.inCluster ?? [],
      repeated(count, block),
    );
  };
  return joined(
    sized(0x1a45dfa3, sized(0x4282, "webm")),
    element(0x18538067, null),
    info,
    sized(0x1654ae6b, track),
    repeated(Math.ceil(packets / 25), cluster),
  );
}
