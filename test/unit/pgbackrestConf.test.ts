import { describe, expect, it } from "vitest";
import {
  archivingParameters,
  renderKeys,
  renderPgbackrestConf,
  storeCaFiles,
} from "../../infra/database/backups/pgbackrestConf";
import type { BackupSettings, BackupStore } from "../../infra/database/backups/settings";

const store: BackupStore = {
  account: "factorybackups",
  container: "pgbackrest",
  endpoint: "blob.core.windows.net",
  port: 443,
  pathStyle: false,
  ca: undefined,
  addresses: ["0.0.0.0/0"],
  keyType: "auto",
  key: undefined,
};

/** Azurite in e2e, and its like in a factory's own data centre. */
const sas: BackupStore = {
  ...store,
  account: "devstore",
  endpoint: "azurite.storage.svc",
  port: 10_000,
  pathStyle: true,
  ca: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
  keyType: "sas",
  key: "sv=2024-11-04&ss=b&sp=rwdl&sig=a%2Bb%3D",
};

const settings = (...stores: BackupStore[]): BackupSettings => ({
  stores,
  path: "/prod",
  encryptionKey: undefined,
  schedules: { full: "0 2 * * 0", differential: undefined, incremental: undefined, drill: undefined },
  maxAge: 46_800,
  keepFull: 4,
  keepDifferential: 6,
  archiveTimeout: 60,
  queueMaxBytes: 2 ** 31,
  processes: 1,
  bytesPerSecond: 64 * 2 ** 20,
  cloneVolume: "100Gi",
});

const shared: BackupStore = { ...store, account: "elsewhere", keyType: "shared", key: "c2hhcmVkLWtleQ==" };

describe("what pgBackRest reads", () => {
  it("is this, whole, for a store of one's own that a token opens", () => {
    expect(renderPgbackrestConf(settings(sas))).toMatchInlineSnapshot(`
      "# Written by the stack (infra/database/backups/pgbackrestConf.ts); secrets are in /backup-keys.
      [global]
      repo1-type=azure
      repo1-path=/prod
      repo1-azure-account=devstore
      repo1-azure-container=pgbackrest
      repo1-azure-endpoint=azurite.storage.svc
      repo1-azure-key-type=sas
      repo1-azure-uri-style=path
      repo1-storage-port=10000
      repo1-storage-ca-file=/ms5/settings/storage-1-ca.pem
      repo1-cipher-type=aes-256-cbc
      repo1-retention-full=4
      repo1-retention-diff=6
      repo1-bundle=y
      repo1-block=y
      # Smaller and faster than the default gz.
      compress-type=zst
      process-max=1
      # A checkpoint at once: waiting for the next one would take longer than most backups.
      start-fast=y
      spool-path=/wal/pgbackrest/spool
      lock-path=/run/ms5/pgbackrest
      log-path=/wal/pgbackrest/log
      # A member that went without a word would hold its lock at the others for two hours, the kernel's default.
      tcp-keep-alive-idle=3
      tcp-keep-alive-interval=2
      tcp-keep-alive-count=3
      # Containers' logs are what is read.
      log-level-console=info
      log-level-file=off

      [global:archive-push]
      # Segments are sent by a process of its own, many at a time.
      archive-async=y
      # With more, all that waits is given up: writers must not stop because the storage is away. An alert says so before.
      archive-push-queue-max=2147483648
      # How long PostgreSQL's archiver waits for one segment; it asks again. Long waits would hold up its end.
      archive-timeout=10
      # By default a storage that is away is tried for a minute, and nobody hears of it meanwhile.
      io-timeout=15
      log-level-console=warn
      # Where the agent reads what was given up.
      log-level-file=warn

      [global:archive-get]
      # Recovery does not wait for each segment: the next ones are fetched meanwhile.
      archive-async=y

      [global:server]
      tls-server-address=0.0.0.0
      tls-server-ca-file=/tls/ca/ca.pem
      tls-server-cert-file=/tls/server/tls.crt
      tls-server-key-file=/tls/server/tls.key
      # Members among themselves: whoever makes a backup begins and ends it on the primary.
      tls-server-auth=patroni=database
      log-level-console=warn

      [database]
      pg1-path=/data/pgdata
      pg1-socket-path=/run/postgresql
      pg1-user=postgres
      "
    `);
  });

  it("has a second store with everything of its own, and no line that is a default", () => {
    const text = renderPgbackrestConf({ ...settings(store, shared), processes: 3, path: "/stack" });
    expect(
      text
        .split("\n")
        .filter((line) => /^(repo|process)/.test(line))
        .join("\n"),
    ).toMatchInlineSnapshot(`
      "repo1-type=azure
      repo1-path=/stack
      repo1-azure-account=factorybackups
      repo1-azure-container=pgbackrest
      repo1-azure-endpoint=blob.core.windows.net
      repo1-azure-key-type=auto
      repo1-cipher-type=aes-256-cbc
      repo1-retention-full=4
      repo1-retention-diff=6
      repo1-bundle=y
      repo1-block=y
      repo2-type=azure
      repo2-path=/stack
      repo2-azure-account=elsewhere
      repo2-azure-container=pgbackrest
      repo2-azure-endpoint=blob.core.windows.net
      repo2-azure-key-type=shared
      repo2-cipher-type=aes-256-cbc
      repo2-retention-full=4
      repo2-retention-diff=6
      repo2-bundle=y
      repo2-block=y
      process-max=3"
    `);
  });

  it("has no secret in it: everybody may read the config", () => {
    const text = renderPgbackrestConf({ ...settings(sas, shared), encryptionKey: "0123456789abcdefghij" });
    for (const secret of ["sig=", "c2hhcmVk", "0123456789abcdefghij"]) expect(text).not.toContain(secret);
  });

  it("has a file for each CA, under the name that the config says", () => {
    const files = storeCaFiles(settings(store, sas));
    expect(files).toEqual({ "storage-2-ca.pem": sas.ca });
    expect(renderPgbackrestConf(settings(store, sas))).toContain(
      "repo2-storage-ca-file=/ms5/settings/storage-2-ca.pem\n",
    );
    expect(storeCaFiles(settings(store, shared))).toEqual({});
  });
});

describe("its secrets", () => {
  it("are the encryption key of each store, and what opens those that no identity does", () => {
    expect(renderKeys(settings(store, sas), "encrypt")).toMatchInlineSnapshot(`
      "[global]
      repo1-cipher-pass=encrypt
      repo2-azure-key=sv=2024-11-04&ss=b&sp=rwdl&sig=a%2Bb%3D
      repo2-cipher-pass=encrypt
      "
    `);
    expect(renderKeys(settings(shared), "encrypt")).toContain("repo1-azure-key=c2hhcmVkLWtleQ==\n");
  });
});

describe("PostgreSQL's settings for archiving", () => {
  it("are none without backups", () => {
    expect(archivingParameters(undefined)).toEqual({});
  });

  it("leave what a primary that hands over has not archived to the next one", () => {
    expect(archivingParameters({ ...settings(store), archiveTimeout: 30 })).toMatchInlineSnapshot(`
      {
        "archive_command": "test ! -e /run/ms5/leaving || exit 200; exec pgbackrest --stanza=database archive-push "%p"",
        "archive_mode": "on",
        "archive_timeout": "30s",
      }
    `);
  });
});
