import { Button, type ButtonProps } from "@mantine/core";
import { type ComponentProps, useEffect, useRef } from "react";

type FocusedButtonProps = ButtonProps & Omit<ComponentProps<"button">, keyof ButtonProps | "ref">;

/** A button that takes the focus when it appears: the next step of a dialog whose last one is gone. */
export function FocusedButton(props: FocusedButtonProps) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return <Button ref={button} {...props} />;
}
