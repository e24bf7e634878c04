import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { JPEG, join, makePng } from "../engines/embedded/sample-pictures.ts";
import { MOSAICS, mosaicPng } from "../engines/embedded/picture-model/mosaics.ts";
import { makeTenant, type Reply, type TestTenant } from "../client.ts";
import { askedAbout, unique } from "./scripted.ts";

// Pictures, inline and by URL: what cannot be judged, read or fetched is never an approval.

const GEMMA = "@cf/google/gemma-4-26b-a4b-it";
const RULE = { inputs: ["image"], required: false, flag: null, block: 0.7, ban: 0.9 };

let tenant: TestTenant;
let png: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  tenant = await makeTenant("pictures", { plan: "paid", daily_neurons: 100_000 });
  const row = Array.from({ length: 8 }, (_, x) => [x * 30, 80, 200 - x * 20]).flat();
  png = await makePng(
    { width: 8, height: 4, depth: 8, colour: 2 },
    Array.from({ length: 4 }, () => row),
  );
  await tenant.call("PUT", "/v1/policies/labels-only", { categories: { nsfw: RULE } });
  await tenant.call("PUT", "/v1/policies/seeing", { models: { vision: GEMMA } });
});

const base64 = (bytes: Uint8Array): string => bytes.toBase64();
const marked = (marker: string): Uint8Array =>
  join([png, new TextEncoder().encode(`[[fake:${marker}]]`)]);
const judged = (bytes: Uint8Array, more: object = {}): Promise<Reply> =>
  tenant.call("POST", "/v1/verdicts", { images: [{ base64: base64(bytes) }], ...more });
const seen = (marker: string): Promise<Reply> =>
  tenant.onWorkersAi("POST", "/v1/verdicts", {
    images: [{ base64: base64(marked(`${marker}|${unique()}`)) }],
    policy: "seeing",
  });

describe("the embedded engine, which has a small model", () => {
  it("approves a harmless picture under the default policy, and names what judged it", async () => {
    const { body } = await judged(png);
    expect(body).toMatchObject({
      decision: "allow",
      approved: true,
      language: null,
      coverage: { nsfw: "evaluated", weapons: "not_evaluated", toxicity: "not_required" },
      reasons: [],
    });
    expect(body.stages).toHaveLength(2);
    expect(body.stages[0]).toMatchObject({
      name: "labels",
      input: "images/0",
      engine: "embedded",
      model: "neurogate/pixels@1",
      status: "not_evaluated",
      scores: {},
      measurements: { format: "png", width: 8, height: 4 },
    });
    expect(body.stages[1]).toMatchObject({
      name: "picture",
      input: "images/0",
      engine: "embedded",
      model: "neurogate/nsfw-mobilenet-v2@1",
      priced_as: null,
      status: "evaluated",
      micro_neurons: 0,
    });
    expect(body.micro_neurons).toBe(228_055);
  });

  it("answers for a vision model that the policy names, at that model's price", async () => {
    const { body } = await judged(await mosaicPng(MOSAICS.blocked), { policy: "seeing" });
    expect(body).toMatchObject({ decision: "block", scores: { nsfw: 0.791 } });
    expect(body.stages.map(({ name }: { name: string }) => name)).toEqual(["labels", "vision"]);
    expect(body.stages[1]).toMatchObject({
      model: "neurogate/nsfw-mobilenet-v2@1",
      priced_as: GEMMA,
      basis: "estimated",
    });
  });

  it("is asked also where a policy wants nothing else of pictures", async () => {
    const nothing = { inputs: [], required: false, flag: null, block: null, ban: null };
    const categories = { weapons: nothing, alcohol: nothing, swimwear: nothing };
    await tenant.call("PUT", "/v1/policies/nsfw-only", { categories });
    const { body } = await judged(png, { policy: "nsfw-only" });
    expect(body).toMatchObject({ decision: "allow", approved: true, micro_neurons: 0 });
    expect(body.stages.map(({ name }: { name: string }) => name)).toEqual(["picture"]);
  });

  it("looks at nothing of an item that a term has blocked", async () => {
    await tenant.call("PUT", "/v1/policies/spare", { terms: { block: ["zyzzyva"] } });
    const { body } = await judged(png, { policy: "spare", text: "zyzzyva" });
    expect(body).toMatchObject({ decision: "block", coverage: { nsfw: "not_required" } });
    const stage = body.stages.find(({ name }: { name: string }) => name === "picture");
    expect(stage).toMatchObject({ status: "not_required", model: null, scores: {} });
  });

  it("is not asked beside a real vision model, nor in its place", async () => {
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", {
      images: [{ base64: base64(png) }],
    });
    expect(body).toMatchObject({ decision: "flag", approved: false });
    expect(body.coverage.nsfw).toBe("not_evaluated");
  });

  it.each([
    ["flagged", "flag", 0.609, 0.5, []],
    ["blocked", "block", 0.791, 0.7, ["hide_content", "warn_user"]],
  ] as const)("says why a picture is %s", async (name, decision, score, threshold, actions) => {
    const { body } = await judged(await mosaicPng(MOSAICS[name]));
    expect(body).toMatchObject({
      decision,
      approved: false,
      actions,
      scores: { nsfw: score },
      reasons: [
        {
          kind: "score",
          category: "nsfw",
          input: "images/0",
          score,
          threshold,
          message: `nsfw is ${score} (by a small model, which has false alarms); this policy ${decision}s from ${threshold}.`,
        },
      ],
    });
  });

  it("looks at each of eight pictures", async () => {
    const mosaic = await mosaicPng(MOSAICS.blocked);
    const images = Array.from({ length: 8 }, (_, at) => ({
      base64: base64(at === 5 ? mosaic : png),
    }));
    const { body } = await tenant.call("POST", "/v1/verdicts", { images });
    expect(body).toMatchObject({ decision: "block", reasons: [{ input: "images/5" }] });
    expect(body.stages.filter(({ name }: { name: string }) => name === "picture")).toHaveLength(8);
  });

  it("does not judge what is too large for its model, and says what to do", async () => {
    const large = await makePng(
      { width: 4_001, height: 1_000, depth: 1, colour: 0 },
      Array.from({ length: 1_000 }, () => Array<number>(501).fill(0)),
    );
    const { body } = await judged(large);
    expect(body).toMatchObject({
      decision: "flag",
      approved: false,
      coverage: { nsfw: "not_evaluated" },
      reasons: [{ kind: "unavailable", category: "nsfw", input: "images/0" }],
    });
    expect(body.reasons[0].message).toContain("more than 4 megapixels");
    // Nor is it decoded to be measured.
    const failure = { kind: "too_many_pixels" };
    const nothing = { status: "not_evaluated", measurements: null, micro_neurons: 0, failure };
    expect(body.stages).toMatchObject([
      { name: "labels", ...nothing },
      { name: "picture", ...nothing },
    ]);
  });

  it("is not approved under a policy that requires nothing of pictures", async () => {
    const { body } = await judged(png, { policy: "labels-only" });
    expect(body).toMatchObject({ decision: "allow", approved: false });
  });

  it("reads a JPEG", async () => {
    const { body } = await judged(JPEG);
    expect(body.stages[0].measurements).toMatchObject({ format: "jpeg", width: 24, height: 16 });
  });

  it.each([
    { what: "half a PNG", cut: () => png.subarray(0, 45) },
    { what: "a PNG without its end", cut: () => png.subarray(0, png.length - 20) },
    { what: "a JPEG that is cut", cut: () => JPEG.subarray(0, JPEG.length - 40) },
  ])("does not approve $what", async ({ cut }) => {
    const reply = await judged(cut());
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ decision: "flag", approved: false });
  });
});

/** A PNG header that claims a size. */
function claiming(width: number, height: number): Uint8Array {
  const claimed = png.slice();
  new DataView(claimed.buffer).setUint32(16, width);
  new DataView(claimed.buffer).setUint32(20, height);
  return claimed;
}

describe("what is no picture for us", () => {
  it.each([
    {
      what: "a text file",
      bytes: () => new TextEncoder().encode("Dear Sir or Madam, this is no picture at all"),
      detail: "must be a PNG, JPEG or WebP picture",
    },
    {
      what: "nothing",
      bytes: () => new Uint8Array(),
      detail: "must be a PNG, JPEG or WebP picture",
    },
    {
      what: "50,000 x 50,000 pixels",
      bytes: () => claiming(50_000, 50_000),
      detail: "must have at most 16 megapixels",
    },
    {
      what: "no pixels",
      bytes: () => claiming(0, 5),
      detail: "is a damaged picture: its header cannot be read",
    },
    {
      what: "a signature alone",
      bytes: () => png.subarray(0, 12),
      detail: "is a damaged picture: its header cannot be read",
    },
    {
      what: "more than 4 MB",
      bytes: () => join([png, new Uint8Array(4 * 1024 * 1024)]),
      detail: "must be at most 4 MB",
    },
  ])("is refused by name: $what", async ({ bytes, detail }) => {
    const reply = await judged(bytes());
    expect(reply.status).toBe(400);
    expect(reply.body.errors).toEqual([{ pointer: "#/images/0/base64", detail }]);
    const url = `data:image/png;base64,${base64(bytes())}`;
    const input = [{ type: "image_url", image_url: { url } }];
    const drop = await tenant.call("POST", "/v1/moderations", { input });
    expect(drop.status).toBe(400);
    expect(drop.body.error.param).toBe("input[0].image_url.url");
  });

  it.each([
    { images: [{ base64: "not base64!" }], pointer: "#/images/0/base64" },
    { images: [{}], pointer: "#/images/0" },
    { images: [{ url: "https://a.example.com/x", base64: "AA==" }], pointer: "#/images/0" },
    { images: [{ bytes: "AA==" }], pointer: "#/images/0/bytes" },
    { images: Array.from({ length: 9 }, () => ({ base64: "AA==" })), pointer: "#/images" },
    { images: [], pointer: "#" },
  ])("names the field $pointer", async ({ images, pointer }) => {
    const reply = await tenant.call("POST", "/v1/verdicts", { images });
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0].pointer).toBe(pointer);
  });

  it("may be 10 MB with everything around it", async () => {
    const reply = await tenant.call("POST", "/v1/verdicts", `{"text":"${"x".repeat(10_485_760)}"}`);
    expect(reply.status).toBe(413);
    expect(reply.body).toMatchObject({ kind: "body_too_large", limit_bytes: 10_485_760 });
  });
});

describe("the deployed engine", () => {
  it("approves what the vision model and the labels let pass", async () => {
    const { body } = await seen("ok");
    expect(body).toMatchObject({
      decision: "allow",
      approved: true,
      scores: { nsfw: 0, weapons: 0 },
      coverage: { nsfw: "evaluated", weapons: "evaluated" },
    });
  });

  it("blocks and bans by nsfw", async () => {
    const { body } = await seen("vision=score:nsfw=90");
    expect(body).toMatchObject({ decision: "block", actions: ["hide_content", "ban_user"] });
  });

  it("flags by a label, which it names", async () => {
    const { body } = await seen("labels=label:assault_rifle=0.74");
    expect(body).toMatchObject({ decision: "flag", approved: false, scores: { weapons: 0.74 } });
    expect(body.reasons[0]).toMatchObject({ kind: "label", category: "weapons", threshold: 0.7 });
    expect(body.reasons[0].message).toContain("Image label assault_rifle is in the group weapons");
  });

  it.each(["500", "5007", "malformed", "other_nonce", "extra_key", "float", "prose", "refusal"])(
    "does not approve when vision does: %s",
    async (behaviour) => {
      const { body } = await seen(`vision=${behaviour}`);
      expect(body).toMatchObject({
        decision: "flag",
        approved: false,
        coverage: { nsfw: "failed", weapons: "evaluated" },
      });
    },
  );

  it("judges eight pictures, each on its own, two of them in a vision model at a time", async () => {
    const id = unique();
    const images = Array.from({ length: 8 }, (_, at) => ({
      base64: base64(marked(at === 5 ? `vision=score:nsfw=80|${id}` : `ok|${id}`)),
    }));
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { images, policy: "seeing" });
    expect(body.stages).toHaveLength(16);
    expect(body.reasons).toMatchObject([{ category: "nsfw", input: "images/5", score: 0.8 }]);
    expect(await askedAbout(id)).toHaveLength(16);
  });
});

describe("the URL of a picture", () => {
  it.each([
    "http://pictures.example.com/a.png",
    "ftp://pictures.example.com/a.png",
    "//pictures.example.com/a.png",
    "https://user:secret@pictures.example.com/a.png",
    "https://93.184.216.34/a.png",
    "https://127.0.0.1/a.png",
    "https://2130706433/a.png",
    "https://0177.0.0.1/a.png",
    "https://0x7f.1/a.png",
    "https://[::1]/a.png",
    "https://[::ffff:127.0.0.1]/a.png",
    "https://[::ffff:7f00:1]/a.png",
    "https://localhost/a.png",
    "https://localhost./a.png",
    "https://metadata.google.internal/a.png",
    "https://printer.local/a.png",
    "https://pictures.mine.com:8443/a.png",
    "data:image/png;base64,AAAA",
    "file:///etc/passwd",
  ])("is refused: %s", async (url) => {
    const reply = await tenant.call("POST", "/v1/verdicts", { images: [{ url }] });
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0].pointer).toBe("#/images/0/url");
    expect(JSON.stringify(reply.body)).not.toContain(url);
  });

  it("is refused in OpenAI's shape", async () => {
    const input = [{ type: "image_url", image_url: { url: "https://10.0.0.1/a.png" } }];
    const { status, body } = await tenant.call("POST", "/v1/moderations", { input });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ kind: "invalid_request", param: "input[0].image_url.url" });
  });
});

describe("fetching a picture", () => {
  afterEach(() => void vi.unstubAllGlobals());

  const realFetch = globalThis.fetch;
  /** A host that resolves to a public address and answers as told; everything else is real. */
  function host(answer: () => Response | Promise<Response>, address = "93.184.216.34"): string[] {
    const fetched: string[] = [];
    vi.stubGlobal("fetch", async (input: string | URL | Request, init?: RequestInit) => {
      const url = new URL(input instanceof Request ? input.url : input);
      if (url.hostname === "cloudflare-dns.com") {
        const type = url.searchParams.get("type") === "A" ? 1 : 28;
        const Answer = type === 1 ? [{ type, data: address }] : [];
        return Response.json({ Status: 0, Answer });
      }
      if (url.hostname !== "pictures.neurogate.dev") return realFetch(input, init);
      fetched.push(url.pathname);
      return answer();
    });
    return fetched;
  }
  const url = "https://pictures.neurogate.dev/a.png";
  const request = { images: [{ url }], policy: "seeing" };

  it("judges what came", async () => {
    const fetched = host(() => new Response(png));
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", request);
    expect(body).toMatchObject({ decision: "allow", approved: true });
    expect(fetched).toEqual(["/a.png"]);
  });

  it.each([
    { what: "is not there", answer: () => new Response("no", { status: 404 }) },
    { what: "redirects", answer: () => Response.redirect("https://10.0.0.1/", 302) },
    { what: "is no picture", answer: () => new Response("<html>") },
    {
      what: "cannot be reached",
      answer: () => Promise.reject(new Error("connection refused")),
    },
  ])("fails the checks, flags and charges nothing when it $what", async ({ answer }) => {
    host(answer);
    const { status, body } = await tenant.onWorkersAi("POST", "/v1/verdicts", request);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      decision: "flag",
      approved: false,
      micro_neurons: 0,
      coverage: { nsfw: "failed", weapons: "failed" },
      reasons: [{ kind: "unavailable", category: "nsfw", input: "images/0" }],
      review: { state: "open" },
    });
    // Who can read more than this out of us has a scanner of our network.
    expect(JSON.stringify(body)).not.toContain("404");
    const line = (await tenant.call("GET", "/v1/ledger")).body.data[0];
    expect(line).toMatchObject({ outcome: "voided", micro_neurons: 0 });
  });

  it("does not go to a public name with a private address", async () => {
    const fetched = host(() => new Response(png), "10.0.0.7");
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", request);
    expect(body.approved).toBe(false);
    expect(fetched).toEqual([]);
  });

  it("does not fetch what no stage would look at", async () => {
    const fetched = host(() => new Response(png));
    const image = { ...RULE, inputs: [], block: null, ban: null };
    const categories = { nsfw: image, weapons: image, alcohol: image, swimwear: image };
    await tenant.call("PUT", "/v1/policies/blind", { categories, terms: { block: ["zyzzyva"] } });
    await tenant.call("POST", "/v1/verdicts", { images: [{ url }], policy: "blind" });
    const spared = { images: [{ url }], policy: "blind", text: "zyzzyva" };
    await tenant.call("POST", "/v1/verdicts", spared);
    expect(fetched).toEqual([]);
  });

  it("judges the text beside a picture that never came", async () => {
    host(() => new Response("no", { status: 404 }));
    const text = "You are a worthless stupid idiot";
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { ...request, text });
    expect(body).toMatchObject({
      decision: "block",
      coverage: { toxicity: "evaluated", nsfw: "failed" },
    });
  });
});
