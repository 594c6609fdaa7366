import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * Stands between a client and a server on loopback: `open` passes everything on, `away` cuts connections, `hanging` takes them and
 * says nothing, as a node does that was lost.
 */
export class Relay {
  /** Connections that were ever asked for. */
  connections = 0;
  private mode: "open" | "away" | "hanging" = "open";
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {}

  static async start(target: number): Promise<Relay> {
    const server = createServer();
    const relay = new Relay(server, target);
    server.on("connection", (socket) => relay.accept(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on; what is connected is cut, but for `hanging`, where it stays without an answer. */
  become(mode: "open" | "away" | "hanging"): void {
    this.mode = mode;
    for (const socket of this.sockets) {
      if (mode === "hanging") socket.pause().unpipe();
      else socket.destroy();
    }
  }

  async stop(): Promise<void> {
    this.become("away");
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: Socket): void {
    this.connections += 1;
    this.track(client);
    if (this.mode === "away") client.destroy();
    if (this.mode !== "open") return;
    const server = connect(this.target, "127.0.0.1");
    this.track(server);
    client.pipe(server).pipe(client);
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => this.sockets.delete(socket));
  }
}
