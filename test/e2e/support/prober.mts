// A program inside a network namespace that answers on ports and tries others'. Node runs it as it stands here, without a
// loader: there is one for each pod of a test. It ends with its standard input.
import { createSocket } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** Asked for as a line of JSON. */
export type ProberRequest =
  /** Answer with what comes in, on all addresses. */
  | { readonly id: number; readonly do: "listen"; readonly protocol: "TCP" | "UDP"; readonly port: number }
  /** Say something to an address and wait for its echo. A TCP connection can be kept, and used again by its name. */
  | {
      readonly id: number;
      readonly do: "talk";
      readonly protocol: "TCP" | "UDP";
      readonly address: string;
      readonly port: number;
      /** In ms. */
      readonly patience: number;
      readonly keepAs?: string;
    };

/** Answered as a line of JSON. */
export interface ProberAnswer {
  readonly id: number;
  readonly ok: boolean;
}

const kept = new Map<string, Socket>();

createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const request: ProberRequest = JSON.parse(line);
    const ok = request.do === "listen" ? await listen(request) : await talk(request);
    process.stdout.write(`${JSON.stringify({ id: request.id, ok } satisfies ProberAnswer)}\n`);
  })
  .on("close", () => process.exit());

function listen({ protocol, port }: ProberRequest & { do: "listen" }): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (protocol === "UDP") {
      const socket = createSocket({ type: "udp6", ipv6Only: false });
      socket.on("message", (message, sender) => socket.send(message, sender.port, sender.address));
      socket.once("error", reject).bind(port, "::", () => resolve(true));
      return;
    }
    createServer((socket) => socket.on("error", () => socket.destroy()).pipe(socket))
      .once("error", reject)
      .listen(port, "::", () => resolve(true));
  });
}

function talk(request: ProberRequest & { do: "talk" }): Promise<boolean> {
  const { protocol, address, port, patience, keepAs } = request;
  return new Promise((resolve) => {
    if (protocol === "UDP") {
      const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
      const end = (ok: boolean) => {
        clearTimeout(timer);
        socket.close();
        resolve(ok);
      };
      const timer = setTimeout(end, patience, false);
      socket.once("message", () => end(true)).once("error", () => end(false));
      socket.send("hello", port, address);
      return;
    }
    const socket = (keepAs && kept.get(keepAs)) || connect({ host: address, port });
    const end = (ok: boolean) => {
      clearTimeout(timer);
      socket.removeAllListeners();
      if (keepAs) kept.set(keepAs, socket);
      else socket.destroy();
      // Without a listener an error that comes late would end the program.
      socket.on("error", () => socket.destroy());
      resolve(ok);
    };
    const timer = setTimeout(end, patience, false);
    socket
      .once("data", () => end(true))
      .once("error", () => end(false))
      .write("hello");
  });
}
