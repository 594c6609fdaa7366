/**
 * Serves one engine to PostgreSQL clients on loopback, one client at a time.
 *
 * Ours instead of pglite-socket, because that one (0.0.19) was seen to kill the engine with any message above
 * 64 KB (a 10,000-row UNNEST), to leave a dead client's open transaction to the next client, and to starve
 * waiting clients when the one before them is reset.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { Engine } from "./engine";
import { loopback } from "./loopback";
import { Batches, errorMessage, firstPacketKind, isCopyFromStdin } from "./messages";

export class Frontend {
  private readonly sockets = new Set<Socket>();
  /** The end of the queue of clients. */
  private lastTurn: Promise<void>;

  private constructor(
    private readonly server: Server,
    /** Resolves when clients may be served; they can connect and wait before that. */
    private readonly engine: Promise<Engine>,
    /** Called once when the engine died; nothing can be served after that. */
    private readonly onDeath: (error: unknown) => void,
  ) {
    this.lastTurn = engine.then(
      () => undefined,
      () => undefined,
    );
    server.on("connection", (socket) => this.accept(socket));
  }

  /**
   * Listens on loopback; port 0 takes any free one.
   * @throws the socket's error, e.g. with code EADDRINUSE.
   */
  static async listen(
    port: number,
    engine: Promise<Engine>,
    onDeath: (error: unknown) => void,
  ): Promise<Frontend> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host: loopback }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    return new Frontend(server, engine, onDeath);
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === "string") throw new Error("not listening");
    return address.port;
  }

  /** Takes no new clients and drops the present ones; resolves when the running statement is done. */
  async close(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await this.lastTurn;
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    const batches = new Batches();
    const waiting: Buffer[] = [];
    let wake: () => void = () => undefined;
    let queued = false;

    const next = async (): Promise<Buffer | undefined> => {
      while (waiting.length === 0 && !socket.destroyed && !socket.readableEnded) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return socket.destroyed ? undefined : waiting.shift();
    };

    socket.on("data", (chunk) => {
      try {
        for (const { first, bytes } of batches.add(chunk)) {
          const kind = first ? firstPacketKind(bytes) : undefined;
          // Encryption is refused at once, even while another client is served: it is what tells a
          // client that a PostgreSQL is alive here.
          if (kind === "encryption") socket.write("N");
          else if (kind === "cancel") socket.destroy();
          else waiting.push(bytes);
          if (kind === "startup" && !queued) {
            queued = true;
            this.lastTurn = this.lastTurn.then(() => this.serve(socket, next));
          }
        }
      } catch {
        socket.destroy();
      }
      wake();
    });
    socket.on("end", () => wake());
    // A client that vanishes is nobody's error: its turn ends.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.sockets.delete(socket);
      wake();
    });
  }

  /** One client's turn, from its startup packet until it leaves. Never rejects. */
  private async serve(socket: Socket, next: () => Promise<Buffer | undefined>): Promise<void> {
    if (socket.destroyed) return;
    const engine = await this.engine.catch(() => undefined);
    if (engine === undefined) {
      // Who opened it reports why it failed.
      socket.destroy();
      return;
    }
    try {
      const startup = await next();
      if (startup === undefined) return;
      socket.write(await engine.connect(startup));
      for (;;) {
        const batch = await next();
        if (batch === undefined || batch[0] === "X".charCodeAt(0)) break;
        if (isCopyFromStdin(batch)) {
          socket.write(
            errorMessage(
              "0A000",
              "COPY FROM STDIN is not supported by the embedded database",
              "insert by UNNEST",
            ),
          );
          continue;
        }
        // Copied, because the answer's memory is used again for the next one.
        const answer = Buffer.from(await engine.execute(batch));
        if (!socket.write(answer)) await drained(socket);
      }
      socket.end();
      await engine.resetSession();
    } catch (error) {
      socket.destroy();
      this.onDeath(error);
    }
  }
}

function drained(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once("drain", resolve);
    socket.once("close", () => resolve());
  });
}
