import { UserError } from "../../infra/errors";
import { type ConnectionTarget, tlsModes } from "../../infra/schema/postgres";

/**
 * The real server a benchmark may use: MS5_BENCH_DATABASE_URL, e.g.
 * `postgres://bench:secret@db.example:5432/bench?sslmode=verify-full`. undefined when it is not set.
 *
 * @throws UserError when it is no such URL; its text, which may hold a password, is never repeated
 */
export function serverFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): ConnectionTarget | undefined {
  const text = env.MS5_BENCH_DATABASE_URL;
  if (text === undefined || text === "") return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const tls = tlsModes.find((mode) => mode === (url?.searchParams.get("sslmode") ?? "verify-full"));
  const database = url?.pathname.slice(1);
  if (
    url === undefined ||
    !/^postgres(ql)?:$/.test(url.protocol) ||
    tls === undefined ||
    !database ||
    !url.username
  ) {
    throw new UserError("MS5_BENCH_DATABASE_URL is no address of a PostgreSQL server", {
      fix: `write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=MODE, MODE one of ${tlsModes.join(", ")}`,
    });
  }
  return {
    host: url.hostname,
    port: Number(url.port || 5432),
    database: decodeURIComponent(database),
    user: decodeURIComponent(url.username),
    ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
    tls,
    singleSession: false,
  };
}
