// Shell text of a machine's first process: sets the machine up and keeps its programs running. Pure.
import { kubernetesMount, machineMount } from "./tools";

/** A program that a machine keeps running, with its log in /machine/log/NAME.log. */
export interface Daemon {
  readonly name: string;
  readonly command: readonly string[];
}

/** While this file is there, a machine's program is not started again when it ends. */
export function holdFile(folder: string, daemon: string): string {
  return `${folder}/hold-${daemon}`;
}

/** @param setup lines to run before any program */
export function initScript(setup: readonly string[], daemons: readonly Daemon[]): string {
  return `set -eu
PATH=${kubernetesMount}:/usr/sbin:/usr/bin:/sbin:/bin
export PATH HOME=/tmp
keep() {
  name=$1
  shift
  while :; do
    while [ -e ${holdFile(machineMount, "$name")} ]; do sleep 0.1; done
    "$@" >>${machineMount}/log/$name.log 2>&1 || true
    sleep 0.3
  done
}
# Connections of programs that were killed must not keep the network of a machine that is gone.
sysctl -qw net.ipv4.tcp_orphan_retries=1
${setup.join("\n")}
${daemons.map(({ name, command }) => `keep ${[name, ...command].map(quote).join(" ")} &`).join("\n")}
# Takes in what others leave orphaned, too.
while :; do wait; done
`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
