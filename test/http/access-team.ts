import { env } from "cloudflare:workers";
import { type CryptoKey as JoseKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

// A team of Cloudflare Access, for tests: its keys lie on the local key server, and it signs what it
// is told to, as Access does and as it never would.

export const AUDIENCE = "a".repeat(64);

export interface TeamKey {
  readonly kid: string;
  readonly privateKey: JoseKey;
  readonly publicJwk: JWK;
}

interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly hang?: boolean;
}

const HOUR_S = 3600;
const nowS = (): number => Math.floor(Date.now() / 1000);

export async function makeTeamKey(kid: string): Promise<TeamKey> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" };
  return { kid, privateKey, publicJwk };
}

export class Team {
  readonly issuer: string;
  /** The settings of a deployment that lets this team in. The same object each time. */
  readonly settings: Readonly<Record<string, string>>;

  constructor(name: string) {
    this.issuer = new URL(name, String(Reflect.get(env, "FAKE_ACCESS_URL"))).href;
    this.settings = { ACCESS_ISSUER: this.issuer, ACCESS_AUD: AUDIENCE };
  }

  async answer(answer: Answer): Promise<void> {
    await fetch(this.issuer, { method: "PUT", body: JSON.stringify(answer) });
  }

  publish(...keys: readonly TeamKey[]): Promise<void> {
    return this.answer({ body: { keys: keys.map(({ publicJwk }) => publicJwk) } });
  }

  async timesAsked(): Promise<number> {
    return Number(await (await fetch(`${this.issuer}/asked`)).text());
  }

  /** What Access puts on a person's request; `undefined` takes a claim away. */
  claims(other: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const now = nowS();
    const times = { iat: now, nbf: now, exp: now + HOUR_S };
    const person = { email: "alice@example.com", type: "app", sub: "7335d417", country: "DE" };
    return { aud: [AUDIENCE], iss: this.issuer, ...times, ...person, ...other };
  }

  sign(key: TeamKey, claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
    return new SignJWT(this.claims(claims))
      .setProtectedHeader({ alg: "RS256", kid: key.kid, typ: "JWT" })
      .sign(key.privateKey);
  }
}
