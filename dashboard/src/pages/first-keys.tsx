import type { ProvisionedJson } from "@latchkey/sdk/client";
import { Alert, Button, Checkbox, Group, Modal, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { FirstVerification } from "../parts/first-verification.tsx";
import { Plate } from "../parts/plate.tsx";
import { Section } from "../parts/section.tsx";
import { Snippet } from "../parts/snippet.tsx";
import { TokenField } from "../parts/token-field.tsx";
import { useDialog } from "../parts/use-dialog.ts";
import { useSecretGuard } from "../parts/use-secret-guard.ts";
import { verifierProgram } from "../verifier-program.ts";

/** The end of set-up, and of making an account: every first token, shown this once, and the first verification live. */
export function FirstKeys({ provisioned }: { provisioned: ProvisionedJson }) {
  const [saved, setSaved] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const navigate = useNavigate();
  const warning = useDialog<true>();
  useSecretGuard(!saved && !leaving);

  const environments = inOrder(provisioned.environments);
  const first = environments[0];
  const go = (): void => {
    setLeaving(true);
    // After the guard has heard of it: it is off from the next render on.
    window.setTimeout(() => {
      const params = { account: provisioned.account.slug, environment: first?.slug ?? "" };
      void navigate({ to: "/$account/$environment/platform/api-keys", params });
    }, 0);
  };
  return (
    <Plate
      title="Your keys"
      lead={`${provisioned.account.name} is ready. Save these tokens now.`}
      width={720}
    >
      <Alert color="yellow" variant="light" icon={<IconAlertTriangle aria-hidden />}>
        <Text fz="sm">
          You will not see the secret tokens again. Only their digests are stored, so nobody can
          show them to you later.
        </Text>
      </Alert>
      {environments.map((environment) => (
        <EnvironmentTokens key={environment.id} environment={environment} />
      ))}
      <InstallationTokens provisioned={provisioned} />
      {first === undefined ? null : (
        <Section id="try" title="Try it">
          <Snippet title="Terminal command" code={curlLine(first.secret_key)} />
          {provisioned.verifier_token === undefined ? null : (
            <Snippet title="Program" code={verifierProgram(provisioned.verifier_token)} />
          )}
          <FirstVerification account={provisioned.account.slug} environment={first.slug} />
        </Section>
      )}
      <Checkbox
        label="I have saved these tokens in a safe place"
        checked={saved}
        onChange={(event) => setSaved(event.currentTarget.checked)}
      />
      <Button
        id="go-to-api-keys"
        onClick={() => (saved ? go() : warning.open(true, "go-to-api-keys"))}
      >
        Go to API keys
      </Button>
      <Modal
        opened={warning.target !== null}
        onClose={warning.close}
        title="Leave without saving the tokens?"
      >
        <Stack>
          <Text fz="sm">
            They are shown only here, only now. Without them you can still create new keys and
            tokens, but nobody can show you these again.
          </Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={warning.close} data-autofocus>
              Stay
            </Button>
            <Button color="red" onClick={go}>
              Leave anyway
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Plate>
  );
}

type FirstEnvironment = ProvisionedJson["environments"][number];

/** Development first: that is what people try. */
function inOrder(environments: readonly FirstEnvironment[]): FirstEnvironment[] {
  const rank = (slug: string): number => (slug === "development" ? 0 : 1);
  return environments.toSorted((a, b) => rank(a.slug) - rank(b.slug));
}

function EnvironmentTokens({ environment }: { environment: FirstEnvironment }) {
  const { slug } = environment;
  const name = `${slug.charAt(0).toUpperCase()}${slug.slice(1)}`;
  return (
    <Section id={`of-${slug}`} title={name}>
      <TokenField
        label={`${name} secret key`}
        token={environment.secret_key}
        hint="For your servers. Whoever has it can call the API."
      />
      <TokenField
        label={`${name} public key`}
        token={environment.public_key}
        hint="May be seen by anybody, e.g. in a browser. You can read it again at any time."
      />
    </Section>
  );
}

function InstallationTokens({ provisioned }: { provisioned: ProvisionedJson }) {
  const {
    service_token: service,
    verifier_token: verifier,
    operator_token: operator,
  } = provisioned;
  return (
    <Section id="of-installation" title="For your programs">
      {verifier === undefined ? null : (
        <TokenField
          label="Verifier token"
          token={verifier}
          hint="Lets your API verify keys, and nothing else. Set it as LATCHKEY_VERIFIER_TOKEN."
        />
      )}
      <TokenField
        label="Service token"
        token={service}
        hint={`Manages the keys and environments of ${provisioned.account.name} over the API.`}
      />
      {operator === undefined ? null : (
        <TokenField
          label="Operator token"
          token={operator}
          hint="Adds, suspends and removes accounts, and creates tokens. Keep it apart from the others."
        />
      )}
    </Section>
  );
}

const curlLine = (secretKey: string): string =>
  `curl -i ${window.location.origin}/v1/whoami \\\n  -H "Authorization: Bearer ${secretKey}"`;
