// The programs that pods of monitoring run (infra/monitoring/programs.ts), in one file.
import { runExporter } from "./exporter/main";
import { runService } from "./service/main";

const programs = { exporter: runExporter, api: runService };

export async function main(name: string | undefined): Promise<void> {
  const program = programs[name as keyof typeof programs];
  if (program === undefined) throw new Error(`no program ${name}: ${Object.keys(programs).join(", ")}`);
  await program();
}
