import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { audioFormat, audioLength } from "../../src/audio/audio-length.ts";
import {
  adts, alacEntry, type Bytes, box, element, flac, fragmentedOpus, joined, mp3, mp3Frame, MP3_FRAME_MS, mp4, oggPage, opus, opusPacket, packetMp4,
  sized, vorbis, wav, webm,
} from "./recordings.ts"; // prettier-ignore

/** What no decoder exceeds, and what is heard. */
const of = (bytes: Bytes): readonly [number, number | null] | null => {
  const length = audioLength(bytes);
  return length === null ? null : [length.atMostMs, length.countedMs];
};

const ALL: readonly (readonly [string, Bytes, number])[] = [
  ["wav", wav(), 1000],
  ["mpeg", mp3(), Math.ceil(38 * MP3_FRAME_MS)],
  ["aac", adts(), 16 * 64],
  ["flac", flac(), Math.ceil((11 * 4096 * 1000) / 44_100)],
  ["ogg", opus(), 1000],
  ["mp4", mp4(), 16 * 64],
  ["webm", webm(), 1000],
];

const table = (type: string, ...content: readonly (number | Bytes)[]) =>
  box(
    type,
    new Uint8Array(4),
    ...content.map((one) => (typeof one === "number" ? [0, 0, 0, one] : one)),
  );

describe("Opus and ALAC in MP4 that lie", () => {
  const packets = Array.from({ length: 40 }, () => opusPacket());

  it("are held for what their packets say, whatever the table of times says", () => {
    expect(of(packetMp4({ packets, ticks: 1 }))?.[0]).toBe(800);
    expect(of(packetMp4({ packets, ticks: 48_000 }))?.[0]).toBe(40_000);
    const frames = Array.from({ length: 10 }, () => new Uint8Array(50));
    const alac = { entry: alacEntry(), packets: frames, timescale: 44_100, ticks: 1 };
    expect(of(packetMp4(alac))?.[0]).toBe(Math.ceil((10 * 4096 * 1000) / 44_100));
  });

  it("have no length where their packets cannot be found", () => {
    // Chunks that do not hold all packets.
    expect(of(packetMp4({ packets, inChunk: 1 }))).toBeNull();
    // A second table of places.
    expect(of(packetMp4({ packets, more: [table("stco", 1, 40)] }))).toBeNull();
    expect(of(packetMp4({ packets, entry: alacEntry(0), ticks: 4096 }))).toBeNull();
  });

  it("are as long as packets can be where they lie beyond the file", () => {
    const far = packetMp4({ packets }).slice();
    // The second chunk's place: the last four bytes of the file.
    far.set([0x7f, 0xff, 0xff, 0xff], far.length - 4);
    expect(of(far)?.[0]).toBe(20 * 20 + 20 * 120);
  });
});

describe("Opus in fragments of MP4", () => {
  const packets = Array.from({ length: 51 }, (_, at) => opusPacket(0xf8, 20 + (at % 7)));
  // 60 ms each
  const long = packets.map(({ length }) => opusPacket(0x18, length));
  const even = Array.from({ length: 51 }, () => opusPacket());

  it.each(["moof", "base", "neither"] as const)("is as long as its packets, placed by %s", (by) => {
    for (const split of [false, true]) {
      expect(of(fragmentedOpus({ packets, by, split }))).toEqual([51 * 20, 51 * 20]);
      expect(of(fragmentedOpus({ packets: long, by, split }))).toEqual([51 * 60, 51 * 60]);
    }
  });

  it.each(["fragment", "movie"] as const)("has one size for all packets, by the %s", (sizes) => {
    expect(of(fragmentedOpus({ packets: even, sizes, split: true }))).toEqual([1020, 1020]);
  });

  it("is held for what its packets say, or for what its times say, whichever is longer", () => {
    expect(of(fragmentedOpus({ packets, saidMs: 1 }))).toEqual([1020, 1020]);
    expect(of(fragmentedOpus({ packets, saidMs: 100 }))).toEqual([5100, null]);
  });

  it("is as long as packets can be where they lie beyond the file", () => {
    expect(of(fragmentedOpus({ packets, aside: 1_000_000 }))).toEqual([51 * 120, 51 * 120]);
  });

  it.each<readonly [string, Bytes]>([
    ["two bases", fragmentedOpus({ packets, by: "base", flags: 0x20000 })],
    ["two tracks in a fragment", fragmentedOpus({ packets, tracksInFragment: 2 })],
    ["two defaults", fragmentedOpus({ packets, defaults: 2 })],
    ["places before the file", fragmentedOpus({ packets, aside: -1_000_000 })],
  ])("has no length with %s", (_, bytes) => {
    expect(of(bytes)).toBeNull();
  });

  it("has no length where it claims more packets than are read of any recording", () => {
    const empty = fragmentedOpus({ packets: [joined()], sizes: "fragment" }).slice();
    const runAt = new TextDecoder("latin1").decode(empty).indexOf("trun");
    expect(of(empty)?.[0]).toBe(120);
    // Behind the type come the flags, then the count.
    empty.set([0xff, 0xff, 0xff, 0xff], runAt + 8);
    expect(of(empty)).toBeNull();
  });

  it("has no length where its fragments are cut within their sizes", () => {
    const whole = fragmentedOpus({ packets, inFragment: 51 });
    const moofAt = new TextDecoder("latin1").decode(whole).indexOf("moof");
    expect(of(whole.slice(0, moofAt + 60))).toBeNull();
  });
});

describe("an honest recording", () => {
  it.each(ALL)("of %s is as long as it is", (format, bytes, ms) => {
    expect(audioFormat(bytes)).toBe(format);
    const [atMostMs, countedMs] = of(bytes) ?? [];
    expect(countedMs).toBe(ms);
    // WebM says when the last packet begins: a packet of the longest kind may follow.
    expect(atMostMs).toBe(format === "webm" ? 980 + 120 : ms);
  });

  it("of Vorbis is as long as its granules say, and held for its longer blocks", () => {
    expect(of(vorbis())).toEqual([999, 999]);
    expect(of(vorbis({ granule: 43 * 900 }))).toEqual([999, 878]);
  });

  it("of a stream says a size that cannot be", () => {
    expect(of(wav({ dataSize: 0xffffffff }))).toEqual([1000, 1000]);
    expect(of(wav({ dataSize: 0 }))).toEqual([1000, 1000]);
    expect(of(wav({ tag: 3, rate: 48_000, channels: 2 }))).toEqual([1000, 1000]);
  });

  it("of Opus in MP4 is as long as its packets say", () => {
    const packets = Array.from({ length: 51 }, () => opusPacket());
    expect(of(packetMp4({ packets }))).toEqual([51 * 20, 51 * 20]);
  });

  it("of Apple Lossless is as long as its frames", () => {
    const packets = Array.from({ length: 10 }, () => new Uint8Array(50));
    const made = { entry: alacEntry(), packets, ticks: 4096, timescale: 44_100 };
    const ms = Math.ceil((10 * 4096 * 1000) / 44_100);
    expect(of(packetMp4(made))).toEqual([ms, ms]);
  });

  it("of AAC in fragments is held for its frames, whatever the fragments say", () => {
    const short = mp4({ frames: 48, fragment: 16 }).slice();
    const text = new TextDecoder("latin1").decode(short);
    // The default ticks of a frame: behind the type, flags, track and description.
    short.set([0, 0, 0, 1], text.indexOf("trex") + 16);
    expect(of(short)).toEqual([48 * 64, null]);
  });

  it("in fragments has no length in its header", () => {
    expect(of(mp4({ frames: 48, fragment: 16 }))).toEqual([48 * 64, 48 * 64]);
  });

  it("that was cut is as long as what is left", () => {
    expect(of(wav().slice(0, 44 + 8000))).toEqual([500, 500]);
    expect(of(opus({ packets: 50 }).slice(0, -5))).toEqual([1000, 1000]);
    expect(audioLength(webm().slice(0, -5))?.countedMs).toBe(980);
  });

  it("with a picture in its tag is held for little more", () => {
    let seed = 7;
    const picture = Uint8Array.from({ length: 200_000 }, () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return seed >>> 24;
    });
    const heard = Math.ceil(600 * MP3_FRAME_MS);
    const [atMostMs = 0, countedMs] = of(mp3({ frames: 600, tag: { bytes: picture } })) ?? [];
    expect(countedMs).toBe(heard);
    expect(atMostMs / heard).toBeLessThan(1.25);
  });
});

describe("a lie", () => {
  const minute = Math.ceil(2300 * MP3_FRAME_MS);
  it.each<readonly [string, Bytes, number]>([
    ["a Xing header that counts too few", mp3({ frames: 2300, xing: 1 }), minute],
    [
      "two files, one behind the other",
      joined(mp3({ frames: 1150 }), mp3({ frames: 1150 })),
      minute,
    ],
    [
      "junk between the frames",
      joined(...Array.from({ length: 100 }, () => joined(mp3Frame(), [0, 0, 0]))),
      2613,
    ],
    ["STREAMINFO with too few samples", flac({ frames: 100, total: 1 }), 9288],
    ["STREAMINFO with a rate that is too high", flac({ frames: 100, rate: 192_000 }), 9288],
    ["a granule that is too low", opus({ packets: 200, granule: 10 }), 4000],
    ["a granule that is too high", late(), 10_000],
    [
      "a chain of streams",
      joined(opus({ serial: 1 }), opus({ serial: 2 }), opus({ serial: 3 })),
      3000,
    ],
    ["streams of one name", joined(opus(), opus()), 2000],
    ["a page within a page", oggWithin(), 1040],
    ["a packet of six frames", opus({ packets: 10, toc: 0xfb, granule: 1 }), 0],
    ["sizes of data that are too low", wav({ ms: 4000, dataSize: 100 }), 4000],
    ["another chunk of data", wav({ after: joined("data", [0, 0, 0, 0], wav()) }), 2000],
    ["a rate of bytes that is too high", wav({ byteRate: 1_000_000 }), 1000],
    ["a rate of bytes that is too low", wav({ byteRate: 160 }), 100_000],
    ["a movie that is too short", mp4({ frames: 100, movieMs: 1, mediaTicks: 1 }), 6400],
    ["a movie that is too long", mp4({ movieMs: 90_000 }), 90_000],
    ["media that is too long", mp4({ mediaTicks: 1_600_000 }), 100_000],
    [
      "a table of times that is too short",
      mp4({ frames: 100, tableTicks: 100, mediaTicks: 1, movieMs: 1 }),
      6400,
    ],
    ["a table of sizes that is too long", mp4({ samples: 1000 }), 64_000],
    ["edits that repeat", mp4({ edits: [1000, 1000, 1000, 1000] }), 4000],
    ["a duration that is too short", webm({ packets: 500, duration: 10 }), 10_000],
    ["a duration that is too long", webm({ duration: 70_000 }), 70_000],
    ["times that stand still", webm({ packets: 500, apart: 0 }), 10_000],
    ["times that run", webm({ packets: 20, apart: 1000 }), 19_120],
    ["laced blocks", webm({ lacing: 2 }), 12_000],
  ])("%s: held for what could be heard", (_, bytes, ms) => {
    expect(audioLength(bytes)?.atMostMs ?? 0).toBeGreaterThanOrEqual(ms);
  });

  it.each<readonly [string, Bytes]>([
    ["data that is longer than it says", wav({ ms: 4000, dataSize: 100 })],
    ["rates that differ", wav({ byteRate: 160 })],
    ["a granule that is too high", late()],
    ["edits that repeat", mp4({ edits: [1000, 1000, 1000, 1000] })],
    ["a table that is too short", mp4({ frames: 100, tableTicks: 100 })],
    ["a duration that is too long", webm({ duration: 70_000 })],
  ])("%s: what is heard is not known", (_, bytes) => {
    expect(audioLength(bytes)?.countedMs).toBeNull();
  });

  it("an ID3 tag that says it is longer hides no frames", () => {
    const inside = joined(...Array.from({ length: 400 }, () => mp3Frame()));
    const [atMostMs, countedMs] = of(mp3({ frames: 38, tag: { bytes: inside } })) ?? [];
    expect(atMostMs).toBeGreaterThanOrEqual(Math.floor(438 * MP3_FRAME_MS));
    expect(countedMs).toBeNull();
  });

  it("frames that overlap count once, the longer chain of them", () => {
    // Behind each header of 417 bytes the frames of 8 kHz and 8 kbit/s that it hides: 72 bytes, 72 ms.
    const small = joined([0xff, 0xe3, 0x18, 0x00], new Uint8Array(68));
    const hidden = mp3Frame(joined(new Uint8Array(53), small, small, small, small, small));
    const [atMostMs = 0] = of(joined(...Array.from({ length: 40 }, () => hidden))) ?? [];
    expect(atMostMs).toBeGreaterThanOrEqual(40 * 5 * 72);
  });
});

/** A second of packets, then one that says it is heard at 10 s. */
function late(): Bytes {
  return joined(opus({ packets: 1 }), oggPage({ packets: [opusPacket()], granule: 480_000 }));
}

/** Readers that check the outer page's sum drop it, and find the pages that are inside. */
function oggWithin(): Bytes {
  const inner = oggPage({
    packets: Array.from({ length: 50 }, () => opusPacket()),
    granule: 48_000,
  });
  const outer = oggPage({ packets: [joined(0xf8, inner)], granule: 960 });
  return joined(opus({ packets: 1 }), outer);
}

describe("no length that can be vouched for", () => {
  it.each<readonly [string, Bytes]>([
    ["nothing", new Uint8Array()],
    ["text", joined("Good morning to all of you, friends")],
    ["zeros", new Uint8Array(1000)],
    ["compressed audio in WAV", wav({ tag: 0x55 })],
    ["two formats in WAV", wav({ fmtTwice: true })],
    ["WAV without data", wav().slice(0, 36)],
    ["WAV of rate 0", wav({ rate: 0, ms: 0 })],
    ["an ID3 tag with something else behind", joined("ID3", [4, 0, 0, 0, 0, 0, 0], flac())],
    ["a frame, and then something else", joined(mp3Frame(), new Uint8Array(1000))],
    ["Ogg with an unknown codec", oggPage({ packets: [joined("Speex   ")], granule: 0, flags: 2 })],
    ["Ogg without a beginning", oggPage({ packets: [opusPacket()], granule: 960 })],
    ["one stream with two codecs", joined(opus(), vorbis())],
    ["Vorbis of rate 0", vorbis({ head: joined("\x01vorbis", new Uint8Array(23)) })],
    ["MP4 without a movie", box("ftyp", "M4A ")],
    ["MP4 with another codec", mp4({ objectType: 0x6b })],
    ["MP4 with two sounds", mp4({ soundTracks: 2 })],
    [
      "MP4 with a box that leaves its own",
      joined(box("ftyp", "M4A "), box("moov", [0, 0, 1, 0], "mvhd")),
    ],
    ["WebM with another codec", webm({ codec: "A_AAC" })],
    ["WebM with stripped headers", webm({ encodings: true })],
    ["WebM with two scales", webm({ scales: 2 })],
    ["WebM without blocks", webm({ packets: 0 })],
    ["WebM with an element of unknown size", webm({ inCluster: element(0xec, null) })],
    ["FLAC without frames", flac({ frames: 0 })],
    ["more than a hundred days", webm({ duration: 1e13 })],
    ["a duration that is no number", webm({ duration: Number.NaN })],
  ])("%s", (_, bytes) => {
    expect(audioLength(bytes)).toBeNull();
  });

  it("a description of a track is not taken from a cluster", () => {
    const [, countedMs] = of(webm({ inCluster: sized(0x83, 1) })) ?? [];
    expect(countedMs).toBe(1000);
  });
});

describe("any bytes", () => {
  const recordings = fc.constantFrom(...ALL.map(([, bytes]) => bytes));

  it("have a length or none, and never fail", () => {
    const changed = fc
      .tuple(recordings, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }), fc.nat())
      .map(([bytes, changes, cut]) => {
        const copy = bytes.slice(0, bytes.length - (cut % 3 === 0 ? cut % bytes.length : 0));
        for (const [at, value] of changes) copy[at % Math.min(copy.length, 400)] = value;
        return copy;
      });
    fc.assert(
      fc.property(changed, (bytes) => {
        const length = audioLength(bytes);
        if (length === null) return;
        expect(Number.isSafeInteger(length.atMostMs)).toBe(true);
        expect(length.countedMs ?? 0).toBeLessThanOrEqual(length.atMostMs);
      }),
      { numRuns: 3000 },
    );
  });

  it("of MPEG audio are held for every way of choosing frames", () => {
    const frames = fc.array(
      fc.oneof(
        fc.constant([0xff, 0xfb, 0x90]),
        fc.constant([0xff, 0xe3, 0x18]),
        fc.constant([0xff, 0xf3, 0x18]),
        fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => [...bytes]),
      ),
      { minLength: 1, maxLength: 60 },
    );
    const start = fc.nat(2000);
    fc.assert(
      fc.property(frames, start, (pieces, from) => {
        const bytes = joined(
          ...Array.from({ length: 20 }, () => mp3Frame()),
          ...pieces,
          mp3Frame(),
        );
        const length = audioLength(bytes);
        if (length === null) return;
        // A decoder that begins to look anywhere, and reads on from there.
        const heard = audioLength(joined(bytes.subarray(bytes.indexOf(0xff, from % bytes.length))));
        expect(heard?.countedMs ?? 0).toBeLessThanOrEqual(length.atMostMs);
      }),
      { numRuns: 500 },
    );
  });
});
