import type { UseFormReturnType } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { fieldErrors } from "../failures.ts";
import type { Token } from "../tokens.ts";
import type { TokenFormProps } from "./token-form.tsx";

interface Creation<Body> {
  send: (body: Body) => void;
  isPending: boolean;
  /** `null` also when a field of the form says it. */
  error: unknown;
}

/**
 * Sends a form that creates a token.
 *
 * @param fields From the server's field names to the form's.
 */
export function useCreation<Values, Body>(
  { onCreated, onBusy }: Pick<TokenFormProps, "onCreated" | "onBusy">,
  form: Pick<UseFormReturnType<Values>, "setErrors" | "errors">,
  fields: Readonly<Record<string, string>>,
  create: (body: Body) => Promise<Token>,
): Creation<Body> {
  const { mutate, isPending, error } = useMutation({
    // Answers nothing, so that the token is in no cache: it goes to the dialog's own state alone.
    mutationFn: async (body: Body) => onCreated(await create(body)),
    onMutate: () => onBusy(true),
    onSettled: () => onBusy(false),
    onError: (error) => form.setErrors(fieldErrors(error, fields)),
  });
  const atFields = Object.keys(form.errors).length > 0;
  return { send: mutate, isPending, error: atFields ? null : error };
}
