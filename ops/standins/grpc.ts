/** What every stand-in needs of gRPC: a port, requests answered by promises, and whose request it is. */
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { UserError } from "../../infra/errors";

export interface Served {
  readonly port: number;
  /** Takes no more work, and resolves when what is under way has been answered, or after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Listens on loopback, on a port of the system's choice.
 *
 * @param hurry ends what only waits, before the server stops
 */
export async function listen(service: UntypedServiceImplementation, hurry?: () => void): Promise<Served> {
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(ResourceProviderService, service);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    stop: (graceMs) =>
      new Promise((resolve) => {
        hurry?.();
        const timer = setTimeout(() => {
          server.forceShutdown();
          resolve();
        }, graceMs);
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

/** A message that goes to the engine beside an error, e.g. what is there of an object that failed halfway. */
export interface Detail {
  readonly type: string;
  readonly message: { serializeBinary(): Uint8Array };
}

/** An error that tells the engine more than its text. */
export class DetailedError extends Error {
  constructor(
    message: string,
    readonly detail: Detail,
  ) {
    super(message);
  }
}

/** Answers a request with what `work` resolves to, or with its error, explained. */
export function unary<Request, Response>(
  work: (call: ServerUnaryCall<Request, Response>) => Promise<Response>,
) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    work(call).then(
      (response) => callback(null, response),
      (error: unknown) =>
        callback({ code: status.UNKNOWN, details: explained(error), metadata: details(error) }),
    );
  };
}

function explained(error: unknown): string {
  if (error instanceof UserError) return `${error.message}\nfix: ${error.fix}`;
  return error instanceof Error ? error.message : String(error);
}

function details(error: unknown): Metadata {
  const metadata = new Metadata();
  if (!(error instanceof DetailedError)) return metadata;
  const any = new Any();
  any.pack(error.detail.message.serializeBinary(), error.detail.type);
  const told = new Status().setCode(status.UNKNOWN).setMessage(error.message).setDetailsList([any]);
  metadata.set("grpc-status-details-bin", Buffer.from(told.serializeBinary()));
  return metadata;
}

/**
 * One process serves all providers of its package in a program (the default one and explicit ones), each with a
 * configuration of its own. Requests don't say whose they are, but each provider has its connection.
 */
export class PerConnection<T> {
  private readonly all = new Map<string, T>();

  constructor(private readonly name: string) {}

  set(call: { getPeer(): string }, value: T): void {
    this.all.set(call.getPeer(), value);
  }

  get(call: { getPeer(): string }): T {
    const found = this.all.get(call.getPeer()) ?? (this.all.size === 1 ? this.values()[0] : undefined);
    if (found !== undefined) return found;
    throw new UserError(`the ${this.name} stand-in lost track of which provider this connection belongs to`, {
      fix: "run the command again",
    });
  }

  values(): T[] {
    return [...this.all.values()];
  }
}

/** `urn:pulumi:stack::project::parent$type::name` → `type`. */
export function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? urn;
}

/** `urn:pulumi:stack::project::type::name` → `name`. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
