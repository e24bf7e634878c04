import { DurableObject } from "cloudflare:workers";
import { AccountNode } from "./account-node.ts";
import type { AccountMessage } from "./account-protocol.ts";
import type { Audit } from "./audit/audit.ts";
import { type AccountOutside, objectSurroundings } from "./object-surroundings.ts";
import type { Pool } from "./pool/pool.ts";
import type { Tenants } from "./tenants/tenants.ts";
import type { PlatformWebhooks } from "./webhooks/platform-webhooks.ts";

/** The shell of `AccountNode`: each method is one of the node's, which says what it does. */
export class Account extends DurableObject<Env> {
  readonly #node: AccountNode;
  constructor(ctx: DurableObjectState, env: Env, outside: AccountOutside) {
    super(ctx, env);
    this.#node = new AccountNode(objectSurroundings(ctx, () => this.env, outside));
  }
  override alarm() {
    return this.#node.alarm();
  }
  readFacts() {
    return this.#node.readFacts();
  }
  ask(message: AccountMessage) {
    return this.#node.pool.answer(message);
  }
  promise(...of: Parameters<Pool["promise"]>) {
    return this.#node.pool.promise(...of);
  }
  warningsWith(...of: Parameters<Pool["warningsWith"]>) {
    return this.#node.pool.warningsWith(...of);
  }
  plannedChange(...of: Parameters<Pool["plannedChange"]>) {
    return this.#node.pool.plannedChange(...of);
  }
  warningsOf(...of: Parameters<Pool["warningsOf"]>) {
    return this.#node.pool.warningsOf(...of);
  }
  readPool() {
    return this.#node.pool.read();
  }
  patchPool(...of: Parameters<Pool["patch"]>) {
    return this.#node.pool.patch(...of);
  }
  setSafetyMargin(...of: Parameters<Pool["setSafetyMargin"]>) {
    return this.#node.pool.setSafetyMargin(...of);
  }
  reopen() {
    return this.#node.pool.reopen();
  }
  putTenant(...of: Parameters<Tenants["put"]>) {
    return this.#node.tenants.put(...of);
  }
  deleteTenant(id: string) {
    return this.#node.tenants.delete(id);
  }
  listTenants(...of: Parameters<Tenants["list"]>) {
    return this.#node.tenants.list(...of);
  }
  listTenantRows(...of: Parameters<Tenants["listRows"]>) {
    return this.#node.tenants.listRows(...of);
  }
  listSharing(...of: Parameters<Tenants["listSharing"]>) {
    return this.#node.tenants.listSharing(...of);
  }
  listedAmong(ids: readonly string[]) {
    return this.#node.tenants.listedAmong(ids);
  }
  wasListed(id: string) {
    return this.#node.tenants.wasListed(id);
  }
  readClosedMonth(...of: Parameters<Tenants["readClosedMonth"]>) {
    return this.#node.tenants.readClosedMonth(...of);
  }
  rebuildEnded(tenant: string) {
    return this.#node.ends.rebuild(tenant);
  }
  unwrittenGenerations(tenant: string) {
    return this.#node.ends.countUnwritten(tenant);
  }
  countDeadMessages(messages: number) {
    return this.#node.ends.countDeadMessages(messages);
  }
  deadMessages() {
    return this.#node.ends.deadMessages();
  }
  record(...of: Parameters<Audit["record"]>) {
    return this.#node.audit.record(...of);
  }
  recordAll(...of: Parameters<Audit["recordAll"]>) {
    return this.#node.audit.recordAll(...of);
  }
  listAudit(...of: Parameters<Audit["list"]>) {
    return this.#node.audit.list(...of);
  }
  startChecks(restMs: number) {
    return this.#node.checks.start(restMs);
  }
  readChecks(after: string, limit: number) {
    return this.#node.checks.read(after, limit);
  }
  report(...of: Parameters<PlatformWebhooks["forward"]>) {
    return this.#node.webhooks.forward(...of);
  }
  tellDrifts(...of: Parameters<PlatformWebhooks["recordDrifts"]>) {
    return this.#node.webhooks.recordDrifts(...of);
  }
  createWebhook(...of: Parameters<PlatformWebhooks["create"]>) {
    return this.#node.webhooks.create(...of);
  }
  listWebhooks() {
    return this.#node.webhooks.list();
  }
  readWebhook(id: string) {
    return this.#node.webhooks.read(id);
  }
  changeWebhook(...of: Parameters<PlatformWebhooks["change"]>) {
    return this.#node.webhooks.change(...of);
  }
  rotateWebhook(...of: Parameters<PlatformWebhooks["rotate"]>) {
    return this.#node.webhooks.rotate(...of);
  }
  deleteWebhook(id: string) {
    return this.#node.webhooks.delete(id);
  }
  tryWebhook(id: string) {
    return this.#node.webhooks.try(id);
  }
  listDeliveries(...of: Parameters<PlatformWebhooks["listDeliveries"]>) {
    return this.#node.webhooks.listDeliveries(...of);
  }
  replayWebhook(...of: Parameters<PlatformWebhooks["replay"]>) {
    return this.#node.webhooks.replay(...of);
  }
  replayDelivery(id: string) {
    return this.#node.webhooks.replayDelivery(id);
  }
  listEvents(...of: Parameters<PlatformWebhooks["listEvents"]>) {
    return this.#node.webhooks.listEvents(...of);
  }
  readEvent(id: string) {
    return this.#node.webhooks.readEvent(id);
  }
}
