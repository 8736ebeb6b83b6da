import type { Connection, Downward, Upward } from "@latchkey/sdk/core";
import type { Weather } from "./link.ts";
import type { Life } from "./machine.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** What one end of a pipe does with what arrives. */
export interface End<In> {
  frame(frame: In): void;
  closed(): void;
}

/** A connection between an app and a server: each direction keeps its order, and can be stalled or dead by itself. */
export interface Pipe {
  readonly names: string;
  /** Lets the server's life take it; returns the server's side. */
  accept(life: Life, end: End<Upward>): Connection<Downward>;
  /** Nobody accepts it, or the process at that end died. The other end may never hear of it. */
  abandon(by: Direction): void;
  /** Holds back what travels `direction` for `ms`. */
  stall(direction: Direction, ms: number): void;
  /** Loses everything that travels `direction` from now on. */
  kill(direction: Direction): void;
  /** Neither end uses it any more. */
  readonly over: boolean;
}

type Direction = "up" | "down";

export interface PipeSurroundings {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly weather: Weather;
  readonly trace: (text: () => string) => void;
}

/** Most processes that die take their connections with them in a way that the other end sees. */
const SEEN_TO_END = 0.7;

/** Opens a pipe from the life of an app; its frames travel once the server has accepted it. */
export function openPipe(
  surroundings: PipeSurroundings,
  names: string,
  life: Life,
  end: End<Downward>,
): { pipe: Pipe; side: Connection<Upward> } {
  const { random } = surroundings;
  const source = `pipe ${names}`;
  const up = createLane<Upward>(surroundings, source);
  const down = createLane<Downward>(surroundings, source);
  down.arriveAt(life, end);
  const close = (mine: typeof up | typeof down, other: typeof up | typeof down): void => {
    mine.sendEnd();
    other.arriveNowhere();
  };
  const pipe: Pipe = {
    names,
    accept(serverLife, serverEnd) {
      up.arriveAt(serverLife, serverEnd);
      return { send: down.send, close: () => close(down, up) };
    },
    abandon(by) {
      const [mine, other] = by === "up" ? [up, down] : [down, up];
      if (random.chance(SEEN_TO_END)) mine.sendEnd();
      else mine.sendNothing();
      other.arriveNowhere();
    },
    stall: (direction, ms) => (direction === "up" ? up : down).stall(ms),
    kill: (direction) => (direction === "up" ? up : down).kill(),
    get over() {
      return up.over && down.over;
    },
  };
  return { pipe, side: { send: up.send, close: () => close(up, down) } };
}

/** One direction. */
function createLane<Frame>(surroundings: PipeSurroundings, source: string) {
  const { timeline, random, weather, trace } = surroundings;
  let to: { life: Life; end: End<Frame> } | null = null;
  let lastMs = 0;
  let stalledUntilMs = 0;
  let sending = true;
  let arriving = true;
  let dead = false;

  function transmit(handle: (end: End<Frame>) => void): void {
    if (dead || !sending || !arriving) return;
    const delayMs = weather.delayMinMs + random.exponential(weather.delayMeanMs);
    lastMs = Math.max(lastMs, timeline.nowMs + delayMs);
    timeline.at(lastMs, function deliver() {
      if (timeline.nowMs < stalledUntilMs) {
        timeline.at(stalledUntilMs, deliver);
        return;
      }
      const target = to;
      if (dead || !arriving || target === null) return;
      target.life.run(source, () => {
        if (arriving) handle(target.end);
      });
    });
  }

  return {
    arriveAt(life: Life, end: End<Frame>) {
      to = { life, end };
    },
    arriveNowhere() {
      arriving = false;
    },
    send: (frame: Frame) =>
      transmit((end) => {
        trace(() => `${source} ${JSON.stringify(frame)}`);
        end.frame(frame);
      }),
    sendEnd() {
      transmit((end) => end.closed());
      sending = false;
    },
    sendNothing() {
      sending = false;
    },
    stall(ms: number) {
      stalledUntilMs = Math.max(stalledUntilMs, timeline.nowMs + ms);
    },
    kill() {
      dead = true;
    },
    get over() {
      return !sending || !arriving;
    },
  };
}
