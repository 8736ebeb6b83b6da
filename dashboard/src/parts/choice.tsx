import { Radio, Text } from "@mantine/core";
import styles from "./keys.module.css";

interface ChoiceProps {
  value: string;
  name: string;
  text: string;
  autoFocus?: boolean;
}

/** One of a few choices, with a line that says what it means; inside a `Radio.Group`. */
export function Choice({ value, name, text, autoFocus = false }: ChoiceProps) {
  return (
    <Radio.Card
      value={value}
      className={styles.choice ?? ""}
      aria-label={name}
      aria-describedby={`choice-${value}`}
      data-autofocus={autoFocus || undefined}
    >
      <Radio.Indicator mt={2} />
      <span>
        <Text component="span" display="block" fz="sm" fw={600}>
          {name}
        </Text>
        <Text component="span" display="block" fz="sm" c="dimmed" id={`choice-${value}`}>
          {text}
        </Text>
      </span>
    </Radio.Card>
  );
}
