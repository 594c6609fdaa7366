// Colours of values: green is well, orange is for the morning, red hurts somebody now or soon.
import {
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";

export type Steps = readonly Threshold[];

const colours = { well: "green", soon: "orange", now: "red", neutral: "blue" } as const;

/** Nothing about it is good or bad. */
export const neutral: Steps = [{ value: null, color: colours.neutral }];

/** Bad when it is large: orange from `soon` on, red from `now` on. */
export function worseAbove(soon: number, now?: number): Steps {
  return [
    { value: null, color: colours.well },
    { value: soon, color: colours.soon },
    ...(now === undefined ? [] : [{ value: now, color: colours.now }]),
  ];
}

/** Bad when it is small: green from `well` on, orange from `soon` on, red below. */
export function worseBelow(well: number, soon: number): Steps {
  return [
    { value: null, color: colours.now },
    { value: soon, color: colours.soon },
    { value: well, color: colours.well },
  ];
}

/** Red from `now` on, and nothing in between. */
export function redFrom(now: number): Steps {
  return [
    { value: null, color: colours.well },
    { value: now, color: colours.now },
  ];
}

/** Only this whole number is well. */
export function only(value: number): Steps {
  return [
    { value: null, color: colours.now },
    { value, color: colours.well },
    { value: value + 1, color: colours.now },
  ];
}

export function thresholds(steps: Steps): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...steps]);
}
