// Replaces Cloudflare's side of the `AI` binding. The runtime's own `Ai` class calls it. It passes the
// request on to test/fakes/workers-ai-server.mjs in the form that Miniflare uses.

/** `[[slow:120]]` in the judged content delays the answer by 120 milliseconds. */
const SLOW = /\[\[slow:(\d{1,4})\]\]/;

export default {
  async fetch(request, env) {
    const headers = new Headers({ "mf-url": request.url, "mf-binding": "AI" });
    for (const [name, value] of request.headers) headers.set(`mf-header-${name}`, value);
    const body = new Uint8Array(await request.arrayBuffer());
    const slow = SLOW.exec(new TextDecoder("latin1").decode(body));
    if (slow !== null) await scheduler.wait(Number(slow[1]));
    const { signal } = request;
    return env.FAKE.fetch("http://fake/", { method: "POST", headers, body, signal });
  },
};
