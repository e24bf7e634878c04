import { baseLanguage } from "../domain/text/languages.ts";
import type { Policy } from "../domain/moderation/policy.ts";
import { plainText } from "../domain/text/normalise.ts";
import { canBe, languageIn, type PlacedText } from "./language.ts";

/**
 * The caller's language applies, unless the text is in a script that this language does not use. Without one,
 * the detected language applies, or the policy's default if none is detected.
 */
export function placedText(text: string, given: string | null, policy: Policy): PlacedText {
  const plain = plainText(text);
  return { plain, language: languageOf(plain, given, policy) };
}

function languageOf(plain: string, given: string | null, policy: Policy): string | null {
  if (given !== null) return canBe(baseLanguage(given), plain) ? baseLanguage(given) : null;
  const found = languageIn(plain);
  if (found !== null || policy.language === undefined || !/\p{L}/u.test(plain)) return found;
  return canBe(policy.language, plain) ? policy.language : null;
}
