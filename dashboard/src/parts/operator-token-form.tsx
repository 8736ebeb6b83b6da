import type { NewToken } from "@latchkey/sdk/client";
import { Radio, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { visitor } from "../api.ts";
import { rules } from "../bounds.ts";
import { Choice } from "./choice.tsx";
import { TokenForm, type TokenFormProps } from "./token-form.tsx";
import { useCreation } from "./use-creation.ts";

/** A token of the operator: name and kind. */
export function OperatorTokenForm(props: TokenFormProps) {
  const { idempotencyKey, onCancel } = props;
  const form = useForm<NewToken>({
    initialValues: { name: "", kind: "verifier" },
    validate: { name: rules.tokenName },
  });
  const creation = useCreation(props, form, { name: "name", kind: "kind" }, (body: NewToken) =>
    visitor.tokens.create(body, { idempotencyKey }),
  );
  return (
    <TokenForm
      onSubmit={form.onSubmit(({ name, kind }) => creation.send({ name: name.trim(), kind }))}
      onCancel={onCancel}
      creation={creation}
      name={form.getInputProps("name")}
      example="checkout service"
    >
      <Radio.Group label="Kind" {...form.getInputProps("kind")}>
        <Stack gap="xs" mt={6}>
          <Choice
            value="verifier"
            name="Verifier"
            text="Lets an app or a server verify keys of every account, and nothing else."
          />
          <Choice
            value="operator"
            name="Operator"
            text="Provisions and deletes accounts, and creates tokens. For your own backend alone."
          />
        </Stack>
      </Radio.Group>
    </TokenForm>
  );
}
