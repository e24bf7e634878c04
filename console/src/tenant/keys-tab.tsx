import { useState } from "preact/hooks";
import { api, tenantPath } from "../api/session.ts";
import type { IssuedKey, Key, List, Role } from "../api/shapes.ts";
import { fieldErrors } from "../api/problem.ts";
import { moment } from "../format.ts";
import { announce } from "../ui/announce.ts";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { SelectField, TextField } from "../ui/field.tsx";
import { PagedTable } from "../ui/paged-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { SecretOnce } from "../ui/secret-once.tsx";
import { Badge, Empty, ErrorNote } from "../ui/status.tsx";
import type { Column } from "../ui/table.tsx";
import { usePaged } from "../ui/use-paged.ts";
import type { TabProps } from "./tenant-page.tsx";

type Doing =
  | { readonly what: "issue" }
  | { readonly what: "rotate" | "end"; readonly key: Key }
  | { readonly what: "shown"; readonly secret: string; readonly title: string };

export function KeysTab({ tenant }: TabProps) {
  const path = tenantPath(tenant, "/keys");
  const page = usePaged(path, (cursor, signal) =>
    api.get<List<Key>>(path, { cursor, limit: 50 }, { signal }),
  );
  const [doing, setDoing] = useState<Doing | null>(null);
  const close = () => setDoing(null);
  const issued = (key: IssuedKey, title: string) => {
    page.reload();
    setDoing(key.key === null ? null : { what: "shown", secret: key.key, title });
  };
  return (
    <Panel
      title="Keys"
      hint="A key is shown once, when it is issued. Only its hash is kept."
      actions={
        <Button icon="plus" kind="primary" onClick={() => setDoing({ what: "issue" })}>
          Issue a key
        </Button>
      }
    >
      <PagedTable
        page={page}
        caption="Keys"
        columns={columns((what, key) => setDoing({ what, key }))}
        keyOf={({ id }) => id}
        empty={
          <Empty icon="key" title="No key yet">
            <p>Issue one to make calls as this tenant.</p>
          </Empty>
        }
        more="Show older keys"
      />
      {doing?.what === "issue" && (
        <IssueKey path={path} onClose={close} onIssued={(key) => issued(key, "The new key")} />
      )}
      {doing?.what === "rotate" && (
        <RotateKey
          path={path}
          old={doing.key}
          onClose={close}
          onIssued={(key) => issued(key, "The key that replaces it")}
        />
      )}
      {doing?.what === "end" && (
        <Confirm
          title={`End the key ${doing.key.name ?? doing.key.prefix}`}
          act="End it now"
          onClose={close}
          onConfirm={async () => {
            await api.send("DELETE", `${path}/${encodeURIComponent(doing.key.id)}`);
            announce("The key is ended.");
            page.reload();
          }}
        >
          <p>The next call with it is refused. A key that has ended does not come back.</p>
        </Confirm>
      )}
      {doing?.what === "shown" && (
        <SecretOnce title={doing.title} what="key" secret={doing.secret} onClose={close} />
      )}
    </Panel>
  );
}

const columns = (act: (what: "rotate" | "end", key: Key) => void): readonly Column<Key>[] => [
  {
    key: "name",
    label: "Name",
    main: true,
    sort: ({ name }) => name ?? "",
    cell: ({ name }) => name ?? <span class="soft">without a name</span>,
  },
  {
    key: "role",
    label: "Role",
    sort: ({ role }) => role,
    cell: ({ role }) => <Badge tone="neutral">{role}</Badge>,
  },
  { key: "prefix", label: "Begins", cell: ({ prefix }) => <code>{prefix}…</code> },
  {
    key: "made",
    label: "Made, UTC",
    sort: (key) => key.created_at,
    cell: (key) => moment(key.created_at),
  },
  {
    key: "ends",
    label: "Ends, UTC",
    cell: ({ expires_at: ends }) =>
      ends === null ? <span class="soft">never</span> : moment(ends),
  },
  {
    key: "used",
    label: "Last used",
    cell: ({ last_used_on: used }) => used ?? <span class="soft">not yet</span>,
  },
  {
    key: "acts",
    label: "Actions",
    end: true,
    cell: (key) => (
      <span class="actions end">
        <Button small label={`Rotate ${key.name ?? key.prefix}`} onClick={() => act("rotate", key)}>
          Rotate
        </Button>
        <Button
          small
          kind="quiet"
          label={`End ${key.name ?? key.prefix}`}
          onClick={() => act("end", key)}
        >
          End
        </Button>
      </span>
    ),
  },
];

interface IssueProps {
  readonly path: string;
  readonly onClose: () => void;
  readonly onIssued: (key: IssuedKey) => void;
}

const ROLES: readonly { value: Role; label: string }[] = [
  { value: "call", label: "call: make calls, read limits and usage" },
  { value: "review", label: "review: read verdicts, decide them" },
  { value: "manage", label: "manage: everything of the tenant" },
  { value: "score", label: "score: only score comments, also from a web page" },
];

function IssueKey({ path, onClose, onIssued }: IssueProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("call");
  const [days, setDays] = useState("");
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const errors = fieldErrors(error);
  const ends = Number(days);
  const wrongDays = days !== "" && !(ends > 0 && ends <= 3650) ? "1 to 3650 days." : undefined;
  const issue = async () => {
    setBusy(true);
    setError(null);
    const body = {
      role,
      ...(name !== "" && { name }),
      ...(days !== "" && { expires_at: new Date(Date.now() + ends * 86_400_000).toISOString() }),
    };
    try {
      onIssued(await api.send<IssuedKey>("POST", path, body, { once: true }));
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Issue a key" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (wrongDays === undefined) void issue();
        }}
      >
        <TextField
          label="Name"
          hint="For people: where it is used."
          value={name}
          onValue={setName}
          maxLength={256}
          error={errors.get("name")}
        />
        <SelectField
          label="Role"
          value={role}
          choices={ROLES}
          onValue={setRole}
          error={errors.get("role")}
        />
        <TextField
          label="Ends after, days"
          hint="Empty: when it is ended or rotated."
          inputMode="numeric"
          value={days}
          onValue={setDays}
          maxLength={4}
          error={wrongDays ?? errors.get("expires_at")}
        />
        {error !== null && <ErrorNote error={error} what="No key was issued" />}
        <div class="actions end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy}>
            Issue
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function RotateKey({ path, old, onClose, onIssued }: IssueProps & { readonly old: Key }) {
  const [overlap, setOverlap] = useState("86400");
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const rotate = async () => {
    setBusy(true);
    setError(null);
    try {
      const url = `${path}/${encodeURIComponent(old.id)}/rotate`;
      const body = { overlap_s: Number(overlap) };
      onIssued(await api.send<IssuedKey>("POST", url, body, { once: true }));
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Rotate ${old.name ?? old.prefix}`} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void rotate();
        }}
      >
        <p>A new key of the same role replaces it. Until the old one ends, both work.</p>
        <SelectField
          label="The old key ends"
          value={overlap}
          onValue={setOverlap}
          choices={[
            { value: "0", label: "now" },
            { value: "3600", label: "in an hour" },
            { value: "86400", label: "in a day" },
            { value: "604800", label: "in a week" },
          ]}
        />
        {error !== null && <ErrorNote error={error} what="Nothing was changed" />}
        <div class="actions end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={busy}>
            Rotate
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
