import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { BodyBudget, BODY_LIMITS } from "../../src/io/body-budget.ts";
import { utf8 } from "../../src/http/call-labels.ts";
import { LARGE_BODY_BYTES } from "../../src/http/intake.ts";
import { readBytes, readForm, readJson } from "../../src/http/read-body.ts";
import { anIntake } from "./an-intake.ts";

const LIMIT = 1_000_000;

const packed = (content: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(gzipSync(content));

function post(body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Request {
  return new Request("https://gate.test/v1/verdicts", {
    method: "POST",
    headers: { "content-type": "application/json", "content-encoding": "gzip", ...headers },
    body,
  });
}

const NOISE = Uint8Array.from({ length: 1000 }, (_, at) => Math.imul(at, 2_654_435_761) >>> 24);

const joined = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  new Uint8Array(parts.flatMap((part) => [...part]));

describe("a body in gzip", () => {
  it("is read as what is inside", async () => {
    const sent = packed(utf8('{"text":"hello"}'));
    expect(await readJson(post(sent), LIMIT, anIntake())).toMatchObject({
      kind: "json",
      value: { text: "hello" },
      bytes: utf8('{"text":"hello"}'),
    });
    const old = post(sent, { "content-encoding": "X-GZIP" });
    expect(await readJson(old, LIMIT, anIntake())).toMatchObject({ kind: "json" });
    const form = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--';
    const type = { "content-type": "multipart/form-data; boundary=b" };
    expect(await readForm(post(packed(utf8(form)), type), LIMIT, anIntake())).toMatchObject({
      fields: { a: "x" },
    });
  });

  it.each([0, 1, 16_384, 65_537, 70_000, 200_000, 999_999])(
    "has %d bytes inside",
    async (length) => {
      const bytes = await readBytes(post(packed(new Uint8Array(length))), LIMIT, anIntake());
      expect(bytes).toHaveLength(length);
    },
  );

  it("is never longer than the limit, and holds what it is", async () => {
    const bodies = new BodyBudget();
    const exact = packed(new Uint8Array(LIMIT));
    const bytes = await readBytes(post(exact), LIMIT, anIntake({ bodies }));
    expect(bytes).toHaveLength(LIMIT);
    expect(bytes).toMatchObject({ buffer: { byteLength: LIMIT } });
    expect(bodies.heldBytes).toBe(LIMIT);
    const bomb = packed(new Uint8Array(LIMIT + 1));
    expect(bomb.byteLength).toBeLessThan(2000);
    const empty = new BodyBudget();
    expect(await readBytes(post(bomb), LIMIT, anIntake({ bodies: empty }))).toEqual({
      kind: "body_too_large",
      limitBytes: LIMIT,
    });
    expect(empty.heldBytes).toBeLessThan(2000);
  });

  it("that says less than it holds is refused, and no more of it is written out", async () => {
    const bomb = packed(new Uint8Array(20_000_000));
    new DataView(bomb.buffer).setUint32(bomb.byteLength - 4, 10, true);
    const startedMs = performance.now();
    const outcome = await readBytes(post(bomb), LIMIT, anIntake());
    expect(outcome).toMatchObject({ kind: "invalid_request", errors: [{ path: [] }] });
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });

  it("is asked for as a large one where it is large inside", async () => {
    const large = packed(new Uint8Array(LARGE_BODY_BYTES + 1));
    const refusal = { kind: "tenant_suspended" } as const;
    const intake = anIntake({ refusal });
    expect(await readBytes(post(large), LIMIT, intake)).toEqual(refusal);
    expect(intake.asked()).toBe(1);
    const small = anIntake({ refusal });
    expect(await readBytes(post(packed(new Uint8Array(100))), LIMIT, small)).toHaveLength(100);
    expect(small.asked()).toBe(0);
  });

  it("finds no room where there is none", async () => {
    const limits = { ...BODY_LIMITS, totalBytes: 50_000, largeBytes: 50_000, waitMs: 10 };
    const intake = anIntake({ bodies: new BodyBudget(limits) });
    const outcome = await readBytes(post(packed(new Uint8Array(60_000))), LIMIT, intake);
    expect(outcome).toEqual({ kind: "unavailable", reason: "bodies" });
  });

  it.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["a plain text", utf8('{"text":"hello, this is no gzip"}')],
    ["one that is cut", joined(packed(NOISE).subarray(0, 500), [0xe8, 3, 0, 0])],
    [
      "one that is damaged",
      packed(utf8("a".repeat(100)))
        .with(15, 0xff)
        .with(16, 0xff),
    ],
  ])("that is %s is refused", async (_, body) => {
    expect(await readBytes(post(body.slice()), LIMIT, anIntake())).toMatchObject({
      kind: "invalid_request",
      errors: [{ path: [], detail: expect.stringContaining("gzip") }],
    });
  });

  it("may have several members", async () => {
    const parts = ['{"text":', '"hello', " and a".repeat(20_000), '"}'];
    const sent = joined(...parts.map((part) => packed(utf8(part)))).slice();
    const read = await readJson(post(sent), LIMIT, anIntake());
    expect(read).toMatchObject({ kind: "json", value: JSON.parse(parts.join("")) });
    const many = joined(...Array.from({ length: 11 }, () => packed(new Uint8Array(100_000))));
    expect(await readBytes(post(many.slice()), LIMIT, anIntake())).toEqual({
      kind: "body_too_large",
      limitBytes: LIMIT,
    });
    const cut = joined(packed(NOISE), packed(NOISE).subarray(0, 500)).slice();
    expect(await readBytes(post(cut), LIMIT, anIntake())).toMatchObject({
      kind: "invalid_request",
    });
  });
});

const ENCODED = [
  ["deflate", deflateSync, "deflate"],
  ["deflate without its header", deflateRawSync, "deflate"],
  ["br", brotliCompressSync, "br"],
] as const;

describe.each(ENCODED)("a body in %s", (_, pack, encoding) => {
  const sent = (content: Uint8Array) =>
    post(new Uint8Array(pack(content)), { "content-encoding": encoding });

  it("is read as what is inside", async () => {
    const json = await readJson(sent(utf8('{"text":"hello"}')), LIMIT, anIntake());
    expect(json).toMatchObject({ kind: "json", value: { text: "hello" } });
  });

  it.each([0, 1, 16_384, 16_385, 65_537, 200_000, 999_999, LIMIT])(
    "has %d bytes inside",
    async (length) => {
      const bodies = new BodyBudget();
      const bytes = await readBytes(sent(new Uint8Array(length)), LIMIT, anIntake({ bodies }));
      expect(bytes).toHaveLength(length);
      expect(bodies.heldBytes).toBe(length);
    },
  );

  it("is never longer than the limit, however short it is packed", async () => {
    for (const length of [LIMIT + 1, 50_000_000]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await readBytes(sent(new Uint8Array(length)), LIMIT, anIntake())).toEqual({
        kind: "body_too_large",
        limitBytes: LIMIT,
      });
    }
  });

  it("is asked for as a large one where it is large inside", async () => {
    const refusal = { kind: "tenant_suspended" } as const;
    const large = sent(new Uint8Array(LARGE_BODY_BYTES + 1));
    expect(await readBytes(large, LIMIT, anIntake({ refusal }))).toEqual(refusal);
    const small = anIntake({ refusal });
    expect(await readBytes(sent(new Uint8Array(100)), LIMIT, small)).toHaveLength(100);
    expect(small.asked()).toBe(0);
  });

  it("finds no room where there is none", async () => {
    const limits = { ...BODY_LIMITS, totalBytes: 50_000, largeBytes: 50_000, waitMs: 10 };
    const intake = anIntake({ bodies: new BodyBudget(limits) });
    const outcome = await readBytes(sent(new Uint8Array(60_000)), LIMIT, intake);
    expect(outcome).toEqual({ kind: "unavailable", reason: "bodies" });
  });

  it("is refused where it is cut, or is something else", async () => {
    const cut = new Uint8Array(pack(NOISE)).slice(0, -10);
    for (const body of [cut, utf8('{"text":"hello"}').slice(), new Uint8Array()]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const outcome = await readBytes(
        post(body, { "content-encoding": encoding }),
        LIMIT,
        anIntake(),
      );
      expect(outcome).toMatchObject({
        kind: "invalid_request",
        errors: [{ path: [], detail: expect.stringContaining(encoding) }],
      });
    }
  });
});

describe("other encodings", () => {
  it("are not read", async () => {
    for (const encoding of ["zstd", "compress", "gzip, gzip", "br, gzip"]) {
      const headers = { "content-encoding": encoding };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const outcome = await readJson(post(packed(utf8("1")), headers), LIMIT, anIntake());
      expect(outcome.kind).toBe("unsupported_media_type");
    }
  });
});
