// Many who ask the same at a time cost the database one query.

interface Entry {
  readonly value: Promise<unknown>;
  /** Of the clock that never goes back, in ms. Infinity while the read is under way. */
  expires: number;
}

/**
 * Results by key: one read in flight for all who ask, and its result for a while after. A failed read is told to all
 * who waited for it and forgotten.
 */
export class SharedReads {
  private readonly entries = new Map<string, Entry>();

  /** @param most results kept; the oldest goes first */
  constructor(
    private readonly most = 64,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @param keepMs how old a result may be, counted from when it was there */
  get<T>(key: string, keepMs: number, read: () => Promise<T>): Promise<T> {
    const known = this.entries.get(key);
    // A key belongs to one call site, so what it finds is what that one put there.
    if (known !== undefined && known.expires > this.now()) return known.value as Promise<T>;
    const value = read();
    const entry: Entry = { value, expires: Number.POSITIVE_INFINITY };
    this.entries.delete(key);
    this.entries.set(key, entry);
    const forget = () => {
      if (this.entries.get(key) === entry) this.entries.delete(key);
    };
    value.then(() => {
      entry.expires = this.now() + keepMs;
      this.trim();
    }, forget);
    return value;
  }

  private trim(): void {
    for (const [key, { expires }] of this.entries) {
      if (this.entries.size <= this.most) return;
      if (expires !== Number.POSITIVE_INFINITY) this.entries.delete(key);
    }
  }
}
