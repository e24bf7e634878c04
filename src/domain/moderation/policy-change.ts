import { SAMPLE_DECIDED } from "./cascade.ts";
import { CATEGORIES, type Category, forEach } from "./category.ts";
import { UNGUARDED } from "./guard.ts";
import type { CategoryRule, Policy } from "./policy.ts";

// The changes of a PUT or a PATCH, applied to another policy: the default one, or the one in force.

type Part<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** An absent field is left as it is. A list is replaced as a whole. */
export interface PolicyChange extends Part<
  Pick<Policy, "spam_phrases" | "on_unavailable" | "evaluate_all" | "reuse_ttl_s" | "routing">
> {
  readonly categories?: Part<Record<Category, Part<CategoryRule>>> | undefined;
  readonly terms?: Part<Policy["terms"]> | undefined;
  readonly guard?: Part<NonNullable<Policy["guard"]>> | undefined;
  readonly models?: Part<Policy["models"]> | undefined;
  /** Null removes it, as if it had never been set. */
  readonly unevaluated?: Policy["unevaluated"] | null | undefined;
  readonly language?: string | null | undefined;
  readonly ban_after?: Policy["ban_after"] | null | undefined;
  readonly tier0?: Policy["tier0"] | null | undefined;
  readonly sample_allowed?: number | undefined;
  readonly sample_decided?: number | undefined;
}

export function changedPolicy(policy: Policy, change: PolicyChange): Policy {
  const {
    matching,
    unevaluated,
    language,
    ban_after,
    tier0,
    sample_allowed,
    sample_decided,
    reuse_ttl_s,
    ...rest
  } = policy;
  const reuseTtlS = change.reuse_ttl_s ?? reuse_ttl_s ?? 0;
  const next = {
    unevaluated: change.unevaluated === undefined ? unevaluated : (change.unevaluated ?? undefined),
    language: change.language === undefined ? language : (change.language ?? undefined),
    ban_after: change.ban_after === undefined ? ban_after : (change.ban_after ?? undefined),
    tier0: change.tier0 === undefined ? tier0 : (change.tier0 ?? undefined),
    sample_allowed: change.sample_allowed ?? sample_allowed ?? 0,
    sample_decided: change.sample_decided ?? sample_decided ?? SAMPLE_DECIDED,
  };
  return {
    ...rest,
    categories: forEach(CATEGORIES, (category) =>
      over(policy.categories[category], change.categories?.[category] ?? {}),
    ),
    spam_phrases: change.spam_phrases ?? policy.spam_phrases,
    terms: over(policy.terms, change.terms ?? {}),
    on_unavailable: change.on_unavailable ?? policy.on_unavailable,
    evaluate_all: change.evaluate_all ?? policy.evaluate_all,
    guard: over(policy.guard ?? UNGUARDED, change.guard ?? {}),
    models: over(policy.models, change.models ?? {}),
    routing: change.routing ?? policy.routing,
    ...(matching !== undefined && !namesTerms(change) && { matching }),
    ...(next.unevaluated !== undefined && { unevaluated: next.unevaluated }),
    ...(next.language !== undefined && { language: next.language }),
    ...(next.ban_after !== undefined && { ban_after: next.ban_after }),
    ...(next.tier0 !== undefined && { tier0: next.tier0 }),
    ...(next.sample_allowed > 0 && { sample_allowed: next.sample_allowed }),
    ...(next.sample_decided !== SAMPLE_DECIDED && { sample_decided: next.sample_decided }),
    ...(reuseTtlS > 0 && { reuse_ttl_s: reuseTtlS }),
  };
}

/** New terms and phrases are compared by the current rules. */
const namesTerms = ({ terms, spam_phrases }: PolicyChange): boolean =>
  terms !== undefined || spam_phrases !== undefined;

/** `part` over `whole`: a null in it is set, an undefined is ignored. */
function over<T extends object>(whole: T, part: Part<T>): T {
  const set = Object.entries(part).filter(([, value]) => value !== undefined);
  return { ...whole, ...Object.fromEntries(set) };
}
