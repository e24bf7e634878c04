// The work before admission. Every route that reads a body gets bodies that take long to read, as large
// as its limit, one at a time, with live keys and with keys that ended or never existed. The CPU and
// memory that one body takes have bounds, and a neighbour's calls must go on meanwhile.
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../faults/random.mjs";
import { ask, operationsOf } from "./fuzz.mjs";
import {
  BOUNDARY,
  CHATS,
  formOf,
  FORMS,
  JSONS,
  PAGES,
  PICTURES,
  RUN_BODIES,
  SOUNDS,
  TEXTS,
} from "./hostile-bodies.mjs";

/* oxlint-disable no-await-in-loop -- one body after the other */

/** CI's machine has other work, so the bounds are twice as large there. */
const SLACK = process.env.CI ? 2 : 1;
export const MAX_CPU_MS = 300 * SLACK;
export const MAX_MEMORY = 60_000_000 * SLACK;
export const MAX_NEIGHBOUR_MS = 1000;

/** The kernel counts CPU in hundredths of a second. */
const TICK_MS = 10;

/** A body that took too much is sent again this many times. */
const MORE_TRIES = 3;

/** The pause between the neighbour's calls. It is not shorter since each call takes some CPU too. */
const NEIGHBOUR_EVERY_MS = 50;

const UTF8 = new TextEncoder();
const JSON_TYPE = "application/json";
const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

const typed = (type, bodies) =>
  Object.entries(bodies).map(([name, make]) => ({ name, type, make: (size) => make(size) }));

/** Texts that take more memory than they have bytes. */
const LETTERS = {
  "letters of three bytes": (size) =>
    UTF8.encode(`{"text":"${"\u4e2d".repeat(Math.floor((size - 11) / 3))}"}`),
  "one letter that is not ASCII": (size) =>
    UTF8.encode(`{"text":"\u4e2d${"a".repeat(size - 14)}"}`),
};

/** A text of the largest allowed size in a field of a body. */
const textBodies = (field, most = 100_000) =>
  Object.entries(TEXTS).map(([name, make]) => ({
    name: `text: ${name}`,
    type: JSON_TYPE,
    make: () => UTF8.encode(JSON.stringify({ [field]: cut(make(most), most) })),
  }));

/** Cuts a text to at most `bytes` bytes of UTF-8. */
const cut = (text, bytes) => new TextDecoder().decode(UTF8.encode(text).subarray(0, bytes));

const base64 = (bytes) => Buffer.from(bytes).toString("base64");

/** Pages and texts of the largest allowed size as documents that are stored alone. */
const documentBodies = [
  ...Object.entries(PAGES).map(([name, make]) => ({
    name: `page: ${name}`,
    make,
    of: "text/html",
  })),
  ...Object.entries(TEXTS).map(([name, make]) => ({
    name: `text: ${name}`,
    make: (size) => UTF8.encode(cut(make(size), size)),
    of: "text/markdown",
  })),
].flatMap(({ name, make, of }) => {
  const document = { type: "article", tasks: [] };
  const content = () => new TextDecoder().decode(make(1_048_576));
  const file = () => ({ content_type: of, base64: base64(make(8 * 1024 * 1024)) });
  return [
    {
      name,
      type: JSON_TYPE,
      make: () =>
        UTF8.encode(JSON.stringify({ ...document, content: content(), content_type: of })),
    },
    {
      name: `${name}, as a file`,
      type: JSON_TYPE,
      make: () => UTF8.encode(JSON.stringify({ ...document, file: file() })),
    },
  ];
});

/** Pictures of the largest allowed size: eight, or as many as fit. */
const pictureBodies = Object.entries(PICTURES).map(([name, make]) => ({
  name: `picture: ${name}`,
  type: JSON_TYPE,
  make: (size) => {
    const bytes = Math.min(4 * 1024 * 1024, Math.floor((size - 200) * 0.75));
    const one = base64(make(bytes));
    const count = Math.min(8, Math.floor((size - 200) / (one.length + 20)));
    const images = Array.from({ length: count }, () => ({ base64: one }));
    return UTF8.encode(JSON.stringify({ images }));
  },
}));

const recordings = Object.entries(SOUNDS).map(([name, make]) => ({
  name: `sound: ${name}`,
  type: FORM_TYPE,
  make: (size) => formOf(make(size - 400)),
}));

const BYTES = "application/octet-stream";
const WHISPER = "@cf/openai/whisper";

/** Kinds of bodies that only paths with this ending get, and the model for `{model}` in the path. */
const OWN = [
  { end: "/audio/transcriptions", kinds: [...typed(FORM_TYPE, FORMS), ...recordings] },
  {
    end: "/ai/run/{model}",
    model: WHISPER,
    kinds: [...typed(JSON_TYPE, RUN_BODIES), ...typed(BYTES, SOUNDS)],
  },
  {
    end: "/ai/run/{model}",
    model: "@cf/microsoft/resnet-50",
    kinds: typed(BYTES, PICTURES),
  },
  {
    end: "/ai/run/{model}",
    model: "@cf/meta/llama-3.1-8b-instruct-fp8",
    kinds: typed(JSON_TYPE, CHATS),
  },
  { end: "/chat/completions", kinds: typed(JSON_TYPE, CHATS) },
  { end: "/verdicts", kinds: [...textBodies("text"), ...pictureBodies] },
  { end: "/moderations", kinds: textBodies("input") },
  { end: "/v1/documents", kinds: documentBodies },
];

/** Every operation that reads a body, with the kinds of bodies that are sent to it. */
export function targetsOf(document) {
  return operationsOf(document)
    .filter(({ schema, limit }) => schema !== null && limit !== null)
    .flatMap((operation) => {
      const own = OWN.filter(({ end }) => operation.path.endsWith(end));
      const plain = [...typed(JSON_TYPE, JSONS), ...typed(JSON_TYPE, LETTERS)];
      if (own.length === 0) return [{ operation, model: "", kinds: plain }];
      return own.map(({ model = "", kinds }) => ({
        operation,
        model,
        kinds: [...kinds, ...plain],
      }));
    });
}

const PARAMETERS = { index: "0", day: "2026-01-01", month: "2026-01", name: "hostile" };

function pathOf({ path }, tenant, model) {
  return path.replaceAll(/\{(\w+)\}/g, (_, name) => {
    if (name === "model") return model;
    if (name === "tenant" || name === "account") return tenant;
    return PARAMETERS[name] ?? `xxx_${"0".repeat(26)}`;
  });
}

/** CPU time of the process since its start, of all its threads, in milliseconds. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

const kilobytes = (pid, name) =>
  Number(
    new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(
      readFileSync(`/proc/${pid}/status`, "utf8"),
    )?.[1],
  ) * 1024;

/** Resets the process's peak of memory. */
const forgetPeak = (pid) => writeFileSync(`/proc/${pid}/clear_refs`, "5");

/** The time of a neighbour's slowest call during `work`, in milliseconds. */
async function beside(url, key, work) {
  const running = { on: true };
  let slowestMs = 0;
  const calls = (async () => {
    while (running.on) {
      const startedMs = performance.now();
      const { status } = await ask(url, {
        method: "GET",
        path: "/v1/limits",
        headers: { authorization: `Bearer ${key}` },
      });
      if (status !== 200) throw new Error(`a neighbour's call got the status ${status}`);
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      await sleep(NEIGHBOUR_EVERY_MS);
    }
  })();
  try {
    await work();
  } finally {
    running.on = false;
    await calls;
  }
  return slowestMs;
}

/** The status, or "cut" if the connection ended during the body: then it was refused unread. */
async function sent(url, request) {
  try {
    return (await ask(url, request)).status;
  } catch (error) {
    if (["ECONNRESET", "EPIPE"].includes(error.code)) return "cut";
    throw error;
  }
}

/** The embedded engine answers 501 to a recording. */
const isFine = ({ status, cpuMs, memory, neighbourMs }) =>
  (status < 500 || status === 501 || status === "cut") &&
  cpuMs <= MAX_CPU_MS &&
  memory <= MAX_MEMORY &&
  neighbourMs <= MAX_NEIGHBOUR_MS;

/**
 * The CPU and memory that one body takes. A body that took too much is sent again: the garbage of
 * earlier bodies is collected at some time, and other work on the machine delays a neighbour's call too.
 * The body itself takes the same each time, so the smallest figure counts.
 */
async function measured(server, request, neighbour) {
  let least = await measuredOnce(server, request, neighbour);
  for (let left = MORE_TRIES; left > 0 && !isFine(least); left -= 1) {
    const again = await measuredOnce(server, request, neighbour);
    least = {
      status: again.status,
      cpuMs: Math.min(least.cpuMs, again.cpuMs),
      memory: Math.min(least.memory, again.memory),
      neighbourMs: Math.min(least.neighbourMs, again.neighbourMs),
    };
  }
  return least;
}

async function measuredOnce({ url, pid }, request, neighbour) {
  const beforeMs = cpuOf(pid);
  const idle = kilobytes(pid, "VmRSS");
  forgetPeak(pid);
  let status;
  const neighbourMs = await beside(url, neighbour, async () => {
    status = await sent(url, request);
  });
  return {
    status,
    cpuMs: cpuOf(pid) - beforeMs,
    memory: Math.max(0, kilobytes(pid, "VmHWM") - idle),
    neighbourMs,
  };
}

/**
 * @param {import("../faults/workerd.mjs").Workerd} server
 * @param {{ perRoute: number, seed: number, tenant: string, live: string, ended: string,
 *   adminToken: string, neighbour: string, only?: string }} options
 */
export async function beforeAdmission(server, options) {
  const { url } = server;
  const { text } = await ask(url, { method: "GET", path: "/openapi.json" });
  const targets = targetsOf(JSON.parse(text));
  const random = new Random(options.seed, 12);
  const faults = [];
  const none = { amount: 0, text: "none" };
  const worst = { cpuMs: none, memory: none, neighbourMs: none };
  const statuses = new Map();
  let count = 0;
  const routes = new Set(targets.map(({ operation }) => `${operation.method} ${operation.path}`));
  for (const target of targets) {
    const { operation, kinds, model } = target;
    const label = `${operation.method} ${operation.path} ${model}`.trimEnd();
    if (options.only !== undefined && !label.includes(options.only)) continue;
    const shuffled = kinds.toSorted(() => random.next() - 0.5);
    const isAdmins = operation.auth === "adminToken";
    const [good, bad] = isAdmins ? [options.adminToken, "wrong"] : [options.live, options.ended];
    const share = targets.filter((other) => other.operation === operation).length;
    for (let at = 0; at < Math.ceil(options.perRoute / share); at += 1) {
      // Each kind is sent with a good key and with a bad one before the next kind.
      const kind = shuffled[Math.floor(at / 2) % kinds.length];
      const isGood = at % 2 === 0;
      // The second time, a kind is smaller: the largest size may stay just below some other limit.
      const isAgain = at / 2 >= kinds.length;
      const size = isAgain ? random.integer(operation.limit / 8, operation.limit) : operation.limit;
      const body = Buffer.from(kind.make(size));
      const request = {
        method: operation.method,
        path: pathOf(operation, options.tenant, model),
        headers: {
          authorization: `Bearer ${isGood ? good : bad}`,
          "content-type": kind.type,
        },
        body,
      };
      const took = await measured(server, request, options.neighbour);
      count += 1;
      statuses.set(took.status, (statuses.get(took.status) ?? 0) + 1);
      const { cpuMs, memory, neighbourMs, status } = took;
      const line =
        `${label}: ${kind.name}, ${body.length} bytes with a ${isGood ? "good" : "bad"} key ` +
        `(${status}): ${cpuMs} ms of CPU, ${(memory / 1e6).toFixed(0)} MB, ` +
        `a neighbour waited ${neighbourMs.toFixed(0)} ms`;
      for (const what of Object.keys(worst)) {
        if (took[what] > worst[what].amount) worst[what] = { amount: took[what], text: line };
      }
      if (!isFine(took)) faults.push(line);
    }
  }
  return { count, routes: routes.size, worst, statuses, faults };
}
