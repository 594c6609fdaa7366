/** Every rule there is, in the order of docs/policies.md. */
import type { ResourceRule, StackRule } from "../rule";
import { allowedRegions } from "./allowedRegions";
import { allowedSizes } from "./allowedSizes";
import { budgetAlerts, budgetPresent } from "./budget";
import { encryption } from "./encryption";
import { noDatabaseLoadBalancer } from "./noDatabaseLoadBalancer";
import { noPlainSecrets, noPlainSecretsInOutputs } from "./noPlainSecrets";
import { noPublicApiServer } from "./noPublicApiServer";
import { noPublicData } from "./noPublicData";
import { protectData } from "./protectData";
import { requestsAndLimits } from "./requestsAndLimits";
import { requiredTags } from "./requiredTags";
import { restrictedNamespaces } from "./restrictedNamespaces";
import { restrictedPods } from "./restrictedPods";
import { tls } from "./tls";

export const resourceRules: readonly ResourceRule[] = [
  noPublicData,
  noPublicApiServer,
  noDatabaseLoadBalancer,
  tls,
  encryption,
  requiredTags,
  protectData,
  requestsAndLimits,
  restrictedPods,
  restrictedNamespaces,
  allowedRegions,
  allowedSizes,
  budgetAlerts,
  noPlainSecrets,
];

export const stackRules: readonly StackRule[] = [budgetPresent, noPlainSecretsInOutputs];

export const ruleNames: readonly string[] = [...resourceRules, ...stackRules].map(({ name }) => name);
