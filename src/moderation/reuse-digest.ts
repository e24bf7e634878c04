import type { Config } from "../config.ts";
import { CATALOGUE_VERSION } from "../domain/catalogue/catalogue.ts";
import { judgeMessages } from "../domain/moderation/judge.ts";
import { PICTURE_MODEL } from "../domain/moderation/picture-scores.ts";
import { RULES_VERSION } from "../domain/moderation/reuse.ts";
import { TEXT_MODEL } from "../domain/moderation/text-model.ts";
import { visionMessages } from "../domain/moderation/vision.ts";
import type { EngineName } from "../engines/engine.ts";
import { NEGATIVITY_MODEL } from "../engines/embedded/negativity.ts";
import { PIXELS_MODEL } from "../engines/embedded/engine.ts";
import { type Content, contentDigest } from "./content.ts";

/**
 * A digest that is equal for contents that are judged alike under one policy: of their exact bytes, the given
 * language, and all models and rules here. SHA-256, hex. Null when contents cannot be compared: a URL may
 * return another picture each time, and a test input is not judged.
 */
export async function reuseDigest(content: Content, judges: string): Promise<string | null> {
  const { text, language, pictures, test } = content;
  // A text that is not well-formed has no single sequence of bytes.
  if (test !== null || text?.isWellFormed() === false) return null;
  if (pictures.some(({ kind }) => kind === "url")) return null;
  const parts = [await contentDigest(content, []), text === null, language, judges];
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Settings that change no verdict. A setting that is added later counts until it is listed here. */
const MOVE_NOTHING: readonly string[] = [
  "keySecrets",
  "adminToken",
  "access",
  "prices",
  "corsOrigins",
  "webhookTargets",
  "logLevel",
  "cloudflare",
  "driftAlert",
  "safetyMarginDays",
  "reportUsersADay",
] satisfies readonly (keyof Config)[];

/** The name and version of everything that judges in this deployment. */
export function judgesOf(config: Config, engine: EngineName): string {
  const settings = Object.entries({ ...config, openai: { ...config.openai, apiKey: null } });
  return JSON.stringify([
    RULES_VERSION,
    CATALOGUE_VERSION,
    engine,
    settings.filter(([name]) => !MOVE_NOTHING.includes(name)),
    [TEXT_MODEL, PICTURE_MODEL, NEGATIVITY_MODEL, PIXELS_MODEL],
    [judgeMessages("", ""), visionMessages("", "")],
  ]);
}
