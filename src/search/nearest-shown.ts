import {
  byScore,
  type PlacedHit,
  type VectorHit,
  type VectorSet,
} from "../domain/search/vector-set.ts";
import type { VectorIndex, VectorQuery } from "../vectors/vector-index.ts";
import type { RegisterFailure, VectorRegister } from "./search-deps.ts";

// The nearest hits of several places that may be shown. A place also has vectors of documents that were just
// deleted, and of some that are being written. If these take the room of others, the places are asked again
// for more hits, without the sets that are known not to be shown.

/** Hits beside those that are wanted, in the first round. */
const SPARE_HITS = 10;

/** Each round asks for so many times as many hits as the one before. */
const GROWTH = 4;

/** With 1,000 hits a round, at least 5,000 passages that are being removed are passed over. */
const MOST_ROUNDS = 9;

export interface NearestShown {
  readonly kind: "nearest";
  /** The best first. */
  readonly hits: readonly PlacedHit[];
  readonly sets: ReadonlyMap<string, VectorSet>;
  /** False: they are fewer than were wanted, or not the nearest, though more may be shown. */
  readonly isComplete: boolean;
}

/** @throws Error if a place cannot be reached */
export async function nearestShown(
  indexes: readonly VectorIndex[],
  query: VectorQuery,
  readSets: VectorRegister["sets"],
): Promise<NearestShown | RegisterFailure> {
  const sets = new Map<string, VectorSet>();
  const hidden = new Set<string>();
  /** Null: it is known of each hit whether it may be shown. */
  const learn = async (hits: readonly PlacedHit[]): Promise<RegisterFailure | null> => {
    const unknown = hits.filter(({ set }) => !sets.has(set) && !hidden.has(set));
    const keys = [...new Set(unknown.map(({ set }) => set))];
    if (keys.length === 0) return null;
    const known = await readSets(keys);
    if (known.kind !== "sets") return known;
    for (const set of known.sets) sets.set(set.key, set);
    for (const key of keys) if (!sets.has(key)) hidden.add(key);
    return null;
  };
  const nearest = (among: readonly PlacedHit[], isComplete: boolean): NearestShown => {
    const hits = among.filter(({ set }) => sets.has(set)).slice(0, query.most);
    return { kind: "nearest", hits, sets, isComplete: isComplete || hits.length === query.most };
  };
  let limit = query.most + SPARE_HITS;
  for (let round = 1; ; round += 1) {
    const without = [...hidden];
    // oxlint-disable-next-line no-await-in-loop -- each round knows what the one before has found
    const { hits, floor } = await searchEach(indexes, { ...query, most: limit, without });
    const reached = floor === null ? hits : hits.filter((hit) => byScore(hit, floor.hit) <= 0);
    // oxlint-disable-next-line no-await-in-loop -- as above
    const failure = await learn(reached);
    if (failure !== null) return failure;
    const found = nearest(reached, floor === null);
    if (found.isComplete) return found;
    const isStuck = floor?.isAtLimit === true && hidden.size === without.length;
    if (isStuck || round === MOST_ROUNDS) {
      // oxlint-disable-next-line no-await-in-loop -- once
      return (await learn(hits)) ?? { ...nearest(hits, false), isComplete: false };
    }
    limit *= GROWTH;
  }
}

/** Down to where the hits of all places are known. */
interface Floor {
  readonly hit: VectorHit;
  /** The place that sets it gives no more hits than these. */
  readonly isAtLimit: boolean;
}

/** @returns `floor`: null where no place has more hits */
async function searchEach(
  indexes: readonly VectorIndex[],
  query: VectorQuery,
): Promise<{ readonly hits: readonly PlacedHit[]; readonly floor: Floor | null }> {
  const found = await Promise.all(
    indexes.map(async (index) => {
      const most = Math.min(query.most, index.mostHits);
      const hits = await index.search({ ...query, most });
      const hit = hits.length < most ? undefined : hits.at(-1);
      return { hits, floor: hit && { hit, isAtLimit: most === index.mostHits } };
    }),
  );
  const floors = found.flatMap(({ floor }) => floor ?? []);
  return {
    hits: found.flatMap(({ hits }) => hits).toSorted(byScore),
    floor: floors.toSorted((a, b) => byScore(a.hit, b.hit))[0] ?? null,
  };
}
