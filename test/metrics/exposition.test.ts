import { assert, dictionary, double, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { exposition, type Metric } from "../../src/metrics/exposition.ts";
import { parseExposition } from "../parse-exposition.ts";

const gauge = (fields: Partial<Metric>): Metric => ({
  name: "a_gauge",
  help: "A gauge.",
  type: "gauge",
  samples: [{ value: 1 }],
  ...fields,
});

describe("exposition", () => {
  it("is HELP, TYPE and a line for each sample", () => {
    const metrics = [
      gauge({ samples: [{ value: 1.5 }, { labels: { a: "b", c: "d" }, value: 2 }] }),
      gauge({ name: "b_total", type: "counter", help: "A counter." }),
    ];
    expect(exposition(metrics)).toBe(
      [
        "# HELP a_gauge A gauge.",
        "# TYPE a_gauge gauge",
        "a_gauge 1.5",
        'a_gauge{a="b",c="d"} 2',
        "# HELP b_total A counter.",
        "# TYPE b_total counter",
        "b_total 1",
        "",
      ].join("\n"),
    );
  });

  it("leaves out what has no sample", () => {
    expect(exposition([gauge({ samples: [] })])).toBe("");
  });

  it("escapes what would end a line or a value", () => {
    const labels = { model: 'a\\b"c\nd' };
    const text = exposition([gauge({ help: 'x\\y\nz"', samples: [{ labels, value: 1 }] })]);
    expect(text).toContain('# HELP a_gauge x\\\\y\\nz"\n');
    expect(text).toContain('a_gauge{model="a\\\\b\\"c\\nd"} 1\n');
    expect(parseExposition(text)["a_gauge"]?.series["a_gauge"]?.[0]?.labels).toEqual(labels);
  });

  it("writes numbers that are none as the format has them", () => {
    const values = [Infinity, -Infinity, Number.NaN, 1e21, -0.5, 9_007_199_254_740_991];
    const samples = values.map((value, at) => ({ labels: { at: String(at) }, value }));
    expect(exposition([gauge({ samples })]).match(/(?<=\} ).+/g)).toEqual([
      "+Inf",
      "-Inf",
      "NaN",
      "1e+21",
      "-0.5",
      "9007199254740991",
    ]);
  });

  it("is read back as it was meant, whatever the labels hold", () => {
    const labels = dictionary(string({ minLength: 1 }), string({ unit: "binary" }));
    assert(
      property(labels, double(), (named, value) => {
        const own = Object.fromEntries(Object.values(named).map((text, at) => [`l_${at}`, text]));
        const parsed = parseExposition(exposition([gauge({ samples: [{ labels: own, value }] })]));
        const [series] = parsed["a_gauge"]?.series["a_gauge"] ?? [];
        expect(series?.labels).toEqual(own);
        expect(series?.value).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  it.each([
    gauge({ name: "no-name" }),
    gauge({ name: "" }),
    gauge({ samples: [{ labels: { "a-b": "" }, value: 1 }] }),
    gauge({ samples: [{ labels: { __name__: "" }, value: 1 }] }),
  ])("refuses a name that is none", (metric) => {
    expect(() => exposition([metric])).toThrow(RangeError);
  });
});

describe("the reader of these tests", () => {
  it.each([
    "a 1",
    "# TYPE a gauge\na 1\n",
    "# HELP a x\n# TYPE a gauge\na 1",
    "# HELP a x\n# TYPE a gauge\nb 1\n",
    "# HELP a x\n# TYPE a gauge\na 1\na 2\n",
    "# HELP a x\n# TYPE a counter\na -1\n",
    "# HELP a x\n# TYPE a gauge\na one\n",
    '# HELP a x\n# TYPE a gauge\na{b="c} 1\n',
    '# HELP a x\n# TYPE a gauge\na{b="c",b="d"} 1\n',
    '# HELP a x\n# TYPE a gauge\na{b="\\q"} 1\n',
    '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n',
    '# HELP a x\n# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 1\na_count 2\n',
  ])("refuses what is not in the format: %j", (text) => {
    expect(() => parseExposition(text)).toThrow(Error);
  });
});
