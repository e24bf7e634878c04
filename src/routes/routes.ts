import { type Route, defineRoute } from "../http/route.ts";
import { openApiDocument } from "../http/openapi.ts";
import { WEBHOOK_EVENTS } from "../api/native/webhook-events.ts";
import * as v from "valibot";
import { ok } from "../http/reply.ts";
import { getAccount, patchAccount, reopenAccount } from "./account.ts";
import { listInvariants, startChecks } from "./all-tenants.ts";
import { listSharing, listTenants } from "./list-tenants.ts";
import { listAudit } from "./audit.ts";
import { createAudioTranslation, createSpeech, createTranscription } from "./audio.ts";
import { createChatCompletion } from "./chat.ts";
import { deleteResponse, getResponse, listInputItems } from "./kept-responses.ts";
import { createResponse } from "./responses.ts";
import { createCompletion } from "./completions.ts";
import { analyzeRoute, suggestRoute } from "./comments.ts";
import {
  createDocument,
  deleteDocument,
  getDocument,
  getDocumentState,
  listDocuments,
} from "./documents.ts";
import { getDiscovery } from "./discovery.ts";
import { embedDocument } from "./document-embedding.ts";
import { answerFromDocuments, searchDocuments } from "./document-search.ts";
import { createEmbeddings } from "./embeddings.ts";
import { listInferences } from "./inferences.ts";
import { createVariations } from "./image-variations.ts";
import { createImages, getImage, getImageMetadata } from "./images.ts";
import { createAdjustment, listAdjustments } from "./adjustments.ts";
import { createGrant, deleteGrant, getGrant, listGrants } from "./grants.ts";
import { createKey, deleteKey, listKeys, rotateKey } from "./keys.ts";
import { getArchive, listArchives } from "./archives.ts";
import { listLines } from "./ledger.ts";
import { getLive } from "./live.ts";
import { getInvariants, getLimits, listRefusals } from "./limits.ts";
import { getMetrics } from "./metrics.ts";
import { getModel, listModels } from "./models.ts";
import { createModeration } from "./moderations.ts";
import { createImageEdit, createImageVariation } from "./openai-image-edits.ts";
import { createOpenAiImages } from "./openai-images.ts";
import { createErasure, exportPerson, getErasure } from "./personal.ts";
import { deletePolicy, getPolicy, listPolicies, patchPolicy, putPolicy } from "./policies.ts";
import { calibratePolicy } from "./calibrate.ts";
import { replayPolicy } from "./policy-replay.ts";
import { getRebuild, rebuildReports } from "./rebuild.ts";
import { SESSION_ROUTES } from "./sessions.ts";
import { createQuote } from "./quote.ts";
import { listReconciliation, postReconcile } from "./reconciliation.ts";
import { getHealth, VERSION } from "./service.ts";
import { deleteTenant, getTenant, patchTenant, putTenant } from "./tenants.ts";
import { getState } from "./read-state.ts";
import { putState } from "./state.ts";
import { deleteApply, getApply, listApplyTenants } from "./state-applies.ts";
import { listTransformations } from "./transformations.ts";
import { createTranslation } from "./translations.ts";
import { createVerdict, getVerdict, listRevisions, listVerdicts } from "./verdicts.ts";
import { deleteSuggestion, listSuggestions } from "./suggestions.ts";
import { getContent, getContentPicture, listContentReads } from "./contents.ts";
import { claimVerdicts, reviewVerdict } from "./reviews.ts";
import { cancelRun, createRun, getRun, listRuns, listRunSteps, watchRun } from "./pipelines.ts";
import { cancelBatch, createBatch, getBatch, listBatches, listBatchSteps } from "./batches.ts";
import { PLATFORM_WEBHOOK_ROUTES, TENANT_WEBHOOK_ROUTES } from "./webhooks.ts";
import {
  listMarkdownFormats,
  readWorkersAiSchema,
  searchWorkersAiModels,
  searchWorkersAiTasks,
} from "./workers-ai-models.ts";
import { runModelRoute } from "./workers-ai-run.ts";
import { getAllUsage } from "./all-usage.ts";
import { listModerationLog } from "./moderation-log.ts";
import { getStatement } from "./statements.ts";
import { getCosts, getTenantCosts } from "./costs.ts";
import { getUsage } from "./usage.ts";

// Every route there is: the router, the OpenAPI document and the security tests read this list.

const getOpenApi = defineRoute({
  method: "GET",
  path: "/openapi.json",
  summary: "This document: OpenAPI 3.1",
  surface: "native",
  auth: { kind: "none" },
  reply: { status: 200, schema: v.record(v.string(), v.unknown()) },
  failures: [],
  handle: async () => ok(document()),
});

export const ROUTES: readonly Route[] = [
  getHealth,
  getOpenApi,
  createVerdict,
  createBatch,
  listBatches,
  getBatch,
  cancelBatch,
  listBatchSteps,
  createRun,
  listRuns,
  getRun,
  cancelRun,
  listRunSteps,
  watchRun,
  listVerdicts,
  getVerdict,
  listRevisions,
  reviewVerdict,
  claimVerdicts,
  getContent,
  getContentPicture,
  listContentReads,
  createDocument,
  listDocuments,
  getDocument,
  getDocumentState,
  deleteDocument,
  listSuggestions,
  deleteSuggestion,
  createModeration,
  analyzeRoute,
  suggestRoute,
  getDiscovery,
  createEmbeddings,
  createTranscription,
  createAudioTranslation,
  createSpeech,
  createChatCompletion,
  createCompletion,
  createResponse,
  getResponse,
  deleteResponse,
  listInputItems,
  ...SESSION_ROUTES,
  listPolicies,
  getPolicy,
  putPolicy,
  patchPolicy,
  deletePolicy,
  replayPolicy,
  calibratePolicy,
  createAdjustment,
  listAdjustments,
  createGrant,
  listGrants,
  getGrant,
  deleteGrant,
  createKey,
  listKeys,
  rotateKey,
  deleteKey,
  getLimits,
  getLive,
  getUsage,
  getStatement,
  getAllUsage,
  getCosts,
  getTenantCosts,
  listModerationLog,
  listLines,
  listInferences,
  listArchives,
  getArchive,
  listRefusals,
  getInvariants,
  listTenants,
  putTenant,
  patchTenant,
  getTenant,
  deleteTenant,
  listInvariants,
  startChecks,
  listAudit,
  getState,
  putState,
  getApply,
  listApplyTenants,
  deleteApply,
  getAccount,
  listSharing,
  patchAccount,
  reopenAccount,
  getMetrics,
  postReconcile,
  listReconciliation,
  rebuildReports,
  getRebuild,
  embedDocument,
  searchDocuments,
  answerFromDocuments,
  createTranslation,
  runModelRoute,
  searchWorkersAiModels,
  readWorkersAiSchema,
  searchWorkersAiTasks,
  listMarkdownFormats,
  listModels,
  getModel,
  createQuote,
  createOpenAiImages,
  createImageEdit,
  createImageVariation,
  createImages,
  getImage,
  getImageMetadata,
  createVariations,
  listTransformations,
  ...TENANT_WEBHOOK_ROUTES,
  ...PLATFORM_WEBHOOK_ROUTES,
  exportPerson,
  createErasure,
  getErasure,
];

let made: ReturnType<typeof openApiDocument> | undefined;

const document = () =>
  (made ??= openApiDocument(
    ROUTES,
    {
      title: "Neurogate",
      version: VERSION,
      description: "A multi-tenant quota and moderation gateway for Cloudflare Workers AI.",
    },
    WEBHOOK_EVENTS,
  ));
