import { env, runDurableObjectAlarm } from "cloudflare:test";
import { vi } from "vitest";

// Endpoints of webhooks, for tests of the real object: what it fetches is answered here, also what it
// asks the resolver.

export interface Received {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly redirect: string | undefined;
}

export type Receiver = (received: Received) => Response | Promise<Response>;

export class Receivers {
  readonly received: Received[] = [];
  /** By host; every other accepts. */
  readonly hosts = new Map<string, Receiver>();
  /** The addresses of a host; every other has a public one. */
  readonly addresses = new Map<string, readonly string[]>();
  resolved = 0;

  /** From here until the mocks are restored. */
  constructor() {
    const real = globalThis.fetch;
    vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
      const url = new URL(typeof input === "string" || input instanceof URL ? input : input.url);
      if (url.hostname === "cloudflare-dns.com") return Promise.resolve(this.#resolve(url));
      return url.hostname.endsWith(".dev") ? this.#receive(url, init) : real(input, init);
    });
  }

  at(host: string): Received[] {
    return this.received.filter(({ url }) => new URL(url).hostname === host);
  }

  #resolve(url: URL): Response {
    this.resolved += 1;
    const host = url.searchParams.get("name") ?? "";
    const isV4 = url.searchParams.get("type") === "A";
    const all = this.addresses.get(host) ?? ["93.184.216.34"];
    const data = all.filter((address) => address.includes(".") === isV4);
    const type = isV4 ? 1 : 28;
    return Response.json({ Status: 0, Answer: data.map((address) => ({ type, data: address })) });
  }

  async #receive(url: URL, init: RequestInit | undefined): Promise<Response> {
    const received: Received = {
      url: url.href,
      body: typeof init?.body === "string" ? init.body : "",
      headers: Object.fromEntries(new Headers(init?.headers)),
      redirect: init?.redirect,
    };
    this.received.push(received);
    return (this.hosts.get(url.hostname) ?? accept)(received);
  }
}

export const accept: Receiver = () => new Response(null, { status: 204 });

/** Rings the alarm of a tenant's object, which delivers what is due. */
export const ring = (tenant: string): Promise<boolean> =>
  runDurableObjectAlarm(env.TENANT.getByName(tenant));
