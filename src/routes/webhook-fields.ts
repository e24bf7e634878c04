import type { Config } from "../config.ts";
import { checkPublicUrl } from "../io/public-url.ts";
import { invalid } from "../edge/shared.ts";

type Judged<Text> =
  | { readonly kind: "judged"; readonly url: Text | string }
  | ReturnType<typeof invalid>;

/** The URL of an endpoint as it will be asked; one that was not given stays so. */
export function judgedUrl<Text extends string | undefined>(
  text: Text,
  { webhookTargets }: Pick<Config, "webhookTargets">,
): Judged<Text> {
  if (text === undefined) return { kind: "judged", url: text };
  const checked = webhookTargets === "any" ? checkAnyUrl(text) : checkPublicUrl(text);
  return checked.kind === "allowed"
    ? { kind: "judged", url: checked.url.href }
    : invalid(["url"], checked.detail);
}

/** On a developer's own machine: any host, http too. */
function checkAnyUrl(text: string): ReturnType<typeof checkPublicUrl> {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return { kind: "refused", detail: "must be a URL that starts with https: or http:" };
  }
  if (url.username !== "" || url.password !== "") {
    return { kind: "refused", detail: "must not contain a user name or a password" };
  }
  return { kind: "allowed", url };
}

type Given<Fields> = { readonly [K in keyof Fields]?: Exclude<Fields[K], undefined> };

/** Only the fields that are there. */
export const given = <Fields extends object>(fields: Fields): Given<Fields> =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Given<Fields>;
