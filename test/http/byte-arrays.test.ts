import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { takeByteArrays } from "../../src/http/byte-arrays.ts";

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
