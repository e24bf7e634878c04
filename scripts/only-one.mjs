import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { dirname, relative } from "node:path";
import { text } from "node:stream/consumers";

/**
 * Makes sure that only one server uses the data, since two would each trust their own memory of it. The
 * server listens on a socket beside the data and sends its URL to every client of that socket.
 *
 * @param {string} file
 * @param {string} url our own URL
 * @returns {Promise<string | null>} the URL of a server that already uses the data; null: none does
 */
export async function otherServer(file, url) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // The path of a socket may have about a hundred characters. The relative path is shorter.
  const path = relative(process.cwd(), file) || file;
  if (await listens(path, url)) return null;
  const other = await text(connect(path)).catch(() => null);
  if (other !== null) return other;
  // A server that was killed left the socket behind.
  rmSync(path, { force: true });
  await listens(path, url);
  return null;
}

/** Listens on the socket. False: the socket exists already. */
async function listens(path, url) {
  const server = createServer((socket) => socket.on("error", () => {}).end(url));
  try {
    await once(server.listen(path).unref(), "listening");
    return true;
  } catch (error) {
    // If a socket is impossible, for example because the path is too long, there is no check.
    return error.code !== "EADDRINUSE";
  }
}
