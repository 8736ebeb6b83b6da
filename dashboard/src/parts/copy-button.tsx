import { Button, VisuallyHidden } from "@mantine/core";
import { IconCheck, IconCopy, IconX } from "@tabler/icons-react";
import { FocusedButton } from "./focused-button.tsx";
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
  /** Takes the focus when it appears. */
  focused?: boolean;
}

/** Copies a value and says so, to eyes and to screen readers. */
export function CopyButton({ value, label, focused = false }: CopyButtonProps) {
  const { state, copy } = useCopy(value);
  const { text, icon: Icon, say } = face[state];
  const Face = focused ? FocusedButton : Button;
  return (
    <>
      <Face
        size="xs"
        variant="default"
        leftSection={<Icon size={14} aria-hidden />}
        aria-label={label}
        onClick={copy}
      >
        {text}
      </Face>
      <VisuallyHidden role="status">{say}</VisuallyHidden>
    </>
  );
}
