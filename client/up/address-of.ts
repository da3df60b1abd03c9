import type { PageSettings } from '../../infra/config/config.ts';

/** Where a server on this machine is found from this machine, without a slash at the end. */
export function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
}

/** Where people find the page: as the person says, else on this machine. */
export function pageUrlOf(settings: PageSettings): string {
  return settings.url ?? addressOf(settings);
}
