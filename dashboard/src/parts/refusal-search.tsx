import { Button, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { requestIdIn } from "../request-ids.ts";
import styles from "./keys.module.css";

/** Longer than the body of any refusal, which somebody may paste whole. */
const pastedMax = 2_000;

/** Looks for one refusal by its request id, in whatever a caller sent along: pasting is enough. */
export function RefusalSearch({ onFind }: { onFind: (requestId: string) => void }) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const find = (pasted: string): boolean => {
    const id = requestIdIn(pasted);
    if (id !== null) {
      setText(id);
      setWrong(false);
      onFind(id);
    }
    return id !== null;
  };
  return (
    <form
      className={styles.lookUp}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setWrong(!find(text));
      }}
    >
      <TextInput
        id="look-up"
        className={styles.grow ?? ""}
        type="search"
        aria-label="Request id"
        placeholder="Paste a request id, or the whole error"
        maxLength={pastedMax}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={text}
        error={wrong ? "There is no request id in it: req_ and 24 letters and digits." : null}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setWrong(false);
        }}
        onPaste={(event) => {
          if (find(event.clipboardData.getData("text"))) event.preventDefault();
        }}
      />
      <Button type="submit" variant="default">
        Find
      </Button>
    </form>
  );
}
