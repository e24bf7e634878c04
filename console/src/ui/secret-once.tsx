import { Button, CopyButton } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { Warning } from "./status.tsx";

interface SecretOnceProps {
  readonly title: string;
  readonly what: string;
  readonly secret: string;
  readonly onClose: () => void;
}

/** Shows a key or a secret once. It is stored nowhere and gone when the dialog closes. */
export const SecretOnce = ({ title, what, secret, onClose }: SecretOnceProps) => (
  <Dialog title={title} onClose={onClose}>
    <div class="stack">
      <Warning>
        <p>Copy it now. It is not shown again.</p>
      </Warning>
      <div class="secret">
        <code data-secret>{secret}</code>
        <CopyButton text={secret} what={what} />
      </div>
      <div class="actions end">
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      </div>
    </div>
  </Dialog>
);
