// `npm run ops -- monitoring …` as a person uses it.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { CommandStack, type Overrides } from "../support/commandStack";

let stack: CommandStack;
let folder = "";
let keys = "";
let trust: Overrides;

beforeAll(async () => {
  stack = new CommandStack("cluster", {});
  folder = mkdtempSync(join(tmpdir(), "ms5-monitoring-"));
  const made = await stack.command(["monitoring", "keys"]);
  keys = made.stdout.trim();
  trust = {
    MS5_MONITORING_API_ISSUER: "ms5",
    MS5_MONITORING_API_AUDIENCE: "ms5-monitoring",
    MS5_MONITORING_API_KEYS: keys,
  };
});
afterAll(() => {
  stack?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const token = (changes: Record<string, string> = {}, overrides: Overrides = trust) =>
  stack.command(
    [
      "monitoring",
      "token",
      ...Object.entries({ stack: "cluster", role: "reader", subject: "anna@factory", ...changes }).flatMap(
        ([name, value]) => [`--${name}`, value],
      ),
    ],
    overrides,
  );

describe("keys", () => {
  it("are made once, and only the public half is printed", async () => {
    const again = await stack.command(["monitoring", "keys"]);
    expect(again).toMatchObject({ code: 0, stdout: `${keys}\n` });
    expect(JSON.parse(keys)).toEqual({
      keys: [expect.objectContaining({ kty: "EC", alg: "ES256", kid: expect.any(String) })],
    });
    const privateFile = join(stack.folder, "monitoring-keys/signing-key.json");
    const { d } = JSON.parse(readFileSync(privateFile, "utf8")) as { d: string };
    expect(statSync(privateFile).mode & 0o077).toBe(0);
    expect(again.stdout + again.stderr).not.toContain(d);
    expect(again.stderr).toContain(
      `pulumi config set --stack STACK --path 'ms5-timescale:monitoring.api.keys' "$(cat ${join(stack.folder, "monitoring-keys/keys.json")})"`,
    );
  });
});

describe("token", () => {
  it("is what the stack's API takes, alone on stdout", async () => {
    const { code, stdout } = await token({ role: "admin", for: "30m" });
    expect(code).toBe(0);
    const { payload } = await jwtVerify(stdout.trim(), createLocalJWKSet(JSON.parse(keys)), {
      issuer: "ms5",
      audience: "ms5-monitoring",
    });
    expect(payload).toMatchObject({ sub: "anna@factory", roles: ["ms5.admin"] });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(1_800);
  });

  it("has its role where the stack looks for it", async () => {
    const { stdout } = await token({}, { ...trust, MS5_MONITORING_API_ROLES_CLAIM: "groups" });
    const claims = JSON.parse(Buffer.from(stdout.split(".")[1] ?? "", "base64url").toString()) as object;
    expect(claims).toMatchObject({ groups: ["ms5.reader"] });
  });

  it.each<[string, Record<string, string>, Overrides | undefined, string]>([
    ["of another role", { role: "root" }, undefined, "reader, admin"],
    ["for a week", { for: "7d" }, undefined, "choose 1 s to 24 h"],
    ["for no time", { for: "soon" }, undefined, "a whole number and a unit"],
    ["for a subject with a line end", { subject: "a\nb" }, undefined, "letters, digits"],
    ["without a key", { folder: "/nowhere" }, undefined, "monitoring keys"],
    ["of a stack that does not exist", { stack: "nothing" }, undefined, "nothing"],
    ["of a stack that takes none", {}, {}, "monitoring.api is not set"],
    [
      "of a stack that trusts another key",
      {},
      { MS5_MONITORING_API_KEYS: '{"keys":[{"kty":"EC","kid":"other"}]}' },
      "not among monitoring.api.keys",
    ],
  ])("%s is refused in words", async (_name, changes, overrides, words) => {
    const api =
      overrides !== undefined && Object.keys(overrides).length === 0 ? {} : { ...trust, ...overrides };
    const result = await token(changes, api);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain(words);
  });

  it("of an issuer of its own is refused in words", async () => {
    const { MS5_MONITORING_API_KEYS: _, ...rest } = trust as Record<`MS5_${string}`, string>;
    const result = await token({}, { ...rest, MS5_MONITORING_API_KEYS_URL: "https://login.example/keys" });
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain("https://login.example/keys");
  });
});

describe("files", () => {
  it("are dashboards that Grafana can import", async () => {
    const into = join(folder, "dashboards");
    const { code, stdout } = await stack.command(["monitoring", "dashboards", into, "--stack", "cluster"]);
    expect(code).toBe(0);
    const names = readdirSync(into);
    expect(names).toContain("overview.json");
    expect(stdout.trim().split("\n").sort()).toEqual(names.map((name) => join(into, name)).sort());
    const uids = names.map((name) => {
      const board = JSON.parse(readFileSync(join(into, name), "utf8")) as { uid: string; panels: unknown[] };
      expect(board.panels.length, name).toBeGreaterThan(0);
      return board.uid;
    });
    expect(new Set(uids).size).toBe(names.length);
  });

  it("are rules that Prometheus can load", async () => {
    const into = join(folder, "rules");
    expect(await stack.command(["monitoring", "rules", into, "--stack", "cluster"])).toMatchObject({
      code: 0,
    });
    for (const name of readdirSync(into)) {
      expect(name).toMatch(/\.yml$/);
      const { groups } = parse(readFileSync(join(into, name), "utf8")) as { groups: { rules: unknown[] }[] };
      expect(groups[0]?.rules.length, name).toBeGreaterThan(0);
    }
    expect(readdirSync(into)).toContain("policies.yml");
  });

  it("are refused where nothing watches, and where none can be written", async () => {
    const into = join(folder, "none");
    const local = await stack.command(["monitoring", "rules", into, "--stack", "local"]);
    expect(local).toMatchObject({ code: 2, stdout: "" });
    expect(local.stderr).toContain('nothing watches stack "local"');
    expect(existsSync(into)).toBe(false);
    writeFileSync(join(folder, "file"), "");
    const file = await stack.command(["monitoring", "rules", join(folder, "file"), "--stack", "cluster"]);
    expect(file).toMatchObject({ code: 3, stdout: "" });
    expect(file.stderr).toContain("cannot be written to");
  });
});
