// The dynamic provider of ms5:database:Rollout, as the process that Pulumi starts for dynamic providers loads it from the
// checkout (see infra/providerSource.ts).
require("tsx/cjs/api").register();

const { allowLateImports } = require("../../lateImports.cjs");
const { diff } = require("./diff.ts");

/** Not for a preview: Kubernetes' client library takes a second of CPU to load. */
function handler() {
  allowLateImports();
  return require("./handler.ts");
}

exports.provider = (stack) => ({
  async configure(request) {
    this.stack = { name: stack, rawConfig: request.config.rawConfig };
  },
  async check(_olds, news) {
    return { inputs: news, failures: [] };
  },
  async diff(_id, olds, news) {
    return diff(olds, news);
  },
  async create(inputs) {
    await handler().apply(this.stack, inputs);
    return { id: inputs.colour, outs: inputs };
  },
  async update(_id, _olds, news) {
    await handler().apply(this.stack, news);
    return { outs: news };
  },
  async read(id, props) {
    return handler().read(this.stack, id, props);
  },
  async delete() {},
});
