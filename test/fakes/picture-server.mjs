import { createServer } from "node:http";
import { PATIENT } from "./patient.mjs";
import { gzipSync } from "node:zlib";

/** A whole picture: one black pixel. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
  "base64",
);

/** 20 kB which unpack to 20 MB. */
const BOMB = gzipSync(Buffer.alloc(20_000_000));

const CHUNK = Buffer.alloc(65_536);

/**
 * What a host of pictures can do to whoever fetches from it.
 *
 * @type {Record<string, (request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => void>}
 */
const BEHAVIOURS = {
  "/good": (_request, response) => response.end(PNG),

  "/chunked": (_request, response) => {
    response.write(PNG.subarray(0, 10));
    response.end(PNG.subarray(10));
  },

  "/empty": (_request, response) => response.end(),

  /** `/bytes?100`: so many. */
  "/bytes": (request, response) => response.end(Buffer.alloc(Number(request.url?.split("?")[1]))),

  "/headers": (request, response) => response.end(JSON.stringify(request.headers)),

  /** `/status?404` */
  "/status": (request, response) => {
    const status = Number(request.url?.split("?")[1]);
    const location = status < 400 && { location: "http://169.254.169.254/latest/meta-data/" };
    response.writeHead(status, { ...location }).end("a secret of another host");
  },

  "/short": (_request, response) => {
    response.writeHead(200, { "content-length": 1000 }).write(PNG);
    setTimeout(() => response.destroy(), 50);
  },

  /** More than was announced: what follows is not part of the body. */
  "/long": (_request, response) => {
    response.socket?.end("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n12345678");
  },

  "/announces-too-much": (_request, response) => {
    response.writeHead(200, { "content-length": 5_000_000_000 }).flushHeaders();
  },

  "/endless": (_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write(CHUNK));
    };
    response.on("drain", more);
    more();
  },

  "/bomb": (_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(BOMB);
  },

  "/drip": (_request, response) => {
    const timer = setInterval(() => response.write("."), 20);
    response.on("close", () => clearInterval(timer));
  },

  "/hang": () => {},

  "/drop": (_request, response) => response.destroy(),
};

/** A local host of pictures. `/aborted?/path` counts the replies there that were cut short. */
export async function startPictureServer() {
  /** @type {Map<string, number>} */
  const aborted = new Map();
  const server = createServer(PATIENT, (request, response) => {
    const [path = "", query = ""] = (request.url ?? "").split("?");
    if (path === "/aborted") return response.end(String(aborted.get(query) ?? 0));
    response.on("close", () => {
      if (!response.writableFinished) aborted.set(path, (aborted.get(path) ?? 0) + 1);
    });
    return BEHAVIOURS[path]?.(request, response) ?? undefined;
  });
  // Nothing here may keep the test run alive.
  server.on("connection", (socket) => socket.unref());
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return { url: new URL(`http://127.0.0.1:${server.address().port}`) };
}
