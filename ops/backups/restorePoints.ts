import type { RestorePoint } from "../../infra/schema/restorePoint";
import { asOwner } from "../asOwner";
import type { BackupPlace } from "./place";

/** A restore point as it is recorded. */
export interface RecordedPoint extends RestorePoint {
  /** ISO time. */
  readonly at: string;
  readonly why: string;
}

/** All that are recorded, oldest first. */
export function restorePoints({ target }: Pick<BackupPlace, "target">): Promise<RecordedPoint[]> {
  return asOwner(target, async (client) => {
    const { rows } = await client.query<Omit<RecordedPoint, "at"> & { at: Date }>(
      "SELECT at, name, lsn, why FROM audit.restore_points ORDER BY point_id",
    );
    return rows.map(({ at, ...point }) => ({ ...point, at: at.toISOString() }));
  });
}
