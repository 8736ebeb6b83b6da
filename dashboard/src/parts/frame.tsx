import { ActionIcon, Drawer, Skeleton, Stack, VisuallyHidden } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMenu2 } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { AccountMenu } from "./account-menu.tsx";
import { EnvironmentSwitcher } from "./environment-switcher.tsx";
import styles from "./frame.module.css";
import { Logo } from "./logo.tsx";
import { PageName, SideNav } from "./side-nav.tsx";

/** The frame around each page: sidebar (a drawer on phones), top bar, and the page. */
export function Frame({ children }: { children: ReactNode }) {
  const [drawerOpen, drawer] = useDisclosure(false);
  return (
    <div className={styles.frame}>
      <a href="#main" className="skip-link">
        Skip to content
      </a>
      <aside className={styles.sidebar} aria-label="Sidebar">
        <div className={styles.brand}>
          <Logo />
        </div>
        <SideNav />
      </aside>
      <Drawer opened={drawerOpen} onClose={drawer.close} title={<Logo />} size={280} padding="md">
        <SideNav onNavigate={drawer.close} />
      </Drawer>
      <div className={styles.column}>
        <header className={styles.top}>
          <ActionIcon
            className={styles.burger}
            size="lg"
            aria-label="Open navigation"
            aria-expanded={drawerOpen}
            onClick={drawer.open}
          >
            <IconMenu2 size={20} aria-hidden />
          </ActionIcon>
          <AccountMenu />
          <span className={styles.slash} aria-hidden="true">
            /
          </span>
          <EnvironmentSwitcher />
          <span className={`${styles.slash} ${styles.wide}`} aria-hidden="true">
            /
          </span>
          <span className={styles.wide}>
            <PageName />
          </span>
        </header>
        <main id="main" tabIndex={-1} className={styles.main}>
          {children}
        </main>
      </div>
    </div>
  );
}

/** The frame while it is not known yet whose it is. */
export function FrameSkeleton() {
  return (
    <div className={styles.frame} role="status">
      <VisuallyHidden>Loading…</VisuallyHidden>
      <aside className={styles.sidebar}>
        <div className={styles.brand}>
          <Logo />
        </div>
        <Stack gap="sm" px="xs">
          <Skeleton height={12} width={70} />
          <Skeleton height={28} />
          <Skeleton height={12} width={70} mt="md" />
          <Skeleton height={28} />
        </Stack>
      </aside>
      <div className={styles.column}>
        <header className={styles.top}>
          <Skeleton height={22} width={220} />
        </header>
        <div className={styles.main}>
          <Skeleton height={30} width={180} mb="xl" />
          <Skeleton height={240} />
        </div>
      </div>
    </div>
  );
}
