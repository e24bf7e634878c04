import { env, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { admin, makeTenant } from "../client.ts";
import { storedKeys } from "../routes/stored-pictures.ts";
import { account, cleanUp, DAY_MS, inAccount, NOW, SECOND, stopClock } from "./a-tenant.ts";

// A deletion erases what the tenant has in the bucket: at once, again after a crash, and once more when
// no call of that generation can write any longer.

beforeEach(() => stopClock());
afterEach(cleanUp);

const LATE = 180 * SECOND;

const ring = () => runDurableObjectAlarm(env.ACCOUNT.getByName("account"));
const sweeps = () =>
  inAccount(({ storage }) => storage.sql.exec("SELECT * FROM file_sweeps").toArray());
/** Nothing else is due: then the log of admin acts loses the first one. */
const AUDIT_ENDS_MS = NOW + 400 * DAY_MS + 1;

const alarm = () => inAccount(({ storage }) => storage.getAlarm());

/** Another bucket for the object, until it is evicted. */
const swap = (IMAGES: unknown) =>
  inAccount((_, instance) => {
    Object.defineProperty(instance, "env", { value: { ...env, IMAGES }, configurable: true });
  });

const fill = async (prefix: string, count: number): Promise<void> => {
  await Promise.all(
    Array.from({ length: count }, (_, at) => env.IMAGES.put(`${prefix}images/${at}`, "x")),
  );
};

describe("a deletion", () => {
  it("erases the life's files, and no others", async () => {
    await makeTenant("swept");
    const tenant = await makeTenant("swept-2");
    await tenant.call("POST", "/v1/images", { prompt: "A boat" });
    await Promise.all([fill("swept/1/", 3), fill("swept/10/", 1), fill("swept-2/1/", 1)]);
    expect((await admin("DELETE", "/admin/tenants/swept")).status).toBe(204);
    expect(await storedKeys("swept/")).toEqual(["swept/10/images/0"]);
    expect(await storedKeys("swept-2/")).toHaveLength(3);
  });

  it("looks once more when no call can write any longer, and then forgets", async () => {
    await makeTenant("late");
    await admin("DELETE", "/admin/tenants/late");
    expect(await alarm()).toBe(Date.now() + LATE);
    // A call that had been admitted before the end.
    await fill("late/1/", 1);
    vi.setSystemTime(Date.now() + LATE);
    await ring();
    expect(await storedKeys("late/")).toEqual([]);
    expect(await sweeps()).toEqual([]);
    expect(await alarm()).toBe(AUDIT_ENDS_MS);
  });

  it("comes to its end where the deployment has no bucket any more", async () => {
    await makeTenant("bucketless");
    await admin("DELETE", "/admin/tenants/bucketless");
    await swap(undefined);
    vi.setSystemTime(Date.now() + LATE);
    await ring();
    expect(await sweeps()).toEqual([]);
    expect(await alarm()).toBe(AUDIT_ENDS_MS);
  });

  it("goes on in batches until nothing is left", async () => {
    await makeTenant("large");
    await fill("large/1/", 11);
    // Batches of two in place of a thousand: five of them in one go.
    await swap({
      list: (options: R2ListOptions) => env.IMAGES.list({ ...options, limit: 2 }),
      delete: (keys: string[]) => env.IMAGES.delete(keys),
    });
    await admin("DELETE", "/admin/tenants/large");
    expect(await storedKeys("large/")).toHaveLength(1);
    expect(await alarm()).toBe(Date.now() + 10 * SECOND);
    vi.setSystemTime(Date.now() + 10 * SECOND);
    await ring();
    expect(await storedKeys("large/")).toEqual([]);
    expect(await sweeps()).toHaveLength(1);
  });

  it("ends the tenant though the bucket fails, and erases its files later", async () => {
    await makeTenant("unswept");
    await fill("unswept/1/", 1);
    const broken = { list: () => Promise.reject(new Error("internal error (10001)")) };
    await swap(broken);
    expect(await account().deleteTenant("unswept")).toBe(true);
    expect((await admin("GET", "/admin/tenants/unswept")).status).toBe(404);
    expect(await storedKeys("unswept/")).toHaveLength(1);
    await swap(env.IMAGES);
    vi.setSystemTime(Date.now() + 10 * SECOND);
    await ring();
    expect(await storedKeys("unswept/")).toEqual([]);
  });

  it("is taken up after a crash between the tenant's end and its files'", async () => {
    const tenant = await makeTenant("crashed");
    await tenant.call("POST", "/v1/images", { prompt: "A boat" });
    await inAccount(({ storage }) => {
      storage.sql.exec("UPDATE tenants SET state = 'deleting' WHERE id = 'crashed'");
    });
    await inAccount(({ storage }) => storage.setAlarm(Date.now() + 1));
    await ring();
    expect(await storedKeys("crashed/")).toEqual([]);
    expect((await admin("GET", "/admin/tenants/crashed")).status).toBe(404);
  });

  it("leaves the next life's files alone", async () => {
    await makeTenant("twice");
    await admin("DELETE", "/admin/tenants/twice");
    const again = await makeTenant("twice");
    await again.call("POST", "/v1/images", { prompt: "A boat" });
    const keys = await storedKeys("twice/");
    expect(keys.every((key) => key.startsWith("twice/2/"))).toBe(true);
    vi.setSystemTime(Date.now() + LATE);
    await ring();
    expect(await storedKeys("twice/")).toEqual(keys);
  });
});
