import {
  env,
  evictDurableObject,
  reset,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { vi } from "vitest";
import type { Limits } from "../../src/domain/ledger/limits.ts";
import type { Account } from "../../durable-objects/account/account.ts";
import { objectDatabase, StagedDatabase } from "../../durable-objects/database.ts";
import type { IssueKey } from "../../durable-objects/tenant/keys/keys.ts";
import type { LineQuery } from "../../durable-objects/tenant/ledger/ledger-store.ts";
import type {
  Admitted,
  AdmitReply,
  Caller,
  Idempotency,
  ModerationAdmit,
  SettleReply,
  SettleRequest,
} from "../../durable-objects/tenant/protocol.ts";
import { TENANT_SCHEMA } from "../../durable-objects/tenant/features.ts";
import type { DayTotals } from "../../src/domain/ledger/day-totals.ts";
import { addNamed } from "../../src/domain/usage/usage-sum.ts";
import { entryId, isAdjustment, type JournalEntry } from "../../src/domain/ledger/adjustment.ts";
import { CATEGORIES, forEach } from "../../src/domain/moderation/category.ts";
import {
  type Hold,
  heldItem,
  type Item,
  type JournalLine,
} from "../../src/domain/ledger/ledger.ts";
import { microNeurons, ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { isCheck, type MeasuredContent } from "../../src/domain/moderation/plan-moderation.ts";
import type { Role } from "../../src/domain/tenant/role.ts";
import { type Settings, withDefaults } from "../../src/domain/tenant/settings.ts";
import { NO_REVIEW, type Verdict } from "../../src/domain/moderation/verdict.ts";
import { newId } from "../../src/http/ids.ts";
import { accountObject, type TenantObject, tenantObject } from "../../src/edge/bindings.ts";

// A tenant's object as the router speaks to it, for tests: one picture is one engine call of
// 228,055 µN, held and charged alike.

/** resnet-50, one image, in µN. */
export const PICTURE = 228_055;

/**
 * 2036-11-20T14:03:27.412Z. It lies in the future because alarms go by the real clock: here none is
 * ever due by itself, so they ring when a test says so.
 */
export const NOW = Date.UTC(2036, 10, 20, 14, 3, 27, 412);
export const MIDNIGHT = Date.UTC(2036, 10, 21);
export const DAY = MIDNIGHT / 86_400_000 - 1;

export const SECOND = 1000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY_MS = 86_400_000;

/** How long a hold may stay open. */
export const DEADLINE = 90_000;

export const PLATFORM: Caller = { kind: "platform" };

/** Stops the clock, in the test and in every object. */
export function stopClock(atMs: number = NOW): void {
  vi.useFakeTimers({ now: atMs, toFake: ["Date"] });
}

/** For `afterEach`: the clock runs again and nothing is left in storage. */
export async function cleanUp(): Promise<void> {
  vi.useRealTimers();
  await reset();
}

export const tenantStub = (id: string): TenantObject => tenantObject(env, id);
export const account = (): ReturnType<typeof accountObject> => accountObject(env);

/** Storage and internals of a tenant's object, from within. */
export const inTenant = <Result>(
  id: string,
  look: (state: DurableObjectState, instance: object) => Result | Promise<Result>,
): Promise<Result> =>
  runInDurableObject(env.TENANT.getByName(id), (instance, state) =>
    look(state, instance as object),
  );

/** Feeds no reports any more, until the object starts anew: its alarm is for other things. */
export const withoutReports = (id: string): Promise<void> =>
  inTenant(id, (_, instance) => {
    const object = instance as { env: Partial<Env> };
    object.env = { ...object.env, USAGE: undefined } as unknown as Env;
  });

type Rows = readonly Readonly<Record<string, SqlStorageValue>>[];

/** What a statement finds, beside the object. A table that its feature has not made yet is empty. */
export async function rows(
  id: string,
  statement: string,
  ...values: (string | number)[]
): Promise<Rows> {
  const run = () =>
    inTenant(id, ({ storage }) => storage.sql.exec(statement, ...values).toArray() as Rows);
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("no such table"))) throw error;
    if (statement.startsWith("SELECT")) await makeTables(id);
    else await withAllTables(id);
    return run();
  }
}

/** What its days count beside calls, by name (`work.ts`). */
export async function workOf(id: string): Promise<Readonly<Record<string, number>>> {
  const days = await rows(id, "SELECT totals FROM periods");
  const counts = days.map(({ totals }) => (JSON.parse(totals as string) as DayTotals).work ?? {});
  return counts.reduce((sum, work) => addNamed(sum, work), {});
}

const makeTables = (id: string): Promise<void> =>
  inTenant(id, ({ storage }) => {
    const db = new StagedDatabase(objectDatabase(storage), TENANT_SCHEMA);
    for (const feature of TENANT_SCHEMA.features) db.ensure(feature);
  });

/**
 * The tables of all features, as an object has them that has used them all: for tests that write rows, or
 * run stores, beside the object. It starts anew, since it remembers which it has.
 */
export async function withAllTables(id: string): Promise<void> {
  await makeTables(id);
  await evictDurableObject(env.TENANT.getByName(id));
}

export const inAccount = <Result>(
  look: (state: DurableObjectState, instance: Account) => Result | Promise<Result>,
): Promise<Result> =>
  runInDurableObject(env.ACCOUNT.getByName("account"), (instance, state) => look(state, instance));

/** False: its alarm was not set. */
export const ringAccount = (): Promise<boolean> =>
  runDurableObjectAlarm(env.ACCOUNT.getByName("account"));

let made = 0;

/** Ids are never used twice: the router's cache of policies outlives a `reset`. */
const newTenantId = (): string => {
  made += 1;
  return `t-${crypto.randomUUID().slice(0, 8)}-${made}`;
};

export interface ATenant {
  readonly id: string;
  readonly key: Caller;
  readonly stub: () => TenantObject;
  readonly admit: (fields?: Partial<ModerationAdmit>) => Promise<AdmitReply>;
  /** @throws when it was refused */
  readonly hold: (fields?: Partial<ModerationAdmit>) => Promise<Hold>;
  readonly settle: (hold: Hold, fields?: Partial<SettleRequest>) => Promise<SettleReply>;
  readonly limits: () => Promise<Limits>;
  readonly lines: () => Promise<readonly JournalLine[]>;
  readonly configure: (settings: Partial<Settings>) => Promise<number>;
}

/**
 * A tenant with one `manage` key; free, 10,000 neurons, no rate in the way, if not said otherwise. On
 * the paid plan its overage is unlimited.
 */
export async function aTenant(
  settings: Partial<Settings> = {},
  id: string = newTenantId(),
): Promise<ATenant> {
  const configure = async (changed: Partial<Settings>): Promise<number> => {
    const change = { kind: "replace", settings: settingsOf({ ...settings, ...changed }) } as const;
    const put = await account().putTenant(id, change, null);
    if (put.kind !== "configured") throw new Error(`not configured: ${put.kind}`);
    return put.profile.version;
  };
  await configure({});
  // Nothing of the account's is in the way either: one that is tested says so.
  await account().patchPool({ rpm: { image_classification: 100_000 } });
  const key = await aKey(id);
  const stub = (): TenantObject => tenantStub(id);
  const admit = (fields: Partial<ModerationAdmit> = {}): Promise<AdmitReply> =>
    stub().admit(admitRequest({ caller: key, ...fields }));
  return {
    id,
    key,
    stub,
    admit,
    hold: async (fields) => admitted(await admit(fields)).hold,
    settle: (hold, fields) => stub().settle(settleRequest(hold, fields)),
    limits: async () => expectKind(await stub().readLimits(PLATFORM), "limits"),
    lines: () => allLines(id),
    configure,
  };
}

export const settingsOf = (settings: Partial<Settings>): Settings =>
  withDefaults({
    plan: "free",
    daily_neurons: 10_000,
    max_in_flight: 10_000,
    rpm: { requests: 100_000, image_classification: 100_000 },
    ...(settings.plan === "paid" && { overage_cap_neurons: "unlimited" as const }),
    ...settings,
  });

/** Issues a key; the caller is what the router makes of it. */
export async function aKey(
  tenant: string,
  role: Role = "manage",
  fields: Partial<IssueKey> = {},
): Promise<Extract<Caller, { kind: "key" }>> {
  const newKey = aNewKey();
  const issued = await tenantStub(tenant).issueKey(PLATFORM, {
    route: "POST /v1/keys",
    newKey,
    name: null,
    role,
    expiresAtMs: null,
    idempotency: null,
    ...fields,
  });
  expectKind(issued, "issued");
  return { kind: "key", secretHash: (fields.newKey ?? newKey).secretHash, roles: ["call"] };
}

export const aNewKey = (): IssueKey["newKey"] => ({
  id: newId("key"),
  secretHash: crypto.randomUUID(),
  prefix: "abcd",
});

/** One picture, or what is given. */
export const admitRequest = (
  fields: Partial<ModerationAdmit> & Pick<ModerationAdmit, "caller">,
): ModerationAdmit => {
  const contents = fields.contents ?? [pictures(1)];
  return {
    kind: "moderation",
    callId: newId("jnl"),
    requestId: newId("req"),
    route: "POST /v1/verdicts",
    userId: null,
    context: null,
    contents,
    verdictIds: contents.map(() => newId("vrd")),
    policy: { name: null, known: null },
    idempotency: null,
    ...fields,
  };
};

export const pictures = (count: number): MeasuredContent => ({ text: null, pictures: count });

/** A classifier and a judge, one call each. */
export const TEXT: MeasuredContent = { text: { sentiment: [40], judge: [40] }, pictures: 0 };

export const idempotency = (key: string, fingerprint: string = "a"): Idempotency => ({
  key,
  fingerprint,
});

export function admitted(reply: AdmitReply): Admitted {
  return expectKind(reply, "admitted");
}

export function expectKind<T extends { readonly kind: string }, K extends T["kind"]>(
  reply: T,
  kind: K,
): Extract<T, { readonly kind: K }> {
  if (reply.kind !== kind) throw new Error(`${reply.kind} where ${kind} was expected`);
  return reply as Extract<T, { readonly kind: K }>;
}

/** The call at its full bound, with one verdict, if not said otherwise. */
export const settleRequest = (hold: Hold, fields: Partial<SettleRequest> = {}): SettleRequest => ({
  callId: hold.callId,
  items: itemsOf(hold),
  verdicts: [aVerdict(hold)],
  account: null,
  reply: null,
  ...fields,
});

/** What the stages used: the bound, or an amount for each. */
export const itemsOf = (hold: Hold, each: number | null = null): Item[] =>
  hold.stages.map((stage) => ({
    ...heldItem(stage),
    engine: "embedded",
    microNeurons: each === null ? stage.bound : microNeurons(Math.min(each, stage.bound)),
    basis: "counted",
    failed: false,
  }));

/** No engine ran. */
export const voidItemsOf = (hold: Hold): Item[] =>
  itemsOf(hold).map((item) => ({
    ...item,
    model: null,
    engine: null,
    calls: 0,
    microNeurons: ZERO,
  }));

export const aVerdict = (hold: Hold, fields: Partial<Verdict> = {}): Verdict => ({
  id: `vrd_${hold.callId.slice(4)}`,
  contentId: null,
  userId: null,
  metadata: {},
  language: null,
  decision: "allow",
  approved: true,
  decidedBy: "policy",
  revision: 1,
  actions: [],
  reasons: [],
  coverage: forEach(CATEGORIES, () => "evaluated"),
  stages: hold.stages.filter(isCheck).map((stage) => ({
    name: stage.name,
    input: stage.input,
    model: stage.model,
    priced_as: stage.model,
    engine: "embedded",
    status: "evaluated",
    scores: {},
    latency_ms: 0,
    micro_neurons: 1,
    basis: "counted",
    measurements: null,
  })),
  microNeurons: hold.stages.length,
  policy: { name: "default", version: 1 },
  review: NO_REVIEW,
  batchId: null,
  test: false,
  contentHash: "of this content",
  createdAtMs: 0,
  ...fields,
});

export async function allLines(tenant: string): Promise<readonly JournalLine[]> {
  const lines: JournalEntry[] = [];
  for (;;) {
    const query: LineQuery = {
      before: lines.length === 0 ? null : entryId(lines.at(-1) as JournalEntry),
      fromMs: null,
      toMs: null,
      outcome: null,
      limit: 200,
    };
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const page = expectKind(await tenantStub(tenant).listLines(PLATFORM, query), "page");
    lines.push(...page.data);
    if (!page.more) return lines.filter((entry): entry is JournalLine => !isAdjustment(entry));
  }
}

export const amountOf = ({ drawn }: JournalLine): number =>
  drawn.quota + drawn.granted + drawn.overage;

/** The names of the invariants that are counted as broken. */
export async function broken(tenant: string): Promise<readonly string[]> {
  const reply = expectKind(await tenantStub(tenant).countInvariants(PLATFORM), "invariants");
  return reply.counts.filter(({ violations }) => violations > 0).map(({ name }) => name);
}

/** The pool holds that many pictures a day; how much one tenant may keep of it is in nobody's way. */
export const capAt = (
  count: number,
  shares = { max_hold_share: 1, max_unspent_share: 1 },
): ReturnType<ReturnType<typeof account>["patchPool"]> =>
  account().patchPool({ daily_cap_neurons: (count * PICTURE) / 1e6, ...shares });

/** What a call of that many pictures comes to. */
export const kindOf = async (tenant: ATenant, count = 1): Promise<string> =>
  (await tenant.admit({ contents: [pictures(count)] })).kind;
