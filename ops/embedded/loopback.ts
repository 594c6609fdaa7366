import { connect } from "node:net";

/** The only address served: passwords are not checked. */
export const loopback = "127.0.0.1";

/** Whether a PostgreSQL answers on this loopback port; it may be starting or busy with another client. */
export async function isAnswering(port: number, timeoutMs = 10_000): Promise<boolean> {
  if (!(port > 0)) return false;
  // Asking for encryption is the one question that is answered without logging in.
  const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
  return new Promise((resolve) => {
    const socket = connect({ host: loopback, port });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => done(false));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
    socket.once("connect", () => socket.write(sslRequest));
    socket.once("data", (answer) => done(answer[0] === "N".charCodeAt(0) || answer[0] === "S".charCodeAt(0)));
  });
}
