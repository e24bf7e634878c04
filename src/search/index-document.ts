import { inCalls } from "../domain/generation/task-usage.ts";
import { tokensAtMost } from "../domain/generation/token-bound.ts";
import type { ServiceFailure } from "../domain/ledger/failure.ts";
import { type MicroNeurons, ZERO } from "../domain/ledger/micro-neurons.ts";
import { chunkText } from "../domain/search/chunk-text.ts";
import { EMBEDDING_MODEL } from "../domain/search/search-models.ts";
import { unitVector } from "../domain/search/vector-code.ts";
import {
  MOST_CHUNKS,
  type NewSet,
  isEmbedded,
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
import type { VectorIndex, WrittenSet } from "../vectors/vector-index.ts";
import { vectorIndex } from "../vectors/vector-stores.ts";
import { embeddingModel } from "./embedding-model.ts";
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
 * revision is embedded, and charged, again only where the first one did not come to its end, or another model
 * answers now. While another call embeds it, the reply is `idempotency_in_progress`.
 *
 * @param who its user is the person whose document it is. A repeat of its idempotency key gets what the first
 *   call came to
 */
export async function indexDocument(
  deps: SearchDeps,
  document: IndexedDocument,
  who: GenerationCaller,
): Promise<Indexed | NotStored | IndexFailure> {
  const { text, documentId, revision } = document;
  const passages = passagesOf(text);
  const chunks = passages.length;
  const model = embeddingModel(deps.generation.config, EMBEDDING_MODEL);
  const look = () => deps.register.ofDocument(documentId, { revision, chunks, model });
  const before = await look();
  if (before.kind !== "vectors") return before;
  const coveredTo = passages.at(-1)?.end ?? 0;
  const covered = { kind: "indexed", passages: chunks, coveredTo } as const;
  const free = { ...covered, callId: null, microNeurons: ZERO, generation: null };
  if (chunks === 0) {
    // What the document said before is not in it any more.
    const released =
      before.set === null || before.set.revision === revision
        ? null
        : await deps.register.release(documentId);
    return released === null || released.kind === "released" ? free : released;
  }
  // The key of a repeat is known only to the admission.
  if (who.idempotency === null && isEmbedded(before.set, { revision, model })) return free;
  const embedded = await embedPassages(deps, { document, model, passages }, who);
  if (embedded.kind === "idempotency_in_progress" && embedded.what === "embedding") {
    const now = await look();
    return now.kind === "vectors" && isEmbedded(now.set, { revision, model }) ? free : embedded;
  }
  if (embedded.kind !== "embedded") return embedded;
  const { generation, failure } = embedded;
  const { callId, microNeurons } = generation;
  if (failure !== null) return { kind: "not_stored", failure, callId, microNeurons };
  return { ...covered, callId, microNeurons, generation };
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

/**
 * One call, one hold and one line for all passages; a hundred of them in each call of the engine. The vectors
 * are written before the call is settled, and are found from its line on: no charge is without its vectors.
 */
async function embedPassages(
  deps: SearchDeps,
  {
    document,
    model: asModel,
    passages,
  }: {
    readonly document: IndexedDocument;
    readonly model: string;
    readonly passages: readonly Passage[];
  },
  who: GenerationCaller,
): Promise<
  | {
      readonly kind: "embedded";
      readonly generation: Generation;
      /** Why they are not found; null: they are. */
      readonly failure: StoreFailure | null;
    }
  | GenerationCallFailure
> {
  const texts = passages.map(({ text }) => text);
  const { documentId, revision } = document;
  let stored: Stored | null = null;
  const generation = await generationCall(deps.generation, {
    ...who,
    documentId,
    embeds: { documentId, revision, model: asModel },
    fit: false,
    atOnce: EMBEDDED_AT_ONCE,
    kind: "embeddings",
    model: EMBEDDING_MODEL,
    measured: { kind: "embeddings", texts: texts.map(tokensAtMost) },
    inference: (model, _stage, at) => ({ model, texts: inCalls(texts)[at] ?? [] }),
    render: async ({ answers }) => {
      const made = joined(
        answers.flatMap(({ output }) => output.vectors),
        answers[0]?.model ?? "",
        texts.length,
      );
      if (made === null) return { kind: "engine_failed", charged: true };
      stored = await store(deps, { ...labelsOf(document), ...made, passages }, document);
      return { ...renderedJson({}), vectors: stored.kind === "stored" ? stored.set.key : null };
    },
  });
  if (generation.kind !== "generated") return generation;
  // Nothing was stored for a repeat.
  const was = stored as Stored | null;
  if (was === null) return { kind: "embedded", generation, failure: null };
  const failure = was.kind === "stored" ? await confirm(deps, was) : was;
  return { kind: "embedded", generation, failure };
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

type Stored =
  | {
      readonly kind: "stored";
      readonly set: Pick<WrittenSet, "key" | "space"> & { readonly chunks: number };
      /** Null: another call has written the set, and it is found. */
      readonly index: VectorIndex | null;
    }
  | StoreFailure;

/** The vectors are in their place, and not found yet. */
async function store(
  { register, vectors: stores, newKey }: SearchDeps,
  set: Omit<WrittenSet, "key">,
  { revision }: IndexedDocument,
): Promise<Stored> {
  const key = newKey();
  const { documentId, type, userId, space, passages } = set;
  const chunks = passages.length;
  const labels = { documentId, type, userId };
  const untilMs = Date.now() + WRITE_MS;
  const asked: NewSet = { ...labels, key, revision, space, chunks, untilMs };
  const reserved = await register.reserve(asked);
  if (reserved.kind === "embedded") return { kind: "stored", set: reserved.set, index: null };
  if (reserved.kind !== "reserved") return reserved;
  const index = vectorIndex(stores, reserved.owner, reserved.place);
  const isWritten = await index.write({ ...set, key }).catch(() => null);
  // What may be there of it is removed when its time is over.
  if (isWritten === null) return { kind: "unavailable" };
  return isWritten
    ? { kind: "stored", set: { key, space, chunks }, index }
    : { kind: "storage_full" };
}

/** Null: it is found. The settlement has made it ready, unless the document is gone. */
async function confirm(
  { register }: SearchDeps,
  { set, index }: Extract<Stored, { kind: "stored" }>,
): Promise<StoreFailure | null> {
  const written = await register.written(set.key);
  if (written.kind === "written") return null;
  // Nobody else may know of what was just written.
  if (written.kind === "not_found") await index?.remove(set).catch(() => undefined);
  return written;
}
