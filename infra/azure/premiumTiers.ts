/** Premium SSDs are sold by the tier: a disk costs what the next larger tier costs. */
import { UserError } from "../errors";

const gibibyte = 2 ** 30;

/** "Azure managed disk types", Microsoft Learn: GiB by tier. */
const tiers = {
  P1: 4,
  P2: 8,
  P3: 16,
  P4: 32,
  P6: 64,
  P10: 128,
  P15: 256,
  P20: 512,
  P30: 1024,
  P40: 2048,
  P50: 4096,
  P60: 8192,
  P70: 16_384,
  P80: 32_767,
} as const;

export type PremiumTier = keyof typeof tiers;

export const largestPremiumBytes = tiers.P80 * gibibyte;

export const premiumTiers = Object.entries(tiers) as readonly (readonly [PremiumTier, number])[];

/**
 * The smallest tier that holds a volume.
 *
 * @throws UserError when none does
 */
export function premiumTier(bytes: number): PremiumTier {
  const tier = premiumTiers.find(([, gib]) => bytes <= gib * gibibyte);
  if (tier !== undefined) return tier[0];
  throw new UserError(`a volume of ${Math.ceil(bytes / gibibyte)}Gi is larger than any Premium SSD`, {
    fix: `make it ${tiers.P80}Gi at most, or set azure.disks.kind to PremiumV2`,
  });
}
