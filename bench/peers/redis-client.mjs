// The part of a Redis client that the peer needs: one connection, pipelined, replies as arrays of strings.
import { createConnection } from "node:net";

export function connect(/** @type {number} */ port) {
  const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
  const waiting = [];
  let unread = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
    for (;;) {
      const reply = parse(unread, 0);
      if (reply === null) return;
      unread = unread.subarray(reply.end);
      const { resolve, reject } = waiting.shift();
      if (reply.value instanceof Error) reject(reply.value);
      else resolve(reply.value);
    }
  });
  let gathered = [];
  return (/** @type {(string | number)[]} */ ...words) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      // Commands of one turn are sent together.
      if (gathered.length === 0) {
        setImmediate(() => {
          socket.write(gathered.join(""));
          gathered = [];
        });
      }
      const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
      gathered.push(`*${words.length}\r\n${parts.join("")}`);
    });
}

/** Reads one reply of RESP 2 from `at`; null: it has not arrived completely. */
function parse(buffer, at) {
  const lineEnd = buffer.indexOf("\r\n", at);
  if (lineEnd === -1) return null;
  const rest = buffer.toString("utf8", at + 1, lineEnd);
  const end = lineEnd + 2;
  switch (String.fromCharCode(buffer[at])) {
    case "+":
      return { value: rest, end };
    case ":":
      return { value: Number(rest), end };
    case "-":
      return { value: new Error(rest), end };
    case "$": {
      const length = Number(rest);
      if (length === -1) return { value: null, end };
      if (buffer.length < end + length + 2) return null;
      return { value: buffer.toString("utf8", end, end + length), end: end + length + 2 };
    }
    default: {
      const value = [];
      let from = end;
      for (let count = Number(rest); count > 0; count -= 1) {
        const item = parse(buffer, from);
        if (item === null) return null;
        value.push(item.value);
        from = item.end;
      }
      return { value, end: from };
    }
  }
}
