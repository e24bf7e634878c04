import { env, exports } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { TENANT_MIGRATIONS } from "../../durable-objects/tenant/tenant-schema.ts";
import { AnalyzeInput, SuggestInput } from "../../src/api/perspective/comment.ts";
import { admin, ask, makeKey, makeTenant, type TestTenant } from "../client.ts";
import { hide, hideContent } from "../printed.ts";

// The Perspective API's methods, as its clients send them.

const ANALYZE = "/v1alpha1/comments:analyze";
const SUGGEST = "/v1alpha1/comments:suggestscore";

const RUDE = "You are a worthless stupid idiot";
const KIND = "Thank you all for the lovely evening in the park.";

let tenant: TestTenant;
let scoreKey: string;
beforeAll(async () => {
  tenant = await makeTenant("forum", { rpm: { requests: 1000 } });
  scoreKey = await makeKey("forum", "score");
});

type Fields = Readonly<Record<string, unknown>>;

const comment = (
  text: string,
  fields: Fields = {},
  requestedAttributes: Fields = { TOXICITY: {} },
) => ({
  comment: { text },
  requestedAttributes,
  ...fields,
});

const analyze = (text: string, fields: Fields = {}, attributes: Fields = { TOXICITY: {} }) =>
  tenant.call("POST", ANALYZE, comment(text, fields, attributes));

// oxlint-disable-next-line typescript/no-explicit-any -- as replies are
const summary = (body: any, name: string): number => body.attributeScores[name].summaryScore.value;

const ALL = [
  "TOXICITY",
  "SEVERE_TOXICITY",
  "IDENTITY_ATTACK",
  "INSULT",
  "PROFANITY",
  "THREAT",
  "SEXUALLY_EXPLICIT",
];

const scored = async (text: string, name: string) =>
  summary((await analyze(text, { languages: ["en"] }, { [name]: {} })).body, name);

const profanity = async (text: string) => scored(text, "PROFANITY");
const explicit = async (text: string) => scored(text, "SEXUALLY_EXPLICIT");

describe("comments:analyze", () => {
  it("scores each attribute, under the experimental names too, at no cost", async () => {
    const names = [...ALL, ...ALL.map((name) => `${name}_EXPERIMENTAL`), "TOXICITY_FAST"];
    const { status, body, headers } = await analyze(
      RUDE,
      { languages: ["en"], clientToken: "t-1" },
      Object.fromEntries(names.map((name) => [name, {}])),
    );
    expect(status).toBe(200);
    expect(Object.keys(body.attributeScores)).toEqual(names);
    expect(body).toMatchObject({
      languages: ["en"],
      detectedLanguages: ["en"],
      clientToken: "t-1",
    });
    for (const name of ALL) {
      expect(summary(body, `${name}_EXPERIMENTAL`), name).toBe(summary(body, name));
      expect(body.attributeScores[name].spanScores).toEqual([
        { begin: 0, end: RUDE.length, score: body.attributeScores[name].summaryScore },
      ]);
    }
    expect(summary(body, "TOXICITY")).toBeGreaterThan(0.5);
    expect(summary(body, "INSULT")).toBeGreaterThan(0.5);
    expect(summary(body, "SEVERE_TOXICITY")).toBeLessThan(summary(body, "TOXICITY"));
    expect(headers.get("x-neurogate-micro-neurons")).toBe("0");
    const kind = await analyze(KIND);
    expect(summary(kind.body, "TOXICITY")).toBeLessThan(0.5);
  });

  it("sees foul words that attack nobody as profanity, behind disguises too", async () => {
    expect(await profanity("holy shit that concert was good")).toBeGreaterThanOrEqual(0.7);
    expect(await profanity("holy sh1t that concert was good")).toBeGreaterThanOrEqual(0.7);
    expect(await profanity("damn that concert was good")).toBeLessThan(0.7);
    expect(
      await profanity("We cooked shiitake in Scunthorpe, a cocktail and dickens"),
    ).toBeLessThan(0.4);
  });

  it("sees lewd words as sexually explicit, in insults and behind disguises too", async () => {
    expect(await explicit("eat my dick, the edit is fine")).toBeGreaterThanOrEqual(0.5);
    expect(await explicit("eat my d1ck, the edit is fine")).toBeGreaterThanOrEqual(0.5);
    expect(await explicit("He said 'dick' in the interview")).toBeGreaterThanOrEqual(0.5);
    const coarse = await explicit("holy shit that concert was good");
    expect([coarse >= 0.2, coarse < 0.5]).toEqual([true, true]);
    const harmless =
      "We cooked shiitake in Scunthorpe, a cocktail and dickens, of congenital charm";
    expect(await explicit(harmless)).toBeLessThan(0.2);
    expect(await explicit(RUDE)).toBeLessThan(0.2);
  });

  it("sees an identity attack only in a text that is toxic too", async () => {
    const { body } = await analyze(
      "All immigrants are filthy animals",
      { languages: ["en"] },
      Object.fromEntries(ALL.map((name) => [name, {}])),
    );
    const [attack, toxicity] = [summary(body, "IDENTITY_ATTACK"), summary(body, "TOXICITY")];
    expect(attack).toBeGreaterThan(0.5);
    expect(attack).not.toBe(toxicity);
    expect(await scored(KIND, "IDENTITY_ATTACK")).toBeLessThan(0.2);
  });

  it("marks each sentence where it stands in what was sent", async () => {
    const text = `  ${KIND} 🦩 ${RUDE}!\n`;
    const { body } = await analyze(text, { spanAnnotations: true });
    const spans: { begin: number; end: number; score: { value: number } }[] =
      body.attributeScores.TOXICITY.spanScores;
    expect(spans.map(({ begin, end }) => text.slice(begin, end))).toEqual([KIND, `🦩 ${RUDE}!`]);
    expect(spans[1]?.score.value).toBeGreaterThan(spans[0]?.score.value ?? 1);
  });

  it("gives no score to a sentence in letters that the model does not know", async () => {
    const text = `${KIND} ${KIND} ${KIND} Ты идиот. ${RUDE}!`;
    const { body } = await analyze(text, { spanAnnotations: true, languages: ["en"] });
    const spans: { begin: number; end: number }[] = body.attributeScores.TOXICITY.spanScores;
    const marked = spans.map(({ begin, end }) => text.slice(begin, end));
    expect(marked).toEqual([KIND, KIND, KIND, `${RUDE}!`]);
  });

  it("reads HTML as people see it, and says where it stands in the HTML", async () => {
    const html = `<p>${KIND}</p><!-- ${RUDE} --><p>You stupid id<b>io</b>t &amp; liar.</p>`;
    const body = {
      comment: { text: html, type: "HTML" },
      requestedAttributes: { INSULT: {} },
      spanAnnotations: true,
    };
    const reply = await tenant.call("POST", ANALYZE, body);
    const spans: { begin: number; end: number }[] = reply.body.attributeScores.INSULT.spanScores;
    expect(spans.map(({ begin, end }) => html.slice(begin, end))).toEqual([
      KIND,
      "You stupid id<b>io</b>t &amp; liar.",
    ]);
    const hidden = { ...body, comment: { text: `${KIND}<!-- ${RUDE}`, type: "HTML" } };
    const unseen = (await tenant.call("POST", ANALYZE, hidden)).body;
    expect(summary(unseen, "INSULT")).toBeLessThan(0.5);
  });

  it("leaves out what is below its threshold, and all where all are", async () => {
    const some = await analyze(KIND, {}, { TOXICITY: { scoreThreshold: 0.9 }, INSULT: {} });
    expect(Object.keys(some.body.attributeScores)).toEqual(["INSULT"]);
    const none = await analyze(KIND, {}, { TOXICITY: { scoreThreshold: 0.9 } });
    expect(none.body).toEqual({ languages: ["en"], detectedLanguages: ["en"] });
  });

  it("takes JSON as Google's servers do", async () => {
    const relaxed = `{comment: {text: 'It\\'s a "lovely" day in the park'}, requested_attributes: {TOXICITY:{score_threshold: 0}}, client_token: "a", languages: null}`;
    for (const type of ["application/json", "application/x-www-form-urlencoded"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, body } = await tenant.call("POST", ANALYZE, relaxed, {
        "Content-Type": type,
      });
      expect([status, body.clientToken]).toEqual([200, "a"]);
      expect(summary(body, "TOXICITY")).toBeLessThan(0.5);
    }
    const open = await tenant.call("POST", ANALYZE, `{comment: "${'\\"'.repeat(100_000)}`);
    expect(open.status).toBe(400);
  });

  it("takes numbers as text, and enums by their numbers", async () => {
    const text = { text: `${KIND}<!-- ${RUDE} -->`, type: 2 };
    const read = async (scoreThreshold: unknown, scoreType: unknown) =>
      tenant.call("POST", ANALYZE, {
        comment: text,
        requestedAttributes: { INSULT: { scoreThreshold, scoreType }, TOXICITY: {} },
      });
    const all = await read("0", 1);
    expect(all.status).toBe(200);
    expect(summary(all.body, "INSULT")).toBeLessThan(0.5);
    const above = await read("9.9e-1", 0);
    expect(Object.keys(above.body.attributeScores)).toEqual(["TOXICITY"]);
    for (const wrong of ["", "many", "1.5", "-0.1", "0x1", "NaN", " 1"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const refused = await read(wrong, 1);
      expect([refused.status, error(refused)["kind"]], wrong).toEqual([400, "invalid_request"]);
    }
    expect(error(await read("0", 3))["message"]).toBe(
      "Requested score type PERCENTILE is not supported by attribute INSULT",
    );
    const unknown = { ...comment(KIND), comment: { text: KIND, type: 7 } };
    expect(error(await tenant.call("POST", ANALYZE, unknown))["message"]).toBe("Unknown text type");
  });

  it.each(["$alt=json", "$fields=languages", "$prettyPrint=true", "pp=1", "alt=", "$callback=f"])(
    "takes Google's parameter ?%s",
    async (query) => {
      const reply = await tenant.call("POST", `${ANALYZE}?${query}`, comment(KIND));
      expect(reply.status).toBe(200);
    },
  );

  it("has only its one form", async () => {
    const reply = await tenant.call("POST", `${ANALYZE}?$alt=proto`, comment(KIND));
    expect([reply.status, error(reply)["kind"]]).toEqual([400, "invalid_request"]);
  });

  it.each(["%3A", "%3a"])("is found where the colon is written as %s", async (colon) => {
    const path = ANALYZE.replace(":", colon);
    expect((await tenant.call("POST", path, comment(KIND))).status).toBe(200);
    const method = await ask("GET", path, { key: tenant.key });
    expect([method.status, method.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it("stores neither a verdict nor the comment, only a count", async () => {
    const text = "zyzzyva is what nobody else would write to you all here today";
    await analyze(text, { doNotStore: true });
    await analyze(text);
    const object = env.TENANT.getByName("forum");
    const stored = await runInDurableObject(object, (_, { storage }) => {
      const tables = storage.sql
        .exec<{ name: string }>(
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'",
        )
        .toArray();
      return tables.map(({ name }) =>
        JSON.stringify(storage.sql.exec(`SELECT * FROM "${name}"`).toArray()),
      );
    });
    expect(stored.join("")).not.toContain("zyzzyva");
    expect(stored.join("")).toContain(`POST ${ANALYZE}`);
    expect((await tenant.call("GET", "/v1/verdicts")).body.data).toEqual([]);
  });
});

const error = (reply: { body: { error: Fields } }): Fields => reply.body.error;
const typeOf = (reply: { body: { error: { details: Fields[] } } }): unknown =>
  reply.body.error.details[0]?.["errorType"];

describe("what is refused", () => {
  it.each([
    ["COMMENT_EMPTY", "Comment must be non-empty.", comment(" ")],
    ["COMMENT_EMPTY", "Comment must be non-empty.", { requestedAttributes: { TOXICITY: {} } }],
    ["COMMENT_EMPTY", "Comment must be non-empty.", comment("\u200B\u00AD\uFEFF")],
    [
      "COMMENT_EMPTY",
      "Comment must be non-empty.",
      { ...comment(" "), comment: { text: "<p>&nbsp;</p><!-- x -->", type: "HTML" } },
    ],
    ["COMMENT_TOO_LONG", "Comment text too long.", comment("kind ".repeat(21_000))],
    ["NO_REQUESTED_ATTRIBUTES", "Missing requested_attributes", comment(KIND, {}, {})],
    ["NO_REQUESTED_ATTRIBUTES", "Missing requested_attributes", { comment: { text: KIND } }],
    [
      "LANGUAGE_DETECTION_FAILED",
      "Unable to detect language",
      comment("qzx vrrk plomf zwerk trunq"),
    ],
    ...["ты идиот", "你是白痴", "أنت غبي", "तू बेवकूफ है", "ты идиот lol"].map(
      (text): [string, string, Fields] => [
        "LANGUAGE_DETECTION_FAILED",
        "Unable to detect language",
        comment(text, { languages: ["en"] }),
      ],
    ),
    [
      "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
      "Attribute TOXICITY does not support request languages: de_DE",
      comment(KIND, { languages: ["de_DE"] }),
    ],
    [
      "INVALID_REQUEST",
      "Unknown requested attribute: LIKELY_TO_REJECT",
      comment(KIND, {}, { LIKELY_TO_REJECT: {} }),
    ],
    ["INVALID_REQUEST", "Unknown requested attribute", comment(KIND, {}, { "<secret>": {} })],
    [
      "INVALID_REQUEST",
      "Requested score type RAW is not supported by attribute TOXICITY",
      comment(KIND, {}, { TOXICITY: { scoreType: "RAW" } }),
    ],
    [
      "INVALID_REQUEST",
      "Unknown text type",
      { ...comment(KIND), comment: { text: KIND, type: "MARKDOWN" } },
    ],
    [
      "INVALID_REQUEST",
      "Context can have either entries or article_and_parent_comment, but both fields were populated.",
      comment(KIND, { context: { entries: [], articleAndParentComment: {} } }),
    ],
    [
      "INVALID_REQUEST",
      "Invalid JSON payload received. Unknown name \"foo\" at 'comment': Cannot find field.",
      { ...comment(KIND), comment: { text: KIND, foo: 1 } },
    ],
  ])("is told as there: %s, %s", async (errorType, message, body) => {
    const reply = await tenant.call("POST", ANALYZE, body);
    expect(reply.status).toBe(400);
    expect(error(reply)).toMatchObject({ code: 400, status: "INVALID_ARGUMENT", message });
    expect(typeOf(reply)).toBe(errorType);
  });

  it("are languages that nothing here judges, asked for or found", async () => {
    const german = "Das ist ein ganz normaler Satz über das Wetter von heute und morgen.";
    const found = await analyze(german);
    expect(typeOf(found)).toBe("LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE");
    expect(error(found)["message"]).toBe(
      "Attribute TOXICITY does not support request languages: de",
    );
    expect(found.body.error.details[0].languageNotSupportedByAttributeError).toEqual({
      attribute: "TOXICITY",
      detectedLanguages: ["de"],
    });
    const asked = await analyze(KIND, { languages: ["en-GB", "fr"] });
    expect(error(asked)["message"]).toBe(
      "Attribute TOXICITY does not support request languages: fr",
    );
    const script = await analyze("Это совершенно обычное предложение о погоде", {
      languages: ["en"],
    });
    expect(typeOf(script)).toBe("LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE");
    const dropped = await analyze(german, { dropUnsupportedAttributes: true });
    expect(dropped.status).toBe(200);
    expect(dropped.body.attributeScores).toBeUndefined();
    const unknown = { TOXICITY: {}, SPAM: {} };
    const left = await analyze(KIND, { dropUnsupportedAttributes: true }, unknown);
    expect(Object.keys(left.body.attributeScores)).toEqual(["TOXICITY"]);
  });

  it("is a path or a method that is not there, in the same shape", async () => {
    const path = await ask("POST", "/v1alpha1/comments:delete", { key: tenant.key, body: {} });
    expect([path.status, error(path)["status"]]).toEqual([404, "NOT_FOUND"]);
    const method = await ask("GET", ANALYZE, { key: tenant.key });
    expect([method.status, error(method)["code"]]).toEqual([405, 405]);
  });
});

/** As a client that has the key in the address. */
const byQuery = (key: string, headers: Readonly<Record<string, string>> = {}) => {
  hide(key);
  return ask("POST", `${ANALYZE}?key=${key}&alt=json&prettyPrint=false`, {
    body: comment(KIND),
    headers,
  });
};

const PAGE = { Origin: "https://blog.example" };

describe("the key", () => {
  it("may come in the query, in Google's header, in our own or as a bearer", async () => {
    expect((await byQuery(scoreKey)).status).toBe(200);
    for (const name of ["x-goog-api-key", "x-api-key"]) {
      const headers = { [name]: tenant.key };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const own = await ask("POST", ANALYZE, { body: comment(KIND), headers });
      expect(own.status, name).toBe(200);
      // oxlint-disable-next-line no-await-in-loop
      const paged = await ask("POST", ANALYZE, {
        body: comment(KIND),
        headers: { ...headers, ...PAGE },
      });
      expect(error(paged)["kind"], name).toBe("invalid_key");
    }
    expect((await ask("POST", ANALYZE, { body: comment(KIND), key: scoreKey })).status).toBe(200);
  });

  it("is told to be wrong or missing as there", async () => {
    const none = await ask("POST", ANALYZE, { body: comment(KIND) });
    expect(error(none)).toMatchObject({ code: 403, status: "PERMISSION_DENIED" });
    const wrong = await byQuery("AIzaSyNoSuchKey");
    expect(error(wrong)).toMatchObject({
      code: 400,
      status: "INVALID_ARGUMENT",
      message: "API key not valid. Please pass a valid API key.",
    });
    expect(wrong.body.error.details).toEqual([
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: "API_KEY_INVALID",
        domain: "googleapis.com",
        metadata: { service: "commentanalyzer.googleapis.com" },
      },
    ]);
  });

  it("in the query, or of a page of another site, is one of role score or none", async () => {
    const call = await makeKey("forum", "call");
    for (const key of [call, tenant.key]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const asked = await byQuery(key);
      expect([asked.status, error(asked)["kind"]]).toEqual([400, "invalid_key"]);
      expect(error(asked)["message"]).toContain("must have the role score");
      // oxlint-disable-next-line no-await-in-loop
      const paged = await ask("POST", ANALYZE, { key, body: comment(KIND), headers: PAGE });
      expect(error(paged)["kind"]).toBe("invalid_key");
    }
    expect((await ask("POST", ANALYZE, { key: call, body: comment(KIND) })).status).toBe(200);
  });

  it("of role score lets a page of any site analyze, and do nothing else", async () => {
    const preflight = (path: string) =>
      ask("OPTIONS", path, { headers: { ...PAGE, "Access-Control-Request-Method": "POST" } });
    const allowed = await preflight(ANALYZE);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe("*");
    const analyzed = await byQuery(scoreKey, PAGE);
    expect(analyzed.status).toBe(200);
    expect(analyzed.headers.get("access-control-allow-origin")).toBe("*");
    const bodies: Readonly<Record<string, unknown>> = {
      "/v1/verdicts": { text: KIND },
      "/v1/moderations": { input: KIND },
      "/v1/keys": {},
    };
    for (const path of Object.keys(bodies)) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const other = await preflight(path);
      expect(other.headers.get("access-control-allow-origin"), path).toBeNull();
      // oxlint-disable-next-line no-await-in-loop
      const made = await ask("POST", path, { key: scoreKey, body: bodies[path] });
      expect([path, made.status]).toEqual([path, 403]);
    }
  });

  it("that has ended has nothing read of its large body", async () => {
    const ended = await tenant.call("POST", "/v1/keys", { role: "score" });
    await tenant.call("DELETE", `/v1/keys/${ended.body.id}`);
    const large = comment("kind ".repeat(20_000));
    const refused = await ask("POST", ANALYZE, { key: ended.body.key, body: large });
    expect(error(refused)["kind"]).toBe("invalid_key");
    const read = await ask("POST", ANALYZE, { key: scoreKey, body: large });
    expect(read.status).toBe(200);
  });

  it("is logged nowhere", async () => {
    const lines: string[] = [];
    const log = vi
      .spyOn(console, "log")
      .mockImplementation((line: string) => void lines.push(line));
    const failed = vi.spyOn(console, "error").mockImplementation((line) => void lines.push(line));
    await byQuery(scoreKey);
    await byQuery(`${scoreKey}x`);
    log.mockRestore();
    failed.mockRestore();
    expect(lines.length).toBe(2);
    expect(lines.join("")).toContain(ANALYZE);
    expect(lines.join("")).not.toContain(scoreKey.slice(0, 12));
  });

  it("of role score is kept by objects that were made before there was one", async () => {
    const at = TENANT_MIGRATIONS.findIndex(({ name }) => name === "score_keys");
    expect(at).toBeGreaterThan(0);
    const old = await makeTenant("older-forum");
    const object = env.TENANT.getByName("older-forum");
    await runInDurableObject(object, (_, { storage }) => {
      storage.sql.exec("ALTER TABLE keys DROP COLUMN lineage");
      const before = storage.sql.exec("SELECT * FROM keys").toArray();
      for (const statement of TENANT_MIGRATIONS[at]?.statements ?? []) storage.sql.exec(statement);
      expect(storage.sql.exec("SELECT * FROM keys").toArray()).toEqual(before);
    });
    expect((await old.call("GET", "/v1/keys")).body.data).toHaveLength(1);
  });
});

const by = async (key: string | undefined) =>
  ask("POST", ANALYZE, { key: key ?? null, body: comment(KIND) });

describe("the rates", () => {
  it("are the tenant's, and a third of them for all keys of role score together", async () => {
    const small = await makeTenant("small-forum", { rpm: { requests: 7 } });
    const keys = [await makeKey("small-forum", "score"), await makeKey("small-forum", "score")];
    expect((await by(keys[0])).status).toBe(200);
    expect((await by(keys[1])).status).toBe(200);
    const third = await by(keys[0]);
    expect(error(third)).toMatchObject({ code: 429, status: "RESOURCE_EXHAUSTED" });
    expect(third.body.error.details).toMatchObject([
      { reason: "RATE_LIMIT_EXCEEDED" },
      { "@type": "type.googleapis.com/google.rpc.Help" },
    ]);
    expect(third.headers.get("retry-after")).not.toBeNull();
    // 5 of 7 are left for the tenant's own.
    const own = [];
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (let call = 0; call < 6; call += 1) own.push((await by(small.key)).status);
    expect(own).toEqual([200, 200, 200, 200, 200, 429]);
  });

  it("are all that stands in the way: a tenant without neurons is answered", async () => {
    const broke = await makeTenant("broke-forum", { daily_neurons: 0 });
    expect((await broke.call("POST", ANALYZE, comment(KIND))).status).toBe(200);
    await admin("PATCH", "/admin/tenants/broke-forum", { max_in_flight: 1 });
    expect((await broke.call("POST", ANALYZE, comment(KIND))).status).toBe(200);
  });
});

describe("comments:suggestscore", () => {
  const suggestion = {
    comment: { text: RUDE },
    attributeScores: { TOXICITY: { summaryScore: { value: 1 } } },
    languages: ["en"],
    communityId: "Coral:forum",
    clientToken: "c-1",
  };

  it("is answered as there, and stores nothing", async () => {
    const { status, body } = await tenant.call("POST", SUGGEST, suggestion);
    expect(status).toBe(200);
    expect(body).toEqual({
      clientToken: "c-1",
      requestedLanguages: ["en"],
      detectedLanguages: ["en"],
    });
    expect((await ask("POST", SUGGEST, { key: scoreKey, body: suggestion })).status).toBe(200);
  });

  it("is checked like a comment", async () => {
    const { attributeScores: _, ...without } = suggestion;
    expect(typeOf(await tenant.call("POST", SUGGEST, without))).toBe("NO_REQUESTED_ATTRIBUTES");
    const empty = { ...suggestion, comment: { text: "" } };
    expect(typeOf(await tenant.call("POST", SUGGEST, empty))).toBe("COMMENT_EMPTY");
  });
});

describe("the discovery document", () => {
  it("names this origin, both methods, and schemas that are all there", async () => {
    const path = "/$discovery/rest?version=v1alpha1";
    const { status, body, headers } = await ask("GET", path, { headers: PAGE });
    expect(status).toBe(200);
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(body.rootUrl).toBe("https://gateway.test/");
    const { analyze: first, suggestscore } = body.resources.comments.methods;
    expect([first.path, suggestscore.path]).toEqual([ANALYZE.slice(1), SUGGEST.slice(1)]);
    const refs = [...JSON.stringify(body).matchAll(/"\$ref":"(\w+)"/g)].map(([, name]) => name);
    expect(refs.length).toBeGreaterThan(10);
    expect(refs.filter((name) => body.schemas[name ?? ""] === undefined)).toEqual([]);
  });

  // What a client may send by it must be taken: the fields are those of the schemas that parse.
  it.each([
    ["AnalyzeCommentRequest", AnalyzeInput],
    ["SuggestCommentScoreRequest", SuggestInput],
  ])("knows the fields of %s", async (name, schema) => {
    const { body } = await ask("GET", "/$discovery/rest");
    const fields = Object.keys(body.schemas[name].properties);
    expect(fields.toSorted()).toEqual(Object.keys(schema.entries).toSorted());
  });

  it("is of one version", async () => {
    const first = await ask("GET", "/%24discovery/rest");
    expect([first.status, first.body.version]).toEqual([200, "v1alpha1"]);
    const other = await ask("GET", "/$discovery/rest?version=v2");
    expect([other.status, error(other)["status"]]).toEqual([404, "NOT_FOUND"]);
  });
});

describe("a hostile comment", () => {
  // Counted by what it is made of: an expression that looked at a character twice would not end.
  it.each([
    ["comments that do not end", "<!-- ".repeat(20_000)],
    ["scripts that do not end", "<script>".repeat(12_000)],
    ["tags that do not end", "<b ".repeat(30_000)],
    ["signs", "&#".repeat(50_000)],
  ])("is read once: %s", async (_, text) => {
    hideContent(text);
    const body = { comment: { text, type: "HTML" }, requestedAttributes: { TOXICITY: {} } };
    const request = new Request(`https://gateway.test${ANALYZE}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${tenant.key}` },
      body: JSON.stringify({ ...body, languages: ["en"] }),
    });
    expect((await exports.default.fetch(request)).status).toBeLessThan(500);
  });
});
