import { beforeAll, describe, expect, it } from "vitest";
import { ACCOUNT } from "../../src/http/mount.ts";
import { makesCalls } from "../../src/http/openapi.ts";
import type { Route } from "../../src/http/route.ts";
import { ROUTES } from "../../src/routes/routes.ts";
import {
  admitDearCalls,
  ask,
  makeTenant,
  type Reply,
  type TestTenant,
  WORKERS_AI,
} from "../client.ts";
import { rows } from "../durable-objects/a-tenant.ts";
import { GOOD_BODIES, goodRequest } from "./good-requests.ts";
import { unique } from "./scripted.ts";

// The label of a request over every route that makes governed calls, at once or later: a new one is covered
// by being in the list.

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const RUN = `POST ${ACCOUNT}/ai/run/:model+`;

const MESSAGES = "POST /v1/sessions/:id/messages";

const CALLING = ROUTES.filter(makesCalls);

/** What the embedded engine does not do. */
const ON_WORKERS_AI: readonly string[] = [
  "POST /v1/audio/transcriptions",
  "POST /v1/audio/translations",
  "POST /v1/translations",
];

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;

/** Ids of what a path names, by the route. */
const ids: Record<string, string> = {};
let tenant: TestTenant;

beforeAll(async () => {
  await admitDearCalls();
  tenant = await makeTenant(`labels-${unique()}`, { daily_neurons: 100_000 });
  const session = await tenant.call("POST", "/v1/sessions", GOOD_BODIES["POST /v1/sessions"]);
  ids[MESSAGES] = session.body.id;
  const document = await tenant.call("POST", "/v1/documents", GOOD_BODIES["POST /v1/documents"]);
  ids["POST /v1/documents/:id/embed"] = document.body.id;
  const images = await tenant.call("POST", "/v1/images", { prompt: "A heron" });
  ids["POST /v1/images/:id/variations"] = images.body.data[0].id;
});

interface Line {
  readonly id: string;
  readonly route: string;
  readonly context: string | null;
}

const linesOf = async (): Promise<readonly Line[]> =>
  (await rows(tenant.id, "SELECT id, route, context FROM journal")) as unknown as Line[];

interface Asked {
  /** Beside what the route's good request has. */
  readonly body?: object;
  readonly model?: string;
}

function send(route: Route, label: string, { body, model }: Asked): Promise<Reply> {
  const { headers, ...good } = goodRequest(route);
  const path = route.path
    .replace(":account", tenant.id)
    .replace(":model+", model ?? "@cf/huggingface/distilbert-sst-2-int8")
    .replace(":id", ids[nameOf(route)] ?? "");
  return ask(route.method, path, {
    key: tenant.key,
    ...(ON_WORKERS_AI.includes(nameOf(route)) && { env: WORKERS_AI }),
    headers: { ...headers, "x-neurogate-context": label },
    ...(good.body !== undefined && {
      body: body === undefined ? good.body : { ...Object(good.body), ...body },
    }),
  });
}

/** What a route started is over: the run, or a message of the session that brings no label. */
async function toItsEnd(route: Route, { body }: Reply): Promise<void> {
  if (route.path === "/v1/sessions") {
    const message = GOOD_BODIES[MESSAGES];
    const reply = await tenant.call("POST", `/v1/sessions/${body.id}/messages`, message);
    expect(reply.status).toBe(200);
    return;
  }
  for (let tries = 0; tries < 600; tries += 1) {
    // oxlint-disable-next-line no-await-in-loop -- until it is so
    const run = (await tenant.call("GET", `${route.path}/${body.id}`)).body;
    if (run.finished_at !== null) {
      expect(run.state).toBe("completed");
      return;
    }
    // oxlint-disable-next-line no-await-in-loop -- as above
    await scheduler.wait(25);
  }
  throw new Error("the run did not end");
}

let labels = 0;

/** The routes of the lines that a request with a label has made; each line has it. */
async function labelled(route: Route, asked: Asked = {}): Promise<readonly string[]> {
  const before = new Set((await linesOf()).map(({ id }) => id));
  labels += 1;
  const label = `walk/${labels}`;
  const reply = await send(route, label, asked);
  expect([reply.status, reply.body]).toEqual([route.reply.status, expect.anything()]);
  if (route.startsCalls === true) {
    expect(reply.body.context).toBe(label);
    await toItsEnd(route, reply);
  }
  const made = (await linesOf()).filter(({ id }) => !before.has(id));
  expect(made.length).toBeGreaterThan(0);
  for (const line of made) expect(line).toMatchObject({ context: label });
  return made.map((line) => line.route).toSorted();
}

const routeOf = (name: string): Route => {
  const found = CALLING.find((route) => nameOf(route) === name);
  if (found === undefined) throw new Error(`no such route makes calls: ${name}`);
  return found;
};

describe("the label of a request", () => {
  it.each(CALLING.map((route) => [nameOf(route), route] as const))(
    "is on each line that it makes: %s",
    async (_, route) => {
      await labelled(route);
    },
  );

  it("is looked for with every route that may come to a settlement", () => {
    const settling = ROUTES.filter(({ failures }) => failures.includes("settlement_unavailable"));
    expect(settling.length).toBeGreaterThan(20);
    expect(settling.filter((route) => !makesCalls(route)).map(nameOf)).toEqual([]);
  });

  it.each(["POST /v1/chat/completions", "POST /v1/completions", "POST /v1/responses", MESSAGES])(
    "is on the line of a stream: %s",
    async (name) => {
      await labelled(routeOf(name), { body: { stream: true } });
    },
  );

  it.each([
    [LLAMA, { prompt: "Nice to meet you" }],
    ["@cf/myshell-ai/melotts", { prompt: "Nice to meet you" }],
    ["@cf/black-forest-labs/flux-1-schnell", { prompt: "Nice to meet you" }],
  ])("is on the line of each kind of model under /ai/run: %s", async (model, body) => {
    await labelled(routeOf(RUN), { model, body });
  });

  it("is on each call of a document, a search and an answer", async () => {
    const content = "The ferry crosses the lake four times a day. Dogs travel for free.";
    const stored = { content, tasks: ["summary"], search: true };
    expect(await labelled(routeOf("POST /v1/documents"), { body: stored })).toEqual([
      "POST /v1/documents",
      "POST /v1/documents/{id}/embed",
    ]);
    const question = { query: "When does the ferry go?", rerank: true };
    expect(await labelled(routeOf("POST /v1/documents/search"), { body: question })).toEqual([
      "POST /v1/documents/search",
      "POST /v1/documents/search#rerank",
    ]);
    expect(await labelled(routeOf("POST /v1/documents/answer"), { body: question })).toEqual([
      "POST /v1/documents/answer",
      "POST /v1/documents/answer#embed",
      "POST /v1/documents/answer#embed#rerank",
    ]);
  });

  it("of a message goes before that of its session", async () => {
    const begun = await send(routeOf("POST /v1/sessions"), "of-the-session", {});
    const before = ids[MESSAGES] ?? "";
    ids[MESSAGES] = begun.body.id;
    await labelled(routeOf(MESSAGES));
    ids[MESSAGES] = before;
  });

  it("is on each step of a pipeline", async () => {
    const steps = ["moderate", "summarize", "store", "embed"];
    const made = await labelled(routeOf("POST /v1/pipelines/runs"), { body: { steps } });
    expect(made).toHaveLength(4);
  });
});
