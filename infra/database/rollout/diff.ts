import type { dynamic } from "@pulumi/pulumi";
import type { RolloutInputs } from "./resource";

/** Of two statements of what the members are to run. By itself: a preview needs nothing else of the rollout. */
export function diff(olds: RolloutInputs, news: RolloutInputs): dynamic.DiffResult {
  const keys = Object.keys(news).filter((key) => key !== "__provider") as (keyof RolloutInputs)[];
  const changed = keys.some((key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]));
  return { changes: changed, replaces: olds.colour === news.colour ? [] : ["colour"] };
}
