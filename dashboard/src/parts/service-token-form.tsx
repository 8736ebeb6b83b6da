import type { NewServiceToken } from "@latchkey/sdk/client";
import { useForm } from "@mantine/form";
import { rules } from "../bounds.ts";
import { type ExpiryChoice, endOf, expiryProblem, NO_EXPIRY_CHOICE } from "../expiry-choices.ts";
import { usePlace } from "../place.ts";
import { serviceToken } from "../tokens.ts";
import { ExpiryFields } from "./expiry-fields.tsx";
import { TokenForm, type TokenFormProps } from "./token-form.tsx";
import { useCreation } from "./use-creation.ts";
import { useNow } from "./use-now.ts";

interface Values {
  name: string;
  expiry: ExpiryChoice;
}

/** A service token: name and expiry. The account's maximum age is one of its API keys. */
export function ServiceTokenForm(props: TokenFormProps) {
  const { idempotencyKey, onCancel } = props;
  const { client } = usePlace();
  const nowMs = useNow();
  const form = useForm<Values>({
    initialValues: { name: "", expiry: NO_EXPIRY_CHOICE },
    validate: {
      name: rules.tokenName,
      expiry: (choice) => expiryProblem(choice, null, Date.now()),
    },
  });
  const fields = { name: "name", expires_at: "expiry" };
  const creation = useCreation(props, form, fields, async (body: NewServiceToken) =>
    serviceToken(await client.serviceTokens.create(body, { idempotencyKey })),
  );
  return (
    <TokenForm
      onSubmit={form.onSubmit((values) => creation.send(newToken(values)))}
      onCancel={onCancel}
      creation={creation}
      name={form.getInputProps("name")}
      example="deployments"
    >
      <ExpiryFields
        choice={form.values.expiry}
        onChange={(choice) => form.setFieldValue("expiry", choice)}
        limit={null}
        nowMs={nowMs}
        error={form.errors.expiry}
      />
    </TokenForm>
  );
}

function newToken({ name, expiry }: Values): NewServiceToken {
  const end = endOf(expiry, null, Date.now()) ?? undefined;
  return { name: name.trim(), ...(end === undefined ? {} : { expires_at: end }) };
}
