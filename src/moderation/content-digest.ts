import type { Picture } from "../engines/picture.ts";
import type { Content } from "./content.ts";

const UTF8 = new TextEncoder();

/**
 * SHA-256 (hex) over the digests of a content's text and pictures, in order. It never leaves the gateway in
 * this form: the tenant's object keys it with the tenant's own secret.
 */
export async function contentDigest(
  { text, pictures: sources }: Pick<Content, "text" | "pictures">,
  pictures: readonly (Picture | null)[],
): Promise<string> {
  const parts = [
    UTF8.encode(`text:${text ?? ""}`),
    ...sources.map((source, at) => {
      const picture = source.kind === "picture" ? source.picture : (pictures[at] ?? null);
      return picture?.bytes ?? UTF8.encode(source.kind === "url" ? `url:${source.url.href}` : "");
    }),
  ];
  const digests = await Promise.all(parts.map(sha256));
  return sha256(UTF8.encode(digests.join("\n")));
}

async function sha256(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
