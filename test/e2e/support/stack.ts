// Stack `dev` on a test's server.
import type { ConnectionTarget } from "../../../infra/schema/postgres";
import { CommandStack } from "../../support/commandStack";

export class TestStack extends CommandStack {
  constructor(target: ConnectionTarget) {
    super("dev", {
      MS5_PLATFORM: "none",
      MS5_DATABASE_KIND: "server",
      MS5_DATABASE_EDITION: "apache",
      MS5_DATABASE_HOST: target.host,
      MS5_DATABASE_PORT: String(target.port),
      MS5_DATABASE_NAME: target.database,
      MS5_DATABASE_USER: target.user,
      MS5_DATABASE_PASSWORD: target.password ?? "",
      MS5_DATABASE_TLS: target.tls,
      MS5_DATABASE_CA_FILE: target.caFile ?? "",
    });
  }
}
