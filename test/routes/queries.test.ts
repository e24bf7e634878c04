import type * as v from "valibot";
import { describe, expect, it } from "vitest";
import { parseQuery } from "../../src/http/parse-call.ts";
import type { Route } from "../../src/http/route.ts";
import { ROUTES } from "../../src/routes/routes.ts";

// A program that fills a form or a template writes `?limit=` where it has no value.

const namesOf = ({ query }: Route): readonly string[] =>
  query !== undefined && "entries" in query
    ? Object.keys((query as v.ObjectSchema<v.ObjectEntries, undefined>).entries)
    : [];

const urlOf = (names: readonly string[]): URL =>
  new URL(`https://gateway.example/?${names.map((name) => `${name}=`).join("&")}`);

describe("an empty parameter of a query", () => {
  const withQuery = ROUTES.filter(({ query }) => query !== undefined);

  it.each(withQuery.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "is absent: %s",
    (_, route) => {
      const names = namesOf(route);
      expect(names.length).toBeGreaterThan(0);
      expect(parseQuery(route, urlOf(names))).toEqual(parseQuery(route, urlOf([])));
    },
  );

  it("that is required is missing", () => {
    const required = withQuery.filter((route) => parseQuery(route, urlOf([])).kind !== "parsed");
    expect(required.map(({ path }) => path)).toContain("/v1/export");
    for (const route of required) {
      expect(parseQuery(route, urlOf(namesOf(route))).kind).toBe("invalid_request");
    }
  });

  it("counts as given where it is given twice", () => {
    const [route] = withQuery;
    if (route === undefined) throw new Error("no route has a query");
    const [name = ""] = namesOf(route);
    expect(parseQuery(route, urlOf([name, name]))).toMatchObject({
      errors: [{ path: [name], detail: "must be given once" }],
    });
  });
});
