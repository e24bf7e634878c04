// Which URLs from callers we send requests to: pictures to fetch, and webhook endpoints. A URL in a
// request is an instruction to our network (SSRF), so only few are allowed: https, its own port, a public
// host name.
// The rules read the result of the WHATWG parser, never the text itself: the parser writes 0x7f.1,
// 2130706433, 0177.0.0.1 and full-width digits as 127.0.0.1. So there is one spelling to judge, the one
// that `fetch` would use.
// https://url.spec.whatwg.org/#concept-host-parser

/** Longer URLs fail in many servers and proxies, and nobody needs one. */
const MAX_URL_CHARACTERS = 2048;

/** A name below these is not a public host: RFC 6761, RFC 6762, RFC 8375, RFC 9476, ICANN, custom. */
const PRIVATE_SUFFIXES = [
  "alt",
  "corp",
  "example",
  "home",
  "home.arpa",
  "internal",
  "intranet",
  "invalid",
  "lan",
  "local",
  "localdomain",
  "localhost",
  "onion",
  "private",
  "test",
];

/** At least two labels of letters, digits and inner hyphens; the last one not a number. */
const HOST_NAME =
  /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;

/** The longest name that DNS can carry. */
const MAX_HOST_CHARACTERS = 253;

export type PublicUrl =
  | { readonly kind: "allowed"; readonly url: URL }
  /** `detail` follows a field pointer and never quotes the URL: `must start with https:`. */
  | { readonly kind: "refused"; readonly detail: string };

/** Judges the text of a URL. Data URIs are refused: they have checks of their own. */
export function checkPublicUrl(text: string): PublicUrl {
  if (text.length > MAX_URL_CHARACTERS) return refused("must be at most 2048 characters long");
  if (!/^https:/i.test(text)) return refused("must start with https:");
  // The parser would drop them silently, and a log would show another URL than the one that was fetched.
  if (/[\u0000-\u0020\u007f]/.test(text))
    return refused("must not contain spaces or control characters");
  const url = URL.parse(text);
  if (url === null) return refused("must be a valid URL");
  if (url.username !== "" || url.password !== "") {
    return refused("must not contain a user name or a password");
  }
  if (url.port !== "") return refused("must not name a port other than 443");
  const host = url.hostname.replace(/\.$/, "");
  if (isAddress(host)) return refused("must name a host, not an IP address");
  if (!isPublicName(host)) return refused("must name a public host");
  url.hostname = host;
  url.hash = "";
  // Percent and Punycode encoding can make the URL longer than it was sent.
  if (url.href.length > MAX_URL_CHARACTERS) return refused("must be at most 2048 characters long");
  return { kind: "allowed", url };
}

/** The parser writes IPv6 in brackets and IPv4 as four decimal numbers, for any spelling. */
function isAddress(host: string): boolean {
  return host.startsWith("[") || /^[0-9.]+$/.test(host);
}

function isPublicName(host: string): boolean {
  if (host.length > MAX_HOST_CHARACTERS || !HOST_NAME.test(host)) return false;
  return !PRIVATE_SUFFIXES.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
}

function refused(detail: string): PublicUrl {
  return { kind: "refused", detail };
}
