// Measures other servers at the same work on the same machine: Portkey's gateway, which passes calls on and
// keeps no ledger, and a Node server that keeps our ledger in Redis.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { JUDGED_CATEGORIES } from "../src/domain/moderation/category.ts";
import { ratio, rotated } from "./governed.mjs";
import { run } from "./load.mjs";
import { say } from "./machine.mjs";
import { medians } from "./stats.mjs";
import {
  chatRequests,
  checkChat,
  checkVerdict,
  makeTenants,
  TEXT,
  verdictRequests,
} from "./tenants.mjs";
import { cpuMsOf, freePort, Workerd } from "./workerd.mjs";

const READY_MS = 15_000;

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/** Starts a script of ours. Its first line is its address, and it ends with its input. */
async function startScript(path, ...parameters) {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", path, ...parameters],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const [line] = await Promise.race([
    once(child.stdout.setEncoding("utf8"), "data"),
    once(child, "exit").then(() => Promise.reject(new Error(`${path} did not start`))),
  ]);
  return { child, url: `http://127.0.0.1:${Number(line)}` };
}

async function end(child) {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

async function answers(url) {
  const deadlineMs = Date.now() + READY_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- until it answers
    const response = await fetch(url).catch(() => null);
    if (response !== null) return response.arrayBuffer();
    if (Date.now() > deadlineMs) throw new Error(`${url} does not answer`);
    // oxlint-disable-next-line no-await-in-loop -- until it answers
    await sleep(50);
  }
}

/** Alternating runs of two servers at each number of connections. */
async function against({ peer, call }, ours, theirs, plan) {
  const rows = [];
  // oxlint-disable no-await-in-loop -- one measurement at a time
  for (const side of [ours, theirs]) {
    await run({ ...side, connections: 16, seconds: plan.warmS });
  }
  for (const connections of plan.connections) {
    const runs = [[], []];
    for (let round = 0; round < plan.rounds; round += 1) {
      for (const at of rotated([0, 1], round)) {
        runs[at].push(await run({ ...[ours, theirs][at], connections, seconds: plan.seconds }));
      }
    }
    const row = {
      peer,
      call,
      connections,
      ours: medians(runs[0]),
      theirs: medians(runs[1]),
      of_peer: ratio(runs[0], runs[1]),
    };
    rows.push(row);
    say(
      `${peer.padEnd(8)} ${call.padEnd(10)} ${String(connections).padStart(3)} conn.  ours ${row.ours.rps.toFixed(0)}/s (cpu ${row.ours.cpu_ms.toFixed(2)} ms)  ` +
        `theirs ${row.theirs.rps.toFixed(0)}/s (cpu ${row.theirs.cpu_ms.toFixed(2)} ms)  = ${row.of_peer.toFixed(2)} x`,
    );
  }
  // oxlint-enable no-await-in-loop
  return rows;
}

const side = (server, requests) => ({ url: server.url, requests, cpuMs: () => server.cpuMs() });

/**
 * Both call the same upstream once a call. `generation`: the same chat through both, ours with the ledger.
 * `moderation`: a verdict of ours, whose judge makes that one call.
 */
async function portkey({ dir, bundles, plan }) {
  const bin = createRequire(import.meta.url).resolve("@portkey-ai/gateway/build/start-server.js");
  const upstream = await startScript(here("peers/upstream.mjs"), JSON.stringify(JUDGED_CATEGORIES));
  const server = new Workerd(join(dir, "openai"), bundles.real, {
    INFERENCE: "openai",
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    OPENAI_MODEL: "bench",
  });
  let gateway;
  try {
    await server.start();
    const [key] = await makeTenants(server, ["t-0"]);
    await checkVerdict(server.url, key, "openai");
    await checkChat(server.url, key, "openai");
    const port = await freePort();
    gateway = spawn(process.execPath, [bin, `--port=${port}`, "--headless"], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, NODE_ENV: "production" },
    });
    const url = `http://127.0.0.1:${port}`;
    await answers(url);
    const request = {
      method: "POST",
      path: "/v1/chat/completions",
      headers: {
        "content-type": "application/json",
        authorization: "Bearer bench",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": `${upstream.url}/v1`,
      },
      body: JSON.stringify({ model: "bench", messages: [{ role: "user", content: TEXT }] }),
    };
    const { path, ...options } = request;
    const response = await fetch(url + path, options);
    const reply = await response.text();
    if (!reply.includes("chatcmpl-bench")) throw new Error(`Portkey answered ${reply}`);
    const theirs = { url, requests: [request], cpuMs: () => cpuMsOf(gateway.pid) };
    const chat = side(server, chatRequests([key]));
    const verdict = side(server, verdictRequests([key]));
    return [
      ...(await against({ peer: "portkey", call: "generation" }, chat, theirs, plan)),
      ...(await against({ peer: "portkey", call: "moderation" }, verdict, theirs, plan)),
    ];
  } finally {
    await end(gateway);
    await server.stop();
    await end(upstream.child);
  }
}

/** The same checks and records as ours, durable with every call. */
async function redis({ dir, bundles, plan }) {
  const home = join(dir, "redis");
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const store = spawn(
    "redis-server",
    // prettier-ignore
    ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", home, "--save", "", "--appendonly", "yes", "--appendfsync", "always"],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const failed = once(store, "error").then(([error]) => Promise.reject(error));
  const server = new Workerd(join(dir, "beside-redis"), bundles.ours);
  let gateway;
  try {
    await Promise.race([sleep(500), failed]);
    gateway = await startScript(here("peers/redis-gateway.mjs"), `${port}`);
    await server.start();
    const [key] = await makeTenants(server, ["t-0"]);
    const made = await fetch(`${gateway.url}/tenants`, { method: "POST", body: "t-0" });
    const { key: theirKey } = await made.json();
    await checkVerdict(gateway.url, theirKey, "workers-ai");
    const theirs = {
      url: gateway.url,
      requests: verdictRequests([theirKey]),
      cpuMs: () => cpuMsOf(gateway.child.pid) + cpuMsOf(store.pid),
    };
    const ours = side(server, verdictRequests([key]));
    return await against({ peer: "redis", call: "moderation" }, ours, theirs, plan);
  } finally {
    await end(gateway?.child);
    await server.stop();
    await end(store);
  }
}

/** Leaves out a peer that is not installed, and prints that. */
export async function peers(context) {
  const rows = [];
  for (const [name, peer] of Object.entries({ portkey, redis })) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one peer after the other
      rows.push(...(await peer(context)));
    } catch (error) {
      say(`${name}: left out: ${error.message}`);
    }
  }
  return rows;
}
