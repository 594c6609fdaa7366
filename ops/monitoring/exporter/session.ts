import { readFile } from "node:fs/promises";
import { Socket } from "node:net";
import { Client, type ClientConfig } from "pg";
import type { DatabaseAddress } from "./settings";

export interface SessionOptions {
  readonly address: DatabaseAddress;
  /** As the server shows it. */
  readonly applicationName: string;
  /** Settings of the server's session, by name. A pooler refuses them. */
  readonly settings: Readonly<Record<string, string>>;
  /** Read for each connection, so that a new password counts without a restart. */
  readonly passwordFile: string | undefined;
  /** Read for each connection. Then TLS is required, and the server's certificate is checked with its name. */
  readonly caFile: string | undefined;
  /** Leave after each piece of work: the embedded database serves one connection at a time. */
  readonly leave: boolean;
}

/**
 * One connection to a database, opened when it is needed, kept, and opened again after it broke: behind the same name may be
 * another server by then. Pieces of work wait for one another.
 */
export class Session {
  private connection: Connection | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(private readonly options: SessionOptions) {}

  /**
   * Runs `work` within `timeoutMs` from now on, waiting included. When time is up the connection is cut, so that nothing goes
   * on in the background.
   *
   * @throws Error that says so when time is up; what connecting or `work` throws otherwise
   */
  run<T>(timeoutMs: number, work: (client: Client) => Promise<T>): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    const done = this.turn.then(() => this.inTurn(deadline, timeoutMs, work));
    this.turn = done.catch(() => undefined);
    return done;
  }

  /** Cuts the connection, whatever goes on. */
  close(): void {
    this.closed = true;
    this.drop();
  }

  private async inTurn<T>(
    deadline: number,
    timeoutMs: number,
    work: (client: Client) => Promise<T>,
  ): Promise<T> {
    let over = false;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `no answer within ${timeoutMs / 1_000} s`;
      timer = setTimeout(() => reject(new Error(message)), deadline - Date.now());
    });
    const result = this.open(() => over || this.closed).then(work);
    // When time is up, what it throws as its connection is cut is nobody's.
    result.catch(() => undefined);
    try {
      return await Promise.race([result, late]);
    } catch (error) {
      if (!isRefusedStatement(error)) this.drop();
      throw error;
    } finally {
      over = true;
      clearTimeout(timer);
      if (this.options.leave) this.leave();
    }
  }

  private async open(isOver: () => boolean): Promise<Client> {
    if (this.connection !== undefined) return this.connection.client;
    const config = await this.config();
    if (isOver()) throw new Error("given up");
    const socket = new Socket();
    const client = new Client({ ...config, stream: () => socket });
    const connection = { client, socket };
    this.connection = connection;
    const forget = (): void => {
      if (this.connection === connection) this.connection = undefined;
    };
    // Also when an idle connection breaks: the next piece of work opens another one.
    client.on("error", forget).on("end", forget);
    await client.connect();
    return client;
  }

  private async config(): Promise<ClientConfig> {
    const { address, applicationName, settings, passwordFile, caFile } = this.options;
    const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
    return {
      ...address,
      ...(passwordFile === undefined ? {} : { password: (await readFile(passwordFile, "utf8")).trim() }),
      ssl: caFile === undefined ? false : { ca: await readFile(caFile, "utf8"), rejectUnauthorized: true },
      ...(options.length === 0 ? {} : { options: options.join(" ") }),
      application_name: applicationName,
      keepAlive: true,
    };
  }

  /** Without a word to the server, which may be hanging. */
  private drop(): void {
    this.connection?.socket.destroy();
    this.connection = undefined;
  }

  private leave(): void {
    this.connection?.client.end().catch(() => undefined);
    this.connection = undefined;
  }
}

interface Connection {
  readonly client: Client;
  readonly socket: Socket;
}

/** The server refused the statement, and is there: the connection can be used again. */
function isRefusedStatement(error: unknown): boolean {
  return (error as { severity?: unknown }).severity === "ERROR";
}
