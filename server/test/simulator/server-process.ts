import type { Lookup } from "@latchkey/sdk/core";
import type { Logger } from "pino";
import type { Ambient } from "../../src/ambient.ts";
import { updateAccount } from "../../src/domain/accounts.ts";
import { deleteEnvironment } from "../../src/domain/environments.ts";
import { draftKey, revokeKey } from "../../src/domain/keys.ts";
import { tokenMaker } from "../../src/domain/tokens.ts";
import type { Verification, VerificationOptions } from "../../src/domain/verification.ts";
import type { Revocation, Store } from "../../src/store/store.ts";
import type { StatementSurroundings } from "./flawed-store.ts";
import type { History, Token } from "./history.ts";
import { createJudging, type Judging } from "./judging.ts";
import { createClient, type Link, type Patience, type StoreClient, type Weather } from "./link.ts";
import { createMachine, type Life, type Machine } from "./machine.ts";
import type { MemoryStore, Subject } from "./memory-store.ts";
import type { Pipe } from "./pipe.ts";
import type { Random } from "./random.ts";
import { createStoreAccess, type RevokeStatement, SYSTEM } from "./store-access.ts";
import type { Timeline } from "./timeline.ts";

/** What all processes of a world share. */
export interface Surroundings {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly weather: Weather;
  readonly patience: Patience;
  readonly memory: MemoryStore;
  readonly history: History;
  readonly logger: Logger;
  readonly trace: (text: () => string) => void;
  readonly ran: () => void;
  /** The product's `createVerification`, or one with a planted flaw. */
  readonly assemble: (options: VerificationOptions) => Verification;
  /** Of a planted flaw; absent: the look-up as it is. */
  readonly appLookup?: (lookup: Lookup, after: Life["after"]) => Lookup;
  /** Of a planted flaw; absent: one atomic statement. */
  readonly revokeStatement?: (surroundings: StatementSurroundings) => RevokeStatement;
}

/** One server process on a machine of its own, as the world and its clients meet it. */
export interface ServerProcess extends Judging {
  readonly machine: Machine;
  readonly link: Link;
  readonly leaseMs: number;
  boot(): void;
  /** Dies at once and comes back after `ms`. */
  crash(ms: number): void;
  /** Stops cleanly, or is killed after `patienceMs`; comes back after `ms`. */
  stop(patienceMs: number, ms: number, servesOn: boolean): void;
  /** An app wants to be below this process. */
  accept(pipe: Pipe, holder: string): void;
  /** Revokes as the HTTP handlers do. `done` is not called when this life ends first. */
  revoke(subject: Subject, wait: boolean, done: (outcome: RevokeOutcome) => void): void;
  issue(environmentId: string, accountId: string, done: (token: Token) => void): void;
  /** Is told of a change, or that it may have missed some. */
  hear(seq: number | null): void;
  /** Edits something of a key: a change that revokes nothing. */
  edit(keyId: string): void;
}

/** `accepted`: recorded, its effect is not waited for. `failed`: may or may not have happened. */
type RevokeOutcome =
  | { kind: "effective"; revocation: Revocation }
  | { kind: "accepted" | "failed" };

interface Running {
  readonly life: Life;
  readonly client: StoreClient;
  readonly ambient: Ambient;
  readonly store: Store;
  readonly verification: Verification;
}

export function createServerProcess(
  name: string,
  leaseMs: number,
  surroundings: Surroundings,
): ServerProcess {
  const { timeline, random, memory, history, trace } = surroundings;
  const machine = createMachine(name, surroundings);
  const link: Link = { requestsCut: false, answersCut: false };
  const judging = createJudging(name, history);
  let running: Running | null = null;
  let pipes: Pipe[] = [];
  let ids = 0;
  let requests = 0;

  function ambientOf(life: Life): Ambient {
    return {
      nowMs: machine.wallMs,
      monoMs: machine.monoMs,
      randomBytes: random.bytes,
      sortableId: (prefix) => `${prefix}_${name}_${ids++}`,
      randomId: (prefix) => `${prefix}_${name}_${ids++}`,
      soon: (task) => timeline.after(random.between(0, 1), () => life.run(`soon ${ids++}`, task)),
      after: life.after,
    };
  }

  function boot(): void {
    if (machine.up) return;
    const life = machine.boot();
    const client = createClient({ ...surroundings, machine, link, life });
    const ambient = ambientOf(life);
    const revoke = surroundings.revokeStatement?.({ client, memory, timeline, random });
    const store = createStoreAccess({
      client,
      memory,
      machine,
      counts: history.counts,
      leaseMs,
      ...(revoke === undefined ? {} : { revoke }),
    });
    life.run("start", () => {
      const { logger } = surroundings;
      const verification = surroundings.assemble({ store, ambient, logger, leaseMs, label: name });
      running = { life, client, ambient, store, verification };
      verification.start().then(
        () => {
          if (!life.over) judging.judgeWith(verification.verify, handle);
        },
        () => {
          if (!life.over) die(random.between(20, 300)); // a process that cannot join ends, and is started again
        },
      );
    });
  }

  function die(comesBackAfterMs: number): void {
    if (!machine.up) return;
    machine.crash();
    running = null;
    judging.stop();
    for (const pipe of pipes) if (!pipe.over) pipe.abandon("down");
    pipes = [];
    timeline.after(comesBackAfterMs, boot);
  }

  /** Runs `task` as the handling of one request, now or when the machine resumes. */
  function handle(task: (process: Running) => void): void {
    const process = running;
    if (process === null || !judging.serving) return;
    process.life.run(`request ${requests++}`, () => task(process));
  }

  function origin(ambient: Ambient) {
    return {
      actor: SYSTEM,
      atMs: ambient.nowMs(),
      requestId: null,
      address: null,
      userAgent: null,
      eventId: ambient.sortableId("evt"),
    };
  }

  /** The real deeds of the domain: statement, then barrier. */
  async function revokeNow(process: Running, subject: Subject, wait: boolean) {
    const { ambient, store, verification } = process;
    const makeToken = tokenMaker(ambient.randomBytes, null);
    const deps = { barrier: verification.barrier, ambient, makeToken, store };
    const account = store.account("acc");
    switch (subject.kind) {
      case "key": {
        const ask = { reason: null, wait };
        return (await revokeKey(deps, account, subject.id, ask, origin(ambient), null)).revocation;
      }
      case "environment":
        return deleteEnvironment(deps, account, subject.id, origin(ambient));
      case "account": {
        const edit = { suspended: true };
        return (await updateAccount(deps, subject.id, edit, origin(ambient))).revocation;
      }
    }
  }

  return {
    machine,
    link,
    leaseMs,
    ...judging,
    get serving() {
      return judging.serving;
    },
    boot,
    crash(ms) {
      if (!machine.up) return;
      history.counts.crashes += 1;
      die(ms);
    },
    stop(patienceMs, ms, servesOn) {
      const process = running;
      if (process === null || machine.paused || !judging.serving) return;
      history.counts.stops += 1;
      trace(() => `${name} stops`);
      machine.disturbedMs = timeline.nowMs;
      if (!servesOn) judging.stop();
      const exit = (): void => {
        if (!process.life.over) die(ms);
      };
      process.life.run("stop", () => {
        process.verification.stop().then(exit, exit);
      });
      timeline.after(patienceMs, exit);
    },
    accept(pipe, holder) {
      const process = running;
      if (process === null || !judging.serving) return pipe.abandon("down");
      pipes = [...pipes.filter((each) => !each.over), pipe];
      process.life.run(`request ${requests++}`, () => {
        const side = pipe.accept(process.life, {
          frame: (frame) => session.receive(frame),
          closed: () => session.closed(),
        });
        const session = process.verification.below.open(side, { id: holder, digest: holder });
      });
    },
    revoke(subject, wait, done) {
      handle((process) => {
        trace(() => `-- ${name} is asked to revoke ${subject.kind} ${subject.id}`);
        revokeNow(process, subject, wait).then(
          (revocation) => {
            if (process.life.over) return;
            if (revocation === null || revocation.effectiveAtMs === null)
              done({ kind: "accepted" });
            else done({ kind: "effective", revocation });
          },
          () => {
            if (!process.life.over) done({ kind: "failed" });
          },
        );
      });
    },
    issue(environmentId, accountId, done) {
      handle(({ client, ambient }) => {
        const makeToken = tokenMaker(ambient.randomBytes, null);
        const draft = { type: "secret", description: "", metadata: {}, expiresAtMs: null } as const;
        const { record, token } = draftKey({ ambient, makeToken }, draft);
        client
          .call(`createKey ${record.id}`, () => memory.createKey(record, environmentId, accountId))
          .then(
            (created) => {
              if (created) done({ token, key: { id: record.id, environmentId, accountId } });
            },
            () => {}, // the token was given to nobody
          );
      });
    },
    hear(seq) {
      handle(({ verification }) => void verification.barrier.publish(seq));
    },
    edit(keyId) {
      handle(({ client, verification }) => {
        client
          .call(`edit ${keyId}`, () => memory.touch({ kind: "key", id: keyId }))
          .then(
            () => verification.barrier.publish(),
            () => {},
          );
      });
    },
  };
}
