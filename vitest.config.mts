import { defineConfig } from "vitest/config";

/** Levels of DESIGN section 7, each runnable alone: `npx vitest run --project unit`. */
export default defineConfig({
  test: {
    projects: [
      // Pure functions: no process, no socket, no database.
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          // Long only on a machine that does much else at a time: none of them measures.
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      // A real embedded TimescaleDB, a real engine or a child process. Three files at a time: each
      // database holds up to 1 GB.
      {
        test: {
          name: "integration",
          include: ["test/{sql,stack,engine}/**/*.test.ts"],
          globalSetup: "test/support/engineSetup.ts",
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // One more than cores: each waits a while for processes to start and end.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
