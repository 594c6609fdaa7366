/** What the server process and the process that started it tell each other. */
import { z } from "zod";

/** The server process's arguments, as JSON in its argv. */
export const serverArguments = z.object({
  /** Absolute path, or `memory`. */
  dataDir: z.string(),
  /** 0 takes any free port. */
  port: z.number().int().min(0).max(65_535),
});
export type ServerArguments = z.infer<typeof serverArguments>;

/** The server process's lines on stdout: notes, then how its start ended. */
export const serverLine = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("note"), text: z.string() }),
  z.object({ kind: z.literal("ready"), port: z.number().int(), firstStart: z.boolean() }),
  z.object({ kind: z.literal("failed"), message: z.string(), fix: z.string() }),
]);
export type ServerLine = z.infer<typeof serverLine>;
