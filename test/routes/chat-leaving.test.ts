import { afterEach, describe, expect, it, vi } from "vitest";
import { reset, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { LAST_WORD_MS, QUIET_MS, READ_ON_MS, STREAM_MS } from "../../src/generation/pump-stream.ts";
import { TIMEOUT_MS } from "../../src/generation/run-generation.ts";
import { makeTenant, type TestTenant } from "../client.ts";
import { askedAbout, unique } from "./scripted.ts";
import { openStream, readStream, writtenStreams } from "./streams.ts";
import { until } from "../until.ts";

// Streams whose two ends do not go together: who reads leaves or does not read, who writes goes on.

const GEMMA = "@cf/google/gemma-4-26b-a4b-it";

afterEach(() => {
  vi.useRealTimers();
  return reset();
});

const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

let made = 0;

async function opened(behaviour: string) {
  made += 1;
  const tenant = await makeTenant(`leaving-${made}`);
  const id = unique();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const messages = [{ role: "user", content: `[[fake:${behaviour}|${id}]]` }];
  const open = openStream(tenant.key, { model: GEMMA, messages, max_tokens: 50 });
  return { tenant, id, open };
}

async function expectHeld(tenant: TestTenant): Promise<void> {
  const [line, ...more] = await lines(tenant);
  expect(more).toEqual([]);
  expect(line).toMatchObject({ outcome: "posted", items: [{ basis: "held" }] });
  expect(line.micro_neurons).toBe(line.held_micro_neurons);
  const limits = await tenant.call("GET", "/v1/limits");
  expect(limits.body.pending_micro_neurons).toBe(0);
}

describe("a client that leaves", () => {
  it("pays what the engine tells at the end, which is waited for", async () => {
    const { tenant, open } = await opened("words=400&usage=12/400");
    const { response, ended } = await open;
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await ended();
    // 12 * 9,091 + 400 * 27,273 is more than was held: 50 tokens were asked for.
    const [line, ...more] = await lines(tenant);
    expect(more).toEqual([]);
    expect(line.items).toMatchObject([{ basis: "measured", units: { output_token: 400 } }]);
    expect(line.micro_neurons).toBe(line.held_micro_neurons);
  });

  it("pays the bound when the engine goes on for too long, and is then given up", async () => {
    const { tenant, id, open } = await opened("endless");
    const { response, ended } = await open;
    await response.body?.cancel();
    await until(async () => ((await writtenStreams(id))[0]?.pieces ?? 0) > 100);
    vi.advanceTimersByTime(READ_ON_MS - 1);
    expect((await writtenStreams(id))[0]?.closed).toBe(false);
    vi.advanceTimersByTime(1);
    await ended();
    await until(async () => (await writtenStreams(id))[0]?.closed === true);
    await expectHeld(tenant);
  });

  it("is noticed also while the engine says nothing", async () => {
    const { tenant, id, open } = await opened("stall=2");
    const { response, ended } = await open;
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await scheduler.wait(20);
    vi.advanceTimersByTime(QUIET_MS);
    await scheduler.wait(20);
    vi.advanceTimersByTime(READ_ON_MS);
    await ended();
    await until(async () => (await writtenStreams(id))[0]?.closed === true);
    await expectHeld(tenant);
  });
});

describe("a client that does not read", () => {
  it("holds the engine back: what is written ahead stays bounded", async () => {
    const { tenant, id, open } = await opened("endless&size=8000");
    const { response, ended } = await open;
    let before = -1;
    // Until the engine is held back by what nobody takes.
    await until(async () => {
      const bytes = (await writtenStreams(id))[0]?.bytes ?? 0;
      const still = bytes === before;
      before = bytes;
      await scheduler.wait(150);
      return still && bytes > 0;
    });
    // Sockets and proxies on the way hold some; an engine that was read ahead writes gigabytes.
    expect(before).toBeLessThan(16 * 1024 * 1024);
    await scheduler.wait(300);
    expect((await writtenStreams(id))[0]?.bytes).toBe(before);
    await response.body?.cancel();
    await scheduler.wait(20);
    vi.advanceTimersByTime(READ_ON_MS);
    await ended();
    await expectHeld(tenant);
  });

  it("is settled at the stream's limit, and written to no more", async () => {
    const { tenant, open } = await opened("endless");
    const { response, ended } = await open;
    await scheduler.wait(20);
    vi.advanceTimersByTime(STREAM_MS + LAST_WORD_MS);
    await ended();
    await expectHeld(tenant);
    await expect(response.text()).rejects.toThrow();
  });
});

describe("an engine that takes too long", () => {
  it("is given up before its first byte as any other: timed out, at its bound", async () => {
    for (const behaviour of ["hang", "stall=0"]) {
      // oxlint-disable no-await-in-loop -- one after the other
      const { tenant, id, open } = await opened(behaviour);
      await until(async () => (await askedAbout(id)).length === 1);
      await scheduler.wait(50);
      vi.advanceTimersByTime(TIMEOUT_MS);
      const { response, ended } = await open;
      expect(response.status).toBe(504);
      expect(response.headers.get("x-should-retry")).toBe("false");
      await ended();
      await expectHeld(tenant);
      vi.useRealTimers();
      // oxlint-enable no-await-in-loop
    }
  });

  it("is waited for with comments, which clients pass over", async () => {
    const { open } = await opened("stall=3");
    const stream = await open;
    let raw = "";
    const reading = stream.response.body
      ?.pipeThrough(new TextDecoderStream())
      .pipeTo(new WritableStream({ write: (text) => void (raw += text) }));
    const count = (start: string): number =>
      raw.split("\n\n").filter((event) => event.startsWith(start)).length;
    // Each word ends the silence before it: it begins when all have come.
    await until(async () => count("data: ") >= 3);
    for (let comments = 1; comments <= 3; comments += 1) {
      // oxlint-disable no-await-in-loop -- one after the other
      await scheduler.wait(20);
      vi.advanceTimersByTime(QUIET_MS);
      await until(async () => count(":") === comments);
      // oxlint-enable no-await-in-loop
    }
    await scheduler.wait(20);
    vi.advanceTimersByTime(STREAM_MS - 3 * QUIET_MS);
    await reading;
    const others = raw.split("\n\n").filter((event) => !event.startsWith("data: "));
    // The last one in the very moment of the end.
    expect(others).toEqual([":", ":", ":", ":", ""]);
    await stream.ended();
  });

  it("is ended at ten minutes, and its reader told", async () => {
    const { tenant, open } = await opened("stall=3");
    const stream = await open;
    const reading = readStream(stream);
    await scheduler.wait(50);
    vi.advanceTimersByTime(STREAM_MS);
    const { chunks, done } = await reading;
    expect(done).toBe(false);
    expect(chunks.at(-1).error.code).toBe("engine_failed");
    await expectHeld(tenant);
  });
});

describe("a Worker that dies on the way", () => {
  it("leaves a hold that is charged at its deadline, and a late settle changes nothing", async () => {
    const { tenant, open } = await opened("words=3&usage=12/3");
    const { response, ended } = await open;
    // Nobody reads, so nothing is settled: as if nobody were there any more.
    const beganAtMs = Date.now();
    const object = env.TENANT.getByName(tenant.id);
    expect(await lines(tenant)).toEqual([]);
    vi.useFakeTimers({ now: beganAtMs + 680_000, toFake: ["Date"] });
    await runDurableObjectAlarm(object);
    expect(await lines(tenant)).toEqual([]);
    vi.setSystemTime(beganAtMs + 691_000);
    await runDurableObjectAlarm(object);
    const [line] = await lines(tenant);
    expect(line).toMatchObject({ outcome: "expired" });
    expect(line.micro_neurons).toBe(line.held_micro_neurons);
    expect(await response.text()).toContain("[DONE]");
    await ended();
    expect(await lines(tenant)).toEqual([line]);
  });
});
