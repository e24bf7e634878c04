import { CATEGORIES, forEach } from "../../src/domain/category.ts";
import type { Policy } from "../../src/domain/policy.ts";
import { defaultPolicy } from "../../src/domain/presets.ts";

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
