import { useState } from "preact/hooks";
import { api } from "../api/session.ts";
import { announce } from "./announce.ts";
import { Button } from "./button.tsx";

/** A month of a large tenant takes a while. */
const TIMEOUT_MS = 120_000;

interface DownloadProps {
  readonly path: string;
  readonly fileName: string;
  readonly children: string;
}

/** A file that wants the token: a link would ask without it. */
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
      // The browser has taken it by then.
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
