import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { StartFailure } from "./start-failure.mjs";

export const DEMO_TENANT = "demo";

/** Far longer than a local reply takes. */
const TIMEOUT_MS = 10_000;

/**
 * A key of the demo tenant: the stored one while it is valid, else a new one. The tenant is made if it
 * does not exist, and left as it is otherwise.
 *
 * @param {{ url: string, adminToken: string, file: string }} options
 * @returns {Promise<string>}
 */
export async function demoKey({ url, adminToken, file }) {
  const admin = (method, path, body) => call(url, method, path, adminToken, body);
  const tenant = `/admin/tenants/${DEMO_TENANT}`;
  const known = await admin("GET", tenant);
  if (known.status === 404) {
    expectOk(await admin("PUT", tenant, { plan: "free", daily_neurons: 10_000 }));
  } else {
    expectOk(known);
  }

  const remembered = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  if (remembered !== "" && (await call(url, "GET", "/v1/limits", remembered)).status === 200) {
    return remembered;
  }

  const body = { name: DEMO_TENANT, role: "manage" };
  const { key } = expectOk(await admin("POST", `${tenant}/keys`, body));
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${key}\n`, { mode: 0o600 });
  return key;
}

async function call(url, method, path, token, body) {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return { method, path, status: response.status, text: await response.text() };
}

function expectOk({ method, path, status, text }) {
  if (status < 300) return JSON.parse(text);
  throw new StartFailure(`${method} ${path} answered ${status}:\n${text}`);
}
