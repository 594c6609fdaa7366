// `npm start` on one's own machine: the browser gets a cookie with the page and needs no token. Whoever reaches the
// loopback of this machine reaches the embedded database itself, which asks for no password, so the cookie gives away
// nothing. What it must keep out are pages of the web that a browser on this machine has open: they reach loopback too.
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Identity } from "./auth";
import { Problem } from "./problem";
import { isLoopback } from "./settings";

export class LocalSession {
  /** In memory only: it ends with the process. */
  private readonly secret = randomBytes(32).toString("base64url");

  /**
   * Refuses what a foreign page may have sent. A page whose name was made to point here (DNS rebinding) is the same
   * origin to the browser, and betrays itself by the Host header alone.
   *
   * @throws Problem 421 for another host, 403 for another site
   */
  guard(request: IncomingMessage): void {
    const port = request.socket.localPort;
    const { host } = request.headers;
    if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`) {
      throw new Problem(421, `this is http://127.0.0.1:${port}, and answers to no other name`);
    }
    if (!isLoopback(request.socket.remoteAddress ?? "")) throw new Problem(403, "only for this machine");
    const site = request.headers["sec-fetch-site"];
    // "same-site" as well: another port of this host is the same site, and may be anybody's page.
    if (site !== undefined && site !== "same-origin" && site !== "none") {
      throw new Problem(403, "requests of other sites are refused");
    }
  }

  /** Value of Set-Cookie. Not `Secure`: loopback has no TLS, and the cookie never leaves it. */
  cookie(request: IncomingMessage): string {
    return `${cookieName(request)}=${this.secret}; Path=/; HttpOnly; SameSite=Strict`;
  }

  /** @returns undefined without the cookie of this process */
  identify(request: IncomingMessage): Identity | undefined {
    const name = cookieName(request);
    const sent = (request.headers.cookie ?? "")
      .split(";")
      .map((pair) => pair.trim())
      .find((pair) => pair.startsWith(`${name}=`))
      ?.slice(name.length + 1);
    if (sent === undefined || !equal(sent, this.secret)) return undefined;
    return { subject: "local", role: "ms5.admin" };
  }
}

/** Ports share cookies, so the port is part of the name. */
function cookieName(request: IncomingMessage): string {
  return `ms5_session_${request.socket.localPort}`;
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
