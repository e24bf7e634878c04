import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { ErrorNote } from "./status.tsx";

interface ConfirmProps {
  readonly title: string;
  /** The label of the button that confirms. */
  readonly act: string;
  readonly children: ComponentChildren;
  readonly onClose: () => void;
  /** Closes after success. After a failure it stays open and shows the error. */
  readonly onConfirm: () => Promise<void>;
}

export function Confirm({ title, act, children, onClose, onConfirm }: ConfirmProps) {
  const [error, setError] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (caught) {
      setError(caught as Error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="stack">
        {children}
        {error !== null && <ErrorNote error={error} />}
        <div class="actions end">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="danger" busy={busy} onClick={() => void confirm()}>
            {act}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
