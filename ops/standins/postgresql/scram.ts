/** Passwords are hashed here, so that the server neither sees nor logs them in clear. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { UserError } from "../../../infra/errors";

/** As PostgreSQL's own default (`scram_iterations`). */
const iterations = 4096;
const saltBytes = 16;

/**
 * What the server stores of a password: a SCRAM-SHA-256 verifier (RFC 5803). A verifier or MD5 hash is given
 * back as it is.
 *
 * @throws UserError for characters beyond ASCII, which client and server would first have to normalise alike
 */
export function verifier(password: string, salt: Buffer = randomBytes(saltBytes)): string {
  if (/^SCRAM-SHA-256\$\d+:/.test(password) || /^md5[0-9a-f]{32}$/.test(password)) return password;
  if (!/^[\x20-\x7e]*$/.test(password)) {
    throw new UserError("the postgresql stand-in takes only passwords of printable ASCII characters", {
      fix: "use letters, digits and ASCII punctuation, e.g. random.RandomPassword",
    });
  }
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const key = (name: string): Buffer => createHmac("sha256", salted).update(name).digest();
  const stored = createHash("sha256").update(key("Client Key")).digest("base64");
  const server = key("Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${stored}:${server}`;
}
