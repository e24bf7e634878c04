import { createServer } from "node:http";
import { PATIENT } from "./patient.mjs";
import { buffer } from "node:stream/consumers";

/** Where Cloudflare Access publishes the keys that it signs with. */
const CERTS = "/cdn-cgi/access/certs";

/**
 * What Cloudflare Access shows of a team: its keys, below an address of the team's own. A test tells
 * it with a PUT of `{ status?, body?, hang? }` how the team answers; GET of `/<team>/asked` says how
 * often it was asked for keys. A team that nobody told of answers 404.
 */
export async function startAccessServer() {
  /** @type {Map<string, { status?: number, body?: unknown, hang?: boolean, asked: number }>} */
  const teams = new Map();

  const server = createServer(PATIENT, async (request, response) => {
    const [, name = "", rest = ""] = /^\/([^/]+)(\/.*)?$/.exec(request.url ?? "") ?? [];
    const team = teams.get(name);
    if (request.method === "PUT") {
      const told = JSON.parse((await buffer(request)).toString());
      teams.set(name, { ...told, asked: team?.asked ?? 0 });
      response.end();
    } else if (rest === "/asked") {
      response.end(String(team?.asked ?? 0));
    } else if (rest === CERTS && team !== undefined) {
      team.asked += 1;
      if (team.hang) return;
      const headers = { "content-type": "application/json", location: "http://169.254.169.254/" };
      response.writeHead(team.status ?? 200, headers);
      response.end(typeof team.body === "string" ? team.body : JSON.stringify(team.body));
    } else {
      response.writeHead(404).end();
    }
  });
  // Nothing here may keep the test run alive.
  server.on("connection", (socket) => socket.unref());
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(null)));
  server.unref();
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: new URL(`http://127.0.0.1:${port}`), close: () => server.close() };
}
