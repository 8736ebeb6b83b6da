import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./style.css";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { takeLinkSecret } from "./link-secrets.ts";
import { pageNonce, shareNonce } from "./nonce.ts";
import { makeRouter } from "./router.tsx";
import { makeQueryClient } from "./session.ts";
import { cssVariables, theme } from "./theme.ts";

takeLinkSecret();
shareNonce();

const queryClient = makeQueryClient(() => {
  const { pathname, search } = window.location;
  void router
    .navigate({ to: "/sign-in", search: { to: pathname + search }, replace: true })
    .then(() => queryClient.clear());
});
const router = makeRouter(queryClient);
const nonce = pageNonce();
// The same name as in index.html, which sets the scheme before the first paint.
const colorSchemeManager = localStorageColorSchemeManager({ key: "latchkey-color-scheme" });

const root = document.getElementById("root");
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={cssVariables}
        colorSchemeManager={colorSchemeManager}
        defaultColorScheme="auto"
        getStyleNonce={() => nonce}
      >
        <QueryClientProvider client={queryClient}>
          <Notifications />
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
