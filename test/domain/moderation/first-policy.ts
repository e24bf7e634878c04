import { CATEGORIES, forEach } from "../../../src/domain/moderation/category.ts";
import type { Policy } from "../../../src/domain/moderation/policy.ts";
import { defaultPolicy } from "../../../src/domain/moderation/presets.ts";

/**
 * The default policy of before there were presets, which tenants of that time have stored: it requires
 * less, and flags object labels sooner.
 */
export function firstPolicy(engine: "workers-ai" | "embedded"): Policy {
  const policy = defaultPolicy(engine);
  return {
    ...policy,
    categories: forEach(CATEGORIES, (category) => ({
      ...policy.categories[category],
      required: ["toxicity", "spam", "nsfw"].includes(category),
      ...(["weapons", "alcohol", "swimwear"].includes(category) && { flag: 0.5 }),
    })),
  };
}
