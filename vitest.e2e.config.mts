import { defineConfig } from "vitest/config";

/** The level above vitest.config.mts: a real TimescaleDB server, made from Debian packages. Needs root. */
export default defineConfig({
  test: {
    name: "e2e",
    include: ["test/e2e/**/*.test.ts"],
    globalSetup: "test/e2e/support/setup.ts",
    // The servers end with the process that started them: worker threads are none.
    pool: "forks",
    // Each file starts servers and engines of its own; times of one would disturb the other's.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
