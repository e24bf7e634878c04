import type * as v from "valibot";
import { describe, expect, it } from "vitest";
import {
  policyBody,
  policyFields,
  type RuleFields,
  warningsOf,
} from "../../console/src/tenant/policy-form.ts";
import { type PolicyInput, toPolicy } from "../../src/api/native/policy.ts";
import { requiredOfText } from "../../src/domain/moderation/cascade.ts";
import { CATEGORIES } from "../../src/domain/moderation/category.ts";
import { defaultPolicy } from "../../src/domain/moderation/presets.ts";
import { TEXT_MODEL } from "../../src/domain/moderation/text-model.ts";

describe("the form of a policy", () => {
  const policy = toPolicy({ name: "default", version: 3, policy: defaultPolicy("embedded") });

  it("sends back what it was given", () => {
    const { object: _object, name: _name, version: _version, warnings: _none, ...whole } = policy;
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
      sample_decided: "0.1",
      sample_allowed: "0.05",
    };
    const body = policyBody(changed, policy);
    expect(body.categories["toxicity"]).toMatchObject({ block: 0.55, ban: null });
    expect(body.terms.block).toEqual(["spoon", "<b>fork</b>"]);
    expect(body.reuse_ttl_s).toBe(600);
    expect(fields.sample_decided).toBe("0.02");
    expect(body.sample_decided).toBe(0.1);
    expect(fields.sample_allowed).toBe("0");
    expect(body.sample_allowed).toBe(0.05);
    expect(policyBody({ ...changed, sample_allowed: "" }, policy).sample_allowed).toBe(0);
    expect(policyBody({ ...changed, sample_decided: "" }, policy).sample_decided).toBe(0);
    expect(policyBody({ ...changed, reuse_ttl_s: "" }, policy).reuse_ttl_s).toBe(0);
    // The server says what is wrong with it.
    expect(policyBody({ ...changed, reuse_ttl_s: "1 h" }, policy).reuse_ttl_s).toBe("1 h");
  });

  it("warns of thresholds that the policy as typed does not apply", () => {
    const any = { allow_below: 0.2, block_above: null, categories: requiredOfText(policy) };
    const tier0 = { model: TEXT_MODEL, thresholds: { any } } as unknown as typeof policy.tier0;
    const calibrated = { ...policy, tier0 };
    const fields = policyFields(calibrated);
    const typed = (required: boolean) => {
      const violence = { ...fields.categories["violence"], required, text: true } as RuleFields;
      return { ...fields, categories: { ...fields.categories, violence } };
    };
    expect(warningsOf(policyBody(fields, policy))).toEqual([]);
    expect(warningsOf(policyBody(typed(false), calibrated))).toEqual([]);
    expect(warningsOf(policyBody(typed(true), calibrated))).toMatchObject([
      { kind: "any_not_calibrated" },
    ]);
  });
});
