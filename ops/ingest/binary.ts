import type { Samples } from "./batch";

/** Rows as PostgreSQL's binary formats have them. Ids are those of the database. */
export interface Row {
  readonly samples: Samples;
  /** The database's id of a machine or metric number of the batch. */
  readonly machineIds: readonly number[];
  readonly metricIds: readonly number[];
}

/** Microseconds from 1970 to 2000, where PostgreSQL's clock starts. */
const postgresEpoch = 946_684_800_000_000;
const oid = { timestamptz: 1184, real: 700, smallint: 21 };

/** The samples as four arrays in binary: parameters of `unnest($1::timestamptz[], $2::real[], $3::smallint[], $4::smallint[])`. */
export function toArrays({ samples, machineIds, metricIds }: Row): [Buffer, Buffer, Buffer, Buffer] {
  const n = samples.length;
  const times = arrayHeader(oid.timestamptz, n, 8);
  const values = arrayHeader(oid.real, n, 4);
  const machines = arrayHeader(oid.smallint, n, 2);
  const metrics = arrayHeader(oid.smallint, n, 2);
  for (let i = 0; i < n; i += 1) {
    times.writeInt32BE(8, 20 + i * 12);
    writeTime(times, samples.times[i] ?? 0, 24 + i * 12);
    values.writeInt32BE(4, 20 + i * 8);
    values.writeFloatBE(samples.values[i] ?? 0, 24 + i * 8);
    machines.writeInt32BE(2, 20 + i * 6);
    machines.writeInt16BE(machineIds[samples.machines[i] ?? 0] ?? 0, 24 + i * 6);
    metrics.writeInt32BE(2, 20 + i * 6);
    metrics.writeInt16BE(metricIds[samples.metrics[i] ?? 0] ?? 0, 24 + i * 6);
  }
  return [times, values, machines, metrics];
}

/** The samples as the body of `COPY (ts, value, machine_id, metric_id) FROM STDIN (FORMAT binary)`. */
export function toCopy({ samples, machineIds, metricIds }: Row): Buffer {
  const signature = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");
  const n = samples.length;
  const rowBytes = 34;
  const out = Buffer.allocUnsafe(signature.length + 8 + n * rowBytes + 2);
  signature.copy(out);
  out.writeInt32BE(0, 11);
  out.writeInt32BE(0, 15);
  let at = 19;
  for (let i = 0; i < n; i += 1) {
    out.writeInt16BE(4, at);
    out.writeInt32BE(8, at + 2);
    writeTime(out, samples.times[i] ?? 0, at + 6);
    out.writeInt32BE(4, at + 14);
    out.writeFloatBE(samples.values[i] ?? 0, at + 18);
    out.writeInt32BE(2, at + 22);
    out.writeInt16BE(machineIds[samples.machines[i] ?? 0] ?? 0, at + 26);
    out.writeInt32BE(2, at + 28);
    out.writeInt16BE(metricIds[samples.metrics[i] ?? 0] ?? 0, at + 32);
    at += rowBytes;
  }
  out.writeInt16BE(-1, at);
  return out;
}

function arrayHeader(elementOid: number, length: number, elementBytes: number): Buffer {
  const out = Buffer.allocUnsafe(20 + length * (4 + elementBytes));
  out.writeInt32BE(1, 0);
  out.writeInt32BE(0, 4);
  out.writeInt32BE(elementOid, 8);
  out.writeInt32BE(length, 12);
  out.writeInt32BE(1, 16);
  return out;
}

/** As two 32-bit halves: ten times as fast as a BigInt. */
function writeTime(out: Buffer, micros: number, at: number): void {
  const time = micros - postgresEpoch;
  const high = Math.floor(time / 4_294_967_296);
  out.writeInt32BE(high, at);
  out.writeUInt32BE(time - high * 4_294_967_296, at + 4);
}
