import * as fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import {
  Alarm,
  type Capability,
  momentOf,
  type TenantFeature,
} from "../../durable-objects/tenant/feature.ts";
import { createWebhook } from "../../durable-objects/outbox/webhooks.ts";
import { TENANT_FEATURES } from "../../durable-objects/tenant/features.ts";
import type { Profile } from "../../durable-objects/tenant/profile-store.ts";
import { TenantNode } from "../../durable-objects/tenant/tenant-node.ts";
import type { Tx } from "../../durable-objects/tenant/transactions.ts";
import { ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { NO_COUNTS } from "../../src/domain/moderation/batch.ts";
import { VECTORIZE } from "../../src/domain/search/vector-set.ts";
import { hostOn } from "./a-node.ts";
import { cleanUp, DAY_MS, HOUR, inTenant, MINUTE, NOW, settingsOf, stopClock } from "./a-tenant.ts";

// The alarm asks only the features that can have something due, and remembers what only rows decide. After
// every step of a random history its answer is compared with that of all features, asked anew.

beforeEach(() => stopClock());
afterEach(cleanUp);

const RUNS = 60;
const STEPS = 40;
const SEED = 20_261_130;
const ID = "armed";

/** A change of rows; `name` is one of a few ids, `atMs` a time in the next days. */
type Change = (tx: Tx, name: string, atMs: number) => void;

/** Kinds of rows that need the alarm, and how each comes and goes. */
const CHANGES: Readonly<Record<string, Change>> = {
  "content files expected": ({ stores }, name, atMs) => stores.contentFiles.expect(name, atMs),
  "content files gone": ({ stores }, name) => stores.contentFiles.remove(name),
  "content kept": ({ stores, nowMs }, name) =>
    stores.contents.insert({ verdictId: name, text: "hello", pictures: [] }, nowMs),
  "content deleted": ({ stores }, name) => stores.contents.delete(name),
  "document files expected": ({ stores }, name, atMs) =>
    stores.documents.expectFiles({ file: name, documentId: name }, atMs),
  "document files gone": ({ stores }, name) => stores.documents.removeFiles(name),
  "document made": ({ stores, nowMs }, name, atMs) => {
    stores.documents.delete(name);
    stores.documents.insert({
      id: name,
      file: `f-${name}`,
      state: "ready",
      type: "other",
      userId: null,
      contentType: "text/plain",
      language: null,
      bytes: 1,
      characters: 1,
      hiddenPassages: 0,
      createdAtMs: nowMs,
      expiresAtMs: atMs,
      tasks: [],
    });
  },
  "document deleted": ({ stores }, name) => stores.documents.delete(name),
  "vectors being written": ({ stores }, name, atMs) =>
    stores.vectorSets.update({ ...aSet(name), state: "writing", dueAtMs: atMs }),
  "vectors ready": ({ stores }, name) => stores.vectorSets.update(aSet(name)),
  "vectors gone": ({ stores }, name) => stores.vectorSets.delete(aSet(name)),
  "session begun": ({ stores, nowMs }, name) => {
    if (stores.sessions.read(name) === null && !stores.sessions.some(9).includes(name)) {
      const of = { lineage: null, userId: null, model: "m", createdAtMs: nowMs };
      stores.sessions.insert({ id: name, ...of });
    }
  },
  "session to be erased": ({ stores }, name, atMs) => stores.sessions.eraseAt(name, atMs),
  "session gone": ({ stores }, name) => stores.sessions.delete(name),
  "response kept": ({ stores, nowMs }, name) =>
    stores.responses.insert({
      id: name,
      previousId: null,
      userId: null,
      createdAtMs: nowMs,
      usedAtMs: nowMs,
      bytes: 1,
    }),
  "response deleted": ({ stores }, name, atMs) => stores.responses.delete(name, atMs),
  "erasure running": ({ stores, nowMs }, name, atMs) =>
    stores.erasures.write({
      id: name,
      person: "p",
      userId: "ada",
      place: null,
      againAtMs: atMs,
      filesDueMs: null,
      counts: {},
      createdAtMs: nowMs,
      finishedAtMs: null,
    }),
  "batch running": ({ stores, nowMs }, name, atMs) =>
    stores.batches.write({ ...aBatch(name, nowMs), waitsUntilMs: atMs }),
  "batch ended": ({ stores, nowMs }, name) =>
    stores.batches.write({ ...aBatch(name, nowMs), state: "completed", finishedAtMs: nowMs }),
  "batch alive": ({ stores, nowMs }, name) => stores.batches.noteSign(name, nowMs),
  "endpoint made": ({ stores: { outbox }, nowMs }, id) =>
    void createWebhook(
      outbox,
      {
        id,
        url: "https://example.com",
        description: null,
        events: ["quota.threshold"],
        decisions: ["allow"],
        enabled: true,
        secret: "whsec_AAAA",
        ordered: false,
      },
      nowMs,
    ),
  "endpoint deleted": ({ stores }, name) => stores.outbox.webhooks.delete(name),
  "event of the platform": ({ stores }) => stores.outbox.platformEvents?.add("quota.exceeded", {}),
  "notice of a day": ({ stores, nowMs }) =>
    stores.outbox.recordOnceADay("quota.threshold", () => ({}), nowMs),
};

const aSet = (key: string) => ({
  key,
  documentId: "d",
  revision: "r",
  type: "other" as const,
  userId: null,
  space: { model: "m", dimensions: 2 },
  place: VECTORIZE,
  chunks: 1,
  state: "ready" as const,
  dueAtMs: null,
  tries: 0,
});

const aBatch = (id: string, nowMs: number) => ({
  id,
  state: "running" as const,
  items: 1,
  ends: [1],
  context: null,
  resume: false,
  secretHash: null,
  keyId: null,
  requestId: "req_1",
  counts: NO_COUNTS,
  microNeurons: 0,
  stoppedAs: null,
  waitsUntilMs: null,
  createdAtMs: nowMs,
  progressAtMs: nowMs,
  finishedAtMs: null,
  hasFiles: true,
});

type Step =
  | {
      readonly do: "change";
      readonly what: string;
      readonly name: string;
      readonly afterMs: number;
      /** The transaction is rolled back. */
      readonly fails: boolean;
    }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "configure"; readonly days: number }
  | { readonly do: "alarm" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("change"),
      what: fc.constantFrom(...Object.keys(CHANGES)),
      name: fc.constantFrom("a", "b"),
      afterMs: fc.nat({ max: 2 * DAY_MS }),
      fails: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait"), ms: fc.constantFrom(1, MINUTE, HOUR, DAY_MS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("configure"), days: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("alarm") }) },
);

/** A node, and the features as it made them. */
async function armedNode(storage: DurableObjectStorage) {
  const made: Capability[] = [];
  const watched = TENANT_FEATURES.map(({ capability, ...feature }): TenantFeature => ({
    ...feature,
    ...(capability !== undefined && {
      capability: (context) => {
        const one = capability(context);
        made.push(one);
        return one;
      },
    }),
  }));
  const host = hostOn(storage);
  let alarmMs: number | null = null;
  const node = new TenantNode({
    ...host,
    features: watched,
    alarm: {
      read: () => Promise.resolve(null),
      set: (atMs) => Promise.resolve(void (alarmMs = atMs)),
    },
    delivery: { ...host.delivery, attempt: () => Promise.reject(new Error("none")) },
    outside: {
      ...host.outside,
      account: () => ({ ask: () => Promise.reject(new Error("none")), report: async () => {} }),
      session: () => ({ erase: () => Promise.resolve(true) }),
      report: () => undefined,
    },
  });
  await node.configure({
    birth: {
      id: ID,
      generation: 1,
      carried: { day: 0, posted: ZERO },
      contentSecret: "00".repeat(32),
    },
    change: { kind: "replace", settings: settingsOf({}) },
    ifMatch: null,
  });
  const read = (): Profile => {
    const profile = node.profile();
    if (profile === null) throw new Error("there is no tenant");
    return profile;
  };
  return {
    node,
    features: made,
    profile: read,
    /** When the object's alarm rings; null: never. */
    alarm: { read: () => alarmMs, rung: () => void (alarmMs = null) },
  };
}

/** When work needs the alarm, with every feature asked. */
const workMs = (features: readonly Capability[], profile: Profile): number =>
  Math.min(...features.map(({ dueMs }) => dueMs?.(Date.now(), profile) ?? Infinity));

/** When the first row of any kind is past its retention. */
const expiryMs = (features: readonly Capability[], profile: Profile): number => {
  const all = features.flatMap(({ expiries }) => expiries ?? []);
  if (all.some(({ isOverdue }) => isOverdue?.() === true)) return 0;
  return Math.min(...all.map(({ dueMs }) => dueMs(profile) ?? Infinity));
};

it("rings for all that asking every feature would have it ring for", async () => {
  const seen = new Set<string>();
  await inTenant(ID, async ({ storage }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: STEPS, size: "max" }), async (steps) => {
        vi.setSystemTime(NOW);
        await storage.deleteAll();
        const { node, features, profile, alarm } = await armedNode(storage);
        const quick = new Alarm(features, node.transact);
        let purgedMs = 0;
        for (const one of steps) {
          if (one.do === "wait") vi.setSystemTime(Date.now() + one.ms);
          if (one.do === "configure") {
            const days = {
              response_retention_s: one.days * 86_400,
              event_retention_days: one.days,
            };
            const change = { kind: "replace" as const, settings: settingsOf(days) };
            // oxlint-disable-next-line no-await-in-loop -- one step after the other
            await node.configure({ birth: {} as never, change, ifMatch: null });
          }
          if (one.do === "alarm") {
            purgedMs = Date.now();
            // oxlint-disable-next-line no-await-in-loop -- as above
            await quick.run(profile());
            alarm.rung();
            // oxlint-disable-next-line no-await-in-loop -- as above
            await node.alarm();
          }
          if (one.do === "change") {
            const change = CHANGES[one.what];
            try {
              node.transact((tx) => {
                change?.(tx, one.name, tx.nowMs + one.afterMs);
                if (one.fails) throw new Error("rolled back");
              });
            } catch (error) {
              expect(String(error)).toContain("rolled back");
            }
          }
          const atMs = quick.dueMs(profile(), Date.now());
          const dueMs = workMs(features, profile());
          const firstMs = expiryMs(features, profile());
          if (atMs !== dueMs) {
            // Rows past their retention go at the tenant's own moment, or an hour after the last purge.
            const isMoment = (atMs - momentOf(ID)) % HOUR === 0 || atMs === purgedMs + HOUR;
            expect({ one, isMoment, isBefore: atMs < dueMs }).toEqual({
              one,
              isMoment: true,
              isBefore: true,
            });
          }
          const latestMs = Math.max(firstMs + DAY_MS, purgedMs + HOUR);
          expect(Math.min(atMs, latestMs)).toBe(atMs);
          // oxlint-disable-next-line no-await-in-loop -- as above
          await node.arm();
          expect(alarm.read() ?? Infinity).toBeLessThanOrEqual(atMs);
          if (atMs < Infinity && one.do === "change" && !one.fails) seen.add(one.what);
        }
      }),
      { numRuns: RUNS, seed: SEED },
    );
  });
  expect([...seen].toSorted()).toEqual(Object.keys(CHANGES).toSorted());
});
