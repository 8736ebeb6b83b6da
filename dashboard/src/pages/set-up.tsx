import type { ProvisionedJson } from "@latchkey/sdk/client";
import { Anchor, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { cacheKeys, setUpQuery } from "../api.ts";
import { dropLinkSecret, useLinkSecret } from "../link-secrets.ts";
import { CutLink } from "../parts/cut-link.tsx";
import { Plate } from "../parts/plate.tsx";
import { SetUpForm } from "../parts/set-up-form.tsx";
import { FirstKeys } from "./first-keys.tsx";

/** `/setup#<secret>`: the first owner and account, and then their keys. */
export function SetUpPage() {
  const secret = useLinkSecret("/setup");
  const queryClient = useQueryClient();
  const setUp = useQuery({ ...setUpQuery, refetchOnWindowFocus: false });
  // In this component alone, and gone with it: these tokens are shown once.
  const [provisioned, setProvisioned] = useState<ProvisionedJson | null>(null);

  if (provisioned !== null) return <FirstKeys provisioned={provisioned} />;
  if (setUp.data?.state === "done") return <SetUpIsDone />;
  if (secret === "") return <NoSecret />;
  return (
    <Plate title="Set up Latchkey" lead="You become the owner of the first account." width={480}>
      <SetUpForm
        secret={secret}
        onDone={(answer) => {
          dropLinkSecret("/setup");
          setProvisioned(answer);
          queryClient.removeQueries({ queryKey: cacheKeys.me });
          void queryClient.invalidateQueries({ queryKey: cacheKeys.setUp });
        }}
      />
    </Plate>
  );
}

function SetUpIsDone() {
  return (
    <Plate title="Set-up is done" lead="This Latchkey has an owner; its set-up link is spent.">
      <Text fz="sm">
        <Anchor
          inherit
          underline="always"
          renderRoot={(props) => <Link to="/sign-in" {...props} />}
        >
          Sign in
        </Anchor>{" "}
        with the e-mail and password chosen then.
      </Text>
    </Plate>
  );
}

function NoSecret() {
  return (
    <CutLink what="set-up link">
      <Text fz="sm">
        Copy the link that the server printed when it started, to its very end, and open it here. It
        works once, for 30 minutes. If it is gone, restart the server: it prints a new one.
      </Text>
    </CutLink>
  );
}
