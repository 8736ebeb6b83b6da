import {
  ActionIcon,
  Button,
  CloseButton,
  type CSSVariablesResolver,
  createTheme,
  Drawer,
  type MantineColorsTuple,
  Menu,
  Modal,
  PasswordInput,
  Table,
  Tooltip,
} from "@mantine/core";
import { Notifications } from "@mantine/notifications";

const cobalt: MantineColorsTuple = [
  "#eef2ff",
  "#dfe6fd",
  "#bccaf7",
  "#95abf1",
  "#8aa4f8",
  "#5f80e6",
  "#3f63d8",
  "#2f51c2",
  "#2745a8",
  "#223a8f",
];

/** Cool neutrals for the dark scheme; 7 is the page, 6 what lies on it, 2 is still readable on both. */
const dark: MantineColorsTuple = [
  "#d5d9e2",
  "#bcc2cf",
  "#9aa2b3",
  "#6f788b",
  "#3a4150",
  "#2c323f",
  "#1d222c",
  "#14181f",
  "#10131a",
  "#0b0d12",
];

/** Darker from 6 on than Mantine's own, so that white text on them passes AA. */
const red: MantineColorsTuple = [
  "#fff1f1",
  "#ffe1e1",
  "#fcc3c4",
  "#f8a0a1",
  "#f58485",
  "#ec5f61",
  "#cc3034",
  "#c0282c",
  "#b71f25",
  "#9f1820",
];

const closeLabel = { "aria-label": "Close" };

/** Colours and defaults that pass WCAG AA in both schemes; axe holds them to it in the browser tests. */
export const theme = createTheme({
  primaryColor: "cobalt",
  primaryShade: { light: 7, dark: 6 },
  colors: { cobalt, dark, red },
  black: "#171a21",
  autoContrast: true,
  luminanceThreshold: 0.25,
  respectReducedMotion: true,
  cursorType: "pointer",
  defaultRadius: "md",
  radius: { sm: "5px", md: "7px", lg: "12px" },
  fontFamily:
    'ui-sans-serif, system-ui, -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  headings: { fontWeight: "650" },
  components: {
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray" } }),
    Button: Button.extend({ defaultProps: { size: "sm" } }),
    CloseButton: CloseButton.extend({ defaultProps: closeLabel }),
    Drawer: Drawer.extend({ defaultProps: { closeButtonProps: closeLabel } }),
    // The placeholder that would take the first focus is no valid child of a menu.
    Menu: Menu.extend({ defaultProps: { shadow: "md", withInitialFocusPlaceholder: false } }),
    Modal: Modal.extend({
      defaultProps: {
        centered: true,
        padding: "lg",
        radius: "lg",
        closeButtonProps: closeLabel,
        overlayProps: { backgroundOpacity: 0.45 },
        transitionProps: { duration: 120, transition: "fade" },
      },
    }),
    Notifications: Notifications.extend({ defaultProps: { position: "bottom-right" } }),
    PasswordInput: PasswordInput.extend({
      defaultProps: { visibilityToggleButtonProps: { "aria-label": "Show password" } },
    }),
    Table: Table.extend({ defaultProps: { verticalSpacing: "sm", horizontalSpacing: "md" } }),
    Tooltip: Tooltip.extend({
      defaultProps: { withArrow: true, events: { hover: true, focus: true, touch: true } },
    }),
  },
});

/** Text colours that Mantine ships below AA, and the surfaces of the shell. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#596172",
    "--mantine-color-placeholder": "#6b7385",
    "--mantine-color-error": "#b71f25",
    "--mantine-color-default-border": "#d8dce5",
    "--mantine-color-disabled-color": "#6b7385",
    "--mantine-color-green-light": "#e3f4e6",
    "--mantine-color-green-light-color": "#1c6330",
    "--mantine-color-red-light": "#fdeaea",
    "--mantine-color-red-light-color": "#9f1820",
    "--mantine-color-yellow-light": "#fdf3d7",
    "--mantine-color-yellow-light-color": "#7a4b00",
    "--mantine-color-cobalt-light": "#eef2ff",
    "--mantine-color-cobalt-light-color": "#223a8f",
  },
  dark: {
    "--mantine-color-dimmed": "#9aa2b3",
    "--mantine-color-placeholder": "#8790a3",
    "--mantine-color-error": "#f58485",
    "--mantine-color-default-border": "#323947",
    "--mantine-color-disabled-color": "#8790a3",
    "--mantine-color-green-light": "#16291c",
    "--mantine-color-green-light-color": "#7fd796",
    "--mantine-color-red-light": "#34191c",
    "--mantine-color-red-light-color": "#f8a0a1",
    "--mantine-color-yellow-light": "#2e2613",
    "--mantine-color-yellow-light-color": "#edc46a",
    "--mantine-color-cobalt-light": "#1f2942",
    "--mantine-color-cobalt-light-color": "#bccaf7",
  },
});
