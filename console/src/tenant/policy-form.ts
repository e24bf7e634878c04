import {
  type CascadeWarning,
  cascadeWarnings,
} from "../../../src/domain/moderation/cascade-warnings.ts";
import type { CategoryRule, Decision, Policy, PolicyBody, Term } from "../api/shapes.ts";

// The form of a policy: its fields as typed, and the body that is sent.

export interface RuleFields {
  readonly text: boolean;
  readonly image: boolean;
  readonly required: boolean;
  /** Empty: never. */
  readonly flag: string;
  readonly block: string;
  readonly ban: string;
}

export interface PolicyFields {
  readonly categories: Readonly<Record<string, RuleFields>>;
  readonly spam_phrases: string;
  readonly block_terms: string;
  readonly allow_terms: string;
  readonly on_unavailable: Decision;
  readonly evaluate_all: boolean;
  /** A share of approved contents: 0 to 1. */
  readonly sample_allowed: string;
  /** A share of the texts: 0 to 1. */
  readonly sample_decided: string;
  /** Seconds. */
  readonly reuse_ttl_s: string;
}

const text = (threshold: number | null): string => (threshold === null ? "" : String(threshold));

export const policyFields = (policy: PolicyBody): PolicyFields => ({
  categories: Object.fromEntries(
    Object.entries(policy.categories).map(([category, rule]) => [
      category,
      {
        text: rule.inputs.includes("text"),
        image: rule.inputs.includes("image"),
        required: rule.required,
        flag: text(rule.flag),
        block: text(rule.block),
        ban: text(rule.ban),
      },
    ]),
  ),
  spam_phrases: policy.spam_phrases.join("\n"),
  block_terms: policy.terms.block.map(termLine).join("\n"),
  allow_terms: policy.terms.allow.map(termLine).join("\n"),
  on_unavailable: policy.on_unavailable,
  evaluate_all: policy.evaluate_all,
  sample_allowed: String(policy.sample_allowed),
  sample_decided: String(policy.sample_decided),
  reuse_ttl_s: String(policy.reuse_ttl_s),
});

/** A text that is no number is sent as it is: the server's error at the field says what it must be. */
const number = (typed: string): number | null =>
  typed.trim() === "" ? null : Number.isFinite(Number(typed)) ? Number(typed) : (typed as never);

const lines = (typed: string): string[] =>
  typed
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** A term with its own way of comparing is written as JSON on its line. */
const termLine = (term: Term): string => (typeof term === "string" ? term : JSON.stringify(term));

function termOf(line: string): Term {
  if (!line.startsWith("{")) return line;
  try {
    return JSON.parse(line) as Term;
  } catch {
    return line;
  }
}

const terms = (typed: string): Term[] => lines(typed).map(termOf);

const ruleOf = (fields: RuleFields): CategoryRule => ({
  inputs: [
    ...(fields.text ? (["text"] as const) : []),
    ...(fields.image ? (["image"] as const) : []),
  ],
  required: fields.required,
  flag: number(fields.flag),
  block: number(fields.block),
  ban: number(fields.ban),
});

/** The body of a PUT. It starts from the policy that was read, so fields that the form lacks stay. */
export function policyBody(fields: PolicyFields, read: Policy): PolicyBody {
  const { object: _object, name: _name, version: _version, warnings: _warnings, ...kept } = read;
  return {
    ...kept,
    categories: Object.fromEntries(
      Object.entries(fields.categories).map(([category, rule]) => [category, ruleOf(rule)]),
    ),
    spam_phrases: lines(fields.spam_phrases),
    terms: { block: terms(fields.block_terms), allow: terms(fields.allow_terms) },
    on_unavailable: fields.on_unavailable,
    evaluate_all: fields.evaluate_all,
    sample_allowed: number(fields.sample_allowed) ?? 0,
    sample_decided: number(fields.sample_decided) ?? 0,
    reuse_ttl_s: number(fields.reuse_ttl_s) ?? 0,
  };
}

/** The thresholds that decide nothing under a policy as it is typed. */
export const warningsOf = ({ tier0, categories }: PolicyBody): CascadeWarning[] =>
  tier0 === null ? [] : cascadeWarnings({ tier0, categories });
