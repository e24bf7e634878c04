import type { AdmitReply, AdmitRequest } from "../../durable-objects/tenant/protocol.ts";
import type { SettleReply, SettleRequest } from "../../durable-objects/tenant/protocol.ts";
import worker, { Tenant as Governed } from "../../src/index.ts";
import { withFixedAi } from "./fixed-ai.ts";

// The unchanged Worker with a meter on its SQL. Cloudflare bills the rows that the cursors report.

export * from "../../src/index.ts";

export interface Meter {
  admits: number;
  settles: number;
  rowsRead: number;
  rowsWritten: number;
  /** Rows of admissions that ran alone in the object; exact if nothing is concurrent. */
  admitRowsRead: number;
  admitRowsWritten: number;
}

const nothing = (): Meter => ({
  admits: 0,
  settles: 0,
  rowsRead: 0,
  rowsWritten: 0,
  admitRowsRead: 0,
  admitRowsWritten: 0,
});

/** The constructor's rows do not count for a call. */
const meters = new WeakMap<SqlStorage, Meter>();

function metered(sql: SqlStorage): SqlStorage {
  const meter = nothing();
  const exec = sql.exec.bind(sql);
  const counting = (statement: string, ...values: unknown[]) => {
    const cursor = exec(statement, ...values);
    const rows = cursor.toArray();
    meter.rowsRead += cursor.rowsRead;
    meter.rowsWritten += cursor.rowsWritten;
    return { toArray: () => rows };
  };
  Object.defineProperty(sql, "exec", { value: counting });
  meters.set(sql, meter);
  return sql;
}

export class Tenant extends Governed {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    const sql = metered(ctx.storage.sql);
    super(ctx, env);
    this.#sql = sql;
  }

  override async admit(request: AdmitRequest): Promise<AdmitReply> {
    const meter = this.#meter();
    const { rowsRead, rowsWritten } = meter;
    const reply = await super.admit(request);
    meter.admits += 1;
    meter.admitRowsRead += meter.rowsRead - rowsRead;
    meter.admitRowsWritten += meter.rowsWritten - rowsWritten;
    return reply;
  }

  override async settle(request: SettleRequest): Promise<SettleReply> {
    this.#meter().settles += 1;
    return super.settle(request);
  }

  /** The counts since the last request for them. */
  takeMeter(): Meter {
    const meter = this.#meter();
    const taken = { ...meter };
    Object.assign(meter, nothing());
    return taken;
  }

  #meter(): Meter {
    return meters.get(this.#sql) ?? nothing();
  }
}

/** `GET /meter/<tenant>` beside the Worker's own routes. */
export default withFixedAi(worker, (request, env) => {
  const id = /^\/meter\/([a-z0-9-]+)$/.exec(new URL(request.url).pathname)?.[1];
  if (id === undefined) return null;
  const tenant = env.TENANT.getByName(id) as DurableObjectStub<Tenant>;
  return tenant.takeMeter().then((meter) => Response.json(meter));
});
