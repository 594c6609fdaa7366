import { describe, expect, it } from "vitest";
import { readInfo } from "../../ops/backups/info";

const backup = (label: string, stop: number, more: object = {}) => ({
  label,
  type: "full",
  error: false,
  database: { id: 1, "repo-key": 1 },
  info: { delta: 9, size: 1_000_000, repository: { delta: 250_000 } },
  lsn: { start: "0/2000028", stop: "0/3000148" },
  timestamp: { start: stop - 60, stop },
  ...more,
});

// 2026-11-22T02:00:00Z
const night = 1_795_312_800;

/** As `pgbackrest info --output=json` prints it: a list of stanzas. */
const printed = (stanza: object) => readInfo(JSON.stringify([{ name: "database", ...stanza }]));

describe("what the repositories hold", () => {
  it("is every backup, with what a person wants to know of it", () => {
    const { backups } = printed({
      backup: [backup("20261122-020000F", night, { database: { id: 1, "repo-key": 2 }, type: "diff" })],
    });
    expect(backups).toEqual([
      {
        label: "20261122-020000F",
        repository: 2,
        type: "diff",
        startedAt: "2026-11-22T01:59:00Z",
        endedAt: "2026-11-22T02:00:00Z",
        databaseBytes: 1_000_000,
        storedBytes: 250_000,
        endsAtLsn: "0/3000148",
      },
    ]);
  });

  it("leaves out a backup that failed, from which nothing can be restored", () => {
    const failed = backup("failed", night - 86_400, { error: true });
    const { backups, restorableFrom } = printed({ backup: [failed, backup("good", night)] });
    expect(backups.map(({ label }) => label)).toEqual(["good"]);
    expect(restorableFrom).toBe("2026-11-22T02:00:00Z");
  });

  it("takes a backup that says nothing of errors for a good one", () => {
    expect(printed({ backup: [backup("old", night, { error: undefined })] }).backups).toHaveLength(1);
  });

  it("can be restored from the end of the oldest backup on, in whichever repository it is", () => {
    const second = backup("older", night - 3_600, { database: { id: 1, "repo-key": 2 } });
    expect(printed({ backup: [backup("newer", night), second] }).restorableFrom).toBe("2026-11-22T01:00:00Z");
  });

  it("reaches as far as the newest segment of any archive", () => {
    const archive = (max: string | null) => ({ id: "17-1", max });
    expect(
      printed({
        archive: [archive("00000002000000000000000A"), archive(null), archive("000000010000000000000FF")],
      }).archivedUntil,
    ).toBe("00000002000000000000000A");
    expect(printed({ archive: [archive(null)] }).archivedUntil).toBeUndefined();
  });

  it("has no problem while a repository is only empty", () => {
    const repo = [0, 1, 2, 3].map((code, index) => ({
      key: index + 1,
      status: { code, message: "no backup" },
    }));
    expect(printed({ repo }).problems).toEqual({});
  });

  it("tells in a line what is wrong with which repository", () => {
    const repo = [
      { key: 1, status: { code: 0, message: "ok" } },
      { key: 2, status: { code: 99, message: "[FileOpenError] unable to open\n  stack" } },
      { key: 3, status: { code: 6, message: "" } },
    ];
    expect(printed({ repo }).problems).toEqual({ "2": "[FileOpenError] unable to open", "3": "" });
  });

  it.each(["", "[]"])("is nothing where pgBackRest prints %j", (text) => {
    expect(readInfo(text)).toEqual({
      backups: [],
      archivedUntil: undefined,
      restorableFrom: undefined,
      problems: {},
    });
  });
});
