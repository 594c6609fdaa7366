// Alerts on what ends on a day that is known: certificates and logins.
import type { AlertGroup } from "../rulesFile";
import { rule } from "./rule";

const certificates = "docs/runbooks/certificate-renewal.md#one-ends-soon";
const logins = "docs/runbooks/rotate-credentials.md#a-login-ends-soon";

/** Days until the first of a kind ends. `up` makes new ones 30 days before (infra/database/certificates.ts). */
const certificateEnds = "min by (certificate) (ms5_certificate_expiry_timestamp_seconds) - time()";
const loginEnds = "max by (role) (timescaledb_login_expiry_timestamp_seconds) - time()";
const day = 86_400;

export const expiryAlerts: AlertGroup = {
  name: "expiry",
  rules: [
    rule("CertificateExpiring", "critical", "1h", `${certificateEnds} < 7 * ${day}`, {
      summary:
        "A certificate of the database ends in {{ $value | humanizeDuration }} ({{ $labels.certificate }})",
      description:
        "When it has ended no new connection succeeds: not of applications, and not between members, so there is no failover either. Open ones go on.",
      runbook_url: certificates,
    }),
    rule(
      "CertificateExpiring",
      "warning",
      "1h",
      // Nine days after the first `up` that would have renewed it.
      `${certificateEnds} < 21 * ${day}`,
      {
        summary:
          "A certificate of the database ends in {{ $value | humanizeDuration }} ({{ $labels.certificate }})",
        description: "Users notice nothing yet. For nine days no `up` has renewed it.",
        runbook_url: certificates,
      },
    ),
    rule(
      "LoginExpiring",
      "critical",
      "1h",
      // One that ended on purpose, long ago, is nobody's trouble.
      `${loginEnds} < 2 * ${day}\n  and ${loginEnds} > -${day}`,
      {
        summary: "The login {{ $labels.role }} ends in {{ $value | humanizeDuration }}",
        description:
          "Whoever logs in as {{ $labels.role }} cannot from then on; open sessions go on. A negative time: it has ended.",
        runbook_url: logins,
      },
    ),
    rule("LoginExpiring", "warning", "1h", `${loginEnds} < 14 * ${day}\n  and ${loginEnds} > -${day}`, {
      summary: "The login {{ $labels.role }} ends in {{ $value | humanizeDuration }}",
      description: "Users notice nothing yet. Whoever logs in as {{ $labels.role }} cannot from then on.",
      runbook_url: logins,
    }),
  ],
};
