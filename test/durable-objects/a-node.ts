import { env } from "cloudflare:test";
import { type Database, objectDatabase } from "../../durable-objects/database.ts";
import { dispatcherOptions } from "../../durable-objects/outbox/dispatcher.ts";
import { CONTENT_HASHES } from "../../durable-objects/tenant/calls/governed-calls.ts";
import { TENANT_FEATURES } from "../../durable-objects/tenant/features.ts";
import { readPlatform } from "../../src/edge/platform.ts";
import type { TenantHost } from "../../durable-objects/tenant/tenant-node.ts";

// A tenant's node within a test, over the storage of a real object: what it does outside of its database
// is the test's to say.

const nobody = (): never => {
  throw new Error("a test that reaches others says how");
};

export function hostOn(storage: DurableObjectStorage, database?: Database): TenantHost {
  const platform = readPlatform(env);
  return {
    database: database ?? objectDatabase(storage),
    wallMs: () => Date.now(),
    sleep: () => Promise.resolve(),
    alarm: { read: () => Promise.resolve(null), set: () => Promise.resolve() },
    deleteAll: () => storage.deleteAll(),
    platform,
    features: TENANT_FEATURES,
    hashes: CONTENT_HASHES,
    delivery: dispatcherOptions(platform),
    outside: {
      account: nobody,
      session: nobody,
      bucket: () => null,
      batches: () => null,
      pipelines: () => null,
      vectors: () => null,
      queue: () => null,
      clearReports: () => Promise.resolve(null),
      usersADay: () => 100,
      waitUntil: () => undefined,
      report: (_, error) => {
        throw error;
      },
    },
  };
}
