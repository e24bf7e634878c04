// A file of the bucket that is written piece by piece, of any length, in bounded memory: as one object
// while it fits in one part, else as a multipart upload. It exists when it is closed, complete or not at
// all.

/** R2 wants all parts but the last to have one length, at least 5 MiB. */
export const PART_BYTES = 8 * 1024 * 1024;

export interface Written {
  readonly bytes: number;
  /** Of all bytes, hex. */
  readonly sha256: string;
}

export class FileWriter {
  readonly #bucket: R2Bucket;
  readonly #key: string;
  readonly #part: Uint8Array;
  readonly #digest = new crypto.DigestStream("SHA-256");
  readonly #hash = this.#digest.getWriter();
  readonly #encoder = new TextEncoder();
  #filled = 0;
  #bytes = 0;
  #upload: R2MultipartUpload | null = null;
  readonly #uploaded: R2UploadedPart[] = [];

  constructor(bucket: R2Bucket, key: string, partBytes: number = PART_BYTES) {
    this.#bucket = bucket;
    this.#key = key;
    this.#part = new Uint8Array(partBytes);
  }

  async add(text: string): Promise<void> {
    let bytes = this.#encoder.encode(text);
    this.#bytes += bytes.length;
    await this.#hash.write(bytes.slice());
    while (this.#filled + bytes.length > this.#part.length) {
      const room = this.#part.length - this.#filled;
      this.#part.set(bytes.subarray(0, room), this.#filled);
      this.#filled = this.#part.length;
      bytes = bytes.subarray(room);
      // oxlint-disable-next-line no-await-in-loop -- one part is in memory at a time
      await this.#send();
    }
    this.#part.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  /** @throws when the bucket did not store it */
  async close(): Promise<Written> {
    await this.#hash.close();
    if (this.#upload === null) {
      await this.#bucket.put(this.#key, this.#part.slice(0, this.#filled));
    } else {
      if (this.#filled > 0) await this.#send();
      await this.#upload.complete(this.#uploaded);
    }
    return { bytes: this.#bytes, sha256: hex(await this.#digest.digest) };
  }

  /** Deletes its parts. If that fails, the bucket itself deletes them within a week. */
  async abort(): Promise<void> {
    await this.#hash.abort().catch(() => undefined);
    this.#digest.digest.catch(() => undefined);
    await this.#upload?.abort().catch(() => undefined);
  }

  async #send(): Promise<void> {
    this.#upload ??= await this.#bucket.createMultipartUpload(this.#key);
    const bytes = this.#part.slice(0, this.#filled);
    this.#uploaded.push(await this.#upload.uploadPart(this.#uploaded.length + 1, bytes));
    this.#filled = 0;
  }
}

/** Length and hash of a stored file; null: there is none. */
export async function readBack(bucket: R2Bucket, key: string): Promise<Written | null> {
  const stored = await bucket.get(key);
  if (stored === null) return null;
  const digest = new crypto.DigestStream("SHA-256");
  await stored.body.pipeTo(digest);
  return { bytes: stored.size, sha256: hex(await digest.digest) };
}

const hex = (digest: ArrayBuffer): string => new Uint8Array(digest).toHex();
