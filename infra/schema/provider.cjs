// The dynamic provider of every ms5:schema resource, as the process that Pulumi starts for dynamic providers loads it
// from the checkout (see infra/providerSource.ts). Plain CommonJS, because that process need not know TypeScript yet.
require("tsx/cjs/api").register();

const { allowLateImports } = require("../lateImports.cjs");
const handlers = require("./handlers/index.ts");

/** For what goes to the database; a preview is spared the time. */
function working() {
  allowLateImports();
  return handlers;
}

exports.provider = (kind, stack) => ({
  async configure(request) {
    this.stack = { name: stack, rawConfig: request.config.rawConfig };
  },
  async check(olds, news) {
    return handlers.check(kind, this.stack, olds, news);
  },
  async diff(_id, olds, news) {
    return handlers.diff(kind, olds, news);
  },
  async create(inputs) {
    return working().create(kind, this.stack, inputs);
  },
  async read(id, props) {
    return working().read(kind, this.stack, id, props);
  },
  async update(id, olds, news) {
    return working().update(kind, this.stack, id, olds, news);
  },
  async delete(_id, props) {
    return working().delete(kind, this.stack, props);
  },
});
