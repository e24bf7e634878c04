import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { reset } from "cloudflare:test";
import { makePng } from "../engines/embedded/sample-pictures.ts";
import { makeTenant, type Reply, type TestTenant } from "../client.ts";
import { askedFor } from "./scripted.ts";
import { answeredWith, makeSession } from "./session-client.ts";

// Pictures in a session: those of earlier messages never stand in the way of a new one.

const URL_OF_PICTURE = "https://pictures.neurogate.dev/a.png";

let dataUri: string;
let png: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  png = await makePng({ width: 1, height: 1, depth: 8, colour: 2 }, [[1, 2, 3]]);
  dataUri = `data:image/png;base64,${png.toBase64()}`;
});

afterEach(() => {
  vi.unstubAllGlobals();
  return reset();
});

const realFetch = globalThis.fetch;

/** The host of the picture, which counts how often it is asked. */
function host(answer: () => Response): { asked: number } {
  const counted = { asked: 0 };
  vi.stubGlobal("fetch", async (input: string | URL | Request, init?: RequestInit) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.hostname === "cloudflare-dns.com") {
      const type = url.searchParams.get("type") === "A" ? 1 : 28;
      return Response.json({
        Status: 0,
        Answer: type === 1 ? [{ type, data: "93.184.216.34" }] : [],
      });
    }
    if (url.hostname !== "pictures.neurogate.dev") return realFetch(input, init);
    counted.asked += 1;
    return answer();
  });
  return counted;
}

let made = 0;
const aTenant = (): Promise<TestTenant> => makeTenant(`session-pictures-${(made += 1)}`);

type Session = Awaited<ReturnType<typeof makeSession>>;

const show = (
  tenant: TestTenant,
  session: Session,
  text: string,
  pictures: readonly string[],
): Promise<Reply> => {
  const parts = pictures.map((url) => ({ type: "image_url", image_url: { url } }));
  const messages = [{ role: "user", content: [{ type: "text", text }, ...parts] }];
  return tenant.call("POST", `${session.path}/messages`, { messages });
};

/** All parts of the call with this text: a text, or the URL of a picture. */
async function partsSentWith(text: string): Promise<string[]> {
  const [request] = await askedFor(text);
  if (request === undefined) throw new Error("the engine was not asked");
  const { messages } = request.inputs as { messages: { content: string | Part[] }[] };
  return messages.flatMap(({ content }) =>
    typeof content === "string"
      ? [content]
      : content.map((part) => part.image_url?.url ?? part.text ?? ""),
  );
}

interface Part {
  readonly text?: string;
  readonly image_url?: { readonly url: string };
}

describe("a picture of an earlier message", () => {
  it("that was named by its URL is not fetched again", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant);
    const there = host(() => new Response(png));
    const first = await answeredWith("text=A dot");
    expect((await show(tenant, session, first, [URL_OF_PICTURE])).status).toBe(200);
    expect([there.asked, await partsSentWith(first)]).toEqual([1, [first, dataUri]]);
    const gone = host(() => new Response(null, { status: 404 }));
    const second = await answeredWith("text=Red");
    expect((await session.send(second)).status).toBe(200);
    expect(await partsSentWith(second)).toEqual([first, "[picture]", "A dot", second]);
    expect(gone.asked).toBe(0);
  });

  it("leaves a wrong picture of a new message at its place in the request", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant, { system: "Be brief." });
    expect((await session.send(await answeredWith("text=One"))).status).toBe(200);
    host(() => new Response(null, { status: 404 }));
    const gone = await show(tenant, session, "Look", [URL_OF_PICTURE]);
    const local = await show(tenant, session, "Look", ["http://localhost/x.png"]);
    expect([gone.status, local.status]).toEqual([400, 400]);
    for (const { body } of [gone, local]) {
      expect(body.errors[0].pointer).toMatch(/^#\/messages\/0\/content\/1\//);
    }
  });

  it("that was sent as bytes is sent again, while at most 8 are sent in all", async () => {
    const tenant = await aTenant();
    const session = await makeSession(tenant);
    const five = Array.from({ length: 5 }, () => dataUri);
    const first = await answeredWith("text=One");
    expect((await show(tenant, session, first, five)).status).toBe(200);
    const second = await answeredWith("text=Two");
    const three = await show(tenant, session, second, five.slice(2));
    expect(three.body.neurogate.session).toMatchObject({ turns_sent: 1, turns_left_out: 0 });
    expect((await partsSentWith(second)).filter((part) => part === dataUri)).toHaveLength(8);
    const third = await answeredWith("text=Three");
    const ninth = await show(tenant, session, third, [dataUri]);
    expect(ninth.status).toBe(200);
    expect(ninth.body.neurogate.session).toMatchObject({ turns_sent: 1, turns_left_out: 1 });
    expect((await partsSentWith(third)).filter((part) => part === dataUri)).toHaveLength(4);
  });
});
