import { describe, expect, it } from "vitest";
import { html, htmlPage } from "../../src/http/html.ts";

describe("html", () => {
  it("escapes every text, in content and in attributes", () => {
    const hostile = `<script>"'&`;
    expect(html`<p title="${hostile}">${hostile}</p>`.text).toBe(
      '<p title="&lt;script&gt;&quot;&#39;&amp;">&lt;script&gt;&quot;&#39;&amp;</p>',
    );
  });

  it("takes markup as it is, lists of it, numbers, and nothing for null", () => {
    const items = ["<a>", "b"].map((name) => html`<li>${name}</li>`);
    const list = html`<ul>
        ${items}
      </ul>
      ${null}${3}`;
    expect(list.text.replace(/\s/g, "")).toBe("<ul><li>&lt;a&gt;</li><li>b</li></ul>3");
  });
});

describe("a page", () => {
  it("loads, runs, sends nothing and is framed by nobody", async () => {
    const body = html`<p>hello</p>`;
    const page = htmlPage("<title>", { style: "p { color: red; }", body, nonce: "n1" });
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy.split("; ")).toEqual([
      "default-src 'none'",
      "style-src 'nonce-n1'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    const text = await page.text();
    expect(text).toContain("<title>&lt;title&gt;</title>");
    expect(text).toContain('<style nonce="n1">');
    expect(text).not.toContain("<script");
  });
});
