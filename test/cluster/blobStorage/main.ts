// The process of a cluster's blob storage: Azurite, and in front of it a door that speaks TLS and can misbehave. It runs in
// the network of the machine that has the API server, so that pods and the host reach it. Ends with its parent's cgroup.
//
// Usage: main.ts FOLDER AZURITE
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer as createHttp, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { answerInstead, type StorageFault } from "./faults";
import { storageAccount, storagePorts } from "./places";

const [folder = "", azurite = ""] = process.argv.slice(2);
let fault: StorageFault | undefined;
let requests = 0;
let child: ChildProcess | undefined;

/** Keys are Azurite's from its start on: other ones are another process with the same data. */
function startAzurite(keys: readonly string[]): void {
  const data = join(folder, "data");
  mkdirSync(data, { recursive: true });
  const started = spawn(
    process.execPath,
    [
      azurite,
      ...["--blobHost", "0.0.0.0", "--blobPort", String(storagePorts.azurite), "--location", data],
      ...["--disableProductStyleUrl", "--silent", "--disableTelemetry", "--skipApiVersionCheck"],
    ],
    {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, AZURITE_ACCOUNTS: `${storageAccount}:${keys.join(":")}` },
    },
  );
  started.once("exit", () => {
    // Not one that was replaced.
    if (child === started) process.exit(1);
  });
  child = started;
}

async function restartAzurite(keys: readonly string[]): Promise<void> {
  const old = child;
  child = undefined;
  const gone = new Promise((resolve) => old?.once("exit", resolve));
  old?.kill("SIGTERM");
  await gone;
  startAzurite(keys);
}

async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  requests += 1;
  if (fault?.kind === "down") {
    incoming.socket.destroy();
    return;
  }
  if (fault?.kind === "slow") await sleep(fault.milliseconds);
  const instead = answerInstead(fault, incoming.method ?? "GET", Math.random);
  if (instead !== undefined) {
    incoming.resume();
    outgoing.writeHead(instead.status, {
      "x-ms-error-code": instead.code,
      "content-type": "application/xml",
    });
    outgoing.end(`<?xml version="1.0"?><Error><Code>${instead.code}</Code></Error>`);
    return;
  }
  const onward = request(
    {
      host: "127.0.0.1",
      port: storagePorts.azurite,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
    },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    },
  );
  onward.once("error", () => incoming.socket.destroy());
  incoming.once("error", () => onward.destroy());
  incoming.pipe(onward);
}

/** For tests: `PUT /fault`, `PUT /keys`, `GET /` with JSON bodies. Pods are kept from it by nothing but its port. */
const control = createHttp((incoming, outgoing) => {
  let text = "";
  incoming.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  incoming.once("end", async () => {
    if (incoming.url === "/fault") fault = text === "" ? undefined : (JSON.parse(text) as StorageFault);
    if (incoming.url === "/keys") await restartAzurite(JSON.parse(text) as string[]);
    outgoing.end(JSON.stringify({ fault: fault ?? null, requests }));
  });
});

startAzurite(JSON.parse(readFileSync(join(folder, "keys.json"), "utf8")) as string[]);
const door = createServer(
  { key: readFileSync(join(folder, "tls.key")), cert: readFileSync(join(folder, "tls.crt")) },
  (incoming, outgoing) => void handle(incoming, outgoing),
);
// Azure's own leaves connections open for minutes; Node's five seconds would break them between two files of a backup.
door.keepAliveTimeout = 120_000;
door.listen(storagePorts.door);
control.listen(storagePorts.control);
