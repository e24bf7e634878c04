import type { LookupFailure } from "../../../src/domain/ledger/failure.ts";
import {
  isEmbedded,
  type NewSet,
  type Place,
  released,
  type Reserved,
  type Space,
  VECTORIZE,
  type VectorOwner,
  type VectorSet,
} from "../../../src/domain/search/vector-set.ts";
import type { TenantContext, TenantFeature } from "../feature.ts";
import { notFound } from "../page.ts";
import { personalData } from "../privacy/personal-data.ts";
import type { Profile } from "../profile-store.ts";
import type { Caller } from "../protocol.ts";
import type { Tx } from "../transactions.ts";
import { countWork } from "../usage/fold-usage.ts";
import { eraseVectors, removeDue } from "./remove-vectors.ts";
import { SEARCH } from "./search-schema.ts";

// Which vectors a tenant has, and where. A set is written down before its vectors can be there, and its row
// goes after they are gone: whatever fails in between, no vector is left that nothing names.

export const SEARCH_FEATURE: TenantFeature = {
  name: "search",
  tables: [SEARCH],
  capability: (context) => {
    const { db, vectorSets } = context.stores;
    return {
      dueMs: () => vectorSets.dueMs() ?? Infinity,
      dueRows: db.of(SEARCH),
      isDueByRows: true,
      tend: (profile) => removeDue(context, profile),
      leave: (profile) => eraseVectors(context, profile),
      personal: [
        personalData<"vectors">({
          name: "vectors",
          find: (person, from) => {
            const { sets, next } = vectorSets.ofPerson(person, from);
            return { records: sets.map((set) => ({ kind: "vectors", set })), next };
          },
          erase: ({ nowMs }, { set }) => vectorSets.update(released(set, nowMs)),
          files: ({ set }) => [{ kind: "vectors", subject: set.key }],
        }),
      ],
    };
  },
};

/**
 * The share of the storage limit beyond which no document is embedded. Admission ends at nine tenths; what
 * is between is for settlements.
 */
const STORAGE_SHARE = 0.8;

const ownerOf = ({ id, generation }: Profile): VectorOwner => ({ tenant: id, generation });

/** Can be repeated: a set that is reserved stays so. */
function reserve(
  { stores, profile }: Tx,
  hasVectorize: boolean,
  set: NewSet,
): Reserved | Extract<LookupFailure, { kind: "not_found" }> {
  const { vectorSets, documents } = stores;
  // Deleted meanwhile: nothing would ever remove its vectors.
  if (documents.read(set.documentId)?.file !== set.revision) return notFound("document");
  const owner = ownerOf(profile);
  const known = vectorSets.read(set.key);
  if (known !== null) return { kind: "reserved", place: known.place, owner };
  const ready = vectorSets.readReady(set.documentId);
  if (ready !== null && isSame(ready, set)) return { kind: "embedded", set: ready };
  if (isBeyondShare(stores)) return { kind: "storage_full" };
  const place = placeFor(vectorSets, hasVectorize, set);
  if (place === null) return { kind: "storage_full" };
  const { key, documentId, revision, type, userId, space, chunks, untilMs } = set;
  const labels = { documentId, type, userId };
  const made = { key, revision, space, place, chunks, state: "writing" as const, tries: 0 };
  vectorSets.insert({ ...labels, ...made, dueAtMs: untilMs });
  return { kind: "reserved", place, owner };
}

const isBeyondShare = ({ db, platform }: Tx["stores"]): boolean =>
  db.size() > platform.storageLimit * STORAGE_SHARE;

const isSame = (ready: VectorSet, { revision, space }: NewSet): boolean =>
  ready.revision === revision &&
  ready.space.model === space.model &&
  ready.space.dimensions === space.dimensions;

/** A small tenant has one shard, which is exact; with Vectorize, what goes beyond it goes there. */
function placeFor(
  vectorSets: Tx["stores"]["vectorSets"],
  hasVectorize: boolean,
  { space, chunks }: NewSet,
): Place | null {
  const shard = vectorSets.shardFor(space, chunks);
  const isFirst = shard !== null && (vectorSets.listShards(space)[0] ?? shard) === shard;
  if (hasVectorize && !isFirst) return VECTORIZE;
  return shard === null ? null : { kind: "shard", number: shard };
}

/** It is found from now on, and the document's sets of before no more. */
export function makeReady(tx: Tx, key: string) {
  const {
    stores: { vectorSets },
    nowMs,
  } = tx;
  const set = vectorSets.read(key);
  if (set?.state === "ready") return { kind: "written" as const };
  // Its document was deleted meanwhile, or its time was over: its vectors are removed.
  if (set?.state !== "writing") return notFound("document");
  const before = vectorSets.readReady(set.documentId);
  if (before !== null) vectorSets.update(released(before, nowMs));
  vectorSets.update({ ...set, state: "ready", dueAtMs: null });
  if (set.place.kind === "vectorize") {
    countWork(tx, { vectorize_dimensions: set.chunks * set.space.dimensions });
  }
  return { kind: "written" as const };
}

/** In the transaction that deletes a document: its vectors are found no more, and are removed in time. */
export function releaseVectors({ stores: { vectorSets }, nowMs }: Tx, documentId: string): void {
  for (const set of vectorSets.ofDocument(documentId)) {
    if (set.state !== "removing") vectorSets.update(released(set, nowMs));
  }
}

/** The places that a search in a space has to look at. */
const placesOf = ({ stores: { vectorSets }, profile }: Tx, space: Space) => ({
  kind: "places" as const,
  owner: ownerOf(profile),
  places: [
    ...vectorSets.listShards(space).map((number): Place => ({ kind: "shard", number })),
    ...(vectorSets.hasInVectorize(space) ? [VECTORIZE] : []),
  ],
});

export const SEARCH_OPERATIONS = {
  reserveVectors: (context: TenantContext, caller: Caller, set: NewSet) =>
    context.write(caller, (tx) =>
      reserve(tx, (context.outside.vectors()?.vectorize ?? null) !== null, set),
    ),

  vectorsWritten: (context: TenantContext, caller: Caller, key: string) =>
    context.write(caller, (tx) => makeReady(tx, key)),

  releaseVectors: (context: TenantContext, caller: Caller, documentId: string) =>
    context.write(caller, (tx) => {
      releaseVectors(tx, documentId);
      return { kind: "released" as const };
    }),

  vectorPlaces: ({ ask }: TenantContext, caller: Caller, space: Space) =>
    ask(caller, (tx) => placesOf(tx, space)),

  /**
   * The vectors with which a document is found; `set` null: there are none.
   *
   * @param toWrite of the set that would replace it, before its passages are embedded and charged; absent:
   *   nothing will be written
   */
  readDocumentVectors: (
    context: TenantContext,
    caller: Caller,
    documentId: string,
    toWrite?: Pick<NewSet, "revision" | "chunks"> & Pick<Space, "model">,
  ) =>
    context.ask(caller, ({ stores }) => {
      const { vectorSets } = stores;
      const set = vectorSets.readReady(documentId);
      const isNew = toWrite !== undefined && !isEmbedded(set, toWrite);
      const hasVectorize = (context.outside.vectors()?.vectorize ?? null) !== null;
      // The space is known only with the vectors: a shard that takes so many is looked for in all.
      const isFull =
        isNew &&
        toWrite.chunks > 0 &&
        (isBeyondShare(stores) || (!hasVectorize && !vectorSets.hasRoom(toWrite.chunks)));
      return isFull ? ({ kind: "storage_full" } as const) : ({ kind: "vectors", set } as const);
    }),

  /** Those of them that are ready: the last word on what a search may show. */
  readVectorSets: ({ ask }: TenantContext, caller: Caller, keys: readonly string[]) =>
    ask(caller, ({ stores: { vectorSets } }) => ({
      kind: "sets" as const,
      sets: keys.flatMap((key): VectorSet[] => {
        const set = vectorSets.read(key);
        return set?.state === "ready" ? [set] : [];
      }),
    })),
};
