import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { newAuthority } from "../cluster/certificates";

describe("certificates of a cluster", () => {
  const authority = newAuthority();
  const issued = authority.issue(
    { commonName: "system:node:node-1", organization: "system:nodes" },
    { dns: ["node-1"], ip: ["10.209.0.11"] },
  );
  const certificate = new X509Certificate(issued.certificate);

  it("are the authority's, and carry the name that Kubernetes goes by", () => {
    const ca = new X509Certificate(authority.certificate);
    expect(ca.ca).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.subject.split("\n").sort()).toEqual(["CN=system:node:node-1", "O=system:nodes"]);
  });

  it("are good for the names they are for, now and for days, and no others", () => {
    expect(certificate.checkHost("node-1")).toBe("node-1");
    expect(certificate.checkIP("10.209.0.11")).toBe("10.209.0.11");
    expect(certificate.checkHost("node-2")).toBeUndefined();
    expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now());
    expect(certificate.validToDate.getTime() - Date.now()).toBeGreaterThan(7 * 86_400_000);
  });

  it("are not another authority's", () => {
    const other = new X509Certificate(newAuthority().certificate);
    expect(certificate.verify(other.publicKey)).toBe(false);
  });
});
