import { describe, expect, it } from "vitest";
import { type Exception, exceptionFor, readExceptions } from "../../infra/policy/exceptions";

const today = "2026-08-21";
const read = (text: string) => readExceptions(text, ["tls", "encryption"], today);

const good = `
- policy: tls
  resource: azure-native:storage:StorageAccount::backups
  reason: an old gateway writes to it until it is replaced (ticket 4711)
  expires: 2026-10-31
`;

describe("exceptions.yaml", () => {
  it("is a list of entries with a policy, a resource, a reason and a last day", () => {
    expect(read(good)).toEqual({
      valid: [
        {
          policy: "tls",
          resource: "azure-native:storage:StorageAccount::backups",
          reason: "an old gateway writes to it until it is replaced (ticket 4711)",
          expires: "2026-10-31",
        },
      ],
      problems: [],
    });
  });

  it.each(["", "# nothing yet\n", "[]\n"])("may hold none: %j", (text) => {
    expect(read(text)).toEqual({ valid: [], problems: [] });
  });

  const entry = (changes: Partial<Record<keyof Exception | "until", string>>) => {
    const written = {
      policy: "tls",
      resource: "*::backups",
      reason: "why",
      expires: "2026-10-31",
      ...changes,
    };
    const lines = Object.entries(written).filter(([, value]) => value !== "");
    return `- ${lines.map(([key, value]) => `${key}: "${value}"`).join("\n  ")}\n`;
  };

  it.each([
    [{ reason: "" }, "entry 1 (tls for *::backups) has no reason: say why"],
    [{ reason: "  " }, "entry 1 (tls for *::backups) has no reason: say why"],
    [
      { expires: "" },
      "entry 1 (tls for *::backups) has no expiry date: set expires to its last day, as YYYY-MM-DD",
    ],
    [
      { expires: "2026-02-30" },
      "entry 1 (tls for *::backups) has no expiry date: set expires to its last day, as YYYY-MM-DD",
    ],
    [
      { expires: "2026-08-20" },
      "entry 1 (tls for *::backups) expired on 2026-08-20: remove it with what it excused, or give a new date",
    ],
    [
      { expires: "2027-08-22" },
      "entry 1 (tls for *::backups) lasts until 2027-08-22: set expires to 2027-08-21 or earlier",
    ],
    [{ policy: "tsl" }, "entry 1 (tsl for *::backups) names no policy: there are tls, encryption"],
    [
      { resource: "" },
      "entry 1 (tls for no resource) has no resource: write TYPE::NAME, as a preview's URN has it",
    ],
    [
      { resource: "backups" },
      "entry 1 (tls for backups) names no resource: write TYPE::NAME, as a preview's URN has it; * may stand for a part of the name",
    ],
    [
      { resource: "*::*" },
      "entry 1 (tls for *::*) names no resource: write TYPE::NAME, as a preview's URN has it; * may stand for a part of the name",
    ],
    [{ until: "2026-10-31" }, 'entry 1 (tls for *::backups) Unrecognized key: "until"'],
  ])("refuses an entry with %j, and names it", (changes, problem) => {
    expect(read(entry(changes))).toEqual({ valid: [], problems: [`exceptions.yaml, ${problem}`] });
  });

  it.each(["2026-08-21", "2027-08-21"])("takes %s: today, and a year ahead", (expires) => {
    expect(read(entry({ expires })).problems).toEqual([]);
  });

  it("keeps the others when one is wrong, and counts from one", () => {
    const { valid, problems } = read(`${good}${entry({ reason: "" })}`);
    expect(valid).toHaveLength(1);
    expect(problems).toEqual(["exceptions.yaml, entry 2 (tls for *::backups) has no reason: say why"]);
  });

  it.each([
    ["policy: tls\n", "exceptions.yaml is not a list: begin each entry with a dash"],
    ["- policy: [tls\n", /^exceptions\.yaml is not YAML: /],
    ["- tls\n", /^exceptions\.yaml, entry 1 \(no policy for no resource\) /],
  ])("says what is wrong with %j", (text, problem) => {
    const { valid, problems } = read(text);
    expect(valid).toEqual([]);
    expect(problems).toEqual([typeof problem === "string" ? problem : expect.stringMatching(problem)]);
  });
});

describe("an exception", () => {
  const urn =
    "urn:pulumi:prod::ms5-timescale::ms5:azure:BackupStorage$azure-native:storage:StorageAccount::backups";
  const excuses = (resource: string, policy = "tls") =>
    exceptionFor([{ policy, resource, reason: "why", expires: today }], "tls", urn) !== undefined;

  it.each([
    "azure-native:storage:StorageAccount::backups",
    "azure-native:storage:*::backups",
    "*::back*",
    urn,
    "urn:pulumi:prod::*::backups",
  ])("by %s holds for the resource", (resource) => {
    expect(excuses(resource)).toBe(true);
  });

  it.each([
    "azure-native:storage:StorageAccount::backups-2",
    "storage:StorageAccount::backups",
    "azure-native:storage:BlobContainer::backups",
    "urn:pulumi:staging::*::backups",
    // A dot is a dot.
    "azure.native:storage:StorageAccount::backups",
  ])("by %s holds for others", (resource) => {
    expect(excuses(resource)).toBe(false);
  });

  it("holds for its policy only", () => {
    expect(excuses("*::backups", "encryption")).toBe(false);
  });
});
