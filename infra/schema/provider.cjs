// The dynamic provider of every ms5:schema resource.
//
// Pulumi stores the source of this object in the state and runs it from there in a process of its own. So it holds
// next to nothing: it finds the checkout and hands over to the code there (handlers/index.ts). That keeps the state
// small, and its text the same whichever loader ran the program: this file is plain CommonJS because loaders leave
// that alone, while what they make of TypeScript differs and would show as a change of every resource.
//
// Only `require` inside a function survives the serialisation.
function handlers() {
  // Once a process: the engine asks several times for each resource, and each registration of tsx slows all that follow.
  if (globalThis.ms5SchemaHandlers !== undefined) return globalThis.ms5SchemaHandlers;
  const { existsSync } = require("node:fs");
  const { createRequire } = require("node:module");
  const { dirname, join } = require("node:path");
  let root = process.env.MS5_ROOT ?? process.cwd();
  while (!existsSync(join(root, "infra", "schema", "provider.cjs"))) {
    const parent = dirname(root);
    if (parent === root) {
      throw new Error(
        "ms5-timescale: run this stack inside its checkout, or set MS5_ROOT to the checkout's folder",
      );
    }
    root = parent;
  }
  const requireHere = createRequire(join(root, "package.json"));
  requireHere("tsx/cjs/api").register();
  globalThis.ms5SchemaHandlers = requireHere("./infra/schema/handlers/index.ts");
  return globalThis.ms5SchemaHandlers;
}

exports.schemaProvider = (kind, stack) => ({
  async configure(request) {
    this.stack = { name: stack, rawConfig: request.config.rawConfig };
  },
  async check(olds, news) {
    return handlers().check(kind, this.stack, olds, news);
  },
  async diff(_id, olds, news) {
    return handlers().diff(kind, olds, news);
  },
  async create(inputs) {
    return handlers().create(kind, this.stack, inputs);
  },
  async read(id, props) {
    return handlers().read(kind, this.stack, id, props);
  },
  async update(id, olds, news) {
    return handlers().update(kind, this.stack, id, olds, news);
  },
  async delete(_id, props) {
    return handlers().delete(kind, this.stack, props);
  },
});
