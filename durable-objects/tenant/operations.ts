import { ACCOUNT_OPERATIONS } from "./account/account-client.ts";
import { BATCH_OPERATIONS } from "./batches/batches.ts";
import { DOCUMENT_OPERATIONS } from "./documents/documents.ts";
import { EXAMPLE_OPERATIONS } from "./examples/reviewed-texts.ts";
import { SUGGESTION_OPERATIONS } from "./examples/suggestions.ts";
import type { TenantContext } from "./feature.ts";
import { LIMIT_OPERATIONS } from "./invariants.ts";
import { KEY_OPERATIONS } from "./keys/keys.ts";
import { ADJUSTMENT_OPERATIONS } from "./ledger/adjustments.ts";
import { ARCHIVE_OPERATIONS, JOURNAL_OPERATIONS } from "./ledger/journal.ts";
import { GRANT_OPERATIONS } from "./ledger/grants.ts";
import { REFUSAL_OPERATIONS } from "./ledger/refusals.ts";
import { PIPELINE_OPERATIONS } from "./pipelines/pipelines.ts";
import { RUN_STEP_OPERATIONS } from "./pipelines/run-steps.ts";
import { PICTURE_VARIANT_OPERATIONS } from "./picture-variants/picture-variants.ts";
import { POLICY_OPERATIONS } from "./policies/policies.ts";
import { ERASURE_OPERATIONS } from "./privacy/erasures.ts";
import { RESPONSE_OPERATIONS } from "./responses/responses.ts";
import { SESSION_OPERATIONS } from "./sessions/sessions.ts";
import { SEARCH_OPERATIONS } from "./search/vector-sets.ts";
import { REPORT_OPERATIONS } from "./usage/rebuild-reports.ts";
import { USAGE_OPERATIONS } from "./usage/usage.ts";
import { CONTENT_OPERATIONS } from "./verdicts/contents.ts";
import { REVIEW_OPERATIONS } from "./verdicts/reviews.ts";
import { VERDICT_OPERATIONS } from "./verdicts/verdicts.ts";
import { WEBHOOK_OPERATIONS } from "./webhooks/webhooks.ts";

/**
 * The operations of a tenant's object, beside governed calls, its creation and its deletion. Each is a
 * function of the object's context and the request, in the file of its feature.
 */
export const OPERATIONS = {
  ...KEY_OPERATIONS,
  ...POLICY_OPERATIONS,
  ...GRANT_OPERATIONS,
  ...ADJUSTMENT_OPERATIONS,
  ...JOURNAL_OPERATIONS,
  ...ARCHIVE_OPERATIONS,
  ...REFUSAL_OPERATIONS,
  ...LIMIT_OPERATIONS,
  ...USAGE_OPERATIONS,
  ...REPORT_OPERATIONS,
  ...VERDICT_OPERATIONS,
  ...REVIEW_OPERATIONS,
  ...CONTENT_OPERATIONS,
  ...DOCUMENT_OPERATIONS,
  ...EXAMPLE_OPERATIONS,
  ...SUGGESTION_OPERATIONS,
  ...ERASURE_OPERATIONS,
  ...RESPONSE_OPERATIONS,
  ...PICTURE_VARIANT_OPERATIONS,
  ...BATCH_OPERATIONS,
  ...SESSION_OPERATIONS,
  ...PIPELINE_OPERATIONS,
  ...RUN_STEP_OPERATIONS,
  ...SEARCH_OPERATIONS,
  ...WEBHOOK_OPERATIONS,
  ...ACCOUNT_OPERATIONS,
};

/** The operations as a caller has them: without the context. */
export type Operations = {
  readonly [Name in keyof typeof OPERATIONS]: (typeof OPERATIONS)[Name] extends (
    context: TenantContext,
    ...request: infer Request
  ) => infer Reply
    ? (...request: Request) => Reply
    : never;
};
