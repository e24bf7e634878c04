import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { makePng } from "../engines/embedded/sample-pictures.ts";
import { makeTenant, type TestTenant } from "../client.ts";
import { unique } from "./scripted.ts";
import { openStream, readStream } from "./streams.ts";

// Pictures that a chat names by URL: fetched when the call has its hold, and told of as one thing
// that is wrong with the request when they do not come.

const GEMMA = "@cf/google/gemma-4-26b-a4b-it";
const path = "/v1/chat/completions";
const url = "https://pictures.neurogate.dev/a.png";

let png: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  png = await makePng({ width: 1, height: 1, depth: 8, colour: 2 }, [[1, 2, 3]]);
});

afterEach(() => {
  vi.unstubAllGlobals();
  return reset();
});

const realFetch = globalThis.fetch;

/** A host that answers as told; everything else is real. */
function host(answer: () => Response | Promise<Response>, address = "93.184.216.34"): string[] {
  const fetched: string[] = [];
  vi.stubGlobal("fetch", async (input: string | URL | Request, init?: RequestInit) => {
    const asked = new URL(input instanceof Request ? input.url : input);
    if (asked.hostname === "cloudflare-dns.com") {
      const type = asked.searchParams.get("type") === "A" ? 1 : 28;
      return Response.json({ Status: 0, Answer: type === 1 ? [{ type, data: address }] : [] });
    }
    if (asked.hostname !== "pictures.neurogate.dev") return realFetch(input, init);
    fetched.push(asked.pathname);
    return answer();
  });
  return fetched;
}

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => makeTenant(`seen-${(made += 1)}`, settings);

const picture = (named: string) => ({ type: "image_url", image_url: { url: named } });
const bodyOf = (id: string, ...pictures: string[]) => ({
  model: GEMMA,
  messages: [
    {
      role: "user",
      content: [{ type: "text", text: `[[fake:ok|${id}]]` }, ...pictures.map(picture)],
    },
  ],
});

async function sentPictures(id: string): Promise<string[]> {
  const asked = await realFetch(new URL(`/__requests?match=${id}`, env.FAKE_AI_URL));
  const requests: { inputs: { messages: { content: { image_url?: { url: string } }[] }[] } }[] =
    await asked.json();
  return requests.flatMap(({ inputs }) =>
    inputs.messages.flatMap(({ content }) => content.flatMap((part) => part.image_url?.url ?? [])),
  );
}

describe("a picture that is named by URL", () => {
  it("is fetched once, however often it is named, and sent as a data URI", async () => {
    const fetched = host(() => new Response(png));
    const tenant = await aTenant();
    const id = unique();
    const reply = await tenant.onWorkersAi("POST", path, bodyOf(id, url, url));
    expect(reply.status).toBe(200);
    expect(fetched).toEqual(["/a.png"]);
    const dataUri = `data:image/png;base64,${png.toBase64()}`;
    expect(await sentPictures(id)).toEqual([dataUri, dataUri]);
  });

  it("is fetched for a stream too", async () => {
    const fetched = host(() => new Response(png));
    const tenant = await aTenant();
    const { done } = await readStream(await openStream(tenant.key, bodyOf(unique(), url)));
    expect(done).toBe(true);
    expect(fetched).toEqual(["/a.png"]);
  });

  it("is not fetched for a call that is not admitted", async () => {
    const fetched = host(() => new Response(png));
    const tenant = await aTenant({ daily_neurons: 1 });
    const reply = await tenant.onWorkersAi("POST", path, bodyOf(unique(), url));
    expect(reply.body.error.kind).toBe("over_limit");
    expect(fetched).toEqual([]);
  });

  it.each<[string, () => Response | Promise<Response>, string?]>([
    ["is not there", () => new Response("no", { status: 404 })],
    ["redirects", () => Response.redirect("https://10.0.0.1/", 302)],
    ["is no picture", () => new Response("<html>")],
    ["is too large", () => new Response(new Uint8Array(5_000_000))],
    ["cannot be reached", () => Promise.reject(new Error("connection refused"))],
    ["lies on a private host", () => new Response(png), "10.0.0.7"],
  ])(
    "and %s is the request's fault, told in one way, and costs nothing",
    async (_, answer, address) => {
      const fetched = host(answer, address);
      const tenant = await aTenant();
      const id = unique();
      for (const stream of [false, true]) {
        const body = { ...bodyOf(id, url), stream };
        // oxlint-disable-next-line no-await-in-loop -- two
        const reply = await tenant.onWorkersAi("POST", path, body);
        expect(reply.status).toBe(400);
        expect(reply.body.error).toMatchObject({
          kind: "invalid_request",
          param: "messages[0].content[1].image_url.url",
          message: expect.stringContaining("on a public host that gives it at once"),
        });
      }
      expect(fetched).toHaveLength(address === undefined ? 2 : 0);
      expect(await sentPictures(id)).toEqual([]);
      const { body } = await tenant.call("GET", "/v1/ledger");
      expect(body.data).toMatchObject([
        { outcome: "voided", micro_neurons: 0 },
        { outcome: "voided", micro_neurons: 0 },
      ]);
    },
  );

  it("counts with the others towards what a request may carry", async () => {
    host(() => new Response(bloated(3_500_000)));
    const tenant = await aTenant();
    const urls = Array.from({ length: 4 }, (_, at) => `${url}?${at}`);
    const reply = await tenant.onWorkersAi("POST", path, bodyOf(unique(), ...urls));
    expect(reply.status).toBe(400);
    expect(reply.body.error.param).toBe("messages[0].content[4].image_url.url");
  });
});

/** The same picture with so many bytes behind its end. */
function bloated(bytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes);
  whole.set(png);
  return whole;
}
