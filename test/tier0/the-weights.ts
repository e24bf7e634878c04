import { env } from "cloudflare:workers";
import { fetchModelAsset } from "../../src/io/model-asset.ts";
import { RELEASE } from "../../src/tier0/weights.ts";
import { Tier0 } from "../../src/tier0/tier0.ts";

const committed = await fetchModelAsset(env.ASSETS, RELEASE);

/** The committed file, as the Worker gets it; each call gives bytes of its own. */
export function theWeights(): ArrayBuffer {
  if (committed === null) throw new Error("The weights are not what src/tier0/weights.ts names.");
  return committed.slice(0);
}

let model: Tier0 | null = null;

export function theModel(): Tier0 {
  model ??= Tier0.read(theWeights());
  if (model === null) throw new Error("The committed weights cannot be read.");
  return model;
}
