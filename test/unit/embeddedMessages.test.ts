import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  awayFromReadEdges,
  Batches,
  firstPacketKind,
  isCopyFromStdin,
  queryMessage,
  startupParameters,
  syncMessage,
} from "../../ops/embedded/messages";

function startupPacket(): Buffer {
  const packet = Buffer.from("\0\0\0\0\0\x03\0\0user\0postgres\0\0", "latin1");
  packet.writeInt32BE(packet.length, 0);
  return packet;
}

function message(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

describe("Batches", () => {
  it("hands out the same whole batches however the network splits them", () => {
    const prepared = Buffer.concat([
      message("P", Buffer.from("\0select $1\0\0\0")),
      message("B", Buffer.alloc(200_000, 7)),
      message("E", Buffer.alloc(5)),
      syncMessage,
    ]);
    const expected = [
      sslRequest,
      startupPacket(),
      queryMessage("select 1"),
      prepared,
      message("X", Buffer.alloc(0)),
    ];
    const stream = Buffer.concat(expected);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 20 }), (cuts) => {
        const batches = new Batches();
        const borders = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const got = borders.slice(1).flatMap((end, i) => batches.add(stream.subarray(borders[i], end)));
        expect(got.map(({ first }) => first)).toEqual([true, true, false, false, false]);
        expect(got.map(({ bytes }) => bytes.equals(expected.shift() ?? Buffer.alloc(0)))).not.toContain(
          false,
        );
        expected.push(...got.map(({ bytes }) => bytes));
      }),
    );
  });

  it("keeps half a message for later", () => {
    const batches = new Batches();
    batches.add(startupPacket());
    const query = queryMessage("select 1");
    expect(batches.add(query.subarray(0, 7))).toEqual([]);
    expect(batches.add(query.subarray(7))).toEqual([{ first: false, bytes: query }]);
  });

  it("refuses what cannot be a PostgreSQL client", () => {
    const batches = new Batches();
    batches.add(startupPacket());
    expect(() => batches.add(Buffer.from([0x51, 0, 0, 0, 1]))).toThrow("not a PostgreSQL client");
  });
});

it("tells first packets apart", () => {
  expect(firstPacketKind(startupPacket())).toBe("startup");
  expect(firstPacketKind(sslRequest)).toBe("encryption");
  expect(firstPacketKind(Buffer.from([0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 2]))).toBe("cancel");
});

it.each([
  ["copy t from stdin", true],
  ["  COPY s.t (a, b)\n FROM STDIN WITH (FORMAT csv)", true],
  ["copy t to stdout", false],
  ["copy t from '/dev/blob'", false],
  ["select 'copy t from stdin'", false],
  ["copy t to stdout; select * from stdin", false],
])("isCopyFromStdin(%j) is %s", (sql, expected) => {
  expect(isCopyFromStdin(queryMessage(sql))).toBe(expected);
  expect(isCopyFromStdin(message("P", Buffer.from(`name\0${sql}\0\0\0`)))).toBe(expected);
});

it("reads what a client logs in with", () => {
  const packet = Buffer.from(
    "\0\0\0\0\0\x03\0\0user\0postgres\0application_name\0\0database\0größe\0\0",
    "utf8",
  );
  expect([...startupParameters(packet)]).toEqual([
    ["user", "postgres"],
    ["application_name", ""],
    ["database", "größe"],
  ]);
});

describe("awayFromReadEdges", () => {
  const batch = (bindBytes: number) =>
    Buffer.concat([message("P", Buffer.alloc(20)), message("B", Buffer.alloc(bindBytes)), syncMessage]);

  it("leaves a batch alone whose messages end inside a read, and one that ends with a read as a whole", () => {
    const inside = batch(8_000);
    const whole = batch(8_192 - 25 - 5 - 5);
    expect(whole.length).toBe(8_192);
    expect(awayFromReadEdges(inside)).toBe(inside);
    expect(awayFromReadEdges(whole)).toBe(whole);
  });

  it("puts flushes before a batch of which a message ends with a read", () => {
    const edged = batch(3 * 8_192 - 25 - 5);
    expect(edged.length).toBe(3 * 8_192 + 5);
    const moved = Buffer.from(awayFromReadEdges(edged));
    expect(moved.subarray(0, 5)).toEqual(message("H", Buffer.alloc(0)));
    expect(moved.subarray(5)).toEqual(edged);
  });

  it("takes as many as bring all messages away from the edges", () => {
    // One message ends with the first read, the next one five bytes before the end of the second.
    const edged = Buffer.concat([
      message("P", Buffer.alloc(8_192 - 5)),
      message("B", Buffer.alloc(8_192 - 10)),
      syncMessage,
      syncMessage,
    ]);
    const moved = awayFromReadEdges(edged);
    expect(moved.length).toBe(edged.length + 10);
  });
});
