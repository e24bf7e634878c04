import * as v from "valibot";
import {
  type EventType,
  EVENT_TYPES,
  OLD_BATCH_EVENT,
  PLATFORM_EVENT_TYPES,
  TEST_EVENT,
} from "../../domain/webhooks/event.ts";
import type { WebhookSpec } from "../../http/openapi-webhooks.ts";
import { BatchOutput } from "./batch.ts";
import { RunOutput } from "./pipeline.ts";
import { microNeuronsOut, name, time } from "../field.ts";
import { ReconciliationOutput } from "./reconciliation.ts";
import { LimitsOutput } from "./report.ts";
import { VerdictOutput } from "./verdict.ts";
import { DeliveryOutput, WebhookOutput } from "./webhook.ts";

// What endpoints are sent, for the API's document: a schema for each event. `test/api` and the clients'
// tests hold real bodies against them.

type Data = v.GenericSchema;

/** A large verdict comes without its stages. */
const VerdictData = v.object({
  ...VerdictOutput.entries,
  stages: v.optional(VerdictOutput.entries.stages),
  truncated: v.optional(
    v.pipe(v.literal(true), v.description("The body was too large: read the stages by the id.")),
  ),
});

const ThresholdData = v.object({ ...LimitsOutput.entries, threshold: v.number() });

const ExceededData = v.object({
  ...LimitsOutput.entries,
  refused: v.pipe(v.string(), v.description("The kind of the refusal.")),
  policy: v.string(),
});

const DisabledData = v.object({
  ...WebhookOutput.entries,
  tenant: v.optional(v.pipe(v.string(), v.description("Whose it is, for the platform."))),
});

const DriftData = v.object({
  object: v.literal("policy_drift"),
  policy: v.pipe(v.string(), v.description("Whose `tier0` it is about.")),
  model: v.string(),
  kind: v.pipe(
    v.picklist(["missed", "wrong_block"]),
    v.description("Harmful texts pass, or harmless ones are blocked."),
  ),
  category: v.pipe(v.string(), v.description("A category, or `any`: of a required one.")),
  examples: v.pipe(
    v.number(),
    v.description("Texts of the sample that the judge finds harmful, or harmless."),
  ),
  wrong: v.pipe(v.number(), v.description("Of these, those that passed, or were blocked.")),
  at_least: v.pipe(
    v.number(),
    v.description("The true share is at least this, by Clopper and Pearson."),
  ),
  confidence: v.number(),
  max_miss_rate: v.pipe(v.number(), v.description("What the calibration proved.")),
  since: v.pipe(v.string(), v.description("The first day that is counted.")),
});

const ClosedData = v.object({
  object: v.literal("account_closure"),
  tenant: v.string(),
  day: v.string(),
});

const AccountThresholdData = v.object({
  object: v.literal("account_threshold"),
  day: v.string(),
  threshold: v.pipe(v.number(), v.description("The share of the pool, 0 to 1.")),
  size_micro_neurons: microNeuronsOut("The day's pool."),
  spent_micro_neurons: microNeuronsOut("What tenants have spent of it, as they reported."),
});

const EVENTS: Readonly<Record<EventType, { readonly summary: string; readonly data: Data }>> = {
  "moderation.verdict": { summary: "A verdict was stored", data: VerdictData },
  "moderation.review": { summary: "A person decided a verdict", data: VerdictData },
  "verdict_batch.completed": { summary: "A batch of verdicts has ended", data: BatchOutput },
  "pipeline.completed": {
    summary: "Every document of a run has an outcome",
    data: RunOutput,
  },
  "pipeline.failed": { summary: "A run was stopped or canceled", data: RunOutput },
  "quota.threshold": { summary: "Four fifths of the day's limit are posted", data: ThresholdData },
  "quota.exceeded": { summary: "The day's first refusal for quota", data: ExceededData },
  "policy.drift": {
    summary: "The text model is wrong more often than its calibration proved",
    data: DriftData,
  },
  "webhook.disabled": { summary: "An endpoint was disabled", data: DisabledData },
  "message.attempt.exhausted": {
    summary: "A message was given up: its last attempt failed, or its receiver asked for it",
    data: DeliveryOutput,
  },
  "account.threshold": {
    summary: "A share of the account's pool that `thresholds` names is spent",
    data: AccountThresholdData,
  },
  "account.closed": { summary: "The account's allocation of the day is used up", data: ClosedData },
  "reconciliation.drift": {
    summary: "Our count and Cloudflare's differ by more than the threshold",
    data: ReconciliationOutput,
  },
  [TEST_EVENT]: { summary: "The endpoint's owner tries it", data: WebhookOutput },
};

const body = (type: string, data: Data) =>
  v.object({
    id: name("`evt_` and a ULID; equal to `webhook-id`: deduplicate by it."),
    type: v.literal(type),
    timestamp: time("When it happened."),
    data,
  });

const specOf = (type: EventType): WebhookSpec => {
  const { summary, data } = EVENTS[type];
  return { type, summary, schema: body(type, data), deprecated: false };
};

const ALL: readonly EventType[] = [
  ...new Set<EventType>([...EVENT_TYPES, ...PLATFORM_EVENT_TYPES, TEST_EVENT]),
];

export const WEBHOOK_EVENTS: readonly WebhookSpec[] = [
  ...ALL.map(specOf),
  {
    type: OLD_BATCH_EVENT,
    summary: "The old name of `verdict_batch.completed`, at endpoints that subscribed to it",
    schema: body(OLD_BATCH_EVENT, BatchOutput),
    deprecated: true,
  },
];
