import { createServer } from "node:http";
import { PATIENT } from "./patient.mjs";
import { readSelection } from "./graphql-selection.mjs";

// What answers as Cloudflare's GraphQL Analytics API does: the query is read, only what it asks for
// is given, and what the data set does not have is an error. A test scripts its own account:
//
//   PUT /__accounts/<id>   { token, behaviour, days: { "2026-11-20": [row, …] } }
//   GET /__accounts/<id>   how often it was asked
//
// `sets: { "2026-11-20": { d1AnalyticsAdaptiveGroups: [{ sum: { rowsRead: 5 } }] } }` has rows of the
// other data sets, which have no behaviour and are not counted. A row of `days` is { modelId, count, totalNeurons, totalInputTokens, totalOutputTokens }; `behaviour` is one
// of BEHAVIOURS, several with commas for one query after the other (the last one stays).

/** As every group of the real data set has them. */
const FIELDS = {
  sum: [
    "totalNeurons",
    "totalInputTokens",
    "totalOutputTokens",
    "totalInferenceTimeMs",
    "totalProcessedTiles",
    "totalAudioSeconds",
  ],
  dimensions: ["modelId", "date", "datetimeHour"],
};

/** The other data sets, with the fields that are asked of them; `sets` of an account has their rows. */
const SETS = {
  workersInvocationsAdaptive: { sum: ["requests", "cpuTimeUs", "errors"] },
  durableObjectsInvocationsAdaptiveGroups: { sum: ["requests"] },
  durableObjectsPeriodicGroups: { sum: ["activeTime", "cpuTime", "rowsRead", "rowsWritten"] },
  durableObjectsSqlStorageGroups: { max: ["storedBytes"], dimensions: ["namespaceId"] },
  d1AnalyticsAdaptiveGroups: { sum: ["rowsRead", "rowsWritten"], dimensions: ["databaseId"] },
  d1StorageAdaptiveGroups: { max: ["databaseSizeBytes"], dimensions: ["databaseId"] },
  kvOperationsAdaptiveGroups: { sum: ["requests"], dimensions: ["actionType", "namespaceId"] },
  kvStorageAdaptiveGroups: { max: ["byteCount", "keyCount"], dimensions: ["namespaceId"] },
  r2OperationsAdaptiveGroups: { sum: ["requests"], dimensions: ["actionType", "bucketName"] },
  r2StorageAdaptiveGroups: { max: ["payloadSize", "metadataSize"], dimensions: ["bucketName"] },
  queueMessageOperationsAdaptiveGroups: { sum: ["billableOperations"], dimensions: ["queueId"] },
  workflowsAdaptiveGroups: { count: [], dimensions: ["eventType", "workflowName"] },
  vectorizeV2QueriesAdaptiveGroups: { sum: ["queriedVectorDimensions"], dimensions: ["indexName"] },
  vectorizeV2StorageAdaptiveGroups: { max: ["storedVectorDimensions"], dimensions: ["indexName"] },
  imagesTransformationsAdaptiveGroups: { sum: ["billableEventCount"] },
};

/** A set of rows of a day; a day without rows has an empty list, and `"refused"` for rows is an error. */
function answerSet(account, name, { selection, args }, response) {
  const groups = selection.viewer.accounts[name];
  for (const [part, inner] of Object.entries(groups)) {
    const unknown = Object.keys(inner).find((field) => !SETS[name][part]?.includes(field));
    if (SETS[name][part] === undefined || unknown !== undefined) {
      return json(response, 200, errors(`unknown field "${unknown ?? part}"`, "unknown"));
    }
  }
  const { date, datetime_geq: start, datetime_lt: end } = args[name].filter;
  const day = date ?? start.slice(0, 10);
  if (date === undefined && Date.parse(end) - Date.parse(start) !== 86_400_000) {
    return json(response, 200, errors("not a day", "unknown"));
  }
  const rows = account.sets[day]?.[name] ?? [];
  if (rows === "refused") return json(response, 200, errors("cannot be had", "unknown"));
  const selected = (row) =>
    Object.fromEntries(
      Object.entries(groups).map(([part, inner]) => [
        part,
        part === "count"
          ? row.count
          : Object.fromEntries(Object.keys(inner).map((field) => [field, row[part]?.[field]])),
      ]),
    );
  json(response, 200, { data: { viewer: { accounts: [{ [name]: rows.map(selected) }] } } });
}

const json = (response, status, value) => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
};

const errors = (message, code) => ({
  data: null,
  errors: [{ message, path: null, extensions: { code, timestamp: "2026-11-21T02:00:00Z" } }],
});

const one = (totalNeurons, more = {}) => ({ modelId: "@cf/a/b", count: 1, totalNeurons, ...more });

/** @type {Record<string, (response: import("node:http").ServerResponse, asked: object) => void>} */
const BEHAVIOURS = {
  401: (response) => json(response, 401, { success: false, errors: [{ code: 10_000 }] }),
  403: (response) => json(response, 403, { success: false, errors: [{ code: 9109 }] }),
  bad_token: (response) =>
    json(response, 400, {
      success: false,
      errors: [{ code: 10_000, message: "Authentication error" }],
    }),
  authz: (response) => json(response, 200, errors("not authorized for that account", "authz")),
  429: (response) => json(response, 429, errors("rate limit reached", "ratelimited")),
  500: (response) => json(response, 500, errors("internal server error", "internal")),
  503: (response) => response.writeHead(503).end("upstream connect error"),
  404: (response) => response.writeHead(404).end("no such page"),
  /** It quotes what it was sent, as a careless server might. */
  quoting: (response, { token, account }) =>
    json(response, 200, errors(`cannot parse ${token} of ${account}\u0007`, "unknown")),
  too_old: (response) =>
    json(response, 200, errors("cannot request data older than 2764800s", "unknown")),
  not_json: (response) => response.end("<html>"),
  cut: (response) => response.end('{"data":{"viewer":{"accounts":[{"aiInferenceAdapt'),
  no_body: (response) => response.end(),
  huge: (response) => response.end(" ".repeat(1_100_000)),
  redirect: (response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
  drop: (response) => response.destroy(),
  no_account: (response) => json(response, 200, { data: { viewer: { accounts: [] } } }),
  null_data: (response) => json(response, 200, { data: null }),
  text_neurons: (response, asked) => answer(response, asked, [one("12.5")]),
  negative: (response, asked) => answer(response, asked, [one(-1)]),
  astronomic: (response, asked) => answer(response, asked, [one(1e12)]),
  nameless: (response, asked) => answer(response, asked, [one(1, { modelId: "" })]),
  other_day: (response, asked) => answer(response, { ...asked, day: "2001-01-01" }, [one(1)]),
  too_many: (response, asked) =>
    answer(
      response,
      asked,
      Array.from({ length: asked.limit }, (_, at) => one(1, { modelId: `@cf/m/${at}` })),
    ),
};

/** Only what the query selects, under the names that it has in the data set. */
function answer(response, { selection, day }, rows) {
  const groups = selection.viewer.accounts.aiInferenceAdaptiveGroups;
  const group = (row) =>
    Object.fromEntries(
      Object.entries(groups).map(([name, inner]) => {
        if (name === "count") return [name, row.count];
        const values = name === "dimensions" ? { ...row, date: day } : row;
        return [
          name,
          Object.fromEntries(Object.keys(inner).map((field) => [field, values[field] ?? 0])),
        ];
      }),
    );
  const accounts = [{ aiInferenceAdaptiveGroups: rows.map(group) }];
  json(response, 200, { data: { viewer: { accounts } }, errors: null });
}

/** As the real one says it. */
function unknownField(groups) {
  for (const [name, inner] of Object.entries(groups)) {
    if (name !== "count" && FIELDS[name] === undefined) return name;
    for (const field of Object.keys(inner)) {
      if (!FIELDS[name]?.includes(field)) return field;
    }
  }
  return null;
}

function ask(accounts, request, body, response) {
  const { query, variables } = JSON.parse(body);
  const { selection, args } = readSelection(query, variables);
  const [set] = Object.keys(selection.viewer?.accounts ?? {});
  if (Object.hasOwn(SETS, set)) {
    const account = accounts.get(args.accounts.filter.accountTag);
    const isAllowed = request.headers.authorization === `Bearer ${account?.token}`;
    if (!isAllowed) return BEHAVIOURS.authz(response);
    return answerSet(account, set, { selection, args }, response);
  }
  const { aiInferenceAdaptiveGroups: groups, ...others } = selection.viewer?.accounts ?? {};
  const unknown =
    groups === undefined ? "viewer" : (unknownField(groups) ?? Object.keys(others)[0]);
  if (unknown !== undefined) {
    return json(response, 200, errors(`unknown field "${unknown}"`, "unknown"));
  }
  const id = args.accounts.filter.accountTag;
  const { filter, limit } = args.aiInferenceAdaptiveGroups;
  const account = accounts.get(id);
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  if (account === undefined) return BEHAVIOURS.authz(response);
  if (account.token !== token) return BEHAVIOURS.bad_token(response);
  const behaviours = account.behaviour.split(",");
  const behaviour = behaviours[Math.min(account.asked, behaviours.length - 1)];
  account.asked += 1;
  const asked = { selection, day: filter.date, limit, token, account: id };
  const scripted = BEHAVIOURS[behaviour];
  if (scripted !== undefined) return scripted(response, asked);
  return answer(response, asked, account.days[filter.date] ?? []);
}

function handle(accounts, request, body, response) {
  const id = /^\/__accounts\/(\w+)$/.exec(request.url)?.[1];
  if (id === undefined) return ask(accounts, request, body, response);
  if (request.method === "PUT") {
    accounts.set(id, { behaviour: "ok", days: {}, sets: {}, asked: 0, ...JSON.parse(body) });
  }
  return json(response, 200, { asked: accounts.get(id)?.asked ?? 0 });
}

export async function startFakeCloudflare() {
  const accounts = new Map();
  const server = createServer(PATIENT, async (request, response) => {
    try {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      handle(accounts, request, Buffer.concat(chunks).toString(), response);
    } catch (error) {
      // A mistake of the fake itself must not look like a scripted failure.
      process.emitWarning(error);
      response.writeHead(599).end();
    }
  });
  server.on("connection", (socket) => socket.unref());
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return { url: new URL(`http://127.0.0.1:${server.address().port}/client/v4/graphql`) };
}
