import { describe, expect, it } from "vitest";
import { fixedParameters } from "../../infra/database/patroniConfig";
import { byEffect, settingProblems } from "../../infra/database/postgresSettings";

const problems = (parameters: Record<string, string>) =>
  settingProblems(parameters).map(({ name, problem }) => `${name} ${problem}`);

describe("PostgreSQL's settings from the config", () => {
  it("takes what PostgreSQL takes, in its own spellings", () => {
    expect(
      problems({
        work_mem: "32MB",
        shared_buffers: "1.5GB",
        statement_timeout: "90s",
        checkpoint_timeout: "15min",
        jit: "off",
        wal_compression: "zstd",
        random_page_cost: "1.1",
        "timescaledb.max_background_workers": "16",
      }),
    ).toEqual([]);
  });

  it.each([
    [{ shared_bufers: "1GB" }, "shared_bufers PostgreSQL 17 has no such setting"],
    [{ shared: "1GB" }, "shared PostgreSQL 17 has no such setting; is shared_buffers meant?"],
    [{ work_mem: "lots" }, 'work_mem "lots" is not a number with a unit such as kB'],
    [{ work_mem: "5min" }, 'work_mem "5min" is not a number with a unit such as kB'],
    [{ work_mem: "1kB" }, 'work_mem "1kB" is outside 64 to 2147483647 (in kB)'],
    [{ jit: "maybe" }, 'jit "maybe" is not on or off'],
    [{ wal_compression: "zip" }, 'wal_compression "zip" is not one of pglz, lz4, zstd, on, off'],
    [
      { synchronous_standby_names: "" },
      "synchronous_standby_names is not for the config: Patroni decides who has to confirm a write",
    ],
    [{ "plv8.start_proc": "x" }, 'plv8.start_proc no extension "plv8" is in the image'],
  ])("refuses %j", (parameters, expected) => {
    expect(problems(parameters as unknown as Record<string, string>)).toEqual([expected]);
  });

  it("knows each setting that the stack itself makes", () => {
    const ours = Object.keys(fixedParameters).filter((name) => !name.includes("."));
    const unknown = settingProblems(Object.fromEntries(ours.map((name) => [name, "1"]))).filter(
      ({ problem }) => problem.includes("no such setting"),
    );
    expect(unknown).toEqual([]);
  });

  it("tells apart what takes effect at once and what waits for a start", () => {
    expect(byEffect({ work_mem: "32MB", shared_buffers: "1GB", max_connections: 100 })).toEqual({
      settingsThatRestart: { max_connections: "100", shared_buffers: "1GB" },
      settingsThatReload: { work_mem: "32MB" },
    });
  });
});
