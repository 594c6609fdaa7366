// `npm run cluster -- COMMAND`: a Kubernetes of three nodes on this machine.
import { Command } from "commander";
import { ExitCode } from "../../infra/errors";
import { catchInterrupts } from "../../ops/engine/signals";
import { explain } from "../../ops/explain";
import { createLog } from "../../ops/log";
import { isReady, readyNodes } from "./apiServer";
import { ensureBlobStorage, storageUrl } from "./blobStorage";
import { down, stateOf, up } from "./cluster";
import { buildImages, loadImage } from "./images";
import { planCluster } from "./plan";
import { requireMachine } from "./requirements";

const plan = planCluster();
const log = createLog({ quiet: false });

const program = new Command("cluster")
  .description("A real Kubernetes with three nodes on this Linux machine, for tests")
  .exitOverride()
  .showHelpAfterError()
  .hook("preAction", () => requireMachine(log));

program
  .command("up")
  .description("bring it up, unless it is; build what it needs, once")
  .action(async () => {
    await up(plan, log);
    await printStatus();
  });
program
  .command("status")
  .description("say whether it is up, and where its kubeconfig is")
  .action(printStatus);
program
  .command("down")
  .description("stop it; all that was in it is gone")
  .action(() => down(plan, log));
program
  .command("reset")
  .description("a fresh one")
  .action(async () => {
    await down(plan, log);
    await start();
    await printStatus();
  });
program
  .command("storage")
  .description("start blob storage beside it, and print the environment of a stack that backs up there")
  .action(async () => {
    await up(plan, log);
    const storage = await ensureBlobStorage(plan, log);
    log.info(storageUrl(plan));
    for (const [name, value] of Object.entries(storage.config)) {
      process.stdout.write(`export ${name}='${value}'\n`);
    }
  });
const image = program.command("image").description("images that the nodes have; they pull none");
image
  .command("build")
  .description("build ours, where the recipe changed")
  .action(() => buildImages(plan, log));
image
  .command("load")
  .description("import an archive (docker save, or OCI) into all nodes, now and from now on")
  .argument("<file>")
  .action(async (file: string) => {
    for (const tag of await loadImage(plan, file, log)) process.stdout.write(`${tag}\n`);
  });

async function start(): Promise<void> {
  const interrupts = catchInterrupts(log);
  interrupts.hard.addEventListener("abort", () => process.exit(ExitCode.interrupted));
  try {
    await up(plan, log, interrupts.gentle);
  } finally {
    interrupts.release();
  }
}

async function printStatus(): Promise<void> {
  const state = stateOf(plan);
  const lines = [`cluster ${plan.name}: ${state}`];
  if (state === "up") {
    lines.push(
      `API server: ${(await isReady(plan.kubeconfig)) ? "ready" : "not ready"}`,
      `nodes ready: ${(await readyNodes(plan.kubeconfig)).join(", ")}`,
      `kubeconfig: ${plan.kubeconfig}`,
    );
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

program.parseAsync(process.argv).catch((error: unknown) => {
  process.exitCode = explain(error);
});
