import type { ClusterSettings } from "../../config";
import { parseBytes } from "../quantity";

const mebibyte = 2 ** 20;
/** PostgreSQL with TimescaleDB recovers in less, and a check of every page takes no more. */
const least = 512 * mebibyte;
const most = 4_096 * mebibyte;

/** How large a pod is that a backup is restored into: nobody works with it, so a quarter of a member's memory. */
export function cloneSize({ memory, backups, storageClass, dataVolume }: ClusterSettings) {
  const bytes = Math.min(most, Math.max(least, (parseBytes(memory) ?? 0) / 4));
  return {
    cpu: "250m",
    memory: `${Math.round(bytes / mebibyte)}Mi`,
    volume: backups?.cloneVolume ?? dataVolume,
    storageClass,
  } as const;
}
