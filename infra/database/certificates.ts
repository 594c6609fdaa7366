// infra/database/certificates.ts - an authority of our own and what it has signed: every connection to, from and among the
// database's pods is verified against it.
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

/** Hours that an authority holds, ten years, and before its end from when on `up` renews it, with the key it has. */
const caHours = 10 * 365 * 24;
const caRenewalHours = 365 * 24;
/** Hours that a certificate holds, and before its end from when on `up` makes a new one. */
const leafHours = 90 * 24;
const leafRenewalHours = 30 * 24;

export interface CertificatesArgs {
  /** Raise it, one at a time, to give the authority and every certificate new keys. */
  keyVersion: number;
}

export interface Certificate {
  readonly certificatePem: pulumi.Output<string>;
  /** Secret. */
  readonly keyPem: pulumi.Output<string>;
}

interface Authority {
  readonly keyPem: pulumi.Output<string>;
  readonly certificatePem: pulumi.Output<string>;
}

export class Certificates extends pulumi.ComponentResource {
  /**
   * Who is to be trusted: the authority that signs, the one before it and the one after it. So when the key version is
   * raised, pods that have not seen the new files yet, and those that have, still trust each other.
   */
  readonly caPem: pulumi.Output<string>;
  private readonly authority: Authority;

  constructor(
    name: string,
    private readonly args: CertificatesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("ms5:database:Certificates", name, {}, opts);
    const { keyVersion } = args;
    this.authority = this.makeAuthority(keyVersion);
    const next = this.makeAuthority(keyVersion + 1);
    const before = keyVersion > 1 ? [this.makeAuthority(keyVersion - 1)] : [];
    this.caPem = pulumi
      .all([this.authority, next, ...before].map(({ certificatePem }) => certificatePem))
      .apply((pems) => pems.join(""));
    this.registerOutputs({ caPem: this.caPem });
  }

  /** For a server that answers under these names; good as a client too, since members ask each other. */
  server(name: string, { dnsNames }: { dnsNames: pulumi.Input<string[]> }): Certificate {
    return this.leaf(name, name, dnsNames, ["server_auth", "client_auth"]);
  }

  /** For a client that logs in as the role `commonName`. */
  client(name: string, { commonName }: { commonName: string }): Certificate {
    return this.leaf(name, commonName, [], ["client_auth"]);
  }

  private makeAuthority(version: number): Authority {
    const name = `ca-${version}`;
    const { privateKeyPem } = this.key(name);
    const { certPem } = new tls.SelfSignedCert(
      name,
      {
        privateKeyPem,
        // Each with a name of its own: that is how a certificate says which of them signed it.
        subject: { commonName: `ms5 database CA ${version}` },
        isCaCertificate: true,
        setSubjectKeyId: true,
        allowedUses: ["cert_signing", "crl_signing"],
        validityPeriodHours: caHours,
        earlyRenewalHours: caRenewalHours,
      },
      { parent: this },
    );
    return { keyPem: privateKeyPem, certificatePem: certPem };
  }

  private leaf(
    name: string,
    commonName: string,
    dnsNames: pulumi.Input<string[]>,
    uses: string[],
  ): Certificate {
    // Another name is another key.
    const key = this.key(`${name}-${this.args.keyVersion}`);
    const { certRequestPem } = new tls.CertRequest(
      name,
      { privateKeyPem: key.privateKeyPem, dnsNames, subject: { commonName } },
      { parent: this },
    );
    const { certPem } = new tls.LocallySignedCert(
      name,
      {
        certRequestPem,
        caPrivateKeyPem: this.authority.keyPem,
        caCertPem: this.authority.certificatePem,
        allowedUses: ["digital_signature", ...uses],
        validityPeriodHours: leafHours,
        earlyRenewalHours: leafRenewalHours,
      },
      { parent: this },
    );
    return { certificatePem: certPem, keyPem: key.privateKeyPemPkcs8 };
  }

  private key(name: string): tls.PrivateKey {
    return new tls.PrivateKey(name, { algorithm: "ECDSA", ecdsaCurve: "P256" }, { parent: this });
  }
}
