import { Button, VisuallyHidden } from "@mantine/core";
import { IconCheck, IconCopy, IconX } from "@tabler/icons-react";
import { type CopyState, useCopy } from "./use-copy.ts";

const face: Record<CopyState, { text: string; icon: typeof IconCopy; say: string }> = {
  idle: { text: "Copy", icon: IconCopy, say: "" },
  copied: { text: "Copied", icon: IconCheck, say: "Copied." },
  failed: {
    text: "Select it",
    icon: IconX,
    say: "Not copied. Select the text and copy it by hand.",
  },
};

interface CopyButtonProps {
  value: string;
  /** The button's accessible name, e.g. "Copy token". */
  label: string;
  onCopied?: () => void;
  autoFocus?: boolean;
}

/** Copies a value and says so, to eyes and to screen readers. */
export function CopyButton({ value, label, onCopied, autoFocus = false }: CopyButtonProps) {
  const { state, copy } = useCopy(value);
  const { text, icon: Icon, say } = face[state];
  return (
    <>
      <Button
        size="xs"
        variant="default"
        leftSection={<Icon size={14} aria-hidden />}
        aria-label={label}
        data-autofocus={autoFocus || undefined}
        onClick={() => {
          copy();
          onCopied?.();
        }}
      >
        {text}
      </Button>
      <VisuallyHidden role="status">{say}</VisuallyHidden>
    </>
  );
}
