import type { AuditLogJson } from "@latchkey/sdk/client";
import { ActionIcon, Button, Code } from "@mantine/core";
import {
  IconArrowRight,
  IconBuilding,
  IconChevronDown,
  IconChevronUp,
  IconKey,
  IconMail,
  IconPlugConnected,
  IconStack2,
  IconUser,
} from "@tabler/icons-react";
import { Fragment, useId, useState } from "react";
import type { AuditFilters } from "../audit-api.ts";
import { factsOf, moodOf, type Part, plainly, sentenceOf } from "../audit-words.ts";
import { formatMoment } from "../times.ts";
import styles from "./audit.module.css";
import { KeyLink } from "./key-cells.tsx";
import { Moment } from "./moment.tsx";

interface AuditEntryProps {
  entry: AuditLogJson;
  nowMs: number;
  /** Narrows the log to what this entry has in common with others. */
  onOnly: (filters: AuditFilters) => void;
}

/** One change: a sentence, from where and when; and all that is known of it on demand. */
export function AuditEntry({ entry, nowMs, onOnly }: AuditEntryProps) {
  const [open, setOpen] = useState(false);
  const moreId = useId();
  const parts = sentenceOf(entry);
  const Picture = pictures[entry.subject.type] ?? IconUser;
  const Chevron = open ? IconChevronUp : IconChevronDown;
  return (
    <li className={`${styles.entry} ${open ? styles.open : ""}`}>
      <div className={styles.head}>
        <span className={styles.picture} data-mood={moodOf(entry.action)}>
          <Picture size={16} stroke={1.8} aria-hidden />
        </span>
        <div>
          <p className={styles.sentence}>
            <strong>{entry.actor.name}</strong> <Sentence parts={parts} entry={entry} />
          </p>
          <About entry={entry} />
        </div>
        <span className={styles.when}>
          <Moment at={entry.at} nowMs={nowMs} />
        </span>
        <ActionIcon
          aria-label={`Details: ${entry.actor.name} ${plainly(parts)}`}
          aria-expanded={open}
          aria-controls={moreId}
          onClick={() => setOpen(!open)}
        >
          <Chevron size={16} aria-hidden />
        </ActionIcon>
      </div>
      <div id={moreId} hidden={!open}>
        {open ? <More entry={entry} onOnly={onOnly} /> : null}
      </div>
    </li>
  );
}

const pictures: Record<string, typeof IconKey> = {
  account: IconBuilding,
  environment: IconStack2,
  api_key: IconKey,
  access_token: IconPlugConnected,
  person: IconUser,
  invitation: IconMail,
  sign_in_link: IconMail,
};

function Sentence({ parts, entry }: { parts: readonly Part[]; entry: AuditLogJson }) {
  return parts.map((part) => {
    if (typeof part === "string") return <Fragment key={part}>{part}</Fragment>;
    if ("name" in part) return <strong key={part.name}>{part.name}</strong>;
    const { id, hint, description } = part.key;
    return (
      <Fragment key={id}>
        <KeyLink id={id} hint={hint} environment={entry.environment ?? undefined} />
        {description === "" ? "" : ` (${description})`}
      </Fragment>
    );
  });
}

const programs: Record<string, string> = {
  service_token: "service token",
  operator: "the operator",
  command_line: "command line",
  system: "by itself",
};

/** Where it was done from, in which environment, and why. */
function About({ entry: { actor, environment, address, details } }: { entry: AuditLogJson }) {
  const program = programs[actor.type];
  const said = typeof details.reason === "string" && details.reason !== "" ? details.reason : null;
  return (
    <p className={styles.about}>
      {said === null ? null : <span>“{said}”</span>}
      {program === undefined ? null : <span>{program}</span>}
      {environment === null ? null : <span>{environment}</span>}
      {address === null ? null : <span>{address}</span>}
    </p>
  );
}

function More({ entry, onOnly }: Pick<AuditEntryProps, "entry" | "onOnly">) {
  const { actor, api_key, subject } = entry;
  return (
    <div className={styles.more}>
      <dl className={styles.facts}>
        {factsOf(entry).map(({ name, now, before }) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>
              {before === undefined ? null : (
                <>
                  <del className={styles.before}>{before}</del>{" "}
                  <IconArrowRight size={13} aria-label="became" />{" "}
                </>
              )}
              {now}
            </dd>
          </Fragment>
        ))}
        <dt>When</dt>
        <dd>{formatMoment(entry.at)}</dd>
        <dt>Who</dt>
        <dd>
          {actor.name}, {actor.type.replaceAll("_", " ")} <Code>{actor.id}</Code>
        </dd>
        <dt>What</dt>
        <dd>
          {subject.type.replaceAll("_", " ")} <Code>{subject.id}</Code>
        </dd>
        {entry.address === null ? null : (
          <>
            <dt>From</dt>
            <dd>{entry.address}</dd>
          </>
        )}
        {entry.user_agent === null ? null : (
          <>
            <dt>User agent</dt>
            <dd>{entry.user_agent}</dd>
          </>
        )}
        {entry.request_id === null ? null : (
          <>
            <dt>Request id</dt>
            <dd>
              <Code>{entry.request_id}</Code>
            </dd>
          </>
        )}
        <dt>Entry</dt>
        <dd>
          <Code>{entry.action}</Code> <Code>{entry.id}</Code>
        </dd>
      </dl>
      <div className={styles.only}>
        <Button variant="default" size="compact-xs" onClick={() => onOnly({ actor: actor.id })}>
          Only by {actor.name}
        </Button>
        {api_key === null ? (
          <Button
            variant="default"
            size="compact-xs"
            onClick={() => onOnly({ subject: subject.id })}
          >
            Only about {subject.name ?? "this"}
          </Button>
        ) : (
          <Button variant="default" size="compact-xs" onClick={() => onOnly({ key: api_key.id })}>
            Only {api_key.hint}
          </Button>
        )}
      </div>
    </div>
  );
}
