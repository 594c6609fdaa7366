// Preloaded into the dynamic provider. The engine holds the other end of its stdin: when the engine dies, even by
// kill -9, stdin ends, and a provider without an engine must not go on changing a database.
process.stdin.on("end", () => process.exit(1));
process.stdin.on("error", () => process.exit(1));
process.stdin.resume();
