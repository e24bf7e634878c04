import type {
  Admitted,
  CallAdmit,
  LimitStatus,
  ModerationAdmit,
} from "../../durable-objects/tenant/protocol.ts";
import {
  callAdmit,
  governedCall,
  type GovernedOutcome,
  type Observe,
  type Ran,
  RUN_MS,
  type Tenant,
} from "../calls/governed-call.ts";
import type { Config } from "../config.ts";
import { admittedModels } from "../domain/catalogue/catalogue.ts";
import { contentKey, type PictureOwner } from "../domain/generation/stored-picture.ts";
import { charged } from "../domain/ledger/ledger.ts";
import type { MicroNeurons } from "../domain/ledger/micro-neurons.ts";
import type { KeptContent, KeptPicture } from "../domain/moderation/kept-content.ts";
import { isCheck } from "../domain/moderation/plan-moderation.ts";
import {
  DEFAULT_POLICY_NAME,
  type PolicyVersion,
  type Policy,
} from "../domain/moderation/policy.ts";
import { reusedVerdict } from "../domain/moderation/reuse.ts";
import type { Verdict } from "../domain/moderation/verdict.ts";
import type { Engine } from "../engines/engine.ts";
import { MAX_PICTURE_BYTES, type Picture, readPicture } from "../engines/picture.ts";
import { twice } from "../io/bucket.ts";
import type { ResolveHost } from "../io/resolve-host.ts";
import { runContext } from "./ask-engine.ts";
import { type Content, contentDigest, measured, prepare, type PreparedContent } from "./content.ts";
import type { JudgeText } from "./free-stages.ts";
import { moderate, type Moderated } from "./moderate.ts";
import { fetchPicture } from "./picture-sources.ts";
import type { JudgePicture } from "./picture-stages.ts";
import { judgesOf, reuseDigest } from "./reuse-digest.ts";
import type { StageRun } from "./run-stage.ts";

// A governed call that moderates one content item, or several under one hold and one line.

/** A slower picture counts as unavailable. All fetches begin at once. */
const FETCH_TIMEOUT_MS = 10_000;

export interface ModerationRequest extends CallAdmit {
  readonly tenantId: string;
  readonly policyName: string | null;
  readonly contents: readonly Content[];
  /** Nobody waits for the reply, so the call waits for a judge that has no room. */
  readonly isPatient?: true;
}

export interface Moderation {
  readonly kind: "moderated";
  /** As stored (except for the content's hash, which no reply shows), in the order of the contents. */
  readonly verdicts: readonly Verdict[];
  readonly microNeurons: MicroNeurons;
  readonly callId: string;
  readonly standing: LimitStatus;
  readonly replayed: boolean;
}

export type ModerationFailure = Exclude<
  GovernedOutcome<readonly Verdict[]>,
  { kind: "settled" | "replayed" | "unconfirmed" | "streaming" | "unsupported_parameter" }
>;

export interface ModerationDeps {
  readonly config: Config;
  readonly engine: Engine;
  readonly tenant: () => Tenant;
  readonly resolveHost: ResolveHost | null;
  /** The text model inside the Worker. */
  readonly judgeText: JudgeText;
  /** The picture model inside the Worker; null: it is not used. */
  readonly judgePicture: JudgePicture | null;
  /** For stored contents; null: their pictures are not stored. */
  readonly bucket: R2Bucket | null;
  readonly observe?: Observe;
}

export async function moderationCall(
  deps: ModerationDeps,
  request: ModerationRequest,
): Promise<Moderation | ModerationFailure> {
  const contents = request.contents.map(prepare);
  const isPatient = request.isPatient === true;
  const known = knownPolicy(request.tenantId, request.policyName ?? DEFAULT_POLICY_NAME);
  const reuseKeys = await reuseKeysOf(deps, contents, known);
  const admission = { ...admitRequest(request, contents, known), ...reuseKeys };
  const outcome = await governedCall<readonly Verdict[]>(
    deps.tenant,
    admission,
    async (admitted) => {
      const policy = admittedPolicy(request.tenantId, admitted, known);
      if (policy === null) throw new Error("the admitted policy is not known here");
      const { ran, pictures } = await run(deps, { contents, isPatient }, admitted, policy);
      const owner = { tenant: request.tenantId, generation: admitted.generation };
      const kept =
        admitted.keepsContent === undefined
          ? []
          : await Promise.all(
              contents.map((content, at) =>
                keptContent(deps.bucket, owner, { content, pictures: pictures[at] ?? [] }),
              ),
            );
      return { kind: "ended", value: ran.verdicts, ran: { ...ran, contents: kept } };
    },
    deps.observe,
  );
  if (outcome.kind === "replayed") {
    const { verdicts, line, standing } = outcome;
    return moderation({ verdicts, line, standing, replayed: true });
  }
  // A settlement that was not confirmed is no verdict, and a moderation never streams.
  if (outcome.kind === "unconfirmed" || outcome.kind === "streaming") {
    return { kind: "settlement_unavailable" };
  }
  if (outcome.kind === "unsupported_parameter") throw new Error("only a generation has parameters");
  if (outcome.kind !== "settled") return outcome;
  const { settlement, standing } = outcome.reply;
  if (settlement.kind === "unknown_hold" || standing === null) {
    return { kind: "settlement_unavailable" };
  }
  const verdicts =
    outcome.reply.verdicts ??
    outcome.value.map((verdict) => ({ ...verdict, createdAtMs: standing.nowMs }));
  if (verdicts.length < contents.length) return { kind: "settlement_unavailable" };
  return moderation({ verdicts, line: settlement.line, standing, replayed: false });
}

const moderation = (made: {
  verdicts: readonly Verdict[];
  line: Parameters<typeof charged>[0];
  standing: LimitStatus;
  replayed: boolean;
}): Moderation => ({
  kind: "moderated",
  verdicts: made.verdicts,
  microNeurons: charged(made.line),
  callId: made.line.callId,
  standing: made.standing,
  replayed: made.replayed,
});

const admitRequest = (
  request: ModerationRequest,
  contents: readonly PreparedContent[],
  known: KnownPolicy | null,
): ModerationAdmit => ({
  ...callAdmit(request),
  kind: "moderation",
  contents: contents.map(measured),
  verdictIds: contents.map(({ verdictId }) => verdictId),
  policy: { name: request.policyName, known: known?.tag ?? null },
});

/** The keys are not needed if the policy is known here and reuses no verdicts. */
async function reuseKeysOf(
  { config, engine }: ModerationDeps,
  contents: readonly PreparedContent[],
  known: KnownPolicy | null,
): Promise<Pick<ModerationAdmit, "reuseKeys">> {
  if (known !== null && known.policy.reuse_ttl_s === undefined) return {};
  const judges = judgesOf(config, engine.name);
  return { reuseKeys: await Promise.all(contents.map((content) => reuseDigest(content, judges))) };
}

async function run(
  { config, engine, resolveHost, judgeText, judgePicture }: ModerationDeps,
  asked: { readonly contents: readonly PreparedContent[]; readonly isPatient: boolean },
  { hold, reuse = [] }: Pick<Admitted, "hold" | "reuse">,
  policy: PolicyVersion,
): Promise<{ readonly ran: Ran; readonly pictures: readonly (readonly (Picture | null)[])[] }> {
  const modelOf = admittedModels(config.prices);
  const { contents, isPatient } = asked;
  const context = {
    ...runContext({ engine, hold, modelOf, deadlineMs: Date.now() + RUN_MS }),
    fetchPicture: (url: URL) => fetchedPicture(url, resolveHost),
    judgeText,
    judgePicture,
    isStored: true,
    isPatient,
  };
  const stagesOf = Map.groupBy(hold.stages.filter(isCheck), ({ content }) => content);
  const moderated = await Promise.all(
    contents.map(async (content, at) => {
      const terms = reuse[at] ?? null;
      if (terms !== null && terms.source !== null) {
        return answeredBy(terms.source, terms.key, content);
      }
      const judged = await moderate(context, content, stagesOf.get(at) ?? [], policy);
      return terms === null ? judged : { ...judged, verdict: reusable(judged.verdict, terms.key) };
    }),
  );
  const runs = moderated.flatMap((one) => one.runs);
  const ran = {
    items: runs.map(({ item }) => item),
    verdicts: moderated.map(({ verdict }) => verdict),
    account: engine.name === "workers-ai" ? accountOf(runs) : null,
    reply: null,
  };
  return { ran, pictures: moderated.map((one) => one.pictures) };
}

/** The verdict for a reused source: no engine is called. */
async function answeredBy(
  source: Verdict,
  key: string,
  content: PreparedContent,
): Promise<Moderated> {
  const { verdictId: id, contentId, userId, metadata, batchId } = content;
  const contentHash = await contentDigest(content, []);
  const own = { id, contentId, userId, metadata, batchId, contentHash, createdAtMs: Date.now() };
  return { verdict: reusedVerdict(source, key, own), runs: [], pictures: [] };
}

const reusable = (verdict: Verdict, key: string): Verdict => ({
  ...verdict,
  reuse: { key, ...(verdict.actions.includes("ban_user") && { bans: true }) },
});

function accountOf(runs: readonly StageRun[]): Ran["account"] {
  const news = runs.map(({ account }) => account);
  if (news.includes("exhausted")) return "exhausted";
  return news.includes("answered") ? "answered" : null;
}

async function fetchedPicture(url: URL, resolve: ResolveHost | null): Promise<Picture | null> {
  const options = {
    fetch: (...request: Parameters<typeof fetch>) => fetch(...request),
    resolve,
    timeoutMs: FETCH_TIMEOUT_MS,
    maxBytes: MAX_PICTURE_BYTES,
  };
  const fetched = await fetchPicture(url, options);
  if (fetched.kind !== "fetched") return null;
  const picture = readPicture(fetched.bytes);
  return "kind" in picture ? null : picture;
}

// Stores moderated content for reviewers: texts with the settlement, pictures in the bucket before it. A
// picture that could not be stored is marked, and does not fail the verdict.

/** @param pictures the pictures that were judged; others are stored if the caller sent their bytes */
async function keptContent(
  bucket: R2Bucket | null,
  owner: PictureOwner,
  { content, pictures }: { content: Content; pictures: readonly (Picture | null)[] },
): Promise<KeptContent> {
  const { verdictId, text } = content;
  const kept = await Promise.all(
    content.pictures.map(async (source, at) => {
      const picture = pictures[at] ?? (source.kind === "picture" ? source.picture : null);
      return picture === null
        ? null
        : keptPicture(bucket, contentKey(owner, verdictId, at), picture);
    }),
  );
  return { verdictId, text, pictures: kept };
}

async function keptPicture(
  bucket: R2Bucket | null,
  key: string,
  { bytes, format }: Picture,
): Promise<KeptPicture> {
  const contentType = `image/${format}`;
  const options = { httpMetadata: { contentType } };
  const kept = bucket !== null && (await twice(() => bucket.put(key, bytes, options)));
  return { contentType, bytes: bytes.byteLength, kept };
}

// Policies that this isolate has seen. An admission names the tag of a known policy instead of loading it
// again; the object answers each admission with the version in force.

export interface KnownPolicy {
  readonly tag: string;
  readonly policy: Policy;
}

/** An isolate has 128 MB and serves many tenants; most policies take a few kilobytes. */
const MAX_POLICIES = 500;
/** Units of JSON. With its prepared terms a policy takes about six bytes for each. */
const MAX_UNITS = 4_000_000;

const known = new Map<string, KnownPolicy & { readonly units: number }>();

let units = 0;

function forget(key: string): void {
  units -= known.get(key)?.units ?? 0;
  known.delete(key);
}

const keyOf = (tenant: string, name: string): string => `${tenant}/${name}`;

/** The policy that a call may name as known. The call keeps it, since the cache may drop it meanwhile. */
export const knownPolicy = (tenant: string, name: string): KnownPolicy | null =>
  known.get(keyOf(tenant, name)) ?? null;

/**
 * The policy of an admission.
 *
 * @param named the policy that the request named as known
 * @returns null when the object sent no policy and named another one: a bug
 */
export function admittedPolicy(
  tenant: string,
  { policy: inForce }: Admitted,
  named: KnownPolicy | null,
): PolicyVersion | null {
  if (inForce === null) return null;
  const { name, version, tag, body } = inForce;
  const policy = body ?? (named?.tag === tag ? named.policy : null);
  if (policy === null) return null;
  const key = keyOf(tenant, name);
  const before = known.get(key);
  const size = before?.policy === policy ? before.units : JSON.stringify(policy).length;
  forget(key);
  known.set(key, { tag, policy, units: size });
  units += size;
  for (const oldest of known.keys()) {
    if (known.size <= MAX_POLICIES && units <= MAX_UNITS) break;
    forget(oldest);
  }
  return { name, version, policy };
}
