import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openBackend, requireStack, usersBackend, withSalt } from "../../ops/engine/backend";

describe("the backend", () => {
  let folder: string;
  let place: { root: string; local: string };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ms5-backend-"));
    place = { root: join(folder, "root"), local: join(folder, "local") };
    mkdirSync(place.root);
    writeFileSync(join(place.root, "Pulumi.yaml"), "name: p\nmain: infra/\nruntime: nodejs\n");
    writeFileSync(join(place.root, "Pulumi.local.yaml"), "config: {}\n");
    writeFileSync(join(place.root, "Pulumi.dev.yaml"), "config: {}\n");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** An environment in which nobody has logged in. */
  const env = (more: Record<string, string> = {}) => ({ PULUMI_HOME: join(folder, "home"), ...more });

  it("is the user's when one is chosen, in the order Pulumi has", () => {
    expect(usersBackend(env())).toBeUndefined();
    expect(usersBackend(env({ PULUMI_ACCESS_TOKEN: "t" }))).toBe("https://api.pulumi.com");
    mkdirSync(join(folder, "home"));
    writeFileSync(join(folder, "home", "credentials.json"), JSON.stringify({ current: "azblob://state" }));
    expect(usersBackend(env({ PULUMI_ACCESS_TOKEN: "t" }))).toBe("azblob://state");
    expect(usersBackend(env(), "s3://project")).toBe("s3://project");
    expect(usersBackend(env({ PULUMI_BACKEND_URL: "gs://mine" }), "s3://project")).toBe("gs://mine");
  });

  it("of the user's is left as it is: no local folder, no passphrase, the config in git", () => {
    const backend = openBackend(
      place,
      "local",
      env({ PULUMI_BACKEND_URL: "https://user:pw@host/x?token=1" }),
    );
    expect(backend).toEqual({
      kind: "user",
      description: "https://host/x",
      folder: undefined,
      workDir: place.root,
      env: {},
    });
    expect(existsSync(place.local)).toBe(false);
  });

  it("is a folder otherwise, with a passphrase that stays the same and is its owner's alone", () => {
    const { env: first, kind } = openBackend(place, "local", env());
    expect(kind).toBe("local");
    const file = join(place.local, "passphrase");
    expect(first).toEqual({
      PULUMI_BACKEND_URL: `file://${join(place.local, "state")}`,
      PULUMI_CONFIG_PASSPHRASE_FILE: file,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const passphrase = readFileSync(file, "utf8");
    expect(passphrase.length).toBeGreaterThan(40);
    openBackend(place, "local", env());
    expect(readFileSync(file, "utf8")).toBe(passphrase);
  });

  it("takes the user's passphrase, even an empty one", () => {
    const backend = openBackend(place, "local", env({ PULUMI_CONFIG_PASSPHRASE: "" }));
    expect(backend.env).not.toHaveProperty("PULUMI_CONFIG_PASSPHRASE_FILE");
    expect(existsSync(join(place.local, "passphrase"))).toBe(false);
  });

  it("refuses an empty passphrase file", () => {
    mkdirSync(place.local);
    writeFileSync(join(place.local, "passphrase"), "\n");
    expect(() => openBackend(place, "local", env())).toThrow(/passphrase is empty/);
  });

  it("explains a local folder that cannot be written", () => {
    writeFileSync(place.local, "a file where the folder should be");
    expect(() => openBackend(place, "local", env())).toThrow(/cannot prepare/);
  });

  it("works on a copy of the config that keeps the engine's salt and follows the committed file", () => {
    const { workDir } = openBackend(place, "local", env());
    const copy = join(workDir, "Pulumi.local.yaml");
    writeFileSync(copy, "config: {}\nencryptionsalt: v1:abc\n");
    writeFileSync(join(place.root, "Pulumi.local.yaml"), "config:\n  ms5:x: 1\n");
    openBackend(place, "local", env());
    expect(readFileSync(copy, "utf8")).toBe("config:\n  ms5:x: 1\nencryptionsalt: v1:abc\n");
    expect(readFileSync(join(workDir, "Pulumi.yaml"), "utf8")).toBe("name: p\nruntime: nodejs\n");
  });

  it("leaves a salt that the team has committed", () => {
    expect(withSalt("encryptionsalt: v1:team\n", "encryptionsalt: v1:mine\n")).toBe(
      "encryptionsalt: v1:team\n",
    );
    expect(withSalt("config: {}", "encryptionsalt: v1:mine\n")).toBe("config: {}\nencryptionsalt: v1:mine\n");
    expect(withSalt("config: {}\n", "")).toBe("config: {}\n");
  });

  it("names the stacks there are when asked for another", () => {
    expect(() => requireStack(place.root, "local")).not.toThrow();
    expect(() => requireStack(place.root, "prod")).toThrow(
      expect.objectContaining({ fix: expect.stringContaining("use one of dev, local") }),
    );
  });
});
