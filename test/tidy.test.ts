import { describe, expect, it } from "vitest";
import { ACCOUNT_MIGRATIONS } from "../durable-objects/account/account-schema.ts";
import { APPLY_MIGRATIONS } from "../durable-objects/applies/apply-schema.ts";
import type { Migration } from "../durable-objects/database.ts";
import { SESSION_MIGRATIONS } from "../durable-objects/session/session-schema.ts";
import { TENANT_SCHEMA } from "../durable-objects/tenant/features.ts";
import { TENANT_MIGRATIONS } from "../durable-objects/tenant/tenant-schema.ts";
import { SHARD_MIGRATIONS } from "../durable-objects/vectors/shard-schema.ts";
import { MUTATIONS } from "../mutations/list.ts";
import type { Mutation } from "../mutations/mutation.ts";
import { mountsOf } from "../src/http/mount.ts";
import { openApiDocument } from "../src/http/openapi.ts";
import { ROUTES } from "../src/routes/routes.ts";

// What keeps the tree as it is meant to be, read from the sources themselves.

const FILES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    ...import.meta.glob<string>("../src/**/*.ts", {
      query: "?raw",
      import: "default",
      eager: true,
    }),
    ...import.meta.glob<string>("../durable-objects/**/*.ts", {
      query: "?raw",
      import: "default",
      eager: true,
    }),
    ...import.meta.glob<string>("../console/**/*.{ts,tsx}", {
      query: "?raw",
      import: "default",
      eager: true,
    }),
  }).map(([path, source]) => [path.replace("../", ""), source]),
);
const TEST_FILES = Object.keys(import.meta.glob("./**/*.{ts,mjs}"));
const paths = Object.keys(FILES);

/** A folder of `src`, `durable-objects`, `console`, or a file at the top of `src`. */
const layerOf = (path: string): string =>
  /^(?:src\/([^/]+)\/|(durable-objects|console)\/)/.exec(path)?.slice(1).find(Boolean) ?? path;

/** From inside to outside; what a layer may import, itself and what it builds on. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  io: [],
  "src/config.ts": ["domain"],
  // How long a recording is, by its format.
  audio: ["domain", "io"],
  metrics: ["domain"],
  // The text model: text in, scores out.
  tier0: ["domain"],
  reports: ["domain", "io", "metrics", "src/config.ts"],
  // Where vectors are kept, and how each place is searched.
  vectors: ["domain"],
  // Whatever else they use, `src/index.ts` hands to them.
  "durable-objects": ["domain", "io", "vectors"],
  engines: ["audio", "domain", "io", "tier0"],
  calls: ["domain", "io", "durable-objects"],
  moderation: ["domain", "io", "engines", "calls", "durable-objects", "src/config.ts"],
  generation: [
    "domain",
    "io",
    "engines",
    "calls",
    "durable-objects",
    "moderation",
    "src/config.ts",
  ],
  // What is done with a document: one call with several stages.
  documents: [
    "domain",
    "io",
    "engines",
    "calls",
    "durable-objects",
    "moderation",
    "generation",
    "src/config.ts",
  ],
  // Semantic search: the passages of documents, and answers from them.
  search: ["domain", "engines", "generation", "vectors"],
  reconciliation: ["domain", "io", "reports", "src/config.ts"],
  http: ["domain", "io", "src/config.ts"],
  api: [
    "audio",
    "domain",
    "io",
    "durable-objects",
    "engines",
    "generation",
    "documents",
    "search",
    "http",
  ],
  // What routes and batches share: stubs of the objects, the dependencies of a call, the audit log.
  edge: [
    "domain",
    "io",
    "reports",
    "reconciliation",
    "calls",
    "durable-objects",
    "engines",
    "moderation",
    "generation",
    "documents",
    "search",
    "vectors",
    "api",
    "http",
    "src/config.ts",
  ],
  routes: [
    "audio",
    "domain",
    "io",
    "metrics",
    "reports",
    "reconciliation",
    "calls",
    "durable-objects",
    "engines",
    "moderation",
    "generation",
    "documents",
    "search",
    "api",
    "edge",
    "http",
    "src/config.ts",
  ],
  // What answers a message within a session's object.
  sessions: ["domain", "durable-objects", "engines", "generation", "edge", "api", "src/config.ts"],
  // Like routes, without one that waits.
  pipelines: [
    "domain",
    "io",
    "durable-objects",
    "engines",
    "moderation",
    "generation",
    "documents",
    "search",
    "vectors",
    "api",
    "edge",
    "http",
    "src/config.ts",
  ],
  batches: ["domain", "io", "durable-objects", "moderation", "edge", "api", "src/config.ts"],
  // Beside the Worker: it shares the rules, and the types of replies.
  console: ["domain", "api"],
  "src/index.ts": [
    "batches",
    "pipelines",
    "durable-objects",
    "edge",
    "http",
    "reports",
    "routes",
    "sessions",
  ],
};

/** What these do depends on what they are given, and on nothing else. */
const PURE = ["domain", "tier0", "metrics", "audio"];

/** What a single file may import beyond its layer. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  // It chooses the engine that the configuration names.
  "src/engines/create-engine.ts": ["src/config.ts"],
  // It applies them.
  "src/reports/migrations.ts": [
    "migrations/0001_reports.sql",
    "migrations/0002_reconciliation.sql",
    "migrations/0003_freshness.sql",
    "migrations/0004_closed_days.sql",
    "migrations/0005_verdict_counts.sql",
    "migrations/0006_hour_sums.sql",
    "migrations/0008_resource_days.sql",
    "migrations/0009_work.sql",
    "migrations/0010_yesterdays_hours.sql",
  ],
};

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g;

const importsOf = (source: string): string[] =>
  [...source.matchAll(IMPORT)].map(([, specifier = ""]) => specifier);

/** The path in the repository of a relative import. */
const resolved = (from: string, specifier: string): string =>
  new URL(specifier, `file:///${from}`).pathname.slice(1);

/** Imports that are still there when the types are gone. */
const VALUE_IMPORT =
  /^(?:import|export)\s(?!type\b)[^"';]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm;

const valueImportsOf = (source: string): string[] =>
  [...source.matchAll(VALUE_IMPORT)].map(([, from, alone, late]) => from ?? alone ?? late ?? "");

/** A walk along the imports that comes back to where it began; null: there is none. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  const left = new Set(imports.keys());
  const walk = (path: string, way: readonly string[]): readonly string[] | null => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (!left.has(path)) return null;
    for (const next of imports.get(path) ?? []) {
      const circle = walk(next, [...way, path]);
      if (circle !== null) return circle;
    }
    left.delete(path);
    return null;
  };
  for (const path of imports.keys()) {
    const circle = walk(path, []);
    if (circle !== null) return circle;
  }
  return null;
}

describe("imports of values", () => {
  it("are told from imports of types", () => {
    const source = [
      'import type { A } from "./a.ts";',
      'import { type B, b } from "./b.ts";',
      "import {",
      "  c,",
      '} from "./c.ts";',
      'export type { D } from "./d.ts";',
      'export { e } from "./e.ts";',
      'import "./f.ts";',
      'const g = await import("./g.ts");',
      'export const text = "from";',
    ].join("\n");
    const expected = ["./b.ts", "./c.ts", "./e.ts", "./f.ts", "./g.ts"];
    expect(valueImportsOf(source)).toEqual(expected);
  });

  it("are found where they close a circle", () => {
    const line: [string, string[]][] = [
      ["a", ["b", "c"]],
      ["b", ["c"]],
      ["c", []],
    ];
    expect(circleIn(new Map(line))).toBeNull();
    expect(circleIn(new Map([...line, ["c", ["a"]]]))).toEqual(["a", "b", "c", "a"]);
  });

  it("close no circle: a file in one may run before what it needs", () => {
    const imports = paths
      .filter((path) => /^(?:src|durable-objects)\//.test(path))
      .map((path): [string, readonly string[]] => [
        path,
        valueImportsOf(FILES[path] ?? "")
          .filter((specifier) => specifier.startsWith("."))
          .map((specifier) => resolved(path, specifier)),
      ]);
    expect(circleIn(new Map(imports))).toBeNull();
  });
});

describe("layers", () => {
  it("reads the sources", () => {
    expect(paths).toContain("src/index.ts");
    expect(paths).toContain("src/domain/ledger/ledger.ts");
    expect(paths).toContain("durable-objects/tenant/tenant.ts");
    expect(importsOf(FILES["src/domain/ledger/ledger.ts"] ?? "")).toContain("./quota.ts");
    expect(resolved("src/api/key.ts", "../../durable-objects/a.ts")).toBe("durable-objects/a.ts");
    expect(
      ["src/api/native/key.ts", "src/config.ts", "durable-objects/a/b.ts"].map(layerOf),
    ).toEqual(["api", "src/config.ts", "durable-objects"]);
  });

  it("import inwards only", () => {
    const outwards = paths.flatMap((path) => {
      const layer = layerOf(path);
      const allowed = [layer, ...(MAY_IMPORT[layer] ?? []), ...(EXCEPTIONS[path] ?? [])];
      return importsOf(FILES[path] ?? "")
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => resolved(path, specifier))
        .filter((target) => !allowed.includes(layerOf(target)))
        .map((target) => `${path} imports ${target}`);
    });
    expect(outwards).toEqual([]);
  });

  it("leave the schemas of the API out of the console: it imports their types alone", () => {
    const types = /^import type [^;]+;$/gm;
    const console = paths.filter((path) => layerOf(path) === "console");
    const typed = console.filter((path) => FILES[path]?.match(types)?.join().includes("/src/api/"));
    expect(typed).toEqual(["console/src/api/shapes.ts"]);
    const values = console.flatMap((path) =>
      importsOf((FILES[path] ?? "").replaceAll(types, ""))
        .map((specifier) => (specifier.startsWith(".") ? resolved(path, specifier) : specifier))
        .filter((target) => layerOf(target) === "api" || target === "valibot")
        .map((target) => `${path} imports ${target}`),
    );
    expect(values).toEqual([]);
  });

  // A type of an object's class is its protocol, too: stubs are typed by it.
  const SHARED =
    /^durable-objects\/(?:tenant\/protocol|tenant\/tenant|account\/account|applies\/state-applies|session\/session|vectors\/vector-shard)\.ts$/;
  /** Messages between the objects, and the name of the one account. */
  const NAMES = /^durable-objects\/account\/account-protocol\.ts$/;

  it("keep src from the insides of objects: it has their protocol and their names", () => {
    const inside = paths
      .filter((path) => path.startsWith("src/"))
      .flatMap((path) => {
        const values = valueImportsOf(FILES[path] ?? "").map((at) => resolved(path, at));
        return importsOf(FILES[path] ?? "")
          .filter((specifier) => specifier.startsWith("."))
          .map((specifier) => resolved(path, specifier))
          .filter((target) => target.startsWith("durable-objects/"))
          .filter((target) => !NAMES.test(target))
          .filter(
            (target) =>
              !SHARED.test(target) || (values.includes(target) && path !== "src/index.ts"),
          )
          .map((target) => `${path} imports ${target}`);
      });
    expect(inside).toEqual([]);
  });

  it("are all named here, and used", () => {
    expect([...new Set(paths.map(layerOf))].toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
    for (const path of Object.keys(EXCEPTIONS)) expect(paths).toContain(path);
  });

  it.each(PURE)("%s imports no package and nothing of the platform's", (layer) => {
    const others = paths
      .filter((path) => layerOf(path) === layer)
      .flatMap((path) => importsOf(FILES[path] ?? "").map((specifier) => [path, specifier]))
      .filter(([, specifier = ""]) => !specifier.startsWith("."));
    expect(others).toEqual([]);
  });

  it.each([/\bDate\.now\b/, /\bnew Date\(\)/, /\bMath\.random\b/, /\bcrypto\./, /\bfetch\(/])(
    "pure layers have no %s",
    (impure) => {
      const found = paths.filter(
        (path) => PURE.includes(layerOf(path)) && impure.test(FILES[path] ?? ""),
      );
      expect(found).toEqual([]);
    },
  );
});

const isComment = (line: string): boolean => /^\s*(?:\/\/|\/?\*)/.test(line);

/** It holds a string or a pattern, or it is a line of a list of words: formatters leave those. */
const isLiteral = (line: string): boolean =>
  /["'`]|^\s*\/.*\/[a-z]*[,;]?$/.test(line) || /^[\w ,.:()-]+$/.test(line);

describe("files", () => {
  const names = [...paths, ...TEST_FILES].map((path) => ({
    path,
    name:
      path
        .split("/")
        .at(-1)
        ?.replace(/(?:(?:\.long)?\.test|\.d|\.config)?\.(?:tsx?|mjs)$/, "") ?? "",
  }));

  it("have kebab-case names", () => {
    expect(names.filter(({ name }) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name))).toEqual([]);
  });

  it("are named after what they hold", () => {
    const vague = ["utils", "util", "helpers", "helper", "common", "types", "misc", "index"];
    const found = names.filter(({ name }) => vague.includes(name)).map(({ path }) => path);
    expect(found).toEqual(["src/index.ts"]);
  });

  it("say in words what a pattern asks for: no caller reads an expression", () => {
    const bare = Object.entries(FILES)
      .filter(([path]) => /^src\/(?:api|routes|http)\//.test(path))
      .filter(([, source]) => /v\.regex\((?!\s*(?:shaped\(|TENANT_ID\b))/.test(source))
      .map(([path]) => path);
    expect(bare).toEqual([]);
  });

  it("leave nothing to do", () => {
    const marker = /\b(?:TODO|FIXME|XXX|HACK)\b/;
    expect(paths.filter((path) => marker.test(FILES[path] ?? ""))).toEqual([]);
  });

  /** Why these are longer than 400 lines. */
  const LONG: Readonly<Record<string, string>> = {
    "src/domain/account/day-pool.ts": "all sums of a day that change with a share",
  };

  it("are at most 400 lines long, or say why", () => {
    const long = paths.filter((path) => (FILES[path] ?? "").trimEnd().split("\n").length > 400);
    expect(long.filter((path) => !Object.hasOwn(LONG, path))).toEqual([]);
  });

  it("have at most 100 columns of code, and 110 of comment", () => {
    const wide = paths.flatMap((path) =>
      (FILES[path] ?? "")
        .split("\n")
        .map((line, at) => ({ at: `${path}:${at + 1}`, line }))
        .filter(({ line }) => line.length > (isComment(line) ? 110 : 100))
        .filter(({ line }) => isComment(line) || !isLiteral(line)),
    );
    expect(wide.map(({ at }) => at)).toEqual([]);
  });
});

/** What runs beside the Worker: tests, tools and trainers. This file is not in it. */
const TOOLS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(
    import.meta.glob<string>(
      [
        "../{abuse,bench,clients,faults,judge,mutations,scripts,simulation,test}/**/*.{ts,mjs}",
        "../{console,picture-model,tier0,vector-kernel}/**/*.mjs",
        "!**/node_modules/**",
        "!**/.venv/**",
      ],
      { query: "?raw", import: "default", eager: true },
    ),
  ).map(([path, source]) => [path.replace(/^\.\//, "test/").replace("../", ""), source]),
);

/** Why these tools are longer than 400 lines. */
const LONG_TOOLS: Readonly<Record<string, string>> = {
  "abuse/abuse.mjs": "the order of the whole run",
  "faults/faults.mjs": "the order of the whole run",
  "faults/pool.mjs": "two runs that share their tenants and checks",
  "test/audio/recordings.ts": "a recording in each format",
};

describe("tools and what tests share", () => {
  it("are at most 400 lines long, or say why", () => {
    const long = Object.entries(TOOLS)
      .filter(([path]) => !/\.test\.m?[jt]s$/.test(path))
      .filter(([, source]) => source.trimEnd().split("\n").length > 400)
      .map(([path]) => path);
    expect(long.toSorted()).toEqual(Object.keys(LONG_TOOLS).toSorted());
  });
});

/** Relative paths from a file with more `..` than it has folders. */
const leaving = (path: string, source: string): string[] =>
  [...source.matchAll(/["'`]((?:\.\.\/)+)[^"'`]/g)]
    .filter(([, up = ""]) => up.length / 3 > path.split("/").length - 1)
    .map(([written]) => `${path}: ${written}`);

describe("paths in the sources", () => {
  it("stay in the repository: a clone has all that its tests read", () => {
    expect(Object.keys(TOOLS)).toContain("test/e2e/server.mjs");
    expect(leaving("test/e2e/a.mjs", 'import "../../b.mjs"; read("../../../c")')).toEqual([
      'test/e2e/a.mjs: "../../../c',
    ]);
    // The bodies of the abuse run name such paths, and read none.
    const { "abuse/bodies.mjs": _, ...read } = { ...FILES, ...TOOLS };
    const sources = Object.entries(read);
    expect(sources.flatMap(([path, source]) => leaving(path, source))).toEqual([]);
  });
});

const SIMULATION: Readonly<Record<string, string>> = import.meta.glob<string>(
  "../simulation/**/*.ts",
  { query: "?raw", import: "default", eager: true },
);

/** Words that no file and no name has any more: as a whole name, or as a part of one. */
const OLD_WORDS = new Map([
  ["desk", "dispatcher, account or feed"],
  ["courier", "dispatcher"],
  ["chores", "alarm"],
  ["ticket", "request"],
  ["placard", "placeholder"],
  ["infers", "generators"],
  ["unmade", "the failure"],
  ["heard", "reported or seen"],
  ["hungry", "asking"],
  ["uncovered", "the lease or budget"],
  ["books", "usage of a month"],
]);

/** Names that have gone, whole. */
const OLD_NAMES = new Map([
  ["Parts", "TenantFeature or its operations"],
  ["Book", "Ledger"],
  ["Cover", "AccountBudget"],
  ["PoolBook", "PoolCache"],
  ["GrantBook", "GrantCache"],
  ["AccountCover", "AccountBudget"],
  ["Standing", "the state or the balance that it is"],
  ["tellTenants", "the notice that is sent"],
  ["toldTenant", "the notice that was sent"],
  ["handOver", "the verb of what is done"],
  ["cover", "budget"],
  ["AccountLink", "AccountClient"],
  ["Infers", "Generators"],
  ["Tones", "placeholder speech"],
  ["askTenant", "readTenant"],
  ["tellTenant", "writeTenant"],
  ["askAccount", "readAccount"],
  ["tellAccount", "writeAccount"],
  ["ToldStore", "DailyNoticeStore"],
  ["toGiveBack", "mustReturn"],
  ["told", "the noun of what it holds"],
  ["mine", "the noun of what it holds"],
  ["whose", "the noun of what it holds"],
]);

/** The source without comments and plain strings: names alone, and what templates say. */
const codeOf = (source: string): string =>
  source
    .replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")
    .replaceAll(/`[^`]*`/g, "``");

/** `toldStore` and `told-store` have the same words. */
const wordsOf = (name: string): string[] =>
  name.split(/(?<=[a-z\d])(?=[A-Z])|[^A-Za-z]+/).map((word) => word.toLowerCase());

/** Old words in names of a path or a source, each with the word that replaced it. */
function oldWordsIn(path: string, source: string): string[] {
  const names = codeOf(source).match(/[A-Za-z_$][\w$]*/g) ?? [];
  return [...new Set([...path.split(/[/.]/), ...names])].flatMap((name) => {
    const known = OLD_NAMES.get(name);
    const words = wordsOf(name).flatMap((word) => OLD_WORDS.get(word) ?? []);
    return [...(known === undefined ? [] : [known]), ...words].map(
      (now) => `${path}: ${name} (now: ${now})`,
    );
  });
}

describe("names", () => {
  it("are read from the code and the path, not from comments and texts", () => {
    const source = 'const isHeard = text("a desk"); // a courier\nconst told = `told`;';
    expect(oldWordsIn("src/feed-desk.ts", source)).toEqual([
      "src/feed-desk.ts: feed-desk (now: dispatcher, account or feed)",
      "src/feed-desk.ts: isHeard (now: reported or seen)",
      "src/feed-desk.ts: told (now: the noun of what it holds)",
    ]);
  });

  it("bring no word of the old vocabulary back", () => {
    const sources = Object.entries({ ...FILES, ...SIMULATION }).filter(
      ([path]) => !path.startsWith("console/"),
    );
    expect(sources.map(([path]) => path)).toContain("../simulation/world.ts");
    expect(sources.flatMap(([path, source]) => oldWordsIn(path, source))).toEqual([]);
  });
});

async function hash(migration: Migration | undefined): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(migration?.statements));
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

describe("released migrations", () => {
  // Objects that were migrated by these will not run them again: append another instead.
  it.each([
    [
      "tenant",
      TENANT_MIGRATIONS,
      ["first", "be68347ba76710490741b738ae154cccd823c1b8111f3a0b2c69b5a20d3c329e"],
      ["replies", "c188976cb4fe1854279543cf4fa147450e514c7848b1b931102c5322a95e352b"],
      ["user_pictures", "3b148ca63e90d4acce8ac3a127ef37aca528b6cc4850ec4a7944408370d3579a"],
      ["outbox", "9acc6f47e0b160a4fd89f8df6fff75710a1dc8c09ce18e2264af19f7c5fd0d0e"],
      ["erasures", "3bdd07e062105b476cff421f050823de090314faab52a682d5fb9d1d8a939658"],
      ["people", "c586a2aa853e89b59c28fd679664d7f54039c64cd451f82d7c3071f1b726f300"],
      ["batches", "3adfea12963fc17b6d836fe7d36b9233ed59ae4db686408a2304f6f6c0f7a815"],
      ["grants", "75dbdca178d4402a0ae0041b9c8d989c597fab541f53d52a29ccf9baa2355fef"],
      ["adjustments", "15462eb698dfcf0da2179358c2c25fec3afc93c6ee609723c7af8ae1a59d9f8f"],
      ["archives", "f5402d9e17ee809d3791a70145067c13c158a613c411f726800ab1a658725198"],
      ["feed", "650dc524615a6e8bc682f8ef71239c5fa7b49f12376d1fe992353ac78f89d1f7"],
      ["leases", "79acb44387801b18d8fb71af5f46bc9701b842372a480aa9945adf78a259575d"],
      ["lease_refusals", "82d8608fe873ab05f2f89f30622f3628719d015d98acbb16f21d4a9bfc854538"],
      ["spell_out_overage", "03a4ac21f0e0c23690d656ced0ffdecbb550c74c36711b33eef3dd312932c778"],
      ["delivery_rates", "f7efc1892d9db8e720415525da3a2a20bfe93d438da2ad5e8f082722468184bc"],
      ["claims", "ca29458c9904ef35bc858920982351fbf8cfce72575291b5ba1e72c782f8eaa1"],
      ["urgent", "dff763d5252a42a58ee5250c40f654d537536a4bf743f014fc259cac056f4891"],
      ["message_schedules", "ef03cf55c06bd144d48d072dc63c704bcc63dc6823e2b0a9e7682ffaa6cd1ec4"],
      ["score_keys", "49ac8a78cbe967aeedfcc7f034d5464a43a20e3fe6a9d6026d5a2c328bcdda53"],
    ],
    [
      "account",
      ACCOUNT_MIGRATIONS,
      ["first", "9e8fa73b1d3d937d841f2f804348a9b08804389d1983116c1247d3dfb19c8465"],
      ["file_sweeps", "b87e401445a14d8fb328b65681039456e313d83507eb81641d14d43dcca6cadf"],
      ["outbox", "e74d8b929466c03abf4a62fe40f3cd88453bc4b18e222aa9e48cb3c177212772"],
      ["report_ends", "23f25786295c9ba642aa36541302f5c00476347efc796c07f4e12bc0bfe9374a"],
      ["pool", "b63408e5cf7fdfc075dcdea56bb0bb536ec053a12448bb8e0d7376fa9dfc9572"],
      ["delivery_rates", "f7efc1892d9db8e720415525da3a2a20bfe93d438da2ad5e8f082722468184bc"],
      ["deletions", "104e87188c562d46b76163fdeb1c6dd96a4cfd2881fbc06bd97a01ebd267f807"],
      ["account_indexes", "0a5aa49dd251c18d5a2d4b8acb8145f5b6c6f4315d27e2fbeaeab1acdca24e4f"],
      ["denied_tenants", "8797e6bdd316cba65bca3259ea33b350846b6ae4e5c72754f609f002c8ea1037"],
      ["message_schedules", "ef03cf55c06bd144d48d072dc63c704bcc63dc6823e2b0a9e7682ffaa6cd1ec4"],
      ["suspended_tenants", "74ff4f32905857513abc38323fb0d684af24d960d2cc26ade68fa551203c8015"],
      ["checks", "b26b8901d084ee3c259fe56c9b559bc33201438bc606e10a730e999fc8e42819"],
      ["promise_kinds", "8edcdba06e5312144de5b655666c86b6988347d4b44b4d1af77921b5d17ba047"],
      ["rate_bounds", "4d995a7fcfc8b7a8014b933e0ec3023c5725b892c51c31696aece06b60b460e5"],
      ["promise_floors", "88c8d4a43d6925e2d25387870051441aa8147f97da1b10d2dabed6c261ad527f"],
      ["day_sums", "91bd63ec405f1c57a27af8ef36446a0a1860b8c1fd9913cd1645c345a862729b"],
    ],
    [
      "applies",
      APPLY_MIGRATIONS,
      ["first", "5869fdaf283f8a6b879e92d82f3c1e5c344d2852c637ee4f618ffdba95cb4d65"],
    ],
    [
      "session",
      SESSION_MIGRATIONS,
      ["first", "0b13dc9f406513152457fe56d3847e38e39e1ec609d2f1dbda4ff7a8a9b0cfb9"],
      ["context", "d90aadc750df28d7e98f77334a0a4c6c2b7994bc8d538db55e687a6690fb1ca9"],
    ],
    [
      "shard",
      SHARD_MIGRATIONS,
      ["first", "e7f8322baa0e9bd1b906f62e7b8954ab594f062f15b89e02ad140e162526f1a2"],
    ],
  ] as const)("of the %s's object are as they were", async (_, migrations, ...released) => {
    for (const [at, [name, expected]] of released.entries()) {
      expect(migrations[at]?.name).toBe(name);
      expect(await hash(migrations[at])).toBe(expected);
    }
    // A new one is added to this list when it is released.
    expect(migrations).toHaveLength(released.length);
  });
});

const madeBy = (migrations: readonly Migration[]): string[] =>
  migrations
    .flatMap(({ statements }) => statements)
    .flatMap((statement) => /CREATE TABLE (\w+)/.exec(statement)?.[1] ?? []);

const byFeature = ([a = ""]: readonly string[], [b = ""]: readonly string[]): number =>
  a < b ? -1 : Number(a > b);

describe("released migrations of a tenant's features", () => {
  // As above, a list each: a change of a feature's tables is one more of its migrations.
  const RELEASED = [
    ["core", "core", "34711903e449f6f7f5655b83e1309e78b1209e2c0c719f169adddcbea00c8ce5"],
    ["core", "key_lineages", "f2e1e533589bdcf79b39080a3de511480bcb479e4777a6812d9b9651c1276179"],
    ["ledger", "ledger", "a472d2a974b77d32e577164f161b8c3bb45b4974d156ddbde75a63a8653df4c3"],
    [
      "ledger",
      "verdict_counts",
      "1ef1eed1b3015879895ae2f70a10e17c1994fc49856311bc473baeeca26b40fb",
    ],
    ["ledger", "session_calls", "a25a4d61c15ddcd8826f6a3e63566ac73398728eb6002096b519154d475c7c75"],
    ["sessions", "sessions", "1a7164262bb6576d0d42d69ad1fb7fa8f306198cc5aea5311d30959c445675d2"],
    [
      "picture_variants",
      "picture_variants",
      "3186cd13da87acf18439eb498e1699c4e3fde7c00a68db15614a0babb3701358",
    ],
    ["ledger", "context", "09d03e880fa2ea16bb3ce54bd7429223092a27072204eeccc5c53e6c02e41f91"],
    ["ledger", "parents", "c7ce266f3ec84fbfa0c272d5216a3c192c9153db3819bcec3a0f0af6a0e835ab"],
    ["verdicts", "verdicts", "f133679c55a965f5035aa65ea6d946f899400fead1b90c4c07747a1465e967c8"],
    [
      "idempotency",
      "idempotency",
      "1e61d453a145da35b1d254405c19ef72a87c27d787a1e19652c5682b117dce5e",
    ],
    ["replies", "replies", "c188976cb4fe1854279543cf4fa147450e514c7848b1b931102c5322a95e352b"],
    [
      "quoted_documents",
      "quoted_documents",
      "249feaadba4a226e10837139829edad6950296114cf5f87e32122a2facc95ddb",
    ],
    ["refusals", "refusals", "69649ebfe23368a4a30aff3a2a8aef16061acddf6745a6b0d626462809617539"],
    [
      "violations",
      "violations",
      "6dbc876719eb96b205995d810e7db725bded34591f0e97d7fbde211d5b86ad11",
    ],
    [
      "user_pictures",
      "user_pictures",
      "3b148ca63e90d4acce8ac3a127ef37aca528b6cc4850ec4a7944408370d3579a",
    ],
    [
      "account_view",
      "account_view",
      "0178da9e2c3c296413caa86ec857f11bd565fdf5943e732392eba0b7ac50ed1a",
    ],
    ["leases", "leases", "fb3eabe27594d5be5dc09db794ff43fb006ebfd8d4bddf0545eafc8060f2e8b5"],
    ["grants", "grants", "372fb81f6a1a49ef896326562673176eccb0a24c8ca84939b87daf6bf18f43b3"],
    [
      "adjustments",
      "adjustments",
      "15462eb698dfcf0da2179358c2c25fec3afc93c6ee609723c7af8ae1a59d9f8f",
    ],
    ["documents", "documents", "72e6566f0346f774c272a6a36b275403a08765c854fec1a8752548c8ba44b7c5"],
    ["feed", "feed", "6d0e0233cc1227492358c06dcd61db5227915659bff6c495a160b39f1fbf0176"],
    [
      "report_users",
      "report_users",
      "f8481de1642916c6c4cf10015c6387ed4b32f6bebfc65799b60bddda31213396",
    ],
    [
      "usage_splits",
      "usage_splits",
      "1c65fa51cccd72264b9c92e4a305712bec66e7a17939276476a43b7a9c806e72",
    ],
    ["archives", "archives", "f5402d9e17ee809d3791a70145067c13c158a613c411f726800ab1a658725198"],
    ["notices", "notices", "eb62d57f77718a895faf618e538d242db3fcaee9cdca18ad7b456946ecf295f1"],
    ["pipelines", "pipelines", "511c960080b930fee6934fd2b0681d6789de94ed534c0149d75fef92cf23d051"],
    ["pipelines", "context", "9cd37db0ba60e84bfd2bef754efc16423d1ac839848caa7a38edaa58c220d2aa"],
    ["webhooks", "webhooks", "21b578bf436e1f65c4d9fef8607d6d4ea1c726b56542ff5e6948f95a594fa725"],
    ["revisions", "revisions", "830f451c94825b0263b5434998ed363825c3263ab4532ec5d3d7237c3f832c68"],
    ["contents", "contents", "4d83b255a1192a2186fe9be37c63164e648b1264a9b6556d07841957e53f7832"],
    ["batches", "batches", "3adfea12963fc17b6d836fe7d36b9233ed59ae4db686408a2304f6f6c0f7a815"],
    ["batches", "context", "bc1b048c79e9e7dd545558b8ba18bcaaebe9da9de13b3a875fa2b2790016547e"],
    ["search", "search", "42eb14f18a1a925d5f4a35dd52f2be7943e0e7508ad9e28d5b8ed1c2a28fa74f"],
    ["erasures", "erasures", "3bdd07e062105b476cff421f050823de090314faab52a682d5fb9d1d8a939658"],
    ["responses", "responses", "4f9e8a6b9bae85d13f83c16be9dbb272259941afebe2a0f5a588295dcbba7276"],
    [
      "cascade_drift",
      "cascade_drift",
      "f8d5eec2c9d1eb90960da76d44b5d3567c5472930b1eac05e70fa8481013830b",
    ],
    [
      "suggestions",
      "suggestions",
      "c783600768d9f15f55a8a4fc03f46204ef0562415d4b1134d00997f312519a91",
    ],
    ["reuse", "reuse", "c7596577c80a849c31c00bc8a6d98c68e0dcc0ec50ccb41a7e99f603b8fff3d9"],
  ];

  it("are as they were", async () => {
    const found = await Promise.all(
      TENANT_SCHEMA.features.flatMap(({ name: feature, migrations }) =>
        migrations.map(async (migration) => [feature, migration.name, await hash(migration)]),
      ),
    );
    // Within a feature their order counts; features come in the order of the alarm.
    expect(found.toSorted(byFeature)).toEqual(RELEASED.toSorted(byFeature));
  });

  it("make each table once, and every table that the objects of before have", () => {
    const made = TENANT_SCHEMA.features.flatMap(({ migrations }) => madeBy(migrations));
    expect(made).toHaveLength(new Set(made).size);
    const released = TENANT_SCHEMA.features
      .filter(({ isReleased }) => isReleased)
      .flatMap(({ migrations }) => madeBy(migrations));
    const before = madeBy(TENANT_MIGRATIONS).filter((table) => table !== "keys_with_score");
    expect(released.toSorted()).toEqual(before.toSorted());
  });
});

describe("the OpenAPI document", () => {
  const document = openApiDocument(ROUTES, { title: "Neurogate", version: "1" });
  const documented = document["paths"] as Record<string, Record<string, unknown>>;
  const mounts = mountsOf(ROUTES).map(({ method, path }) => ({
    method: method.toLowerCase(),
    path: path.replace(/(?<=\/):(\w+)\+?/g, "{$1}"),
  }));

  it("has every route, its mirrors too, and no other", () => {
    const listed = Object.entries(documented).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect(listed.toSorted()).toEqual(
      mounts.map(({ method, path }) => `${method} ${path}`).toSorted(),
    );
    expect(mounts.length).toBeGreaterThan(20);
  });

  it("says who sends or reports a thing, not that it is told", () => {
    const riddles = JSON.stringify(document).match(
      /[^".]*\b(?:told|tells? (?:of|it|them))\b[^".]*/g,
    );
    expect(riddles).toBeNull();
  });
});

describe("what tests share", () => {
  const shared = Object.entries(
    import.meta.glob<string>(["./**/*.ts", "!./**/*.test.ts", "!./setup/*"], {
      query: "?raw",
      import: "default",
      eager: true,
    }),
  );

  it("registers no hook when it is imported: that happens once a worker, not once a file", () => {
    expect(shared.length).toBeGreaterThan(10);
    const hook = /^(?:before|after)(?:Each|All)\(/m;
    expect(shared.filter(([, source]) => hook.test(source)).map(([path]) => path)).toEqual([]);
  });
});

/** The lists of `mutations/list/`, by their files. */
const AREAS: readonly [string, readonly Mutation[]][] = Object.entries(
  import.meta.glob<Record<string, readonly Mutation[]>>("../mutations/list/*.ts", { eager: true }),
).map(([path, exported]) => [path, Object.values(exported).flat()]);

/** A file or a folder of tests. The glob leaves out this file. */
const isTest = (name: string): boolean =>
  ["./tidy.test.ts", ...TEST_FILES].some((path) =>
    `${path.replace(".", "test")}/`.startsWith(`${name}/`),
  );

describe("mutations", () => {
  it.each(AREAS)("are all run: %s", (_path, area) => {
    expect(area.length).toBeGreaterThan(0);
    expect(area.filter((mutation) => !MUTATIONS.includes(mutation))).toEqual([]);
  });

  it("are each listed once", () => {
    expect(new Set(MUTATIONS).size).toBe(MUTATIONS.length);
    expect(AREAS.flatMap(([, area]) => area).length).toBe(MUTATIONS.length);
  });

  it.each(MUTATIONS)("$file is guarded by tests that are there: $what", ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    expect(tests.filter((name) => !isTest(name))).toEqual([]);
  });

  it.each(MUTATIONS)("$file has the passage once: $what", ({ file, from, to }) => {
    expect(FILES[file]?.split(from).length).toBe(2);
    expect(to).not.toBe(from);
  });
});
