import { Button, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconBraces, IconDownload, IconTable } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { type AuditFilters, searchOf } from "../audit-api.ts";
import { explain } from "../failures.ts";
import { usePlace } from "../place.ts";
import { saveFile } from "../save-file.ts";

type Format = "csv" | "jsonl";

const types = { csv: "text/csv", jsonl: "application/x-ndjson" } as const;

/** Downloads all that the filters leave, however many pages it has. */
export function AuditExport({ filters }: { filters: AuditFilters }) {
  const { account, client } = usePlace();
  const fetching = useMutation({
    mutationFn: async (format: Format) => {
      const text = await client.auditLogs.export(format, searchOf(filters, Date.now()));
      saveFile(text, `latchkey-audit-log-${account.slug}.${format}`, types[format]);
    },
    onError: (error) =>
      notifications.show({ color: "red", title: "Not exported", message: explain(error) }),
  });
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden />}
          loading={fetching.isPending}
        >
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconTable size={16} aria-hidden />}
          onClick={() => fetching.mutate("csv")}
        >
          CSV, for spreadsheets
        </Menu.Item>
        <Menu.Item
          leftSection={<IconBraces size={16} aria-hidden />}
          onClick={() => fetching.mutate("jsonl")}
        >
          JSON lines, for a SIEM
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
