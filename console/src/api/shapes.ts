import type { GenericSchema, InferOutput } from "valibot";
import type { AccountOutput } from "../../../src/api/native/account.ts";
import type { AllUsageOutput } from "../../../src/api/native/all-usage.ts";
import type { BatchOutput } from "../../../src/api/native/batch.ts";
import type { CostsOutput } from "../../../src/api/native/costs.ts";
import type { ChecksOutput, PassOutput } from "../../../src/api/native/check.ts";
import type { DocumentOutput } from "../../../src/api/native/document.ts";
import type { GrantOutput } from "../../../src/api/native/grant.ts";
import type { JournalLineOutput } from "../../../src/api/native/journal-line.ts";
import type { ContentOutput } from "../../../src/api/native/kept-content.ts";
import type { IssuedKeyOutput, KeyOutput } from "../../../src/api/native/key.ts";
import type {
  ListedTenantOutput,
  SharingTenantOutput,
} from "../../../src/api/native/listed-tenant.ts";
import type { LoggedVerdictOutput } from "../../../src/api/native/moderation-log.ts";
import type { ReplayOutput } from "../../../src/api/native/policy-replay.ts";
import type { RunOutput, RunStepOutput } from "../../../src/api/native/pipeline.ts";
import type { PolicyOutput } from "../../../src/api/native/policy.ts";
import type { QuoteOutput } from "../../../src/api/native/quote.ts";
import type { ReconciliationDayOutput } from "../../../src/api/native/reconciliation.ts";
import type {
  AuditOutput,
  InvariantsOutput,
  LimitsOutput,
  RefusalOutput,
} from "../../../src/api/native/report.ts";
import type { ListedSessionOutput, SessionStateOutput } from "../../../src/api/native/session.ts";
import type { TenantOutput } from "../../../src/api/native/settings.ts";
import type { StatementOutput } from "../../../src/api/native/statement.ts";
import type { UsageOutput } from "../../../src/api/native/usage.ts";
import type { RevisionOutput, VerdictOutput } from "../../../src/api/native/verdict.ts";
import type {
  DeliveryOutput,
  EventOutput,
  WebhookOutput,
  WebhookWithSecretOutput,
} from "../../../src/api/native/webhook.ts";
import type { ModelOutput } from "../../../src/api/openai/model.ts";
import type { listOf } from "../../../src/api/field.ts";

// The replies of the API, as its schemas say them. Types only: no schema is in the pages.

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: Frozen<T[Name]> }
    : T;

/** A reply of this schema. */
type Reply<Schema extends GenericSchema> = Frozen<InferOutput<Schema>>;

export interface List<Item> extends Omit<Reply<ReturnType<typeof listOf>>, "data"> {
  readonly data: readonly Item[];
}

/** RFC 9457, as the native surface answers. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly kind: string;
  readonly request_id: string | null;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
  readonly resets_at?: string;
  readonly version?: number;
}

export type Tenant = Reply<typeof TenantOutput>;
export type Settings = Omit<Tenant, "object" | "id" | "created_at" | "updated_at" | "version">;
export type Plan = Tenant["plan"];
export type Limits = Reply<typeof LimitsOutput>;
export type Rate = Limits["rates"][number];
export type Refusal = Reply<typeof RefusalOutput>;
export type AuditEntry = Reply<typeof AuditOutput>;

export type Key = Reply<typeof KeyOutput>;
export type IssuedKey = Reply<typeof IssuedKeyOutput>;
export type Role = Key["role"];

export type Account = Reply<typeof AccountOutput>;
export type AccountSettings = Account["settings"];
export type ListedTenant = Reply<typeof ListedTenantOutput>;
/** A tenant's share of the account's pool. */
export type Share = Reply<typeof SharingTenantOutput>;

/** The rules that must hold, of one tenant. */
export type Invariants = Reply<typeof InvariantsOutput>;
/** One pass over all tenants. */
export type InvariantsPass = Reply<typeof PassOutput>;
/** Tenants that did not look sound, and how far the counting is. */
export type Checks = Reply<typeof ChecksOutput>;

export type Usage = Reply<typeof UsageOutput>;
/** A page; only the first one has sums. */
export type AllUsage = Reply<typeof AllUsageOutput>;
export type Costs = Reply<typeof CostsOutput>;
/** A batch of verdicts. */
export type Batch = Reply<typeof BatchOutput>;
export type UsageRow = Usage["data"][number];
export type VerdictSums = Usage["totals"]["verdicts"];
export type Resource = NonNullable<AllUsage["platform"]>[number];
export type JournalLine = Reply<typeof JournalLineOutput>;
export type Grant = Reply<typeof GrantOutput>;
export type Statement = Reply<typeof StatementOutput>;
export type ReconciledDay = Reply<typeof ReconciliationDayOutput>;
export type Quote = Reply<typeof QuoteOutput>;
export type ModelCard = Reply<typeof ModelOutput>;

export type Verdict = Reply<typeof VerdictOutput>;
export type Decision = Verdict["decision"];
export type Reason = Verdict["reasons"][number];
export type Stage = Verdict["stages"][number];
export type CheckStatus = NonNullable<Verdict["coverage"][keyof Verdict["coverage"]]>;
export type Revision = Reply<typeof RevisionOutput>;
export type Content = Reply<typeof ContentOutput>;
export type LoggedVerdict = Reply<typeof LoggedVerdictOutput>;

export type ListedSession = Reply<typeof ListedSessionOutput>;
/** Without `object`: a key of the tenant reads the whole session, the platform its state. */
export type SessionState = Omit<Reply<typeof SessionStateOutput>, "object">;
export type StoredDocument = Reply<typeof DocumentOutput>;
export type PipelineRun = Reply<typeof RunOutput>;
export type PipelineStep = Reply<typeof RunStepOutput>;

export type Policy = Reply<typeof PolicyOutput>;
export type CategoryRule = Policy["categories"][keyof Policy["categories"]];
export type Term = Policy["terms"]["block"][number];
/** A policy without the fields that only name it; the form has any category. */
export type PolicyBody = Omit<Policy, "object" | "name" | "version" | "warnings" | "categories"> & {
  readonly categories: Readonly<Record<string, CategoryRule>>;
};
type WholeReplay = Reply<typeof ReplayOutput>;
/** Of the verdicts without a score the pages show the number alone. */
export interface PolicyReplay extends Omit<WholeReplay, "unscorable"> {
  readonly unscorable: Pick<WholeReplay["unscorable"], "verdicts">;
}

export type Webhook = Reply<typeof WebhookOutput>;
export type WebhookWithSecret = Reply<typeof WebhookWithSecretOutput>;
export type Delivery = Reply<typeof DeliveryOutput>;
export type PlatformEvent = Reply<typeof EventOutput>;
