import { randomBytes } from "node:crypto";
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import util from "node:util";

const NAMES = ["KEY_SECRETS", "ADMIN_TOKEN"];

/** The length in bytes: that of the hash that they key. */
const SECRET_BYTES = 32;

/** @typedef {{ file: string, values: Record<string, string> }} Secrets */

/**
 * The development secrets in `.dev.vars`, where wrangler reads them. Existing secrets are kept, so that
 * issued keys stay valid. Missing ones are made.
 *
 * @param {string} file
 * @returns {Secrets}
 */
export function devSecrets(file) {
  mkdirSync(dirname(file), { recursive: true });
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const kept = util.parseEnv(text);
  const made = NAMES.filter((name) => !kept[name]).map((name) => [
    name,
    randomBytes(SECRET_BYTES).toString("base64url"),
  ]);
  if (made.length > 0) {
    const lines = made.map(([name, secret]) => `${name}=${secret}\n`).join("");
    appendFileSync(file, (text === "" || text.endsWith("\n") ? "" : "\n") + lines, { mode: 0o600 });
  }
  // Other users of the machine must not read the file, even if it was made by hand.
  chmodSync(file, 0o600);
  const all = { ...kept, ...Object.fromEntries(made) };
  return { file, values: Object.fromEntries(NAMES.map((name) => [name, all[name]])) };
}
