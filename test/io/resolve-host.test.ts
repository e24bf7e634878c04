import { expect, test } from "vitest";
import { resolveOverHttps } from "../../src/io/resolve-host.ts";

const signal = new AbortController().signal;

/** A resolver that answers by record type. */
function resolver(answers: Record<string, () => Response>) {
  const asked: string[] = [];
  const resolve = resolveOverHttps(async (input, init) => {
    const request = new Request(input, init);
    asked.push(request.url);
    expect(request.headers.get("accept")).toBe("application/dns-json");
    return answers[new URL(request.url).searchParams.get("type") ?? ""]?.() ?? Response.error();
  });
  return { asked, resolve: () => resolve("cdn.shop.com", signal) };
}

const none = () => Response.json({ Status: 0, TC: false, Question: [] });
const missing = () => Response.json({ Status: 3 });

test("gives the addresses of both families and leaves out the aliases", async () => {
  const { asked, resolve } = resolver({
    A: () =>
      Response.json({
        Status: 0,
        Answer: [
          { name: "cdn.shop.com", type: 5, TTL: 60, data: "edge.net." },
          { name: "edge.net", type: 1, TTL: 60, data: "192.0.2.1" },
          { name: "edge.net", type: 1, TTL: 60, data: "192.0.2.2" },
        ],
      }),
    AAAA: () => Response.json({ Status: 0, Answer: [{ type: 28, data: "2001:db8::1" }] }),
  });
  expect(await resolve()).toEqual(["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
  expect(asked).toEqual([
    "https://cloudflare-dns.com/dns-query?name=cdn.shop.com&type=A",
    "https://cloudflare-dns.com/dns-query?name=cdn.shop.com&type=AAAA",
  ]);
});

test("gives none for a host that does not exist", async () => {
  expect(await resolver({ A: missing, AAAA: missing }).resolve()).toEqual([]);
});

test.each([
  ["a failing resolver", () => Response.json({ Status: 2 })],
  ["a refusing resolver", () => new Response("no", { status: 403 })],
  ["a redirect", () => new Response(null, { status: 302, headers: { location: "https://x/" } })],
  ["no body", () => new Response(null)],
  ["no JSON", () => new Response("<html>")],
  ["another shape", () => Response.json({ Status: "0" })],
  ["an endless answer", () => new Response(new Uint8Array(70_000))],
])("rejects on %s, for either family", async (_name, answer) => {
  await expect(resolver({ A: answer, AAAA: none }).resolve()).rejects.toThrow(/./);
  await expect(resolver({ A: none, AAAA: answer }).resolve()).rejects.toThrow(/./);
});
