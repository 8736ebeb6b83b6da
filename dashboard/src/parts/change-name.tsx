import { Alert, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cacheKeys, visitor } from "../api.ts";
import { bounds, rules } from "../bounds.ts";
import { fieldErrors } from "../failures.ts";
import styles from "./keys.module.css";
import { Problem } from "./problem.tsx";

/** What others call whoever is signed in, and another name. */
export function ChangeName({ name }: { name: string }) {
  const queryClient = useQueryClient();
  // Until somebody writes another, the name of now is shown, wherever it was given.
  const [written, setWritten] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const rename = useMutation({
    mutationFn: (next: string) => visitor.person.rename({ name: next }),
    onSuccess: async (_, given) => {
      await queryClient.invalidateQueries({ queryKey: cacheKeys.me });
      setWritten((now) => (now?.trim() === given ? null : now));
    },
    onError: (error) => {
      setProblem(fieldErrors(error, { name: "name" }).name ?? null);
      // The answer may be lost of a name that was given.
      return queryClient.invalidateQueries({ queryKey: cacheKeys.me });
    },
  });
  const next = (written ?? name).trim();
  const same = next === name;
  return (
    <div className={styles.card}>
      <form
        noValidate
        aria-label="Change name"
        onSubmit={(event) => {
          event.preventDefault();
          const wrong = rules.name(next);
          setProblem(wrong);
          if (wrong === null && !same) rename.mutate(next);
        }}
      >
        <Stack maw={420}>
          {rename.isSuccess && same ? (
            <Alert
              role="status"
              color="green"
              variant="light"
              icon={<IconCircleCheck aria-hidden />}
              title="Name changed"
            >
              <Text fz="sm">What you did before keeps the name that you had then.</Text>
            </Alert>
          ) : null}
          {rename.isError && problem === null && !same ? (
            <Problem title="The name was not changed" error={rename.error} />
          ) : null}
          <TextInput
            label="Name"
            autoComplete="name"
            maxLength={bounds.nameMax}
            value={written ?? name}
            error={problem}
            onChange={({ currentTarget: { value } }) => {
              setWritten(value);
              setProblem(null);
            }}
          />
          <Group>
            <Button type="submit" disabled={same} loading={rename.isPending}>
              Change name
            </Button>
          </Group>
        </Stack>
      </form>
    </div>
  );
}
