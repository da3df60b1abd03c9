import type { Place } from './faults.ts';

interface Tally {
  requests: number;
  /** Of request bodies. */
  bytes: number;
}

/** What the server was asked since it started or since `clear`. */
export class Stats {
  #places: Partial<Record<Place, Tally>> = {};
  #operations: Record<string, number> = {};
  #statuses: Record<string, number> = {};
  #rows = 0;

  asked(place: Place, operation: string | undefined, bytes: number): void {
    const tally = (this.#places[place] ??= { requests: 0, bytes: 0 });
    tally.requests += 1;
    tally.bytes += bytes;
    if (operation !== undefined) this.#operations[operation] = (this.#operations[operation] ?? 0) + 1;
  }

  answered(status: number): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
  }

  /** Lines of history that came, the repeated ones too. */
  gotRows(count: number): void {
    this.#rows += count;
  }

  clear(): void {
    this.#places = {};
    this.#operations = {};
    this.#statuses = {};
    this.#rows = 0;
  }

  read(): object {
    return {
      places: this.#places,
      operations: this.#operations,
      statuses: this.#statuses,
      historyLines: this.#rows,
    };
  }
}
