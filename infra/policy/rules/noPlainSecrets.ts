// What looks like a secret must be one to Pulumi: otherwise it is in plain text in the state, in previews and in CI logs.
import { azureType } from "../azure";
import { kubernetesKind } from "../kubernetes";
import {
  broken,
  type CheckedResource,
  type Finding,
  type ResourceRule,
  type StackRule,
  undecided,
} from "../rule";
import { isList, isObject, unknown, type Value } from "../values";

export const noPlainSecrets: ResourceRule = {
  name: "no-plain-secrets",
  description: "Passwords, keys and tokens that resources are given are secrets to Pulumi",
  check: (resource) => plainSecrets(resource),
};

export const noPlainSecretsInOutputs: StackRule = {
  name: "no-plain-secrets-in-outputs",
  description: "Passwords, keys and tokens among the stack's outputs are secrets to Pulumi",
  checkStack: (resources) =>
    resources.filter(({ type }) => type === "pulumi:pulumi:Stack").flatMap((stack) => plainSecrets(stack)),
};

const fix = "wrap it in pulumi.secret(), or set it with `pulumi config set --secret`";

/** Where whole resources are secrets, whatever their parts are called. */
function secretPart(type: string): RegExp | undefined {
  if (kubernetesKind(type) === "core:Secret") return /^(data|stringData)\b/;
  return azureType(type) === "keyvault:Secret" ? /^properties\.value$/ : undefined;
}

function plainSecrets(resource: CheckedResource): Finding[] {
  const part = secretPart(resource.type);
  return plainTexts(resource).flatMap(({ path, name, text }) => {
    const named = isSecretName(name) || part?.test(path);
    // Never the value: the message goes to logs.
    if (text === unknown) return named ? [undecided(`${path}, and whether it is a secret,`)] : [];
    const looks = named ? "is a secret by its name" : secretLook(text);
    return looks === undefined || text === ""
      ? []
      : [broken(`${path} ${looks} and is in plain text: ${fix}`)];
  });
}

interface PlainText {
  readonly path: string;
  /** Of the property, or what an environment variable of a container is called. */
  readonly name: string;
  readonly text: string | typeof unknown;
}

/** Every text, and every value that is not known yet, that is no secret to Pulumi. */
function plainTexts({ values, secrets }: CheckedResource): PlainText[] {
  const walk = (value: Value, path: string, name: string): PlainText[] => {
    if (secrets.has(path)) return [];
    if (value === unknown || typeof value === "string") return [{ path, name, text: value }];
    if (isList(value)) return value.flatMap((item, index) => walk(item, `${path}[${index}]`, name));
    if (!isObject(value)) return [];
    return Object.entries(value).flatMap(([key, item]) =>
      walk(
        item,
        path === "" ? key : `${path}.${key}`,
        holdsSecrets.test(name) ? name : (variableName(value, key) ?? key),
      ),
    );
  };
  return walk(values, "", "");
}

/** `passwords: { reader: … }`. Not `secrets`: Kubernetes lists names of Secrets in properties that are called so. */
const holdsSecrets = /(passwords|passphrases|tokens)$/i;

/** `POSTGRES_PASSWORD` of `{ name: "POSTGRES_PASSWORD", value: … }`. */
function variableName(entry: { readonly [property: string]: Value }, key: string): string | undefined {
  return key === "value" && typeof entry.name === "string" ? entry.name : undefined;
}

const secretWords = [
  "password",
  "passwd",
  "passphrase",
  "secret",
  "token",
  "apikey",
  "accesskey",
  "accountkey",
  "sharedkey",
  "privatekey",
  "privatekeypem",
  "clientkeydata",
  "connectionstring",
  "sasurl",
  "sastoken",
] as const;

/** By how it ends: `adminPassword` is one, `passwordVersion` and `secretName` are not. Several of them too. */
export function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_.]/g, "");
  return secretWords.some((word) => plain.endsWith(word) || plain.endsWith(`${word}s`));
}

const looks: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/, what: "holds a private key" },
  { pattern: /\b(AccountKey|SharedAccessKey|SharedAccessSignature)=/, what: "holds a connection string" },
  { pattern: /[?&]sig=[\w%+/]{20,}/, what: "holds a shared access signature" },
  { pattern: /\w:\/\/[^\s:/@]+:[^\s/@]+@/, what: "holds a URL with a password" },
  { pattern: /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+/, what: "holds a token" },
];

/** What a text looks like by itself; undefined when it looks harmless. */
function secretLook(text: string): string | undefined {
  return looks.find(({ pattern }) => pattern.test(text))?.what;
}
