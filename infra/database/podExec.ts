// Commands inside a pod, through the API server.
import { PassThrough, type Readable } from "node:stream";
import { Exec, type KubeConfig, type V1Status } from "@kubernetes/client-node";
import { UserError } from "../errors";

export interface PodPlace {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface PodExecOptions {
  /** What it reads. */
  readonly stdin?: Readable;
  /** Milliseconds after which it is given up. @default 30 s */
  readonly timeoutMs?: number;
}

/**
 * Runs a command and returns what it printed.
 *
 * @throws UserError with its error output when it fails, or when it takes too long
 */
export async function podExec(
  config: KubeConfig,
  place: PodPlace,
  command: string[],
  { stdin, timeoutMs = 30_000 }: PodExecOptions = {},
): Promise<string> {
  const output = collect();
  const errors = collect();
  const status = await new Promise<V1Status>((resolve, reject) => {
    const timer = setTimeout(() => reject(execError(place, command, "no answer")), timeoutMs);
    new Exec(config)
      .exec(
        place.namespace,
        place.pod,
        place.container,
        command,
        output.stream,
        errors.stream,
        stdin ?? null,
        false,
        (status) => {
          clearTimeout(timer);
          resolve(status);
        },
      )
      .catch((error: Error) => {
        clearTimeout(timer);
        reject(execError(place, command, error.message || "the connection was refused"));
      });
  });
  if (status.status === "Success") return output.text();
  throw execError(place, command, errors.text().trim() || status.message || "it failed");
}

function collect() {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString("utf8") };
}

function execError({ namespace, pod }: PodPlace, [program]: string[], reason: string): UserError {
  return new UserError(`${program} in pod ${namespace}/${pod}: ${reason}`, {
    fix: `look at the pod: kubectl describe pod -n ${namespace} ${pod}`,
  });
}
