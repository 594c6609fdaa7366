// Where the policy pack begins, whoever starts it: Pulumi's Node language host, or bin/pulumi-analyzer-policy-nodejs.
// Plain CommonJS, because the one knows another TypeScript loader than ours and the other knows none.

// Before the loader, which looks into every module that is loaded after it: that alone would take the SDK a second more.
require("@pulumi/policy");
require("yaml");
require("zod");

require("tsx/cjs/api").register();
require("./index.ts");
