import { useState } from "preact/hooks";
import { api } from "../api/session.ts";
import { announce } from "./announce.ts";
import { Button } from "./button.tsx";

/** The file of a large tenant's month takes long to make. */
const TIMEOUT_MS = 120_000;

interface DownloadProps {
  readonly path: string;
  readonly fileName: string;
  readonly children: string;
}

/** Downloads a file with the token, since a link sends no token. */
export function Download({ path, fileName, children }: DownloadProps) {
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      const response = await api.raw("GET", path, { timeoutMs: TIMEOUT_MS });
      const url = URL.createObjectURL(await response.blob());
      const link = document.createElement("a");
      link.href = url;
      link.download = fileName;
      link.click();
      // By then the browser has read the URL.
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
      announce(`${fileName} is saved.`);
    } catch (caught) {
      announce((caught as Error).message, "bad");
    }
    setBusy(false);
  };
  return (
    <Button small busy={busy} onClick={() => void save()}>
      {children}
    </Button>
  );
}

interface RowFilesProps {
  /** Of the rows, with its query. */
  readonly path: string;
  /** The files' name without its end. */
  readonly name: string;
  readonly csv?: string;
}

/** Downloads rows as CSV or NDJSON. */
export const RowFiles = ({ path, name, csv = "CSV" }: RowFilesProps) => {
  const formatOf = (format: string) => `${path}${path.includes("?") ? "&" : "?"}format=${format}`;
  return (
    <>
      <Download path={formatOf("csv")} fileName={`${name}.csv`}>
        {csv}
      </Download>
      <Download path={formatOf("ndjson")} fileName={`${name}.ndjson`}>
        NDJSON
      </Download>
    </>
  );
};
