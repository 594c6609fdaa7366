// How properties come out of the policy SDK: once for all policies, and with secrets told from plain text.
//
// The engine tells a pack which values are secrets. The SDK opens them on the way in, so that a policy cannot tell a secret
// from a password in plain text; and it reads everything again for each policy, which was a quarter of the time here.
import { unknownCheckingProxy } from "@pulumi/policy";
import { type Properties, readProperties } from "./properties";

interface Deserialize {
  deserializeProperties(properties: object, keepSecrets: boolean): object;
}

/** Of a proxy of the SDK's: what is behind it. */
const target = "__getSpecialProxyTarget";

/** By the message that they came in, which is the same for every policy. */
const known = new WeakMap<object, Properties>();

/**
 * To be called before the pack is made. It reaches into the SDK (1.21), which has no option for it; test/engine/
 * policyPack.test.ts says when that has moved.
 *
 * @throws Error when the SDK has no such place any more
 */
export function readPropertiesOurWay(): void {
  const sdk: Deserialize = require("@pulumi/policy/deserialize");
  const { deserializeProperties } = sdk;
  if (typeof deserializeProperties !== "function") {
    throw new Error("@pulumi/policy has changed inside: infra/policy/sdkProperties.ts is made for 1.21");
  }
  sdk.deserializeProperties = (message) => {
    const properties = known.get(message) ?? readProperties(deserialized(message));
    known.set(message, properties);
    return properties;
  };
  // As before a remediation, where a secret stays a `Secret`, but without the proxy that opens it when it is read.
  const deserialized = (message: object): object =>
    unknownCheckingProxy(Reflect.get(deserializeProperties(message, true), target));
}

/** Of what the SDK hands to a policy as `props`. */
export function propertiesOf(props: object): Properties {
  return Reflect.get(props, target);
}
