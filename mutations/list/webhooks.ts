import type { Mutation } from "../mutation.ts";

/** Deliveries to endpoints. */
export const WEBHOOKS: readonly Mutation[] = [
  {
    what: "a delivery goes to a private address",
    file: "src/io/public-address.ts",
    from: `["169.254.0.0", 16], // link-local`,
    to: `["169.254.0.0", 32], // link-local`,
    tests: ["test/io/public-address.test.ts"],
  },
  {
    what: "a webhook may name an address",
    file: "src/io/public-url.ts",
    from: `if (isAddress(host)) return refused("must name a host, not an IP address");`,
    to: "",
    tests: ["test/io/public-url.test.ts"],
  },
  {
    what: "a signature does not cover its time",
    file: "durable-objects/outbox/sign-delivery.ts",
    from: "`${id}.${timestamp}.${body}`",
    to: "`${id}.${body}`",
    tests: ["test/durable-objects/outbox", "test/durable-objects/webhooks.test.ts"],
  },
  {
    what: "a redirect counts as delivered",
    file: "durable-objects/outbox/attempt.ts",
    from: "if (status >= 200 && status <= 299) return null;",
    to: "if (status >= 200 && status <= 399) return null;",
    tests: ["test/durable-objects/outbox"],
  },
  {
    what: "an endpoint that refuses one event counts as down",
    file: "src/domain/webhooks/delivery.ts",
    from: "return status === null || status >= 500 || NOT_OF_THE_MESSAGE.includes(status);",
    to: "return true;",
    tests: ["test/domain/webhooks/delivery.test.ts"],
  },
];
