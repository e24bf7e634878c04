// An OpenAI-compatible server that always gives the same answer at once: a judge's answer, with the nonce
// of the prompt if there is one. It is a process of its own.
import { createServer } from "node:http";

const NONCE = /\b[0-9a-f]{32}\b/;

const CATEGORIES = JSON.parse(process.argv[2]);

const before = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 1_790_000_000,
  model: "bench",
  usage: { prompt_tokens: 420, completion_tokens: 90, total_tokens: 510 },
}).slice(0, -1);

const scores = Object.fromEntries(CATEGORIES.map((category) => [category, 2]));

function answer(/** @type {string} */ body) {
  const content = JSON.stringify({ nonce: NONCE.exec(body)?.[0] ?? "", ...scores });
  const choice = { index: 0, message: { role: "assistant", content }, finish_reason: "stop" };
  return `${before},"choices":[${JSON.stringify(choice)}]}`;
}

const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    const text = answer(body);
    const length = Buffer.byteLength(text);
    response.writeHead(200, { "content-type": "application/json", "content-length": length });
    response.end(text);
  });
});
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
process.stdin.resume().on("end", () => process.exit(0));
