import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mostServerConnections, poolProblems, poolSizes } from "../../infra/database/poolSizes";

const pool = { replicas: 2, serverConnections: 50, clientConnections: 1_000 };

const anyPool = fc.record({
  replicas: fc.integer({ min: 1, max: 10 }),
  serverConnections: fc.integer({ min: 10, max: 500 }),
  clientConnections: fc.integer({ min: 10, max: 10_000 }),
});

describe("one pod's share", () => {
  it("is divided between users, lookups and reads on the primary", () => {
    expect(poolSizes(pool)).toEqual({
      connections: 25,
      pool: 15,
      reserve: 5,
      lookups: 2,
      fallback: 5,
      userClients: 800,
    });
  });

  it("is never more than all pods may have together", () => {
    fc.assert(
      fc.property(anyPool, (any) => {
        expect(poolSizes(any).connections * any.replicas).toBeLessThanOrEqual(any.serverConnections);
      }),
    );
  });

  it("is never one user's whole, and leaves room for lookups", () => {
    fc.assert(
      fc.property(anyPool, (any) => {
        fc.pre(any.serverConnections >= 5 * any.replicas);
        const sizes = poolSizes(any);
        expect(sizes.pool).toBeGreaterThan(0);
        expect(sizes.pool + sizes.reserve).toBeLessThan(sizes.connections);
        expect(sizes.lookups).toBeLessThan(sizes.connections);
        expect(sizes.userClients).toBeLessThanOrEqual(any.clientConnections);
      }),
    );
  });
});

describe("pools and max_connections", () => {
  it("fit while a pod is replaced and no replica is up", () => {
    // Three pods for a while: 25 for writing and 5 for reading each.
    expect(mostServerConnections(pool)).toBe(90);
    expect(poolProblems(pool, { maxConnections: 110, reserved: 20 })).toEqual([]);
    expect(poolProblems(pool, { maxConnections: 109, reserved: 20 })).toEqual([
      {
        problem:
          "the poolers can come to hold 90 connections to one server (50 shared by 2 pods, one pod more while they are replaced, and reads when no replica is up), and max_connections 109 leaves 89 beside 20 reserved ones",
        fix: "raise max_connections to 110, or lower the server connections",
      },
    ]);
  });

  it("fit after following the advice", () => {
    fc.assert(
      fc.property(anyPool, fc.integer({ min: 10, max: 1000 }), (any, maxConnections) => {
        const [problem] = poolProblems(any, { maxConnections, reserved: 20 });
        if (problem === undefined) return;
        const advised = Number(/to (\d+)/.exec(problem.fix)?.[1]);
        const after = problem.fix.includes("max_connections")
          ? poolProblems(any, { maxConnections: advised, reserved: 20 })
          : poolProblems({ ...any, serverConnections: advised }, { maxConnections: 1_000_000, reserved: 20 });
        expect(after).toEqual([]);
      }),
    );
  });

  it("need a few connections for each pod", () => {
    expect(
      poolProblems({ ...pool, replicas: 10, serverConnections: 40 }, { maxConnections: 500, reserved: 20 }),
    ).toEqual([
      {
        problem: "40 server connections are 4 for each of 10 poolers",
        fix: "give each at least 5: raise the server connections to 50, or take fewer poolers",
      },
    ]);
  });
});
