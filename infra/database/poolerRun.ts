import { poolerMounts, poolerPaths } from "./poolerPlaces";

/** Seconds after kubelet has put changed files in place until PgBouncer reads them. */
const lookEvery = 5;

/**
 * `run.sh`: PgBouncer's first process. Plain sh: the image has no more.
 *
 * @param mounts folders that kubelet keeps up to date
 */
export function renderRun(mounts: readonly string[] = Object.values(poolerMounts)): string {
  return `#!/bin/sh
# Runs PgBouncer, lets it read changed files again, and ends it without breaking transactions.
# Made by infra/database/poolerRun.ts.
set -u

# Kubelet changes all files of a mounted ConfigMap or Secret at once, by pointing ..data elsewhere.
mounted() {
  for mount in ${mounts.join(" ")}; do
    readlink "$mount/..data"
  done
}

pgbouncer ${poolerPaths.pgbouncerIni} &
pgbouncer=$!

(
  known=$(mounted)
  while sleep ${lookEvery}; do
    now=$(mounted)
    if [ "$now" != "$known" ]; then
      echo "mounted files have changed: reading them again"
      kill -HUP "$pgbouncer"
      known=$now
    fi
  done
) &
watching=$!

# SIGTERM would let PgBouncer wait until the last client has left, and applications keep their connections: it would be
# killed in the middle of transactions. SIGINT ends it when those under way have finished.
trap 'kill -INT "$pgbouncer"' TERM INT

# A trap ends wait, too.
while wait "$pgbouncer"; code=$?; kill -0 "$pgbouncer" 2>/dev/null; do :; done
kill "$watching"
exit "$code"
`;
}
