/** Counts by two labels, told in the text format that Prometheus reads. */
export interface DeliveryCounter {
  count(event: string, result: string): void;
  render(): string;
}

const name = 'hephaestus_webhook_deliveries_total';

/** The labels must come from a closed list: each pair is kept for the life of the process. */
export function createDeliveryCounter(): DeliveryCounter {
  const counts = new Map<string, number>();
  return {
    count(event, result) {
      const labels = `event="${event}",result="${result}"`;
      counts.set(labels, (counts.get(labels) ?? 0) + 1);
    },
    render() {
      const lines = [...counts].map(([labels, count]) => `${name}{${labels}} ${count}`);
      return [
        `# HELP ${name} Webhook deliveries by what became of them.`,
        `# TYPE ${name} counter`,
        ...lines,
        '',
      ].join('\n');
    },
  };
}
