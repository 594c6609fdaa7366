import { expiryAlerts } from "../../../../infra/monitoring/alerts/expiry";
import { always, type GroupCases, type Telling } from "../ruleTrials";

const day = 24 * 60;
const daySeconds = 86_400;

/** When the certificate of the servers ends, in days; from a minute on in a year. */
const ends = (days: number, renewed = Number.POSITIVE_INFINITY): Telling =>
  Object.fromEntries(
    ["blue-0", "blue-1"].map((pod) => [
      `ms5_certificate_expiry_timestamp_seconds{certificate="server",pod="${pod}",job="member"}`,
      (minute: number) => (minute < renewed ? days : 365) * daySeconds,
    ]),
  );

const login = (days: number, renewed = Number.POSITIVE_INFINITY): Telling => ({
  'timescaledb_login_expiry_timestamp_seconds{role="ms5_writer",job="performance"}': (minute) =>
    (minute < renewed ? days : 365) * daySeconds,
});

export const expiryCases: GroupCases = {
  groups: [expiryAlerts],
  step: 300,
  well: {
    ...ends(30),
    'ms5_certificate_expiry_timestamp_seconds{certificate="ca",pod="blue-0",job="member"}': always(
      3650 * daySeconds,
    ),
    ...login(90),
  },
  cases: {
    "CertificateExpiring critical": {
      telling: ends(8, 2 * day),
      fires: day + 65,
      over: 2 * day,
      labels: { certificate: "server" },
      says: ["6d 22h 55m 0s", "server"],
      also: ["CertificateExpiring warning"],
      silent: { "eight days": { telling: ends(9), minutes: 2 * day } },
    },
    "CertificateExpiring warning": {
      telling: ends(22, 2 * day),
      fires: day + 65,
      over: 2 * day,
      labels: { certificate: "server" },
      says: ["20d 22h 55m 0s", "server"],
      silent: {
        "one that any `up` would renew": { telling: ends(29), minutes: 7 * day },
        "half an hour in which one member has not loaded the new one": {
          telling: {
            ...ends(365),
            'ms5_certificate_expiry_timestamp_seconds{certificate="server",pod="blue-1",job="member"}': (
              minute,
            ) => (minute < 30 ? 20 : 365) * daySeconds,
          },
          minutes: day,
        },
      },
    },
    "LoginExpiring critical": {
      telling: login(3, 2 * day),
      fires: day + 65,
      over: 2 * day,
      labels: { role: "ms5_writer" },
      says: ["ms5_writer", "1d 22h 55m 0s", "ms5_writer"],
      also: ["LoginExpiring warning"],
      silent: { "one that was ended on purpose": { telling: login(-30), minutes: day } },
    },
    "LoginExpiring warning": {
      telling: login(15, 2 * day),
      fires: day + 65,
      over: 2 * day,
      labels: { role: "ms5_writer" },
      says: ["ms5_writer", "13d 22h 55m 0s", "ms5_writer"],
      silent: { "one that was ended on purpose": { telling: login(-30), minutes: day } },
    },
  },
};
