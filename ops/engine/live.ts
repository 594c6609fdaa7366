import type { WriteStream } from "node:tty";
import type { Log } from "../log";
import type { RunModel } from "./events";
import { progressLine, progressTree } from "./render";

export interface Live {
  show(model: RunModel): void;
  /** Takes the tree off the screen, so that the report can take its place. */
  clear(): void;
}

/** Lines of the log go above the tree, not through it. */
export function logAbove(live: Live | undefined, log: Log): Log {
  return {
    info: (line) => {
      live?.clear();
      log.info(line);
    },
    warn: (line) => {
      live?.clear();
      log.warn(line);
    },
  };
}

/** Milliseconds between two pictures of the tree. */
const frameMs = 100;

/** Progress on stderr: a tree that is redrawn on a terminal; elsewhere a line for each resource that is done or says how far it is. */
export function liveProgress(stream: WriteStream): Live {
  return stream.isTTY ? redrawn(stream) : lineByLine(stream);
}

function redrawn(stream: WriteStream): Live {
  let drawn = 0;
  let last = 0;
  const look = { color: stream.hasColors() };
  const clear = () => {
    if (drawn > 0) stream.write(`\x1b[${drawn}A\x1b[0J`);
    drawn = 0;
  };
  return {
    show: (model) => {
      if (Date.now() - last < frameMs) return;
      last = Date.now();
      // Wrapped lines would break the count of lines to go back.
      stream.write("\x1b[?7l");
      clear();
      const lines = progressTree(model, (stream.rows || 24) - 1, look);
      stream.write(`${lines.join("\n")}\n\x1b[?7h`);
      drawn = lines.length;
    },
    clear,
  };
}

function lineByLine(stream: WriteStream): Live {
  const told = new Map<string, string>();
  return {
    show: (model) => {
      for (const resource of model.resources.values()) {
        const news = resource.status === "running" ? resource.progress : "ended";
        if (resource.op === "same" || news === undefined) continue;
        if ([news, "ended"].includes(told.get(resource.urn) ?? "")) continue;
        told.set(resource.urn, news);
        stream.write(`${progressLine(resource, model.operation, { color: false })}\n`);
      }
    },
    clear: () => {},
  };
}
