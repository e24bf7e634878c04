import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RELEASE } from "../../src/tier0/weights.ts";
import { Tier0 } from "../../src/tier0/tier0.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The committed weights. Throws if they are not the ones that the source names. */
export function loadModel(file = join(ROOT, `models/${RELEASE.file}`)) {
  const bytes = readFileSync(file);
  const hash = createHash("sha256").update(bytes).digest("hex");
  if (file.endsWith(`models/${RELEASE.file}`) && hash !== RELEASE.sha256) {
    throw new Error(`${file} is not what src/tier0/weights.ts names: ${hash}.`);
  }
  const model = Tier0.read(new Uint8Array(bytes).buffer);
  if (model === null) throw new Error(`${file} holds no weights of this format.`);
  return { model, bytes: bytes.length, hash };
}
