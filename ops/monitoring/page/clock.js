// The service's time: "3 minutes ago" must not depend on whether this computer's clock is right.

/** Of the way back and of rounding: less is no wrong clock. */
const slackMilliseconds = 30_000;

let ahead = 0;

/** Milliseconds since 1970. */
export function now() {
  return Date.now() + ahead;
}

/** @param {string} at what the service says it is now */
export function learnTime(at) {
  const difference = Date.parse(at) - Date.now();
  ahead = Math.abs(difference) > slackMilliseconds ? difference : 0;
}
