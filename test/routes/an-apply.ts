import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { APPLIES_NAME } from "../../src/edge/bindings.ts";
import { admin, ask, type Reply } from "../client.ts";

// Documents in parts, for tests: the clock stands, so the object does a slice when a test says so.

export const FREE = { plan: "free", daily_neurons: 1000 };
export const PAID = { plan: "paid", daily_neurons: 1000, overage_cap_neurons: 50 };

const applies = () => env.APPLIES.getByName(APPLIES_NAME);

export interface PartWays {
  readonly dryRun?: boolean;
  readonly env?: Readonly<Record<string, unknown>>;
}

/** `part` as on the wire: "1/2". */
export const sendPart = (
  id: string,
  part: string,
  document: unknown,
  { dryRun = false, env: other }: PartWays = {},
): Promise<Reply> =>
  ask("PUT", `/admin/state?apply=${id}&part=${part}${dryRun ? "&dry_run=true" : ""}`, {
    key: env.ADMIN_TOKEN,
    body: document,
    ...(other === undefined ? {} : { env: other }),
  });

export const readApply = async (id: string): Promise<Reply["body"]> =>
  (await admin("GET", `/admin/state/applies/${id}`)).body;

export const applyTenants = async (id: string, query = ""): Promise<Reply["body"][]> =>
  (await admin("GET", `/admin/state/applies/${id}/tenants?limit=200${query}`)).body.data;

/** One slice. False: there was nothing to do. */
export const ring = (): Promise<boolean> => runDurableObjectAlarm(applies());

/** The object starts anew, with what is in its storage. */
export const evict = (): Promise<void> => evictDurableObject(applies());

export async function runToEnd(id: string, slices = 50): Promise<Reply["body"]> {
  for (let slice = 0; slice < slices; slice += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one slice after the other
    await ring();
    // oxlint-disable-next-line no-await-in-loop -- as above
    const apply = await readApply(id);
    if (apply.ended_at !== null) return apply;
  }
  throw new Error("it did not come to its end");
}

/** Other objects than its own ones, until it is evicted. */
export const swap = (changed: Readonly<Record<string, unknown>>): Promise<void> =>
  runInDurableObject(applies(), (instance) => {
    Object.defineProperty(instance, "env", { value: { ...env, ...changed }, configurable: true });
  });

export const inApplies = <Result>(
  look: (storage: DurableObjectStorage) => Result,
): Promise<Result> => runInDurableObject(applies(), (_, { storage }) => look(storage));

export const tenantsOf = (
  ids: readonly string[],
  settings: object = FREE,
): { tenants: Record<string, object> } => ({
  tenants: Object.fromEntries(ids.map((id) => [id, settings])),
});

export const names = (count: number, prefix = "t"): string[] =>
  Array.from({ length: count }, (_, at) => `${prefix}${String(at).padStart(4, "0")}`);
