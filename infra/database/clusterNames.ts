/** Names that both the program and whoever connects to a cluster must agree on. */

/** The colour that is made today; green comes with the cutover. */
export const activeColour = "blue";

/** Labels of a colour's pods; Patroni adds `role`. */
export function memberLabels(colour: string): Readonly<Record<string, string>> {
  return { "app.kubernetes.io/name": "database", "ms5.io/cluster": colour };
}

/** The Secret with the administrator's `password`. */
export const credentialsSecret = (colour: string): string => `${colour}-credentials`;

/** The ConfigMap with `ca.pem`, for whoever verifies the database's certificates. */
export const caConfigMap = "ca";
