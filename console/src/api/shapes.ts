// What the API answers, as far as the console reads it. `test/console/shapes.test.ts` holds these
// against the schemas of `src/api`: a field that is renamed there does not compile here.

import type { Decision, VerdictSums } from "./moderation-shapes.ts";

export interface List<Item> {
  readonly object: "list";
  readonly data: readonly Item[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
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

export type Plan = "free" | "paid";
export type Role = "call" | "review" | "manage" | "score";

/** Null: on the free plan, which has no overage. */
export type OverageCap = number | "unlimited" | null;

export interface Settings {
  readonly plan: Plan;
  readonly daily_neurons: number;
  readonly reserved_neurons: number;
  readonly overage_cap_neurons: OverageCap;
  readonly monthly_cap_neurons: number | null;
  readonly overage_usd_per_1000_neurons: string;
  readonly rpm: Readonly<Record<string, number>>;
  readonly max_in_flight: number;
  readonly models: readonly string[] | null;
  readonly cache_ttl_s: number;
  readonly daily_images_per_user: number;
  readonly content_retention_days: number;
  readonly verdict_retention_days: number;
  readonly event_retention_days: number;
  readonly default_max_tokens: number;
  readonly suspended: boolean;
}

export interface Tenant extends Settings {
  readonly id: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly version: number;
}

export interface Limits {
  readonly tenant: string;
  readonly plan: Plan;
  readonly day: string;
  readonly resets_at: string;
  readonly limit_micro_neurons: number | null;
  readonly posted_micro_neurons: number;
  readonly pending_micro_neurons: number;
  readonly available_micro_neurons: number | null;
  readonly grants: readonly {
    readonly id: string;
    readonly remaining_micro_neurons: number;
    readonly expires_at: string;
  }[];
  readonly overage: { readonly micro_neurons: number; readonly cap_neurons: OverageCap };
  readonly rates: readonly Rate[];
  readonly in_flight: { readonly limit: number; readonly used: number };
  readonly account_closed: boolean;
}

export interface Rate {
  readonly name: string;
  readonly limit: number;
  readonly remaining: number;
  readonly resets_at: string | null;
}

export interface UsageRow {
  readonly day: string | null;
  readonly hour: string | null;
  readonly tenant: string | null;
  readonly model: string | null;
  readonly task: string | null;
  readonly engine: string | null;
  readonly engine_requests: number | null;
  readonly failed: number | null;
  readonly units: Readonly<Record<string, number>>;
  readonly micro_neurons: number;
  readonly estimated_micro_neurons: number | null;
  readonly held_micro_neurons: number | null;
  readonly calls: number | null;
  readonly success_rate: number | null;
  readonly cost_usd: string;
  readonly charge_usd: string | null;
  readonly latency: Latency | null;
}

export interface Latency {
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly p99_ms: number | null;
}

export interface Spent {
  readonly micro_neurons: number;
  readonly cost_usd: string;
  readonly charge_usd: string;
}

export interface Usage {
  readonly tenant: string;
  readonly from: string;
  readonly to: string;
  readonly as_of: string;
  readonly data: readonly UsageRow[];
  readonly totals: {
    readonly calls: number;
    readonly success_rate: number | null;
    readonly refused: Readonly<Record<string, number>>;
    readonly micro_neurons: number;
    readonly quota_micro_neurons: number;
    readonly granted_micro_neurons: number;
    readonly overage_micro_neurons: number;
    readonly cost_usd: string;
    readonly charge_usd: string;
    readonly verdicts: VerdictSums;
    readonly latency: Latency;
  };
  readonly month: {
    readonly month: string;
    readonly elapsed: number;
    readonly to_date: Spent;
    readonly forecast: Spent | null;
  };
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

export interface JournalLine {
  readonly id: string;
  readonly day: string;
  readonly admitted_at: string;
  readonly settled_at: string;
  readonly outcome: "posted" | "voided" | "expired";
  readonly route: string;
  readonly request_id: string;
  readonly key_id: string | null;
  readonly user_id: string | null;
  readonly verdict_id: string | null;
  readonly held_micro_neurons: number;
  readonly micro_neurons: number;
  readonly quota_micro_neurons: number;
  readonly granted_micro_neurons: number;
  readonly overage_micro_neurons: number;
  readonly overrun_micro_neurons: number;
  /** Of a line that gives back: which line, and why. */
  readonly adjusts: string | null;
  readonly reason: string | null;
  readonly items: readonly {
    readonly stage: string;
    readonly input: string;
    readonly model: string | null;
    readonly engine: string | null;
    readonly priced_as: string;
    readonly units: Readonly<Record<string, number>>;
    readonly micro_neurons: number;
    readonly basis: string;
  }[];
}

export interface Key {
  readonly id: string;
  readonly name: string | null;
  readonly role: Role;
  readonly prefix: string;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly last_used_on: string | null;
}

export interface IssuedKey extends Key {
  /** Null when the idempotency key was repeated: it was shown before. */
  readonly key: string | null;
  readonly replaces: string | null;
}

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly description: string | null;
  readonly events: readonly string[];
  readonly decisions: readonly Decision[] | null;
  readonly enabled: boolean;
  readonly disabled_reason: string | null;
  readonly ordered: boolean;
  readonly blocked_by: string | null;
  readonly failing_since: string | null;
  readonly down: boolean;
  readonly old_secret_expires_at: string | null;
  readonly replaying: boolean;
  readonly created_at: string;
}

export interface WebhookWithSecret extends Webhook {
  readonly secret: string | null;
}

export interface Delivery {
  readonly id: string;
  readonly webhook_id: string;
  readonly event_id: string;
  readonly event_type: string | null;
  readonly object_id: string | null;
  readonly state: "pending" | "delivered" | "failed";
  readonly attempt_count: number;
  readonly attempts: readonly {
    readonly at: string;
    readonly status: number | null;
    readonly error: string | null;
    readonly latency_ms: number;
    readonly reply: string | null;
  }[];
  readonly next_attempt_at: string | null;
  readonly created_at: string;
}

export interface PlatformEvent {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>> | null;
}

export interface Refusal {
  readonly minute: string;
  readonly kind: string;
  readonly policy: string | null;
  readonly count: number;
  readonly limit_micro_neurons: number | null;
  readonly posted_micro_neurons: number | null;
  readonly pending_micro_neurons: number | null;
  readonly largest_required_micro_neurons: number | null;
  readonly key_ids: readonly string[];
  readonly first_request_id: string;
}

export interface Invariants {
  readonly tenant: string;
  readonly holds: boolean | null;
  readonly complete: boolean;
  readonly checked_to: string | null;
  readonly data: readonly {
    readonly number: number;
    readonly name: string;
    readonly checked: number | null;
    readonly violations: number;
  }[];
  readonly as_of: string;
}

export interface AuditEntry {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly tenant: string | null;
  readonly request_id: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Quote {
  readonly min_micro_neurons: number;
  readonly max_micro_neurons: number;
  readonly fits_today: boolean;
  readonly refused_as: string | null;
  readonly stages: readonly {
    readonly stage: string;
    readonly input: string;
    readonly model: string;
    readonly max_micro_neurons: number;
  }[];
}

export interface ModelCard {
  readonly id: string;
  readonly neurogate: {
    readonly task: string;
    readonly usable: boolean;
    readonly refused_as: string | null;
  };
}
