/** What Azure's managed monitoring of a stack is called; see names.ts for everything else. */
export interface ManagedNames {
  /** Azure Monitor workspace: where samples are kept and rules are evaluated. */
  readonly workspace: string;
  readonly collectionEndpoint: string;
  readonly collectionRule: string;
  /** Action group. */
  readonly receivers: string;
  /** In mails and messages; 12 characters at most. */
  readonly shortName: string;
  readonly grafana: string;
}

/**
 * Abbreviations are those of Microsoft's Cloud Adoption Framework. None is longer than Azure allows where the names of key
 * vault and backups are not (names.ts): Grafana's 23 characters and the endpoint's 44 come later.
 */
export function managedNames(organisation: string, stack: string): ManagedNames {
  const tail = `${organisation}-ms5-${stack}`;
  return {
    workspace: `amw-${tail}`,
    collectionEndpoint: `dce-${tail}`,
    collectionRule: `dcr-${tail}`,
    receivers: `ag-${tail}`,
    shortName: `ms5-${stack}`.slice(0, 12),
    grafana: `amg${tail.replaceAll("-", "")}`,
  };
}
