import { describe, expect, it } from "vitest";
import { takeByteArrays } from "../../src/http/byte-arrays.ts";
import { utf8 } from "../../src/http/call-labels.ts";
import {
  parseJson,
  readBytes,
  readJson,
  jsonShape,
  MAX_STRINGS,
  MAX_VALUES,
} from "../../src/http/read-body.ts";
import { anIntake } from "./an-intake.ts";
import { countingBytes } from "./counting-bytes.ts";

interface Sent {
  readonly body: string | Uint8Array | ReadableStream<Uint8Array>;
  readonly headers?: Record<string, string>;
}

function post({ body, headers = {} }: Sent): Request {
  return new Request("https://gate.test/v1/verdicts", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
}

/** A body that arrives in pieces, and remembers how much of it was asked for. */
function drip(pieces: readonly Uint8Array[]): {
  readonly stream: ReadableStream<Uint8Array>;
  readonly sent: () => number;
} {
  let sent = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[sent++];
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, sent: () => sent };
}

const badBody = (detail: string) => ({ kind: "invalid_request", errors: [{ path: [], detail }] });

describe("sizes", () => {
  it("reads a body of exactly the limit", async () => {
    expect(await readJson(post({ body: '{"a":1}' }), 7, anIntake())).toMatchObject({
      kind: "json",
      value: { a: 1 },
      bytes: utf8('{"a":1}'),
    });
    const refused = { kind: "body_too_large", limitBytes: 6 };
    expect(await readJson(post({ body: '{"a":1}' }), 6, anIntake())).toEqual(refused);
  });

  it("refuses by the announced length, and reads to the end so that the sender can hear it", async () => {
    const { stream, sent } = drip([utf8("[1]"), utf8("[2]"), utf8("[3]")]);
    const request = post({ body: stream, headers: { "content-length": "9" } });
    expect(await readJson(request, 6, anIntake())).toEqual({
      kind: "body_too_large",
      limitBytes: 6,
    });
    expect(sent()).toBe(4); // the fourth was the end
  });

  it("reads nothing of what is announced as more than twice the limit", async () => {
    const { stream, sent } = drip([utf8("1")]);
    const request = post({ body: stream, headers: { "content-length": "13" } });
    expect(await readJson(request, 6, anIntake())).toEqual({
      kind: "body_too_large",
      limitBytes: 6,
    });
    expect(sent()).toBe(0);
  });

  it("throws away no more than twice the limit, whatever was announced", async () => {
    const { stream, sent } = drip(Array.from({ length: 1000 }, () => utf8("12345")));
    const request = post({ body: stream, headers: { "content-length": "7" } });
    expect(await readJson(request, 6, anIntake())).toEqual({
      kind: "body_too_large",
      limitBytes: 6,
    });
    expect(sent()).toBe(3);
  });

  it("throws away what has another type", async () => {
    const { stream, sent } = drip([utf8("[1]")]);
    const request = post({ body: stream, headers: { "content-type": "text/plain" } });
    expect((await readJson(request, 6, anIntake())).kind).toBe("unsupported_media_type");
    expect(sent()).toBe(2);
  });

  it("keeps no more memory than the body has, however it was announced and cut", async () => {
    const whole = Uint8Array.from({ length: 1000 }, (_, at) => at % 251);
    const cut = (sizes: readonly number[]): Uint8Array[] =>
      sizes.map((size, at) => {
        const from = sizes.slice(0, at).reduce((sum, one) => sum + one, 0);
        return whole.slice(from, from + size);
      });
    for (const sizes of [[1000], [1, 999], [600, 400], [100, 300, 599, 1], [10, 10, 980]]) {
      for (const length of ["1000", "1", "990", null]) {
        const headers = length === null ? {} : { "content-length": length };
        const request = post({ body: drip(cut(sizes)).stream, headers });
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const bytes = await readBytes(request, 2000, anIntake());
        if (!(bytes instanceof Uint8Array)) throw new Error(bytes.kind);
        const end = bytes.length;
        expect(bytes).toEqual(whole.subarray(0, end));
        expect(bytes.buffer.byteLength).toBe(end);
        // HTTP ends a body where it was announced to end; what has come by then is read.
        if (length === null || length === "1000") expect(end).toBe(1000);
      }
    }
  });

  it("counts what arrives, whatever was announced", async () => {
    const { stream, sent } = drip(Array.from({ length: 1000 }, () => new Uint8Array(10)));
    const request = post({ body: stream, headers: { "content-length": "5" } });
    expect(await readBytes(request, 100, anIntake())).toEqual({
      kind: "body_too_large",
      limitBytes: 100,
    });
    expect(sent()).toBeLessThan(20);
  });

  it("asks for no more than was announced", async () => {
    const { stream, sent } = drip(Array.from({ length: 10 }, () => utf8("12")));
    const request = post({ body: stream, headers: { "content-length": "4" } });
    expect(await readBytes(request, 100, anIntake())).toEqual(utf8("1212"));
    expect(sent()).toBe(2);
  });

  it("puts together what comes byte by byte", async () => {
    const text = JSON.stringify({ text: "héllo ".repeat(2000) });
    const { stream } = drip(Array.from(utf8(text), (byte) => new Uint8Array([byte])));
    expect(await readJson(post({ body: stream }), 100_000, anIntake())).toMatchObject({
      kind: "json",
      value: { text: "héllo ".repeat(2000) },
    });
  });

  it("answers a sender that went away", async () => {
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error("gone"));
      },
    });
    expect(await readJson(post({ body: stream }), 10, anIntake())).toEqual(
      badBody("must be sent completely"),
    );
  });
});

describe("media types", () => {
  it.each([
    "application/json",
    "Application/JSON; charset=UTF-8",
    'application/json;charset="utf-8"',
  ])("takes %s", async (type) => {
    const request = post({ body: "1", headers: { "content-type": type } });
    expect(await readJson(request, 10, anIntake())).toMatchObject({ kind: "json", value: 1 });
  });

  it.each([
    { "content-type": "text/plain" },
    { "content-type": "" },
    { "content-type": "application/json; charset=latin1" },
    { "content-type": "application/jsonp" },
    { "content-encoding": "zstd" },
  ])("refuses %o", async (headers) => {
    expect(await readJson(post({ body: "1", headers }), 10, anIntake())).toEqual({
      kind: "unsupported_media_type",
      expected: "application/json",
    });
  });
});

describe("content", () => {
  it.each([
    ["", "must be JSON"],
    ["{", "must be JSON"],
    ["{'a':1}", "must be JSON"],
    ['"a', "must be JSON"],
    [new Uint8Array([0x22, 0xff, 0x22]), "must be valid UTF-8"],
    [new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]), "must be valid UTF-8"],
    ['{"__proto__":{"admin":true}}', "must not have a key __proto__"],
    ['[{"a":{"__proto__":1}}]', "must not have a key __proto__"],
    ['{"\\u005f_proto_\\u005f":1}', "must not have a key __proto__"],
    ["[".repeat(33) + "]".repeat(33), "must not nest deeper than 32 levels"],
    ["[".repeat(500_000), "must not nest deeper than 32 levels"],
    [`[${"1,".repeat(200_000)}1]`, "must not hold more than 200000 values"],
  ])("%.20s", async (body, detail) => {
    expect(await readJson(post({ body }), 1_000_000, anIntake())).toEqual(badBody(detail));
  });

  it("is without its byte order mark, wherever its bytes lie", async () => {
    const bytes = utf8('..\ufeff{"text":"中é🏴"}');
    const body = bytes.subarray(2);
    expect(await readJson(post({ body }), 1000, anIntake())).toMatchObject({
      kind: "json",
      value: { text: "中é🏴" },
    });
    expect(parseJson(body)).toMatchObject({ kind: "json", value: { text: "中é🏴" } });
  });

  it.each([
    ['{"text":"__proto__"}', { text: "__proto__" }],
    [`{"text":"${"[".repeat(100)}\\\\"}`, { text: `${"[".repeat(100)}\\` }],
    [`{"text":"\\"${"{".repeat(100)}"}`, { text: `"${"{".repeat(100)}` }],
  ])("%s is fine", async (body, value) => {
    expect(await readJson(post({ body }), 1000, anIntake())).toMatchObject({ kind: "json", value });
  });

  it("takes 32 levels", async () => {
    const body = "[".repeat(32) + "]".repeat(32);
    expect(await readJson(post({ body }), 1000, anIntake())).toMatchObject({ kind: "json" });
  });
});

const TOO_MANY = `must not hold more than ${MAX_VALUES} values`;

const bodies: [string, string][] = [
  ["quotes and nothing else", `{${'"'.repeat(8_000_000)}`],
  ["empty names", `{${'"":'.repeat(2_000_000)}`],
  ["strings apart", `["a" ${'"b" '.repeat(2_000_000)}`],
  ["escaped quotes as names", `{${'"\\"" '.repeat(1_500_000)}`],
];

describe("a body of strings", () => {
  it.each(bodies)("is refused once there are too many: %s", (_, body) => {
    const bytes = new TextEncoder().encode(body);
    expect(parseJson(bytes)).toMatchObject({ errors: [{ detail: TOO_MANY }] });
  });

  it.each(bodies)("is looked at no further, whatever its size: %s", (_, body) => {
    for (const read of [jsonShape, (all: Uint8Array) => takeByteArrays(all, ["image"])]) {
      const { bytes, steps } = countingBytes(new TextEncoder().encode(body));
      read(bytes);
      expect(steps()).toBeLessThan(20 * MAX_STRINGS);
    }
  });

  it("is right with as many names and strings as values may be", () => {
    const body = `{${Array.from({ length: MAX_VALUES - 2 }, () => '"a":"b"').join()}}`;
    expect(parseJson(new TextEncoder().encode(body)).kind).toBe("json");
  });
});
