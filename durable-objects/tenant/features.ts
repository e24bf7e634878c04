import type { Schema } from "../database.ts";
import { ACCOUNT_FEATURE } from "./account/account-client.ts";
import { BATCHES_FEATURE } from "./batches/batch-recovery.ts";
import { REPLAY_FEATURE } from "./calls/replay.ts";
import { USER_PICTURES_FEATURE } from "./calls/admit.ts";
import { DOCUMENTS_FEATURE } from "./documents/documents.ts";
import { DRIFT_FEATURE } from "./drift/drift.ts";
import { SUGGESTIONS_FEATURE } from "./examples/suggestions.ts";
import type { TenantFeature } from "./feature.ts";
import { ARCHIVES_FEATURE, JOURNAL_FEATURE } from "./ledger/journal.ts";
import { REFUSALS_FEATURE } from "./ledger/refusals.ts";
import { PIPELINES_FEATURE } from "./pipelines/pipeline-recovery.ts";
import { PICTURE_VARIANTS_FEATURE } from "./picture-variants/picture-variants.ts";
import { POLICIES_FEATURE } from "./policies/policies.ts";
import { ERASURES_FEATURE } from "./privacy/erasures.ts";
import { RESPONSES_FEATURE } from "./responses/responses.ts";
import { SESSIONS_FEATURE } from "./sessions/sessions.ts";
import { SEARCH_FEATURE } from "./search/vector-sets.ts";
import { CORE, TENANT_MIGRATIONS } from "./tenant-schema.ts";
import { USAGE_FEATURE } from "./usage/usage-feed.ts";
import { USAGE_SPLITS_FEATURE } from "./usage-splits/usage-splits.ts";
import { CONTENTS_FEATURE } from "./verdicts/contents.ts";
import { REUSE_FEATURE } from "./verdicts/reuse.ts";
import { REVIEWS_FEATURE } from "./verdicts/reviews.ts";
import { VERDICTS_FEATURE } from "./verdicts/verdicts.ts";
import { PLATFORM_EVENTS_FEATURE, WEBHOOKS_FEATURE } from "./webhooks/webhooks.ts";

/**
 * All features of a tenant. This is the order of the alarm, and the order in which a person's data is
 * looked through and erased.
 */
export const TENANT_FEATURES: readonly TenantFeature[] = [
  { name: "core", tables: [CORE] },
  // A person's deliveries and events are found by their verdicts, so they go first.
  WEBHOOKS_FEATURE,
  PLATFORM_EVENTS_FEATURE,
  // Other tenants wait for neurons that this one gives back: that comes before its own work.
  ACCOUNT_FEATURE,
  // Contents and revisions are found by their verdicts too.
  CONTENTS_FEATURE,
  REVIEWS_FEATURE,
  VERDICTS_FEATURE,
  REUSE_FEATURE,
  RESPONSES_FEATURE,
  // A deleted document lets go of its vectors, which are found by their person: before it.
  SEARCH_FEATURE,
  DOCUMENTS_FEATURE,
  DRIFT_FEATURE,
  SUGGESTIONS_FEATURE,
  // Idempotency keys and replies are found by the lines of their calls, and by sessions: before those.
  REPLAY_FEATURE,
  JOURNAL_FEATURE,
  REFUSALS_FEATURE,
  USER_PICTURES_FEATURE,
  PICTURE_VARIANTS_FEATURE,
  SESSIONS_FEATURE,
  // Its rows are folded from lines and verdicts: erased ones are not folded again.
  USAGE_FEATURE,
  USAGE_SPLITS_FEATURE,
  // Files of a person are erased once the rows that name them are.
  ERASURES_FEATURE,
  // Only a day that is folded is archived: after the reports.
  ARCHIVES_FEATURE,
  BATCHES_FEATURE,
  PIPELINES_FEATURE,
  // A version of a policy goes after the verdicts that name it.
  POLICIES_FEATURE,
];

/** The tables of features: each makes its own with its first row. */
export const schemaOf = (features: readonly TenantFeature[]): Schema => ({
  released: TENANT_MIGRATIONS,
  features: features.flatMap(({ tables }) => tables ?? []),
});

export const TENANT_SCHEMA = schemaOf(TENANT_FEATURES);
