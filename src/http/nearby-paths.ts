import { type Mount, pathTemplate } from "./mount.ts";
import type { Surface } from "./route.ts";

// Suggestions for an unknown path. Clients join a base URL and a path in their own ways, so we recognise
// two slashes, a slash at the end and a repeated version. A suggestion is always one of our own path
// templates and never repeats the path that was sent.

export interface Nearby {
  /** The likeliest first; at most three. */
  readonly paths: readonly string[];
  /** The surface of the path that is surely meant, for the shape of the reply. */
  readonly surface?: Surface;
}

/** Longer than any path here with plain parameters; a longer one is not compared. */
const MAX_COMPARED_CHARS = 300;
const MAX_SEGMENTS = 12;
const MAX_NAMED = 3;

/**
 * Beginnings of OpenAI's paths that do not exist here, and the nearest ones that do. Every path below one of
 * them belongs to it; the longest counts.
 */
const OPENAI_ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  "/v1/conversations": ["/v1/responses", "/v1/sessions"],
  "/v1/engines": ["/v1/models"],
  "/v1/edits": ["/v1/chat/completions"],
  "/v1/batches": ["/v1/verdicts/batches"],
  "/v1/files": ["/v1/documents"],
  "/v1/uploads": ["/v1/documents"],
  "/v1/vector_stores": ["/v1/documents", "/v1/documents/search"],
  "/v1/assistants": ["/v1/responses", "/v1/sessions"],
  "/v1/threads": ["/v1/responses", "/v1/sessions"],
  "/v1/realtime": ["/v1/audio/transcriptions", "/v1/audio/speech", "/v1/responses"],
  "/v1/responses/compact": ["/v1/responses"],
  "/v1/responses/input_tokens": ["/v1/responses", "/v1/quote"],
  "/v1/audio/voices": ["/v1/audio/speech"],
  "/v1/organization/costs": ["/v1/costs"],
  "/v1/organization/usage": ["/v1/usage"],
  // Anthropic's.
  "/v1/messages": ["/v1/chat/completions", "/v1/responses"],
  "/v1/messages/count_tokens": ["/v1/quote"],
};

/** Undefined for a path that is not OpenAI's, or that exists here. */
function elsewhereOf(pathname: string): readonly string[] | undefined {
  for (let end = pathname.length; end > 0; end = pathname.lastIndexOf("/", end - 1)) {
    const start = pathname.slice(0, end);
    if (Object.hasOwn(OPENAI_ELSEWHERE, start)) return OPENAI_ELSEWHERE[start];
  }
  return undefined;
}

/** Whether it is one of these, so that the parameter of a path here must not match its end. */
export const isOpenAiPath = (pathname: string): boolean => elsewhereOf(pathname) !== undefined;

/** Corrected spellings of a path, by the mistakes that clients make; the first that exists is meant. */
function spellings(pathname: string): readonly string[] {
  const plain = pathname.replace(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "");
  const once = plain
    .replace(/\/v1(?:\/v1)+(?=\/|$)/, "/v1")
    .replace(/^(?:\/client\/v4){2,}(?=\/|$)/, "/client/v4");
  // `/openai/v1`, `/api/v1`: the bases of other gateways.
  const based = once.replace(/^\/[\w-]+(?=\/v1\/)/, "");
  const spelt = [plain, once, `/v1${plain}`, `/client/v4${plain}`, based, once.toLowerCase()];
  return spelt.filter((path) => path !== pathname);
}

export function nearbyOf(
  pathname: string,
  found: (path: string) => Mount | undefined,
  mounts: readonly Mount[],
): Nearby {
  if (pathname.length > MAX_COMPARED_CHARS) return { paths: [] };
  for (const spelling of [pathname, ...spellings(pathname)]) {
    const elsewhere = elsewhereOf(spelling);
    if (elsewhere !== undefined) {
      const there = new Set(mounts.map(({ path }) => pathTemplate(path)));
      return { paths: elsewhere.filter((path) => there.has(path)), surface: "openai" };
    }
    const mount = found(spelling);
    if (mount !== undefined) {
      return { paths: [pathTemplate(mount.path)], surface: mount.route.surface };
    }
  }
  return { paths: likest(pathname, mounts) };
}

/** The paths with the most segments in common, and among them those whose next segment is most similar. */
function likest(pathname: string, mounts: readonly Mount[]): readonly string[] {
  const sent = pathname.split("/").filter((segment) => segment !== "");
  if (sent.length === 0 || sent.length > MAX_SEGMENTS) return [];
  const ranked = new Map<string, number>();
  for (const { path, mirrored } of mounts) {
    if (mirrored) continue;
    const score = likeness(sent, path.split("/").slice(1));
    if (score > 0) ranked.set(pathTemplate(path), score);
  }
  return [...ranked]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MAX_NAMED)
    .map(([path]) => path);
}

/** Words that are less similar than this are different words. */
const ALIKE = 0.5;

/** 0: nothing helpful in common. Common segments count whole, the next one by its letters. */
function likeness(sent: readonly string[], own: readonly string[]): number {
  let common = 0;
  while (common < own.length && common < sent.length && isSame(sent[common], own[common])) {
    common += 1;
  }
  const next = alike(sent[common] ?? "", own[common] ?? "");
  const last = sent.length > 1 && sent.at(-1) === own.at(-1) ? 1 : 0;
  const isLike = next >= ALIKE || last > 0 || (common > 1 && common === sent.length);
  return isLike && common > 0 ? common + next + last : 0;
}

const isSame = (sent: string | undefined, own: string | undefined): boolean =>
  own?.startsWith(":") === true || sent === own;

/** The share of pairs of letters that two words have in common: Dice's coefficient, 0 to 1. */
function alike(a: string, b: string): number {
  const [pairs, others] = [pairsOf(a), pairsOf(b)];
  if (pairs.size === 0 || others.size === 0) return 0;
  return (2 * [...pairs].filter((pair) => others.has(pair)).length) / (pairs.size + others.size);
}

/** No word of a path here is longer. */
const MAX_WORD_CHARS = 32;

function pairsOf(word: string): Set<string> {
  const length = Math.max(0, Math.min(word.length, MAX_WORD_CHARS) - 1);
  return new Set(Array.from({ length }, (_, at) => word.slice(at, at + 2)));
}
