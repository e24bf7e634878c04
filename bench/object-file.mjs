// Writes to the file of a Durable Object on local disk while workerd is down.
import { createHash, createHmac } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The file name that workerd gives the object of a name: a MAC of the name, and a MAC of that. */
export function objectFile(directory, uniqueKey, name) {
  const key = createHash("sha256").update(uniqueKey).digest();
  const mac = (/** @type {string | Uint8Array} */ data) =>
    createHmac("sha256", key).update(data).digest().subarray(0, 16);
  const named = mac(name);
  return join(directory, `${Buffer.concat([named, mac(named)]).toString("hex")}.sqlite`);
}

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

function base32(value, length) {
  let text = "";
  for (let rest = BigInt(value); text.length < length; rest /= 32n) {
    text = CROCKFORD[Number(rest % 32n)] + text;
  }
  return text;
}

const DAY_MS = 86_400_000;

/** Adds lines of the 30 days before today, each like the only line of the journal. */
export function seedJournal(file, count) {
  const db = new DatabaseSync(file);
  const line = db.prepare("SELECT * FROM journal WHERE outcome = 'posted' LIMIT 1").get();
  const columns = Object.keys(line);
  const insert = db.prepare(
    `INSERT INTO journal (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
  );
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  db.exec("BEGIN");
  for (let index = 0; index < count; index += 1) {
    const atMs = today - 30 * DAY_MS + Math.floor((index * 30 * DAY_MS) / count);
    const made = {
      ...line,
      id: `jnl_${base32(atMs, 10)}${base32(index, 16)}`,
      day: Math.floor(atMs / DAY_MS),
      admitted_at_ms: atMs,
      deadline_ms: atMs + 90_000,
      settled_at_ms: atMs + 300,
    };
    insert.run(...columns.map((name) => made[name]));
  }
  db.exec("COMMIT");
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const { lines } = db.prepare("SELECT COUNT(*) AS lines FROM journal").get();
  db.close();
  return lines;
}
