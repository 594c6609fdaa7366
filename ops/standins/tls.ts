/** Stand-in for the official `tls` plugin: keys, requests and certificates. */
import { version } from "@pulumi/tls/package.json";
import { type Failure, type Kind, type Property, stateOf, updatedState } from "./kind";
import type { StandIn } from "./provider";
import {
  type AlternativeNames,
  allowedUses,
  type CertificateOptions,
  certificateRequest,
  type Subject,
  selfSigned,
  signedBy,
} from "./tls/certificates";
import {
  type Algorithm,
  algorithmOf,
  algorithms,
  curves,
  encodings,
  generateKey,
  parseKey,
} from "./tls/keys";
import { type Bag, containsUnknown, flag, integer, requiredText, text, texts } from "./values";

/** What there is to know of these stands in the state; nothing outside it has to be read or removed. */
type Issuer = Pick<Kind, "inputs" | "outputs" | "schemaVersion" | "check" | "expired"> & {
  issue(inputs: Bag): Promise<{ id: string; outputs: Bag }>;
  /** State properties that time changes. */
  aged?(state: Bag): Bag;
};

function issued(issuer: Issuer): Kind {
  const kind: Kind = {
    ...issuer,
    async create(inputs) {
      const { id, outputs } = await issuer.issue(inputs);
      return { id, state: { ...stateOf(kind, inputs), ...outputs } };
    },
    async read(id, state) {
      if (Object.keys(state).length === 0) {
        throw new Error("the tls stand-in cannot import keys or certificates");
      }
      return { id, state: { ...state, ...issuer.aged?.(state) } };
    },
    update: async (_id, state, inputs) => updatedState(kind, state, inputs),
    delete: async () => undefined,
  };
  return kind;
}

const replaces: Property = { replaces: true };
const required: Property = { required: true, replaces: true };

const privateKey = issued({
  inputs: {
    algorithm: { ...required, oneOf: algorithms },
    ecdsaCurve: { replaces: true, default: "P224", oneOf: curves },
    rsaBits: { replaces: true, default: 2048 },
  },
  outputs: {
    privateKeyOpenssh: { secret: true },
    privateKeyPem: { secret: true },
    privateKeyPemPkcs8: { secret: true },
    publicKeyFingerprintMd5: {},
    publicKeyFingerprintSha256: {},
    publicKeyOpenssh: {},
    publicKeyPem: {},
  },
  schemaVersion: 1,
  async issue(inputs) {
    const key = await generateKey(requiredText(inputs, "algorithm") as Algorithm, {
      rsaBits: integer(inputs, "rsaBits") ?? 2048,
      curve: requiredText(inputs, "ecdsaCurve"),
    });
    return encodings(key);
  },
});

/** A key comes openly, or write-only with a version that says when it changed. */
function keyInputs(name: string): Record<string, Property> {
  return {
    [name]: { replaces: true, secret: true },
    [`${name}Wo`]: { secret: true, writeOnly: true },
    [`${name}WoVersion`]: replaces,
  };
}

function checkKey(inputs: Bag, name: string): Failure[] {
  const given = [inputs[name], inputs[`${name}Wo`]].filter((value) => value !== undefined);
  if (given.length === 1) return [];
  return [{ property: name, reason: `exactly one of ${name} and ${name}Wo is required` }];
}

function keyOf(inputs: Bag, name: string) {
  const given = inputs[name] === undefined ? `${name}Wo` : name;
  return parseKey(requiredText(inputs, given), given);
}

const subjectInputs: Record<string, Property> = {
  subject: replaces,
  dnsNames: replaces,
  ipAddresses: replaces,
  uris: replaces,
};

function subjectOf(inputs: Bag): Subject {
  const subject = inputs.subject ?? {};
  if (typeof subject !== "object" || Array.isArray(subject)) {
    throw new Error(`subject must be an object, not ${JSON.stringify(subject)}`);
  }
  return Object.fromEntries(
    Object.keys(subject)
      .filter((name) => !name.startsWith("__"))
      .map((name) => [name, name === "streetAddresses" ? texts(subject, name) : text(subject, name)]),
  );
}

function namesOf(inputs: Bag): AlternativeNames {
  return {
    dnsNames: texts(inputs, "dnsNames"),
    ipAddresses: texts(inputs, "ipAddresses"),
    uris: texts(inputs, "uris"),
  };
}

const certificateInputs: Record<string, Property> = {
  allowedUses: required,
  earlyRenewalHours: { default: 0 },
  isCaCertificate: { replaces: true, default: false },
  maxPathLength: { replaces: true, computed: true },
  setSubjectKeyId: { replaces: true, default: false },
  validityPeriodHours: required,
};

const certificateOutputs = { certPem: {}, readyForRenewal: {}, validityEndTime: {}, validityStartTime: {} };

function checkCertificate(inputs: Bag): Failure[] {
  const failures: Failure[] = [];
  for (const [property, least] of [
    ["validityPeriodHours", 0],
    ["earlyRenewalHours", 0],
    ["maxPathLength", -1],
  ] as const) {
    const value = integer(inputs, property);
    if (value !== undefined && value < least) {
      failures.push({ property, reason: `it is ${value} and must be at least ${least}` });
    }
  }
  for (const use of texts(inputs, "allowedUses")) {
    if (allowedUses.includes(use)) continue;
    failures.push({
      property: "allowedUses",
      reason: `${JSON.stringify(use)} is not one of ${allowedUses.join(", ")}`,
    });
  }
  return failures;
}

function optionsOf(inputs: Bag): CertificateOptions {
  return {
    start: new Date(),
    validityHours: integer(inputs, "validityPeriodHours") ?? 0,
    uses: texts(inputs, "allowedUses"),
    isCa: flag(inputs, "isCaCertificate"),
    maxPathLength: integer(inputs, "maxPathLength"),
    setSubjectKeyId: flag(inputs, "setSubjectKeyId"),
    setAuthorityKeyId: flag(inputs, "setAuthorityKeyId"),
  };
}

/** Whether the certificate has run out, or will within its early renewal hours. */
function isDue(state: Bag, earlyRenewalHours: number): boolean {
  const end = Date.parse(text(state, "validityEndTime") ?? "");
  return end - earlyRenewalHours * 3_600_000 <= Date.now();
}

const renewal: Pick<Issuer, "expired" | "aged"> = {
  expired: (state, inputs) =>
    !containsUnknown(inputs.earlyRenewalHours) && isDue(state, integer(inputs, "earlyRenewalHours") ?? 0)
      ? ["readyForRenewal"]
      : [],
  aged: (state): Bag =>
    isDue(state, integer(state, "earlyRenewalHours") ?? 0) ? { readyForRenewal: true } : {},
};

const selfSignedCert = issued({
  inputs: {
    ...keyInputs("privateKeyPem"),
    ...subjectInputs,
    ...certificateInputs,
    setAuthorityKeyId: { replaces: true, default: false },
  },
  outputs: { ...certificateOutputs, keyAlgorithm: {} },
  ...renewal,
  check: (inputs) => [...checkKey(inputs, "privateKeyPem"), ...checkCertificate(inputs)],
  async issue(inputs) {
    const key = keyOf(inputs, "privateKeyPem");
    const { id, ...outputs } = selfSigned(key, subjectOf(inputs), namesOf(inputs), optionsOf(inputs));
    return { id, outputs: { ...outputs, readyForRenewal: false, keyAlgorithm: algorithmOf(key) } };
  },
});

const certRequest = issued({
  inputs: { ...keyInputs("privateKeyPem"), ...subjectInputs },
  outputs: { certRequestPem: {}, keyAlgorithm: {} },
  check: (inputs) => checkKey(inputs, "privateKeyPem"),
  async issue(inputs) {
    const key = keyOf(inputs, "privateKeyPem");
    const { id, certRequestPem } = certificateRequest(key, subjectOf(inputs), namesOf(inputs));
    return { id, outputs: { certRequestPem, keyAlgorithm: algorithmOf(key) } };
  },
});

const locallySignedCert = issued({
  inputs: {
    ...keyInputs("caPrivateKeyPem"),
    ...certificateInputs,
    caCertPem: required,
    certRequestPem: required,
  },
  outputs: { ...certificateOutputs, caKeyAlgorithm: {} },
  ...renewal,
  check: (inputs) => [...checkKey(inputs, "caPrivateKeyPem"), ...checkCertificate(inputs)],
  async issue(inputs) {
    const key = keyOf(inputs, "caPrivateKeyPem");
    const { id, ...outputs } = signedBy(
      { certPem: requiredText(inputs, "caCertPem"), key },
      requiredText(inputs, "certRequestPem"),
      optionsOf(inputs),
    );
    return { id, outputs: { ...outputs, readyForRenewal: false, caKeyAlgorithm: algorithmOf(key) } };
  },
});

export const tls: StandIn = {
  name: "tls",
  version,
  configure: () => ({
    "tls:index/certRequest:CertRequest": certRequest,
    "tls:index/locallySignedCert:LocallySignedCert": locallySignedCert,
    "tls:index/privateKey:PrivateKey": privateKey,
    "tls:index/selfSignedCert:SelfSignedCert": selfSignedCert,
  }),
};
