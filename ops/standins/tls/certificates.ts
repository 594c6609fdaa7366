/** Certificates and certificate requests: what goes into them, and the signature. */
import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import { Attributes, CertificationRequest, CertificationRequestInfo } from "@peculiar/asn1-csr";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  Attribute,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";
import { publicDer } from "./keys";

const keyUsages: Record<string, number> = {
  digital_signature: KeyUsageFlags.digitalSignature,
  content_commitment: KeyUsageFlags.nonRepudiation,
  key_encipherment: KeyUsageFlags.keyEncipherment,
  data_encipherment: KeyUsageFlags.dataEncipherment,
  key_agreement: KeyUsageFlags.keyAgreement,
  cert_signing: KeyUsageFlags.keyCertSign,
  crl_signing: KeyUsageFlags.cRLSign,
  encipher_only: KeyUsageFlags.encipherOnly,
  decipher_only: KeyUsageFlags.decipherOnly,
};

const extendedKeyUsages: Record<string, string> = {
  any_extended: "2.5.29.37.0",
  server_auth: "1.3.6.1.5.5.7.3.1",
  client_auth: "1.3.6.1.5.5.7.3.2",
  code_signing: "1.3.6.1.5.5.7.3.3",
  email_protection: "1.3.6.1.5.5.7.3.4",
  ipsec_end_system: "1.3.6.1.5.5.7.3.5",
  ipsec_tunnel: "1.3.6.1.5.5.7.3.6",
  ipsec_user: "1.3.6.1.5.5.7.3.7",
  timestamping: "1.3.6.1.5.5.7.3.8",
  ocsp_signing: "1.3.6.1.5.5.7.3.9",
  microsoft_server_gated_crypto: "1.3.6.1.4.1.311.10.3.3",
  netscape_server_gated_crypto: "2.16.840.1.113730.4.1",
  microsoft_commercial_code_signing: "1.3.6.1.4.1.311.2.1.22",
  microsoft_kernel_code_signing: "1.3.6.1.4.1.311.61.1.1",
};

/** The names that `allowedUses` takes. */
export const allowedUses: readonly string[] = [
  ...Object.keys(keyUsages),
  ...Object.keys(extendedKeyUsages),
].sort();

/** Parts of a distinguished name as the program writes them. */
export type Subject = Readonly<Record<string, string | readonly string[] | undefined>>;

/** In the order in which the official plugin writes them; some readers compare names byte by byte. */
const subjectParts: readonly (readonly [property: string, oid: string])[] = [
  ["country", "2.5.4.6"],
  ["organization", "2.5.4.10"],
  ["organizationalUnit", "2.5.4.11"],
  ["locality", "2.5.4.7"],
  ["province", "2.5.4.8"],
  ["streetAddresses", "2.5.4.9"],
  ["postalCode", "2.5.4.17"],
  ["commonName", "2.5.4.3"],
  ["serialNumber", "2.5.4.5"],
  ["emailAddress", "1.2.840.113549.1.9.1"],
];

export interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
}

export interface CertificateOptions {
  readonly start: Date;
  readonly validityHours: number;
  readonly uses: readonly string[];
  readonly isCa: boolean;
  /** How many intermediate authorities may follow; `undefined` or -1 for no limit. */
  readonly maxPathLength: number | undefined;
  readonly setSubjectKeyId: boolean;
  /** On a self-signed certificate; one signed by an authority that has a key id always carries it. */
  readonly setAuthorityKeyId: boolean;
}

export interface Issued {
  /** Serial number, decimal. */
  readonly id: string;
  readonly certPem: string;
  /** RFC 3339. */
  readonly validityStartTime: string;
  readonly validityEndTime: string;
}

/** @throws Error when the options contradict one another */
export function selfSigned(
  key: KeyObject,
  subject: Subject,
  names: AlternativeNames,
  options: CertificateOptions,
): Issued {
  const distinguishedName = nameOf(subject);
  const publicKey = AsnConvert.parse(publicDer(key), SubjectPublicKeyInfo);
  const keyId = options.isCa || options.setSubjectKeyId ? keyIdOf(publicKey) : undefined;
  if (options.setAuthorityKeyId && keyId === undefined) {
    throw new Error(
      "setAuthorityKeyId needs setSubjectKeyId or isCaCertificate: there is no key id to refer to",
    );
  }
  return issue({
    subject: distinguishedName,
    issuer: distinguishedName,
    publicKey,
    keyId,
    authorityKeyId: options.setAuthorityKeyId ? keyId : undefined,
    alternativeNames: alternativeNames(names, distinguishedName.length === 0),
    signer: key,
    options,
  });
}

/** @throws Error when a PEM is unreadable, or the key is not that of the authority's certificate */
export function signedBy(
  authority: { certPem: string; key: KeyObject },
  requestPem: string,
  options: CertificateOptions,
): Issued {
  const certificate = AsnConvert.parse(derOf(authority.certPem, "CERTIFICATE", "caCertPem"), Certificate);
  const { subject: issuer, subjectPublicKeyInfo, extensions } = certificate.tbsCertificate;
  if (!publicDer(authority.key).equals(Buffer.from(AsnConvert.serialize(subjectPublicKeyInfo)))) {
    throw new Error("caPrivateKeyPem is not the key of the certificate in caCertPem");
  }
  const request = AsnConvert.parse(
    derOf(requestPem, "CERTIFICATE REQUEST", "certRequestPem"),
    CertificationRequest,
  ).certificationRequestInfo;
  const authorityKeyId = extensions?.find(({ extnID }) => extnID === id_ce_subjectKeyIdentifier);
  return issue({
    subject: request.subject,
    issuer,
    publicKey: request.subjectPKInfo,
    keyId: options.isCa || options.setSubjectKeyId ? keyIdOf(request.subjectPKInfo) : undefined,
    authorityKeyId:
      authorityKeyId === undefined
        ? undefined
        : AsnConvert.parse(authorityKeyId.extnValue.buffer, SubjectKeyIdentifier).buffer,
    alternativeNames: requestedExtensions(request).find(({ extnID }) => extnID === id_ce_subjectAltName),
    signer: authority.key,
    options,
  });
}

/** A certificate request; `id` is the SHA-1 of its DER form. */
export function certificateRequest(
  key: KeyObject,
  subject: Subject,
  names: AlternativeNames,
): { id: string; certRequestPem: string } {
  const distinguishedName = nameOf(subject);
  const extension = alternativeNames(names, distinguishedName.length === 0);
  const extensions = extension === undefined ? [] : [extension];
  const info = new CertificationRequestInfo({
    version: 0,
    subject: distinguishedName,
    subjectPKInfo: AsnConvert.parse(publicDer(key), SubjectPublicKeyInfo),
    attributes: new Attributes(
      extensions.length === 0
        ? []
        : [
            new Attribute({
              type: extensionRequest,
              values: [AsnConvert.serialize(new Extensions(extensions))],
            }),
          ],
    ),
  });
  const { algorithm, signature } = signed(AsnConvert.serialize(info), key);
  const der = Buffer.from(
    AsnConvert.serialize(
      new CertificationRequest({ certificationRequestInfo: info, signatureAlgorithm: algorithm, signature }),
    ),
  );
  return {
    id: createHash("sha1").update(der).digest("hex"),
    certRequestPem: pemOf("CERTIFICATE REQUEST", der),
  };
}

const extensionRequest = "1.2.840.113549.1.9.14";

function requestedExtensions(request: CertificationRequestInfo): Extension[] {
  // The attributes are optional in practice, whatever the type says.
  const attributes: Iterable<Attribute> = request.attributes ?? [];
  return [...attributes]
    .filter(({ type }) => type === extensionRequest)
    .flatMap(({ values }) => values.flatMap((value) => [...AsnConvert.parse(value, Extensions)]));
}

interface Issue {
  readonly subject: Name;
  readonly issuer: Name;
  readonly publicKey: SubjectPublicKeyInfo;
  readonly keyId: ArrayBuffer | undefined;
  readonly authorityKeyId: ArrayBuffer | undefined;
  readonly alternativeNames: Extension | undefined;
  readonly signer: KeyObject;
  readonly options: CertificateOptions;
}

function issue(what: Issue): Issued {
  const { options } = what;
  if (options.isCa && what.subject.length === 0) {
    throw new Error("a certificate authority needs a subject: at least one part of a distinguished name");
  }
  // Certificates count whole seconds.
  const start = new Date(Math.floor(options.start.getTime() / 1000) * 1000);
  const end = new Date(start.getTime() + options.validityHours * 3_600_000);
  const serial = serialNumber();
  const certificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: new Uint8Array(serial).buffer,
    signature: signed(new ArrayBuffer(0), what.signer).algorithm,
    issuer: what.issuer,
    validity: new Validity({ notBefore: start, notAfter: end }),
    subject: what.subject,
    subjectPublicKeyInfo: what.publicKey,
    extensions: new Extensions(extensionsOf(what)),
  });
  const { algorithm, signature } = signed(AsnConvert.serialize(certificate), what.signer);
  const der = AsnConvert.serialize(
    new Certificate({
      tbsCertificate: certificate,
      signatureAlgorithm: algorithm,
      signatureValue: signature,
    }),
  );
  return {
    id: BigInt(`0x${serial.toString("hex")}`).toString(),
    certPem: pemOf("CERTIFICATE", Buffer.from(der)),
    validityStartTime: rfc3339(start),
    validityEndTime: rfc3339(end),
  };
}

function extensionsOf({ options, keyId, authorityKeyId, alternativeNames: names }: Issue): Extension[] {
  const usage = options.uses.reduce((bits, use) => bits | (keyUsages[use] ?? 0), 0);
  const extended = options.uses.flatMap((use) => extendedKeyUsages[use] ?? []);
  const pathLength = options.maxPathLength ?? -1;
  return [
    ...(usage === 0 ? [] : [extension(id_ce_keyUsage, true, new KeyUsage(usage))]),
    ...(extended.length === 0 ? [] : [extension(id_ce_extKeyUsage, false, new ExtendedKeyUsage(extended))]),
    extension(
      id_ce_basicConstraints,
      true,
      new BasicConstraints({
        cA: options.isCa,
        ...(options.isCa && pathLength >= 0 ? { pathLenConstraint: pathLength } : {}),
      }),
    ),
    ...(keyId === undefined
      ? []
      : [extension(id_ce_subjectKeyIdentifier, false, new SubjectKeyIdentifier(keyId))]),
    ...(authorityKeyId === undefined
      ? []
      : [
          extension(
            id_ce_authorityKeyIdentifier,
            false,
            new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(authorityKeyId) }),
          ),
        ]),
    ...(names === undefined ? [] : [names]),
  ];
}

function extension(extnID: string, critical: boolean, value: unknown): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

/** @param critical when there is no subject: the names are then all there is to go by (RFC 5280) */
function alternativeNames(names: AlternativeNames, critical: boolean): Extension | undefined {
  const invalid = names.ipAddresses.find((address) => isIP(address) === 0);
  if (invalid !== undefined) throw new Error(`ipAddresses: ${JSON.stringify(invalid)} is not an IP address`);
  const all = [
    ...names.dnsNames.map((dNSName) => new GeneralName({ dNSName })),
    ...names.ipAddresses.map((iPAddress) => new GeneralName({ iPAddress })),
    ...names.uris.map((uri) => new GeneralName({ uniformResourceIdentifier: uri })),
  ];
  return all.length === 0
    ? undefined
    : extension(id_ce_subjectAltName, critical, new SubjectAlternativeName(all));
}

function nameOf(subject: Subject): Name {
  const parts = subjectParts.flatMap(([property, type]) =>
    [subject[property] ?? []]
      .flat()
      .map(
        (value) =>
          new RelativeDistinguishedName([
            new AttributeTypeAndValue({ type, value: attributeValue(property, value) }),
          ]),
      ),
  );
  return new Name(parts);
}

function attributeValue(property: string, value: string): AttributeValue {
  if (property === "emailAddress") return new AttributeValue({ ia5String: value });
  return /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value)
    ? new AttributeValue({ printableString: value })
    : new AttributeValue({ utf8String: value });
}

function keyIdOf(publicKey: SubjectPublicKeyInfo): ArrayBuffer {
  const digest = createHash("sha1").update(Buffer.from(publicKey.subjectPublicKey)).digest();
  return new Uint8Array(digest).buffer;
}

/** 127 random bits: positive, and as long as RFC 5280 asks. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  // The top bit is the sign; the next one is set so that the number has no leading zero byte.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

const ecdsa: Record<string, readonly [hash: string, oid: string]> = {
  secp224r1: ["sha256", "1.2.840.10045.4.3.2"],
  prime256v1: ["sha256", "1.2.840.10045.4.3.2"],
  secp384r1: ["sha384", "1.2.840.10045.4.3.3"],
  secp521r1: ["sha512", "1.2.840.10045.4.3.4"],
};

function signed(
  content: ArrayBuffer,
  key: KeyObject,
): { algorithm: AlgorithmIdentifier; signature: ArrayBuffer } {
  const data = new Uint8Array(content);
  const result = (hash: string | null, algorithm: AlgorithmIdentifier) => ({
    algorithm,
    signature: new Uint8Array(sign(hash, data, key)).buffer,
  });
  switch (key.asymmetricKeyType) {
    case "rsa":
      return result(
        "sha256",
        new AlgorithmIdentifier({ algorithm: "1.2.840.113549.1.1.11", parameters: null }),
      );
    case "ed25519":
      return result(null, new AlgorithmIdentifier({ algorithm: "1.3.101.112" }));
    default: {
      const curve = createPublicKey(key).asymmetricKeyDetails?.namedCurve ?? "";
      const [hash, algorithm] = ecdsa[curve] ?? [];
      if (hash === undefined || algorithm === undefined) {
        throw new Error(`cannot sign with a key of type ${key.asymmetricKeyType} ${curve}`);
      }
      return result(hash, new AlgorithmIdentifier({ algorithm }));
    }
  }
}

function derOf(pem: string, label: string, property: string): Buffer {
  const body = new RegExp(`-----BEGIN ${label}-----([^-]+)-----END ${label}-----`).exec(pem)?.[1];
  if (body === undefined) throw new Error(`${property} is not a PEM ${label}`);
  return Buffer.from(body, "base64");
}

function pemOf(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function rfc3339(time: Date): string {
  return time.toISOString().replace(".000Z", "Z");
}
