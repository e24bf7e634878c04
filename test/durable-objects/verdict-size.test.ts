import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { makeTenant } from "../client.ts";
import { scripted } from "../routes/scripted.ts";

// What a verdict takes of an object's storage. A row that does not fit its page takes 4 kB more.

const MANY = 60;

const size = (tenant: string): Promise<number> =>
  runInDurableObject(env.TENANT.getByName(tenant), (_, { storage }) => storage.sql.databaseSize);

const CALM = "What a lovely day for all of us";

/** The text model has three reasons here, each with the spans that caused it. */
const ANGRY = "You stupid idiot, I will kill you, shut up you moron";

it.each([
  { outcome: "allowed", says: CALM, behaviour: "score:toxicity=3", most: 1600 },
  { outcome: "blocked", says: CALM, behaviour: "score:toxicity=82&harassment=79", most: 2200 },
  { outcome: "flagged", says: ANGRY, behaviour: "score:toxicity=3", most: 2600 },
])(
  "is at most $most bytes where it is $outcome, with its line",
  async ({ outcome, says, behaviour, most }) => {
    const name = `sizes-${outcome}`;
    const tenant = await makeTenant(name);
    const judge = async (at: number): Promise<void> => {
      const { text } = scripted(`judge=${behaviour}`, says);
      const call = { text, user_id: `user_${at % 20}`, content_id: `post_${at}` };
      const { status, body } = await tenant.onWorkersAi("POST", "/v1/verdicts", call);
      expect(status).toBe(200);
      // A reviewer sees the spans, too.
      expect((await tenant.call("GET", `/v1/verdicts/${body.id}`)).body).toMatchObject(body);
    };
    await judge(0);
    // The tables of the reports are made with the first rows: here, and not at some time while it counts.
    await runDurableObjectAlarm(env.TENANT.getByName(name));
    const before = await size(name);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (let at = 1; at <= MANY; at += 1) await judge(at);
    expect(((await size(name)) - before) / MANY).toBeLessThan(most);
  },
);
