import { createExecutionContext, reset, waitOnExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { EndedKeys } from "../../src/http/parse-call.ts";
import worker from "../../src/index.ts";
import { ROUTES } from "../../src/routes/routes.ts";
import { admin, ask, failureIn, makeTenant, mountFor, WITHOUT_RUNS } from "../client.ts";
import { rows } from "../durable-objects/a-tenant.ts";

// A body over 64 kB is read on only when the tenant's object has said that its call may come.

const LARGE = 65_536;
const PIECE = 16_384;
const MB = 1_048_576;

afterEach(() => reset());

let made = 0;
const aTenant = (settings = {}, role?: "call" | "review" | "manage") => {
  made += 1;
  return makeTenant(`large-${made}`, settings, role);
};

/** A body in pieces that are made when they are asked for, and how much of it was. */
function counted(bytes: number, fill = 0x20) {
  let pulled = 0;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const size = Math.min(PIECE, bytes - pulled);
        if (size === 0) return controller.close();
        pulled += size;
        controller.enqueue(new Uint8Array(size).fill(fill));
      },
      cancel() {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, pulled: () => pulled, cancelled: () => cancelled };
}

interface Sent {
  readonly key: string | null;
  readonly bytes: number;
  readonly path?: string;
  /** Not announced. */
  readonly isUnknown?: true;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sent to the Worker in this isolate, so that what it pulls is what it reads. */
async function send({ key, bytes, path = TRANSCRIPTIONS, isUnknown, headers = {} }: Sent) {
  const { stream, pulled, cancelled } = counted(bytes);
  const request = new Request(`https://gateway.test${path}`, {
    method: "POST",
    headers: {
      "Content-Type": FORMS.includes(path) ? FORM : "application/json",
      ...(key !== null && { Authorization: `Bearer ${key}` }),
      ...(isUnknown === undefined && { "Content-Length": String(bytes) }),
      ...headers,
    },
    body: stream,
  });
  const ctx = createExecutionContext();
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], env, ctx);
  const told: unknown = await response.json();
  await waitOnExecutionContext(ctx);
  const { kind } = failureIn(told);
  return { status: response.status, headers: response.headers, kind, told, pulled, cancelled };
}

/** By which the three shapes of an error are told apart. */
const FIRST_KEY = {
  native: "type",
  openai: "error",
  perspective: "error",
  "workers-ai": "result",
} as const;

const FORM = "multipart/form-data; boundary=b";
const TRANSCRIPTIONS = "/v1/audio/transcriptions";
const FORMS: readonly string[] = [TRANSCRIPTIONS, "/v1/images/edits", "/v1/images/variations"];

/** Every surface, and what it takes at most. */
const PATHS = [
  [TRANSCRIPTIONS, 25 * MB],
  ["/v1/verdicts", 10 * MB],
  ["/v1/moderations", 10 * MB],
  ["/v1/verdicts/batches", 10 * MB],
  ["/v1/quote", 10 * MB],
  ["/v1/chat/completions", 2 * MB],
  ["/v1/embeddings", 2 * MB],
  ["/v1/translations", 2 * MB],
  ["/v1/audio/speech", 2 * MB],
  ["/v1/images", MB / 2],
  ["/v1/images/generations", MB / 2],
  ["/v1/images/edits", 4 * MB],
  ["/v1/images/variations", 4 * MB],
  ["/v1/images/img_01M7WM9W9MJGXPRPG4179ZPNB8/variations", MB / 2],
  ["/client/v4/accounts/TENANT/ai/run/@cf/openai/whisper", 24 * MB],
  ["/client/v4/accounts/TENANT/ai/v1/chat/completions", 2 * MB],
] as const;

describe("a key that has ended", () => {
  it.each(PATHS)("has nothing read of its large body: %s", async (path, bytes) => {
    const tenant = await aTenant();
    const other = await tenant.call("POST", "/v1/keys", { role: "manage" });
    await tenant.call("DELETE", `/v1/keys/${other.body.id}`);
    const at = path.replace("TENANT", tenant.id);
    const first = await send({ key: other.body.key, bytes, path: at });
    expect([first.status, first.kind, first.pulled()]).toEqual([401, "invalid_key", 0]);
    const unknown = await send({ key: other.body.key, bytes, path: at, isUnknown: true });
    expect([unknown.status, unknown.kind]).toEqual([401, "invalid_key"]);
    expect(unknown.pulled()).toBeLessThanOrEqual(LARGE + PIECE);
  });

  it("is asked about once 64 kB have come, where no length was told", async () => {
    const tenant = await aTenant();
    const other = await tenant.call("POST", "/v1/keys", { role: "manage" });
    await tenant.call("DELETE", `/v1/keys/${other.body.id}`);
    const sent = await send({ key: other.body.key, bytes: 24 * MB, isUnknown: true });
    expect([sent.status, sent.kind, sent.pulled()]).toEqual([401, "invalid_key", LARGE + PIECE]);
  });

  it("is remembered when that is final, and only then", async () => {
    const tenant = await aTenant();
    const ended = await tenant.call("POST", "/v1/keys", { role: "manage" });
    await tenant.call("DELETE", `/v1/keys/${ended.body.id}`);
    const expires_at = new Date(Date.now() + 150).toISOString();
    const expired = await tenant.call("POST", "/v1/keys", { role: "manage", expires_at });
    await scheduler.wait(200);
    const steps = await countSteps(tenant.id, async () => {
      for (const { body } of [ended, expired, ended, expired]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        expect((await send({ key: body.key, bytes: 24 * MB })).status).toBe(401);
      }
    });
    expect(steps).toBe(2);
    // A key that another life of the tenant may bring is asked about each time.
    const unknown = tenant.key;
    await admin("DELETE", `/admin/tenants/${tenant.id}`);
    expect((await send({ key: unknown, bytes: 24 * MB })).kind).toBe("invalid_key");
  });

  it("costs a bounded memory", () => {
    const keys = new EndedKeys();
    for (let at = 0; at < 5000; at += 1) keys.add(`hash ${at}`);
    expect([keys.has("hash 903"), keys.has("hash 904"), keys.has("hash 4999")]).toEqual([
      false,
      true,
      true,
    ]);
  });
});

/** How often the object was asked whether a body may be read: it says so itself. */
async function countSteps(id: string, work: () => Promise<void>): Promise<number> {
  let steps = 0;
  const { TENANT } = env;
  const real = TENANT.getByName.bind(TENANT);
  const spied = new Proxy(TENANT, {
    get(target, name) {
      if (name !== "getByName") return Reflect.get(target, name) as unknown;
      return (tenant: string) => {
        if (tenant === id) steps += 1;
        return real(tenant);
      };
    },
  });
  const before = env.TENANT;
  Object.assign(env, { TENANT: spied });
  try {
    await work();
  } finally {
    Object.assign(env, { TENANT: before });
  }
  return steps;
}

describe("a key that lives", () => {
  it.each([
    ["the tenant is suspended", "tenant_suspended", 403, { suspended: true }],
    ["no neuron is left", "over_limit", 400, { daily_neurons: 0 }],
  ] as const)("is refused before its body is kept when %s", async (_, kind, status, settings) => {
    const tenant = await aTenant();
    await admin("PATCH", `/admin/tenants/${tenant.id}`, settings);
    for (const [path, bytes] of PATHS) {
      // Batches and quotes take neurons from nobody now.
      if (kind === "over_limit" && /batches|quote/.test(path)) continue;
      const at = path.replace("TENANT", tenant.id);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const sent = await send({ key: tenant.key, bytes, path: at });
      expect([path, sent.status, sent.kind]).toEqual([path, status, kind]);
      // Who may call at all hears the refusal, though it has still to be written to.
      expect(sent.pulled()).toBe(kind === "tenant_suspended" ? 0 : bytes);
    }
  });

  it("is told of its role, in the shape of each surface", async () => {
    const tenant = await aTenant({}, "review");
    for (const [path, bytes] of PATHS) {
      const at = path.replace("TENANT", tenant.id);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const sent = await send({ key: tenant.key, bytes, path: at });
      expect([path, sent.status, sent.kind]).toEqual([path, 403, "role_required"]);
      const { surface } = mountFor("POST", at)?.route ?? {};
      const [first] = Object.keys(sent.told as object);
      expect([surface, first]).toEqual([surface, FIRST_KEY[surface ?? "native"]]);
    }
  });

  it("is refused by what is left of the day and of the minute, and that is counted", async () => {
    const tenant = await aTenant({ rpm: { requests: 1 } });
    await tenant.call("POST", "/v1/verdicts", { text: "neurogate:test:flag" });
    const rate = await send({ key: tenant.key, bytes: 24 * MB });
    expect([rate.status, rate.kind]).toEqual([429, "rate_limited"]);
    expect(Number(rate.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
    const refusals = await tenant.call("GET", "/v1/refusals");
    expect(refusals.body.data).toMatchObject([{ kind: "rate_limited", count: 1 }]);
  });

  it("keeps a free replay free, with no neuron left", async () => {
    const tenant = await aTenant();
    const body = { text: "Nice to meet you all.", images: [] as unknown[] };
    const padded = `${JSON.stringify({ text: body.text })}${" ".repeat(70_000)}`;
    const headers = { "Idempotency-Key": "again" };
    const first = await tenant.call("POST", "/v1/verdicts", padded, headers);
    expect(first.status).toBe(200);
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { daily_neurons: 0 });
    const again = await tenant.call("POST", "/v1/verdicts", padded, headers);
    expect([again.status, again.body.id]).toEqual([200, first.body.id]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    const other = await tenant.call("POST", "/v1/verdicts", padded, { "Idempotency-Key": "b" });
    expect([other.status, other.body.kind]).toEqual([400, "over_limit"]);
    const broken = await tenant.call("POST", "/v1/verdicts", padded, { "Idempotency-Key": " é" });
    expect([broken.status, broken.body.kind]).toEqual([400, "invalid_request"]);
  });

  it("may still moderate what costs nothing, with no neuron left", async () => {
    const tenant = await aTenant();
    const nothing = { inputs: [], required: false, flag: null, block: null, ban: null };
    const { body: policy } = await tenant.call("GET", "/v1/policies/default");
    const categories = Object.fromEntries(
      Object.keys(policy.categories).map((name) => [name, nothing]),
    );
    const put = await tenant.call("PUT", "/v1/policies/free", { categories });
    expect(put.status).toBeLessThan(300);
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { daily_neurons: 0 });
    const padded = `${JSON.stringify({ text: "Hello.", policy: "free" })}${" ".repeat(70_000)}`;
    expect((await tenant.call("POST", "/v1/verdicts", padded)).status).toBe(200);
  });

  it("asks once for a large body, never for a small one, and writes nothing by asking", async () => {
    const tenant = await aTenant();
    const call = (blanks: number) =>
      countSteps(tenant.id, async () => {
        const text = `{"input":"neurogate:test:flag"}${" ".repeat(blanks)}`;
        const request = new Request("https://gateway.test/v1/moderations", {
          method: "POST",
          headers: { Authorization: `Bearer ${tenant.key}`, "Content-Type": "application/json" },
          body: text,
        });
        const ctx = createExecutionContext();
        const reply = await worker.fetch(request as Parameters<typeof worker.fetch>[0], env, ctx);
        expect(reply.status).toBe(200);
        await waitOnExecutionContext(ctx);
      });
    // Admission and settlement.
    expect([await call(10), await call(60_000), await call(70_000)]).toEqual([2, 2, 3]);
    const written = await rows(tenant.id, "SELECT COUNT(*) AS n FROM journal");
    expect(written).toEqual([{ n: 3 }]);
  });

  it("has a body of up to 10 MB taken as a batch", async () => {
    const tenant = await aTenant();
    const text = `{"items":[{"text":"Hello."}]}${" ".repeat(9 * MB)}`;
    const sent = { key: tenant.key, body: text, env: WITHOUT_RUNS };
    expect((await ask("POST", "/v1/verdicts/batches", sent)).status).toBe(202);
  });
});

describe("without a key, or with a forged one", () => {
  it("nothing is read", async () => {
    for (const key of [null, "ng_acme_short", `ng_acme_${"0".repeat(43)}`]) {
      for (const isUnknown of [undefined, true] as const) {
        const asked = { key, bytes: 24 * MB, ...(isUnknown && { isUnknown }) };
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const sent = await send(asked);
        expect([sent.status, sent.pulled()]).toEqual([401, 0]);
      }
    }
  });

  it("nothing is read for the platform's routes either", async () => {
    for (const key of [null, "wrong", await makeKeyOfSome()]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const sent = await send({ key, bytes: MB, path: "/admin/tenants/acme/grants" });
      expect([sent.status, sent.pulled()]).toEqual([401, 0]);
    }
  });
});

const makeKeyOfSome = async (): Promise<string> => (await aTenant()).key;

describe("five uploads of 25 MB at once", () => {
  it("are served one after the other or asked to come again, and small calls beside them", async () => {
    const tenants = await Promise.all(Array.from({ length: 5 }, () => aTenant()));
    const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
    const body = new Uint8Array(25 * MB);
    body.set(new TextEncoder().encode(head));
    const upload = async ({ key }: { readonly key: string }) => {
      const response = await exports.default.fetch(`https://gateway.test${TRANSCRIPTIONS}`, {
        method: "POST",
        headers: { Authorization: `Bearer ${key}`, "Content-Type": FORM },
        body,
      });
      return { response, told: await response.json<{ error: { kind: string } }>() };
    };
    const [first] = tenants;
    if (first === undefined) throw new Error("there is no tenant");
    const small = first.call("POST", "/v1/moderations", { input: "neurogate:test:flag" });
    const replies = await Promise.all(tenants.map(upload));
    for (const { response, told } of replies) {
      // The form has no end.
      if (response.status === 400) expect(told.error.kind).toBe("invalid_request");
      else {
        expect([response.status, told.error.kind]).toEqual([503, "unavailable"]);
        expect(response.headers.get("Retry-After")).toBe("1");
      }
    }
    expect(replies.filter(({ response }) => response.status === 400).length).toBeGreaterThan(0);
    expect((await small).status).toBe(200);
    // All of it was given back.
    expect((await upload(first)).response.status).toBe(400);
  });
});

describe("routes that admit calls", () => {
  it("say so, by the label that their calls have", () => {
    const governed = ROUTES.filter(({ failures }) => failures.includes("rate_limited"));
    expect(governed.length).toBeGreaterThan(10);
    // The beginning of a session takes a unit of the rate, and so can a quote. They admit no call.
    const admitsNothing = ["POST /v1/sessions", "POST /v1/quote"];
    for (const { method, path, admits, body } of governed) {
      if (body === undefined || admitsNothing.includes(`${method} ${path}`)) continue;
      const label = path.includes("/ai/run/")
        ? "POST /ai/run"
        : `${method} ${path.replace(/(?<=\/):(\w+)/g, "{$1}")}`;
      expect(admits?.route).toBe(label);
    }
    const others = ROUTES.filter((route) => !governed.includes(route));
    expect(others.filter(({ admits }) => admits !== undefined)).toEqual([]);
  });
});
