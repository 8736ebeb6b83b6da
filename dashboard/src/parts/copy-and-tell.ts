import { notifications } from "@mantine/notifications";
import { copyText } from "./use-copy.ts";

/** Copies and says so in the corner: the menu that was asked is gone by then. */
export function copyAndTell(value: string, what: string): void {
  void copyText(value).then((done) =>
    notifications.show(
      done
        ? { message: `${what} copied` }
        : { color: "red", message: `${what} not copied: the browser refused.` },
    ),
  );
}
