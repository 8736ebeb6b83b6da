import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { explain } from "../failures.ts";
import { saveFile } from "../save-file.ts";

interface ExportCsvProps {
  /** The file's name, without its ending. */
  fileName: string;
  /** Fetches the table; it goes through the page, for a link could not name the account. */
  read: () => Promise<string>;
}

/** Downloads what the page shows as a table for spreadsheets. */
export function ExportCsv({ fileName, read }: ExportCsvProps) {
  const fetching = useMutation({
    mutationFn: async () => saveFile(await read(), `${fileName}.csv`, "text/csv"),
    onError: (error) =>
      notifications.show({ color: "red", title: "Not exported", message: explain(error) }),
  });
  return (
    <Button
      variant="default"
      leftSection={<IconDownload size={16} aria-hidden />}
      loading={fetching.isPending}
      onClick={() => fetching.mutate()}
    >
      Export CSV
    </Button>
  );
}
