/** The little of PostgreSQL's wire protocol that the embedded server must understand itself. */

const sslRequestCode = 80877103;
const gssRequestCode = 80877104;
const cancelRequestCode = 80877102;

/** What the untyped first packet of a connection asks for. */
export type FirstPacket = "startup" | "encryption" | "cancel";

export function firstPacketKind(packet: Buffer): FirstPacket {
  const code = packet.length >= 8 ? packet.readInt32BE(4) : 0;
  if (code === sslRequestCode || code === gssRequestCode) return "encryption";
  if (code === cancelRequestCode) return "cancel";
  return "startup";
}

/** The parameters a client logs in with, e.g. `user` and `application_name`. */
export function startupParameters(startup: Buffer): Map<string, string> {
  const texts = startup.toString("utf8", 8).split("\0");
  const parameters = new Map<string, string>();
  for (let i = 0; i + 1 < texts.length && texts[i] !== ""; i += 2) {
    parameters.set(texts[i] ?? "", texts[i + 1] ?? "");
  }
  return parameters;
}

/** Messages after which a client waits for an answer: Query, Sync, Flush, function call, Terminate. */
const endsBatch: ReadonlySet<number> = new Set(Array.from("QSHFX", (letter) => letter.charCodeAt(0)));

/**
 * Collects what arrives on one connection and hands it out in whole batches.
 *
 * The WASM build executes what it is given as if nothing more could follow: given half a message (TCP
 * splits anything above 64 KB) it does not wait for the rest but dies. So nothing is handed out before
 * the message that ends a batch is complete.
 */
export class Batches {
  private bytes: Buffer = Buffer.alloc(0);
  /** Received since `bytes` was joined: a long message is joined once, when it is complete. */
  private tail: Buffer[] = [];
  private length = 0;
  /** With fewer bytes than this there is nothing new to see. */
  private needed = 4;
  /** Where in `bytes` the first message not yet seen completely begins. */
  private scanned = 0;
  private started = false;

  /**
   * Adds received bytes; returns the batches they complete. The untyped packets that come before a session
   * (`first`) are handed out one by one.
   * @throws when this cannot be a PostgreSQL client.
   */
  add(chunk: Buffer): { first: boolean; bytes: Buffer }[] {
    this.tail.push(chunk);
    this.length += chunk.length;
    const complete: { first: boolean; bytes: Buffer }[] = [];
    if (this.length < this.needed) return complete;
    this.bytes = Buffer.concat([this.bytes, ...this.tail]);
    this.tail = [];
    for (;;) {
      // A message is a type letter (but for first packets) and a length that counts itself.
      const header = this.started ? 5 : 4;
      this.needed = this.scanned + header;
      if (this.bytes.length < this.needed) return complete;
      const size = this.bytes.readInt32BE(this.needed - 4) + header - 4;
      if (size < header) throw new Error(`not a PostgreSQL client: a message of ${size} bytes`);
      this.needed = this.scanned + size;
      if (this.bytes.length < this.needed) return complete;
      const type = this.bytes[this.scanned];
      this.scanned += size;
      if (!this.started) {
        const bytes = this.take();
        this.started = firstPacketKind(bytes) === "startup";
        complete.push({ first: true, bytes });
      } else if (type !== undefined && endsBatch.has(type)) {
        complete.push({ first: false, bytes: this.take() });
      }
    }
  }

  private take(): Buffer {
    const batch = this.bytes.subarray(0, this.scanned);
    this.bytes = this.bytes.subarray(this.scanned);
    this.length = this.bytes.length;
    this.scanned = 0;
    return batch;
  }
}

/** Bytes that the backend reads from its input at once (PQ_RECV_BUFFER_SIZE). */
const readBytes = 8_192;
/** Asks for nothing that isn't sent anyway, and is not answered. */
const flushMessage: Buffer = Buffer.from([0x48, 0, 0, 0, 4]);

/**
 * Moves a batch that the WASM build would leave unfinished: where a message ends exactly with a read of the input, it
 * takes that for the end of the batch, and the client waits for good for the answer to the rest.
 */
export function awayFromReadEdges(batch: Uint8Array): Uint8Array {
  const bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength);
  const ends: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    at += 1 + bytes.readInt32BE(at + 1);
    ends.push(at);
  }
  const inner = ends.slice(0, -1);
  const isSafe = (shift: number): boolean =>
    shift % readBytes !== 0 && inner.every((end) => (end + shift) % readBytes !== 0);
  if (inner.every((end) => end % readBytes !== 0)) return batch;
  let flushes = 1;
  while (!isSafe(flushes * flushMessage.length)) flushes += 1;
  return Buffer.concat([...Array.from({ length: flushes }, () => flushMessage), bytes]);
}

/** Whether a batch asks to load data through the connection, which kills the WASM build. */
export function isCopyFromStdin(batch: Buffer): boolean {
  const type = String.fromCharCode(batch[0] ?? 0);
  if (type !== "Q" && type !== "P") return false;
  // A Parse message names its statement before the text.
  const start = type === "Q" ? 5 : batch.indexOf(0, 5) + 1;
  const end = batch.indexOf(0, start);
  return /^\s*copy\s[^;]*\bfrom\s+stdin\b/i.test(batch.toString("latin1", start, end));
}

/** A simple query. */
export function queryMessage(sql: string): Buffer {
  return textMessage("Q", sql);
}

/** A client's answer when it is asked for its password. */
export function passwordMessage(password: string): Buffer {
  return textMessage("p", password);
}

function textMessage(type: string, text: string): Buffer {
  const body = Buffer.from(`${text}\0`);
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

/** Ends an extended-protocol batch; after an error it is what makes the backend listen again. */
export const syncMessage: Buffer = Buffer.from([0x53, 0, 0, 0, 4]);

/** An error for the client, followed by "ready for the next query". */
export function errorMessage(code: string, message: string, hint: string): Buffer {
  const fields = textMessage("E", `SERROR\0VERROR\0C${code}\0M${message}\0H${hint}\0`);
  return Buffer.concat([fields, Buffer.from([0x5a, 0, 0, 0, 5, 0x49])]);
}
