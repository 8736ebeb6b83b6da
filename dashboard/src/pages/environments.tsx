import type { EnvironmentJson } from "@latchkey/sdk/client";
import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { AddEnvironment } from "../parts/add-environment.tsx";
import { DeleteEnvironment } from "../parts/delete-environment.tsx";
import { EnvironmentList } from "../parts/environment-list.tsx";
import { Page } from "../parts/page.tsx";
import { RenameEnvironment } from "../parts/rename-environment.tsx";
import { useDialog } from "../parts/use-dialog.ts";
import { may, usePlace } from "../place.ts";

/** Settings > Environments. The shell has loaded the list; this page shows and changes it. */
export function EnvironmentsPage() {
  const { account } = usePlace();
  const adding = useDialog<true>();
  const renaming = useDialog<EnvironmentJson>();
  const deleting = useDialog<EnvironmentJson>();
  return (
    <Page
      title="Environments"
      lead={`Walls inside ${account.name}: a key of one is refused in every other.`}
      action={
        may(account, "environments:write") ? (
          <Button
            id="add-environment"
            leftSection={<IconPlus size={16} aria-hidden />}
            onClick={() => adding.open(true, "add-environment")}
          >
            Add environment
          </Button>
        ) : null
      }
    >
      <EnvironmentList onRename={renaming.open} onDelete={deleting.open} />
      {adding.target === null ? null : <AddEnvironment onClose={adding.close} />}
      {renaming.target === null ? null : (
        <RenameEnvironment environment={renaming.target} onClose={renaming.close} />
      )}
      {deleting.target === null ? null : (
        <DeleteEnvironment environment={deleting.target} onClose={deleting.close} />
      )}
    </Page>
  );
}
