import { inCalls } from "../domain/generation/plan-generation.ts";
import { tokensAtMost } from "../domain/generation/token-bound.ts";
import type { ServiceFailure } from "../domain/ledger/failure.ts";
import { type MicroNeurons, ZERO } from "../domain/ledger/micro-neurons.ts";
import { chunkText } from "../domain/search/chunk-text.ts";
import { EMBEDDING_MODEL } from "../domain/search/search-models.ts";
import { unitVector } from "../domain/search/vector-code.ts";
import {
  MOST_CHUNKS,
  type NewSet,
  type Passage,
  type SetLabels,
  type Space,
} from "../domain/search/vector-set.ts";
import {
  type Generation,
  generationCall,
  type GenerationCaller,
  type GenerationCallFailure,
  renderedJson,
} from "../generation/generation-call.ts";
import type { WrittenSet } from "../vectors/vector-index.ts";
import { vectorIndex } from "../vectors/vector-stores.ts";
import type { RegisterFailure, SearchDeps } from "./search-deps.ts";

// Makes a document searchable: its text in passages, their vectors by one governed call, then the set in
// the place that the tenant's object keeps for it. A route and a step of a Workflow call this alike.

/** A document that is to be found. */
export interface IndexedDocument extends SetLabels {
  /** Which life and text of the document this is: the same one is embedded once. */
  readonly revision: string;
  readonly text: string;
}

export interface Indexed {
  readonly kind: "indexed";
  readonly passages: number;
  /** Characters of the text, from its beginning, that can be found. */
  readonly coveredTo: number;
  /** The journal line of the call; null: there was nothing to embed, or it was embedded before. */
  readonly callId: string | null;
  readonly microNeurons: MicroNeurons;
  readonly generation: Generation | null;
}

/** Its passages were embedded and charged, and are not found all the same. */
export interface NotStored {
  readonly kind: "not_stored";
  readonly failure: StoreFailure;
  readonly callId: string;
  readonly microNeurons: MicroNeurons;
}

type StoreFailure = RegisterFailure | Extract<ServiceFailure, { kind: "storage_full" }>;

export type IndexFailure = GenerationCallFailure | StoreFailure;

/** How long after its reservation a set may be written. What is not ready by then is removed. */
const WRITE_MS = 180_000;

/**
 * The document's earlier vectors are found until the new ones are, and then no more. A repeat of the same
 * revision is embedded, and charged, again only where the first one did not come to its end.
 *
 * @param who its user is the person whose document it is; a key of idempotency has no use here
 */
export async function indexDocument(
  deps: SearchDeps,
  document: IndexedDocument,
  who: GenerationCaller,
): Promise<Indexed | NotStored | IndexFailure> {
  const { text, documentId, revision } = document;
  const passages = passagesOf(text);
  const chunks = passages.length;
  const before = await deps.register.ofDocument(documentId, { revision, chunks });
  if (before.kind !== "vectors") return before;
  const coveredTo = passages.at(-1)?.end ?? 0;
  const free = { passages: passages.length, coveredTo, callId: null, microNeurons: ZERO };
  if (before.set?.revision === revision) return { kind: "indexed", ...free, generation: null };
  if (passages.length === 0) {
    // What the document said before is not in it any more.
    const released = await deps.register.release(documentId);
    return released.kind === "released" ? { kind: "indexed", ...free, generation: null } : released;
  }
  const embedded = await embedPassages(deps, passages, who);
  if (embedded.kind !== "embedded") return embedded;
  const { space, vectors, generation } = embedded;
  const failure = await store(deps, { ...labelsOf(document), space, passages, vectors }, document);
  const { microNeurons } = generation;
  const { callId } = who;
  if (failure !== null) return { kind: "not_stored", failure, callId, microNeurons };
  return {
    kind: "indexed",
    passages: passages.length,
    coveredTo,
    callId,
    microNeurons,
    generation,
  };
}

const labelsOf = ({ documentId, type, userId }: SetLabels): SetLabels => ({
  documentId,
  type,
  userId,
});

const passagesOf = (text: string): Passage[] =>
  chunkText(text)
    .slice(0, MOST_CHUNKS)
    .map(({ start, end }) => ({ start, end, text: text.slice(start, end) }));

/** Calls of the engine. Each answers with up to 2 MB of JSON, and a text of 1 MiB takes eleven. */
const EMBEDDED_AT_ONCE = 2;

/** One call, one hold and one line for all passages; a hundred of them in each call of the engine. */
async function embedPassages(
  { generation: deps }: SearchDeps,
  passages: readonly Passage[],
  who: GenerationCaller,
): Promise<
  | {
      readonly kind: "embedded";
      readonly space: Space;
      readonly vectors: Float32Array;
      readonly generation: Generation;
    }
  | GenerationCallFailure
> {
  const texts = passages.map(({ text }) => text);
  let made: { readonly space: Space; readonly vectors: Float32Array } | null = null;
  const generation = await generationCall(deps, {
    ...who,
    idempotency: null,
    fit: false,
    atOnce: EMBEDDED_AT_ONCE,
    kind: "embeddings",
    model: EMBEDDING_MODEL,
    measured: { kind: "embeddings", texts: texts.map(tokensAtMost) },
    inference: (model, _stage, at) => ({ model, texts: inCalls(texts)[at] ?? [] }),
    render: ({ answers }) => {
      made = joined(
        answers.flatMap(({ output }) => output.vectors),
        answers[0]?.model ?? "",
        texts.length,
      );
      return made === null ? { kind: "engine_failed", charged: true } : renderedJson({});
    },
  });
  if (generation.kind !== "generated") return generation;
  if (made === null) return { kind: "internal" };
  return { kind: "embedded", ...(made as { space: Space; vectors: Float32Array }), generation };
}

/** Null: not a vector of the same length, and with a direction, for each text. */
function joined(
  vectors: readonly (readonly number[])[],
  model: string,
  texts: number,
): { readonly space: Space; readonly vectors: Float32Array } | null {
  const dimensions = vectors[0]?.length ?? 0;
  if (vectors.length !== texts || dimensions === 0) return null;
  const all = new Float32Array(texts * dimensions);
  for (const [at, vector] of vectors.entries()) {
    const unit = vector.length === dimensions ? unitVector(vector) : null;
    if (unit === null) return null;
    all.set(unit, at * dimensions);
  }
  return { space: { model, dimensions }, vectors: all };
}

/** Null: it is found from now on. */
async function store(
  { register, vectors: stores, newKey }: SearchDeps,
  set: Omit<WrittenSet, "key">,
  { revision }: IndexedDocument,
): Promise<StoreFailure | null> {
  const key = newKey();
  const { documentId, type, userId, space, passages } = set;
  const chunks = passages.length;
  const labels = { documentId, type, userId };
  const untilMs = Date.now() + WRITE_MS;
  const asked: NewSet = { ...labels, key, revision, space, chunks, untilMs };
  const reserved = await register.reserve(asked);
  if (reserved.kind === "embedded") return null;
  if (reserved.kind !== "reserved") return reserved;
  const index = vectorIndex(stores, reserved.owner, reserved.place);
  const isWritten = await index.write({ ...set, key }).catch(() => null);
  // What may be there of it is removed when its time is over.
  if (isWritten === null) return { kind: "unavailable" };
  if (!isWritten) return { kind: "storage_full" };
  const written = await register.written(key);
  if (written.kind === "written") return null;
  // The document, or the tenant, is gone: nobody else may know of what was just written.
  await index.remove({ key, space, chunks }).catch(() => undefined);
  return written;
}
