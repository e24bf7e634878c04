import { ACCOUNT_NAME } from "../../durable-objects/account/account-protocol.ts";
import type { Account } from "../../durable-objects/account/account.ts";
import type { StateApplies } from "../../durable-objects/applies/state-applies.ts";
import type { Caller as ObjectCaller } from "../../durable-objects/tenant/protocol.ts";
import type { Tenant } from "../../durable-objects/tenant/tenant.ts";
import type { Observe } from "../calls/governed-call.ts";
import type { Config } from "../config.ts";
import type { FailureKind } from "../domain/ledger/failure.ts";
import { inferencePoints } from "../domain/usage/inference-point.ts";
import { createEngine } from "../engines/create-engine.ts";
import type { Engine } from "../engines/engine.ts";
import type { Caller, KeyCaller, LinkCaller, MirrorCaller } from "../http/call.ts";
import { isRetryable, isTransient } from "../io/object-error.ts";

// The bindings of this deployment, as routes use them: the objects, the engine, the bucket, the dataset of
// inferences.
// An object that cannot be reached is `unavailable`, and the caller may
// try again. An exception of its code is a bug: it is thrown on, and the router logs it with the
// request's id and answers `internal`.

type Methods<T> = {
  // oxlint-disable-next-line typescript/no-explicit-any -- any method has some parameters
  [K in keyof T as T[K] extends (...parameters: any[]) => unknown ? K : never]: T[K] extends (
    ...parameters: infer Parameters
  ) => infer Result
    ? (...parameters: Parameters) => Promise<Awaited<Result>>
    : never;
};

export type TenantObject = Methods<Tenant>;
export type AccountObject = Methods<Account>;
export type AppliesObject = Methods<StateApplies>;

/** There is one object of this class, so that no two documents are applied at once. */
export const APPLIES_NAME = "applies";

/** What a method of the tenant's object is given after the caller. */
export type TenantRequest<Method extends keyof TenantObject> = Parameters<TenantObject[Method]>[1];

/** What a method of the tenant's object answers: the answers of one kind. */
export type TenantAnswer<Method extends keyof TenantObject, Kind extends string> = Extract<
  Awaited<ReturnType<TenantObject[Method]>>,
  { readonly kind: Kind }
>;

/** How any call of a tenant's object may fail, by a key of its own or through a mirror. */
export const TENANT_READ = [
  "tenant_suspended",
  "role_required",
  "not_found",
] as const satisfies readonly FailureKind[];

/** How a call that the tenant's object admits may fail. */
export const GOVERNED = [
  "tenant_suspended",
  "role_required",
  "model_not_allowed",
  "model_not_found",
  "model_retired",
  "unpriced_model",
  "unbounded_usage",
  "over_limit",
  "idempotency_key_reused",
  "idempotency_in_progress",
  "idempotency_replay_unavailable",
  "account_quota_exceeded",
  "quota_exceeded",
  "overage_cap_exceeded",
  "rate_limited",
  "quota_reserved",
  "concurrency_exceeded",
  "storage_full",
  "settlement_unavailable",
] as const satisfies readonly FailureKind[];

/** How a request may fail whose idempotency key has made something before. */
export const KEY_USED = [
  "idempotency_key_reused",
  "idempotency_replay_unavailable",
] as const satisfies readonly FailureKind[];

export const UNAVAILABLE = { kind: "unavailable" } as const;

/** A new stub: one that threw is broken. The runtime's own type of it gives up on our unions. */
export const tenantObject = (env: Env, id: string): TenantObject =>
  env.TENANT.getByName(id) as unknown as TenantObject;

export const accountObject = (env: Env): AccountObject =>
  env.ACCOUNT.getByName(ACCOUNT_NAME) as unknown as AccountObject;

/** The object checks it in the same transaction as the request. */
export const objectCaller = (caller: Exclude<Caller, LinkCaller>): ObjectCaller =>
  caller.kind === "key"
    ? {
        kind: "key",
        secretHash: caller.secretHash,
        roles: caller.roles,
        ...(caller.scoreOnly === true && { scoreOnly: true }),
      }
    : { kind: "platform" };

interface TenantCall {
  readonly env: Env;
  readonly caller: KeyCaller | MirrorCaller;
}

type TenantAct<Result> = (tenant: TenantObject, caller: ObjectCaller) => Promise<Result>;

/** Reads from the caller's tenant. A read that was cut off is repeated once. */
export const readTenant = <Result>(
  call: TenantCall,
  read: TenantAct<Result>,
): Promise<Result | typeof UNAVAILABLE> => attempt(() => actOn(call, read), { repeats: true });

/** Changes something of the caller's tenant: once, since a repeat could change it twice. */
export const writeTenant = <Result>(
  call: TenantCall,
  write: TenantAct<Result>,
): Promise<Result | typeof UNAVAILABLE> => attempt(() => actOn(call, write), { repeats: false });

/** As `readTenant`, of the one `Account` object. */
export const readAccount = <Result>(
  env: Env,
  read: (account: AccountObject) => Promise<Result>,
): Promise<Result | typeof UNAVAILABLE> =>
  attempt(() => read(accountObject(env)), { repeats: true });

/** As `writeTenant`, of the one `Account` object. */
export const writeAccount = <Result>(
  env: Env,
  write: (account: AccountObject) => Promise<Result>,
): Promise<Result | typeof UNAVAILABLE> =>
  attempt(() => write(accountObject(env)), { repeats: false });

/** As `readTenant`, of the one `StateApplies` object: every call of it can be repeated. */
export const callApplies = <Result>(
  env: Env,
  act: (applies: AppliesObject) => Promise<Result>,
): Promise<Result | typeof UNAVAILABLE> =>
  attempt(() => act(env.APPLIES.getByName(APPLIES_NAME) as unknown as AppliesObject), {
    repeats: true,
  });

const actOn = <Result>({ env, caller }: TenantCall, act: TenantAct<Result>): Promise<Result> =>
  act(tenantObject(env, caller.tenant), objectCaller(caller));

/**
 * Any call of an object.
 *
 * @param repeats the call changes nothing, or can be repeated: it is, once, when it was cut off
 * @throws what the object's own code threw
 */
export async function attempt<Result>(
  act: () => Promise<Result>,
  { repeats }: { readonly repeats: boolean },
): Promise<Result | typeof UNAVAILABLE> {
  try {
    return await act();
  } catch (error) {
    if (repeats && isRetryable(error)) return attempt(act, { repeats: false });
    if (isTransient(error)) return UNAVAILABLE;
    throw error;
  }
}

const ENGINES = new WeakMap<Config, Engine>();

/** The engine of a configuration. It is made once: an isolate reads its configuration once. */
export function engineOf(config: Config, env: Pick<Env, "AI" | "ASSETS">): Engine {
  const known = ENGINES.get(config);
  if (known !== undefined) return known;
  const engine = createEngine(config, env);
  ENGINES.set(config, engine);
  return engine;
}

/** Null: this deployment has no bucket, so that pictures are in replies only. */
export const bucketOf = (env: Env): R2Bucket | null => (env as Partial<Env>).IMAGES ?? null;

/** Null: this deployment gives pictures only as they were made. */
export const transformsOf = (env: Env): ImagesBinding | null =>
  (env as Partial<Env>).TRANSFORMS ?? null;

/** An invocation may write so many points (Analytics Engine's limit); more would be errors. */
const MAX_POINTS = 250;

/**
 * Writes the points of one request's calls. What cannot be written is lost: the ledger counts, these
 * only measure. A deployment may do without the binding.
 */
export function recordInferences(env: Env, tenant: string): Observe {
  const dataset = (env as Partial<Env>).INFERENCES;
  if (dataset === undefined) return () => undefined;
  let left = MAX_POINTS;
  return (items) => {
    try {
      for (const point of inferencePoints(tenant, items).slice(0, left)) {
        dataset.writeDataPoint(point);
        left -= 1;
      }
    } catch {
      // Nothing that is paid for depends on it.
    }
  };
}
