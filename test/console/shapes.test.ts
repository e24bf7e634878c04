import type * as v from "valibot";
import { describe, expect, it } from "vitest";
import type * as account from "../../console/src/api/account-shapes.ts";
import type * as checks from "../../console/src/api/check-shapes.ts";
import type * as money from "../../console/src/api/money-shapes.ts";
import type * as moderation from "../../console/src/api/moderation-shapes.ts";
import type * as shapes from "../../console/src/api/shapes.ts";
import { CATEGORIES } from "../../src/domain/moderation/category.ts";
import { defaultPolicy } from "../../src/domain/moderation/presets.ts";
import type { AccountOutput } from "../../src/api/native/account.ts";
import type { AllUsageOutput } from "../../src/api/native/all-usage.ts";
import type { ChecksOutput, PassOutput } from "../../src/api/native/check.ts";
import type { GrantOutput } from "../../src/api/native/grant.ts";
import type { LoggedVerdictOutput } from "../../src/api/native/moderation-log.ts";
import type { ReconciliationDayOutput } from "../../src/api/native/reconciliation.ts";
import type { StatementOutput } from "../../src/api/native/statement.ts";
import type { JournalLineOutput } from "../../src/api/native/journal-line.ts";
import type { ContentOutput } from "../../src/api/native/kept-content.ts";
import type { IssuedKeyOutput, KeyOutput } from "../../src/api/native/key.ts";
import type { ModelOutput } from "../../src/api/openai/model.ts";
import { type PolicyInput, type PolicyOutput, toPolicy } from "../../src/api/native/policy.ts";
import type { ReplayOutput } from "../../src/api/native/policy-replay.ts";
import type { QuoteOutput } from "../../src/api/native/quote.ts";
import type {
  AuditOutput,
  InvariantsOutput,
  LimitsOutput,
  RefusalOutput,
} from "../../src/api/native/report.ts";
import type { TenantOutput } from "../../src/api/native/settings.ts";
import type { UsageOutput } from "../../src/api/native/usage.ts";
import type { RevisionOutput, VerdictOutput } from "../../src/api/native/verdict.ts";
import type {
  DeliveryOutput,
  EventOutput,
  WebhookOutput,
  WebhookWithSecretOutput,
} from "../../src/api/native/webhook.ts";
import { policyBody, policyFields } from "../../console/src/tenant/policy-form.ts";

// What the console reads is what the API says: this file does not compile where they part.

type Shown<Schema extends v.GenericSchema, Shape> =
  v.InferOutput<Schema> extends Shape ? true : never;

const SHOWN: readonly true[] = [
  true satisfies Shown<typeof TenantOutput, shapes.Tenant>,
  true satisfies Shown<typeof LimitsOutput, shapes.Limits>,
  true satisfies Shown<typeof UsageOutput, shapes.Usage>,
  true satisfies Shown<typeof JournalLineOutput, shapes.JournalLine>,
  true satisfies Shown<typeof KeyOutput, shapes.Key>,
  true satisfies Shown<typeof IssuedKeyOutput, shapes.IssuedKey>,
  true satisfies Shown<typeof PolicyOutput, moderation.Policy>,
  true satisfies Shown<typeof ReplayOutput, moderation.PolicyReplay>,
  true satisfies Shown<typeof VerdictOutput, moderation.Verdict>,
  true satisfies Shown<typeof RevisionOutput, moderation.Revision>,
  true satisfies Shown<typeof ContentOutput, moderation.Content>,
  true satisfies Shown<typeof WebhookOutput, shapes.Webhook>,
  true satisfies Shown<typeof WebhookWithSecretOutput, shapes.WebhookWithSecret>,
  true satisfies Shown<typeof DeliveryOutput, shapes.Delivery>,
  true satisfies Shown<typeof EventOutput, shapes.PlatformEvent>,
  true satisfies Shown<typeof RefusalOutput, shapes.Refusal>,
  true satisfies Shown<typeof InvariantsOutput, shapes.Invariants>,
  true satisfies Shown<typeof ChecksOutput, checks.Checks>,
  true satisfies Shown<typeof PassOutput, checks.InvariantsPass>,
  true satisfies Shown<typeof AuditOutput, shapes.AuditEntry>,
  true satisfies Shown<typeof QuoteOutput, shapes.Quote>,
  true satisfies Shown<typeof AllUsageOutput, money.AllUsage>,
  true satisfies Shown<typeof GrantOutput, money.Grant>,
  true satisfies Shown<typeof StatementOutput, money.Statement>,
  true satisfies Shown<typeof ReconciliationDayOutput, money.ReconciledDay>,
  true satisfies Shown<typeof LoggedVerdictOutput, money.LoggedVerdict>,
  true satisfies Shown<typeof AccountOutput, account.Account>,
  true satisfies Shown<typeof ModelOutput, shapes.ModelCard>,
];

describe("what the console reads", () => {
  it("is what the API says", () => {
    expect(SHOWN).toHaveLength(28);
  });
});

describe("the form of a policy", () => {
  const policy = toPolicy({ name: "default", version: 3, policy: defaultPolicy("embedded") });

  it("sends back what it was given", () => {
    const { object: _object, name: _name, version: _version, ...whole } = policy;
    const body = policyBody(policyFields(policy), policy);
    expect(body).toEqual(whole);
    expect(Object.keys(body.categories)).toEqual([...CATEGORIES]);
    const sent: v.InferInput<typeof PolicyInput> = body as v.InferInput<typeof PolicyInput>;
    expect(sent.terms).toEqual({ block: [], allow: [] });
  });

  it("takes an emptied threshold as never, and a line as a term", () => {
    const fields = policyFields(policy);
    const toxicity = fields.categories["toxicity"];
    if (toxicity === undefined) throw new Error("there is no rule for toxicity");
    const changed = {
      ...fields,
      categories: { ...fields.categories, toxicity: { ...toxicity, ban: "", block: "0.55" } },
      block_terms: " spoon \n\n<b>fork</b>",
      reuse_ttl_s: " 600",
    };
    const body = policyBody(changed, policy);
    expect(body.categories["toxicity"]).toMatchObject({ block: 0.55, ban: null });
    expect(body.terms.block).toEqual(["spoon", "<b>fork</b>"]);
    expect(body.reuse_ttl_s).toBe(600);
    expect(policyBody({ ...changed, reuse_ttl_s: "" }, policy).reuse_ttl_s).toBe(0);
    // The server says what is wrong with it.
    expect(policyBody({ ...changed, reuse_ttl_s: "1 h" }, policy).reuse_ttl_s).toBe("1 h");
  });
});
