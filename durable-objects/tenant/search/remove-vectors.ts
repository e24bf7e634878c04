import { released, removalFailed, type VectorSet } from "../../../src/domain/search/vector-set.ts";
import { shardName } from "../../../src/vectors/shard-index.ts";
import { vectorIndex, type VectorStores } from "../../../src/vectors/vector-stores.ts";
import type { TenantContext } from "../feature.ts";
import type { Profile } from "../profile-store.ts";

// Removes vectors from shards and from Vectorize. A row is deleted only after its vectors are: what fails is
// tried again, with growing waits, until it is done.

/** In one alarm. A set of 1,100 passages is eleven requests to Vectorize, of the fifty of the free plan. */
const MOST_AT_ONCE = 4;

/** How long a deletion of the tenant goes on in one go. */
const ERASE_MS = 10_000;

/** True: there is more to be removed at once. */
export async function removeDue(context: TenantContext, profile: Profile): Promise<boolean> {
  const { stores, transact, wallMs } = context;
  const isDue = stores.vectorSets.listDue(wallMs(), MOST_AT_ONCE).length > 0;
  if (!isDue) return false;
  // First in storage: a call that comes too late must not make ready what is removed.
  const due = transact(({ stores: { vectorSets }, nowMs }) => {
    const sets = vectorSets.listDue(nowMs, MOST_AT_ONCE);
    for (const set of sets) {
      if (set.state === "writing") vectorSets.update(released(set, nowMs));
    }
    return sets;
  });
  if (due === null || due.length === 0) return false;
  const gone = await removeEach(context, profile, due);
  transact(({ stores: { vectorSets }, nowMs }) => {
    for (const set of due) {
      const now = vectorSets.read(set.key);
      if (now === null) continue;
      if (gone.has(set.key)) vectorSets.delete(now);
      else vectorSets.update(removalFailed(now, nowMs));
    }
  });
  return gone.size === due.length && due.length === MOST_AT_ONCE;
}

/**
 * Before the tenant's storage is erased, which alone knows where its vectors are. Can be repeated, and goes
 * on where it was.
 *
 * @returns false where vectors are left: the deletion is tried again
 */
export async function eraseVectors(context: TenantContext, profile: Profile): Promise<boolean> {
  const { stores, outside, transact, wallMs } = context;
  const shards = stores.vectorSets.listShards();
  const vectors = outside.vectors();
  const owner = { tenant: profile.id, generation: profile.generation };
  if (shards.length > 0) {
    if (vectors === null) return false;
    const closed = shards.map((number) => closeShard(vectors, owner, number));
    if ((await Promise.all(closed)).includes(false)) return false;
  }
  const endMs = wallMs() + ERASE_MS;
  for (let after = ""; ;) {
    const sets = stores.vectorSets.list(after, MOST_AT_ONCE);
    const last = sets.at(-1);
    if (last === undefined) return true;
    after = last.key;
    const outer = sets.filter(({ place }) => place.kind === "vectorize");
    // oxlint-disable-next-line no-await-in-loop -- a few at a time
    const gone = await removeEach(context, profile, outer);
    transact(({ stores: { vectorSets } }) => {
      for (const set of sets) {
        if (set.place.kind === "shard" || gone.has(set.key)) vectorSets.delete(set);
      }
    });
    if (gone.size < outer.length || wallMs() > endMs) return false;
  }
}

const closeShard = (
  vectors: VectorStores,
  owner: { readonly tenant: string; readonly generation: number },
  number: number,
): Promise<boolean> =>
  vectors
    .shard(shardName(owner, number))
    .close()
    .then(
      () => true,
      () => false,
    );

/** @returns the keys of those that are gone */
async function removeEach(
  { outside }: TenantContext,
  { id: tenant, generation }: Profile,
  sets: readonly VectorSet[],
): Promise<ReadonlySet<string>> {
  const vectors = outside.vectors();
  if (vectors === null) return new Set();
  const removed = await Promise.all(
    sets.map(async (set) => {
      try {
        await vectorIndex(vectors, { tenant, generation }, set.place).remove(set);
        return [set.key];
      } catch {
        return [];
      }
    }),
  );
  return new Set(removed.flat());
}
