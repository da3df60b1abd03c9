/** What was asked of the API, for whoever counts. */
export interface Stats {
  requests: number;
  /** Of these: answered 304, which costs nothing. */
  notModified: number;
  /** Of these: met a fault. */
  faulty: number;
  /** By `METHOD /route`, with names instead of values, and by status. */
  routes: Record<string, Record<string, number>>;
}

export interface Exchange {
  readonly route: string;
  readonly status: number;
  readonly faulty: boolean;
}

export interface StatsKeeper {
  readonly stats: Stats;
  note(exchange: Exchange): void;
  clear(): void;
}

export function createStats(): StatsKeeper {
  const stats: Stats = { requests: 0, notModified: 0, faulty: 0, routes: {} };
  return {
    stats,
    note({ route, status, faulty }) {
      stats.requests += 1;
      if (status === 304) stats.notModified += 1;
      if (faulty) stats.faulty += 1;
      const statuses = (stats.routes[route] ??= {});
      statuses[status] = (statuses[status] ?? 0) + 1;
    },
    clear() {
      Object.assign(stats, { requests: 0, notModified: 0, faulty: 0, routes: {} });
    },
  };
}
