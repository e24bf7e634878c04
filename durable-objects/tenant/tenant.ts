import { DurableObject } from "cloudflare:workers";
import { vectorStoresOf } from "../../src/vectors/vector-stores.ts";
import { ACCOUNT_NAME } from "../account/account-protocol.ts";
import { objectDatabase } from "../database.ts";
import { dispatcherOptions } from "../outbox/dispatcher.ts";
import { failureReporter } from "../report-failure.ts";
import { CONTENT_HASHES, type GovernedCalls } from "./calls/governed-calls.ts";
import { TENANT_FEATURES } from "./features.ts";
import { type Operations, OPERATIONS } from "./operations.ts";
import type { Outside, TenantOutside } from "./outside.ts";
import { type TenantHost, TenantNode } from "./tenant-node.ts";

// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the static block defines them
export interface Tenant extends Operations {}

/**
 * One tenant's Durable Object: the shell around its `TenantNode`. What it does not forward cannot be
 * reached from outside.
 */
export class Tenant extends DurableObject<Env> {
  readonly #node: TenantNode;

  constructor(ctx: DurableObjectState, env: Env, outside: TenantOutside) {
    super(ctx, env);
    // The environment is read with each use: a test changes it.
    this.#node = new TenantNode(hostOf(ctx, () => this.env, outside));
  }

  admit(...request: Parameters<GovernedCalls["admit"]>): ReturnType<GovernedCalls["admit"]> {
    return this.#node.calls.admit(...request);
  }

  settle(...request: Parameters<GovernedCalls["settle"]>): ReturnType<GovernedCalls["settle"]> {
    return this.#node.calls.settle(...request);
  }

  mayRead(...request: Parameters<GovernedCalls["mayRead"]>): ReturnType<GovernedCalls["mayRead"]> {
    return this.#node.calls.mayRead(...request);
  }

  quote(...request: Parameters<GovernedCalls["quote"]>): ReturnType<GovernedCalls["quote"]> {
    return this.#node.calls.quote(...request);
  }

  configure(...request: Parameters<TenantNode["configure"]>): ReturnType<TenantNode["configure"]> {
    return this.#node.configure(...request);
  }

  readProfile(
    ...request: Parameters<TenantNode["readProfile"]>
  ): ReturnType<TenantNode["readProfile"]> {
    return this.#node.readProfile(...request);
  }

  close(): ReturnType<TenantNode["close"]> {
    return this.#node.close();
  }

  erase(): Promise<boolean> {
    return this.#node.erase();
  }

  override alarm(): Promise<void> {
    return this.#node.alarm();
  }

  static {
    for (const [name, operation] of Object.entries(OPERATIONS)) {
      const value = function forward(this: Tenant, ...request: unknown[]): unknown {
        return Reflect.apply(operation, undefined, [this.#node, ...request]);
      };
      const isMethod = { configurable: true, writable: true, enumerable: false };
      Object.defineProperty(Tenant.prototype, name, { value, ...isMethod });
    }
  }
}

const report = failureReporter("tenant");

const wallMs = (): number => Date.now();

export function hostOf(
  ctx: DurableObjectState,
  env: () => Env,
  outside: TenantOutside,
): TenantHost {
  const platform = outside.platform(env());
  const { storage } = ctx;
  return {
    database: objectDatabase(storage),
    wallMs,
    sleep: (ms) => scheduler.wait(ms),
    alarm: { read: () => storage.getAlarm(), set: (atMs) => storage.setAlarm(atMs) },
    deleteAll: async () => {
      await storage.deleteAlarm();
      await storage.deleteAll();
    },
    platform,
    features: TENANT_FEATURES,
    hashes: CONTENT_HASHES,
    delivery: dispatcherOptions(platform),
    outside: outsideOf(ctx, env, outside),
  };
}

const outsideOf = (
  ctx: DurableObjectState,
  env: () => Env,
  { usersADay, clearReports }: TenantOutside,
): Outside => ({
  account: () => env().ACCOUNT.getByName(ACCOUNT_NAME),
  bucket: () => (env() as Partial<Env>).IMAGES ?? null,
  session: (name) => env().SESSION.getByName(name),
  batches: () => (env() as Partial<Env>).BATCHES ?? null,
  pipelines: () => (env() as Partial<Env>).PIPELINES ?? null,
  vectors: () => vectorStoresOf(env()),
  queue: () => usageQueueOf(env()),
  clearReports: (of) => clearReports(env(), of),
  usersADay: () => usersADay(env()),
  waitUntil: (work) => ctx.waitUntil(work),
  report,
});

/** A deployment may do without reports: it has neither the queue nor the database, or not both. */
const usageQueueOf = (env: Env): Queue | null => {
  const { USAGE, REPORTS } = env as Partial<Env>;
  return REPORTS === undefined ? null : (USAGE ?? null);
};
