/** Messages to the people who watch the engine, each about one resource. */
import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

export class EngineLog {
  private client: EngineClient | undefined;
  private readonly told = new Map<string, string>();
  private readonly once = new Set<string>();

  /** @param address of the engine, as it tells when it attaches */
  connect(address: string): void {
    this.client = new EngineClient(address, credentials.createInsecure());
  }

  warn(urn: string, message: string): void {
    this.send(urn, message, LogSeverity.WARNING, false);
  }

  /** What many resources would repeat is said of the first. */
  warnOnce(urn: string, message: string): void {
    if (this.once.has(message)) return;
    this.once.add(message);
    this.warn(urn, message);
  }

  /** Shown while it is so, and not kept; "" takes it back. */
  status(urn: string, message: string): void {
    if ((this.told.get(urn) ?? "") === message) return;
    this.told.set(urn, message);
    this.send(urn, message, LogSeverity.INFO, true);
  }

  private send(urn: string, message: string, severity: LogSeverity, ephemeral: boolean): void {
    const request = new LogRequest().setUrn(urn).setMessage(message);
    request.setSeverity(severity).setEphemeral(ephemeral);
    // Nothing depends on a message that the engine doesn't take, e.g. because it is ending.
    this.client?.log(request, () => undefined);
  }
}
