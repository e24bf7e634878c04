import type { ModelTask } from "../catalogue/model-task.ts";

// Rates over a rolling minute, per class, in 61 one-second buckets.
//
// A window of 60,000 ms touches at most 61 calendar seconds, so a limit over the 61 latest buckets holds for
// every such window, wherever it starts. A bucket leaves at most one second late, so a saturating load gets
// at least 60/61 = 98.3 % of its limit. The buckets are small enough to be stored with every admission, so
// the limit survives evictions and crashes.

const BUCKETS = 61;
const BUCKET_MS = 1000;

/**
 * `requests` counts stored items, at least one for each call. `test_inputs` counts texts that force an
 * outcome and use no engine. Every other class counts planned engine calls.
 */
export type RateClass = string;

export const REQUESTS = "requests";
export const TEST_INPUTS = "test_inputs";

/** Classes that count a tenant's calls: their units use no engine. */
export const asksNoEngine = (name: RateClass): boolean => name === REQUESTS || name === TEST_INPUTS;

/** Default units a minute. Source: Workers AI's published limits per task. */
export const DEFAULT_RATES: Readonly<
  Record<typeof REQUESTS | typeof TEST_INPUTS | ModelTask, number>
> = {
  requests: 300,
  // They cost no neurons: enough for a test suite, too few to fill a storage or to flood an endpoint.
  test_inputs: 60,
  text_generation: 300,
  text_classification: 2000,
  text_embeddings: 3000,
  image_classification: 3000,
  object_detection: 3000,
  image_to_text: 720,
  text_to_image: 720,
  speech_to_text: 720,
  text_to_speech: 300,
  translation: 720,
  summarization: 1500,
  other: 300,
};

/** Units admitted per second, oldest first: `[second, units]`, at most 61 entries. */
export type Window = readonly (readonly [second: number, units: number])[];

/** The windows of all classes that counted something in the last minute. */
export type Windows = Readonly<Record<RateClass, Window>>;

/** How many units of each class a call takes. */
export type RateUnits = Readonly<Record<RateClass, number>>;

/** The status of a class for a caller. */
export interface RateStatus {
  readonly name: RateClass;
  readonly limit: number;
  readonly remaining: number;
  /** When the oldest counted unit leaves the window; null when nothing is counted. */
  readonly freesAtMs: number | null;
}

const secondOf = (nowMs: number): number => Math.floor(nowMs / BUCKET_MS);

/** A bucket counts as long as it may share a 60,000 ms window with `nowMs`. */
const leavesAtMs = (second: number): number => (second + BUCKETS) * BUCKET_MS;

const live = (window: Window, nowMs: number): Window =>
  window.filter(([second]) => leavesAtMs(second) > nowMs);

const used = (window: Window): number => window.reduce((total, [, units]) => total + units, 0);

export function standing(
  windows: Windows,
  rate: { readonly name: RateClass; readonly limit: number },
  nowMs: number,
): RateStatus {
  const window = live(windows[rate.name] ?? [], nowMs);
  const oldest = window[0];
  return {
    name: rate.name,
    limit: rate.limit,
    remaining: Math.max(0, rate.limit - used(window)),
    freesAtMs: oldest === undefined ? null : leavesAtMs(oldest[0]),
  };
}

/** When `units` more fit under `limit`: now, or when enough of the oldest buckets have left. */
export function fitsAtMs(
  windows: Windows,
  rate: { readonly name: RateClass; readonly limit: number; readonly units: number },
  nowMs: number,
): number {
  const window = live(windows[rate.name] ?? [], nowMs);
  let excess = used(window) + rate.units - rate.limit;
  if (excess <= 0) return nowMs;
  for (const [second, units] of window) {
    excess -= units;
    if (excess <= 0) return leavesAtMs(second);
  }
  return leavesAtMs(secondOf(nowMs));
}

/** The windows after an admission. All classes are counted, or (without this call) none. */
export function count(windows: Windows, units: RateUnits, nowMs: number): Windows {
  const second = secondOf(nowMs);
  const next: Record<RateClass, Window> = {};
  for (const [name, window] of Object.entries(windows)) {
    const kept = live(window, nowMs);
    if (kept.length > 0) next[name] = kept;
  }
  for (const [name, added] of Object.entries(units)) {
    if (added === 0) continue;
    const window = next[name] ?? [];
    const last = window.at(-1);
    next[name] =
      last !== undefined && last[0] === second
        ? [...window.slice(0, -1), [second, last[1] + added]]
        : [...window, [second, added]];
  }
  return next;
}

/** The units of a call whose unit of `requests` was taken before its admission. */
export const withoutRequest = (units: RateUnits): RateUnits => ({
  ...units,
  [REQUESTS]: Math.max(0, (units[REQUESTS] ?? 0) - 1),
});

// All batches and pipelines of a tenant together take at most half of its concurrency and rates, so that
// other calls can run beside them. Their share of a rate is a class of its own: such a call takes a unit of
// both classes, or of neither. Keys of role `score`, which may be public in a page, get a third of the rates
// in the same way.

/** The route of a batch and of each of its calls. */
export const BATCH_ROUTE = "POST /v1/verdicts/batches";

/** The route of a pipeline's run and of each of its calls. */
export const PIPELINE_ROUTE = "POST /v1/pipelines/runs";

/** The routes whose calls share half of a tenant's limits. */
const SHARING_ROUTES: readonly string[] = [BATCH_ROUTE, PIPELINE_ROUTE];

export const isSharing = (route: string): boolean => SHARING_ROUTES.includes(route);

const PREFIX = "batches/";
const SCORE_PREFIX = "score_keys/";

/** At least one, so that a batch finishes under any limit. */
export const shareOf = (limit: number): number => Math.max(1, Math.floor(limit / 2));

/** The share of all keys of role `score` together. At least one, as above. */
const scoreShareOf = (limit: number): number => Math.max(1, Math.floor(limit / 3));

export const isShare = (name: RateClass): boolean =>
  name.startsWith(PREFIX) || name.startsWith(SCORE_PREFIX);

/** The units of a call of a batch, in its classes and in the share. */
export const withShare = (units: RateUnits): RateUnits => withShareUnder(PREFIX, units);

/** The units of a call that scores. Keys of role `score` have a share of each rate, all of them together. */
export const scoreUnits = (units: RateUnits, byScoreKey: boolean): RateUnits =>
  byScoreKey ? withShareUnder(SCORE_PREFIX, units) : units;

const withShareUnder = (prefix: string, units: RateUnits): RateUnits => ({
  ...units,
  ...Object.fromEntries(Object.entries(units).map(([name, taken]) => [prefix + name, taken])),
});

/** The limit of a class, or of a share of a class. */
export const limitOfClass = (name: RateClass, limitOf: (name: RateClass) => number): number =>
  name.startsWith(PREFIX)
    ? shareOf(limitOf(name.slice(PREFIX.length)))
    : name.startsWith(SCORE_PREFIX)
      ? scoreShareOf(limitOf(name.slice(SCORE_PREFIX.length)))
      : limitOf(name);
