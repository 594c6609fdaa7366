// infra/policy/index.ts - the policy pack: every rule as a policy of Pulumi's, less what exceptions.yaml excuses.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  PolicyPack,
  type PolicyResource,
  type ReportViolation,
  type ResourceValidationArgs,
  type ResourceValidationPolicy,
  type StackValidationPolicy,
} from "@pulumi/policy";
import { environmentOf } from "./environment";
import { exceptionFor, readExceptions } from "./exceptions";
import type { CheckedResource, Finding, ResourceRule, RuleContext, StackRule } from "./rule";
import { resourceRules, ruleNames, stackRules } from "./rules";
import { propertiesOf, readPropertiesOurWay } from "./sdkProperties";
import type { Values } from "./values";

const environment = environmentOf(process.env);
const isPreview = process.env.PULUMI_NODEJS_DRY_RUN === "true";
const exceptions = readExceptions(
  readFileSync(join(__dirname, "exceptions.yaml"), "utf8"),
  ruleNames,
  new Date().toISOString().slice(0, 10),
);

readPropertiesOurWay();
new PolicyPack("ms5-timescale", {
  enforcementLevel: "mandatory",
  policies: [...resourceRules.map(resourcePolicy), ...stackRules.map(stackPolicy), exceptionsPolicy()],
});

function resourcePolicy(rule: ResourceRule): ResourceValidationPolicy {
  const { name, description, configSchema } = rule;
  return {
    name,
    description,
    ...(configSchema && { configSchema: { properties: { ...configSchema } } }),
    validateResource: (args, report) =>
      tell(rule.check(checked(args), context(args)), rule, args.urn, report),
  };
}

function stackPolicy(rule: StackRule): StackValidationPolicy {
  const { name, description } = rule;
  return {
    name,
    description,
    validateStack: (args, report) => {
      const stack = args.resources.find(({ type }) => type === stackType);
      tell(rule.checkStack(args.resources.map(checked), context(args)), rule, stack?.urn ?? "", report);
    },
  };
}

const stackType = "pulumi:pulumi:Stack";

/** Told of the stack itself, which comes first: what was excused wrongly stops an `up` before it begins. */
function exceptionsPolicy(): ResourceValidationPolicy {
  return {
    name: "exceptions",
    description: "Exceptions say which policy, which resource, why, and until when",
    validateResource: ({ type }, report) => {
      if (type !== stackType) return;
      for (const problem of exceptions.problems) violated(report, problem);
    },
  };
}

function checked({ type, name, urn, props, opts }: ResourceValidationArgs | PolicyResource): CheckedResource {
  return { type, name, urn, protect: opts.protect, ...propertiesOf(props) };
}

function context(args: { getConfig<T extends object>(): T }): RuleContext {
  return { environment, config: args.getConfig<Values>() };
}

function tell(
  findings: readonly Finding[],
  { name }: { readonly name: string },
  urn: string,
  report: ReportViolation,
): void {
  if (findings.length === 0) return;
  const exception = exceptionFor(exceptions.valid, name, urn);
  if (exception !== undefined) {
    // The engine shows what a pack prints as information.
    console.log(
      `policy ${name} does not hold for ${urn.split("::").slice(3).join("::")} until ${exception.expires}: ${exception.reason}`,
    );
    return;
  }
  for (const { message, certain } of findings) {
    violated(report, message, certain || !isPreview ? "mandatory" : "advisory");
  }
}

type Violation = { readonly message: string; readonly enforcementLevel: "advisory" | "mandatory" };

/** The SDK takes a level for each violation too, and a message without the description before it; its types leave that out. */
function violated(
  report: ReportViolation,
  message: string,
  enforcementLevel: Violation["enforcementLevel"] = "mandatory",
): void {
  (report as unknown as (violation: Violation) => void)({ message, enforcementLevel });
}
