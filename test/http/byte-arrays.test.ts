import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RUN_BODIES } from "../../abuse/hostile-bodies.mjs";
import { takeByteArrays } from "../../src/http/byte-arrays.ts";
import { countingBytes } from "./counting-bytes.ts";

const take = (json: string, names = ["image", "audio"]) => {
  const { json: rest, arrays } = takeByteArrays(new TextEncoder().encode(json), names);
  const bytes = Object.fromEntries([...arrays].map(([name, value]) => [name, [...value]]));
  return { rest: new TextDecoder().decode(rest), bytes };
};

describe("arrays of bytes", () => {
  it("are taken out of a body, and the rest is left", () => {
    expect(take('{"a":"x","image":[0, 7 ,255],"b":[1]}')).toEqual({
      rest: '{"a":"x","image":[],"b":[1]}',
      bytes: { image: [0, 7, 255] },
    });
    expect(take('{ "image" : [ 1\n] , "audio":[2] }')).toEqual({
      rest: '{ "image" : [] , "audio":[] }',
      bytes: { image: [1], audio: [2] },
    });
  });

  it.each([
    '{"image":[]}',
    '{"image":[256]}',
    '{"image":[-1]}',
    '{"image":[1.5]}',
    '{"image":[0000]}',
    '{"image":[1,]}',
    '{"image":[1 2]}',
    '{"image":[1,"2"]}',
    '{"image":[[1]]}',
    '{"image":[1',
    '{"image":',
    '{"image"',
    '{"image":"[1]"}',
    '{"other":[1]}',
    '{"a":{"image":[1]}}',
    '[{"image":[1]}]',
    '{"a":"\\"image\\":[1]"}',
    '"image":[1]',
    "",
  ])("are not: %s", (json) => {
    expect(take(json)).toEqual({ rest: json, bytes: {} });
  });

  it("leave JSON that says the same, whatever stands beside them", () => {
    const bytes = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), bytes, (others, image) => {
        const { image: _, audio: __, ...body } = others;
        const taken = take(JSON.stringify({ ...body, image }, null, 1));
        expect(taken.bytes).toEqual({ image });
        expect(JSON.parse(taken.rest)).toEqual(JSON.parse(JSON.stringify({ ...body, image: [] })));
      }),
      { numRuns: 300 },
    );
  });
});

const inBody = (value: string) => new TextEncoder().encode(`{"audio":"${value}","task":"a"}`);

const taken = (value: string) =>
  takeByteArrays(inBody(value), ["image", "audio"], { base64Names: ["audio"] });

describe("a recording in base64", () => {
  const audio = Uint8Array.from({ length: 150_001 }, (_, at) => (at * 7) % 256);
  const lines = (end: string) => audio.toBase64().replaceAll(/.{1,76}/g, `$&${end}`);

  it.each([
    ["as it is", audio.toBase64()],
    ["without padding", audio.toBase64({ omitPadding: true })],
    ["with slashes escaped, as PHP writes it", audio.toBase64().replaceAll("/", "\\/")],
    ["in lines, as Python's base64.encodebytes writes it", lines("\\n")],
    ["in lines of mail", lines("\\r\\n")],
    ["in lines, slashes escaped", lines("\\n").replaceAll("/", "\\/")],
    ["as a data URI", `data:audio/mpeg;base64,${audio.toBase64()}`],
  ])("is taken out: %s", (_, value) => {
    const { json, arrays } = taken(value);
    expect(new TextDecoder().decode(json)).toBe('{"audio":"","task":"a"}');
    expect(arrays.get("audio")?.toBase64()).toBe(audio.toBase64());
  });

  it.each([
    ["what is short", audio.subarray(0, 1000).toBase64()],
    ["other escapes", audio.toBase64().replaceAll("/", "\\u002f")],
    ["a backslash of its own", `${audio.toBase64()}\\\\`],
    ["more line ends than letters", `${audio.toBase64()}${"\\n".repeat(70_000)}`],
    ["another alphabet", audio.toBase64({ alphabet: "base64url" })],
    ["padding in the middle", `${audio.subarray(0, 49_150).toBase64()}${audio.toBase64()}`],
    ["spaces", `${" ".repeat(70_000)}${audio.toBase64()}`],
    ["a stranger in the middle", audio.toBase64().replace(/.{70000}/, "$&!")],
  ])("is left: %s", (_, value) => {
    const { json, arrays } = taken(value);
    expect(arrays.size).toBe(0);
    expect(new TextDecoder().decode(json)).toBe(new TextDecoder().decode(inBody(value)));
  });
});

describe("what is long to read", () => {
  // What is counted is each byte that is read, and each that a native search passes.
  it.each(Object.keys(RUN_BODIES))("is walked over a few times at most: %s", (kind) => {
    const sizes = [20_000, 80_000];
    const perByte = sizes.map((size) => {
      const { bytes, steps } = countingBytes(RUN_BODIES[kind]?.(size) ?? new Uint8Array());
      takeByteArrays(bytes, ["image", "audio", "mask"], { base64Names: ["audio"] });
      return steps() / size;
    });
    for (const steps of perByte) expect(steps).toBeLessThan(12);
  });

  it.each([
    ["numbers", '{"a":[0', ",0"],
    ["brackets", '{"a":[0', ",[]"],
    ["names", '{"a":0', ',"audio":0'],
    ["digits", '{"audio":[', "0"],
  ])("is read no further than what may be left: %s", (_, head, unit) => {
    const body = new TextEncoder().encode(head + unit.repeat(100_000));
    const { bytes, steps } = countingBytes(body);
    const { json, arrays } = takeByteArrays(bytes, ["audio"], { most: 10_000 });
    expect(arrays.size).toBe(0);
    expect(json.length).toBe(body.length);
    expect(steps()).toBeLessThan(60_000);
  });

  it("takes nothing out of a body that leaves too much", () => {
    const body = new TextEncoder().encode('{"audio":[1],"a":"xxxxxxxxxxxxxxxxxxxx"}');
    const limits = [20, 30, 40].map(
      (most) => takeByteArrays(body, ["audio"], { most }).arrays.size,
    );
    expect(limits).toEqual([0, 0, 1]);
  });

  it("is a field that comes twice: which one is meant is not known", () => {
    const body = new TextEncoder().encode(
      '{"audio":[1],"a":{"audio":[2]},"audio":[3],"audio":[4]}',
    );
    expect(takeByteArrays(body, ["image", "audio"]).repeated).toBe("audio");
  });
});
