import axios, { isAxiosError } from 'axios';
import { ProxyAgent } from 'proxy-agent';

import type { GitSettings } from '../settings.ts';
import { authorizationHeader } from './run-git.ts';

/**
 * Why the git server refuses: the HTTP status of the first request that git makes, since git itself ends with the same
 * exit code whatever the reason. Null when it is not reached, or is no HTTP server.
 */
export async function askServer(
  settings: GitSettings,
  repository: string,
  service: 'git-upload-pack' | 'git-receive-pack',
): Promise<number | null> {
  if (!/^https?:/.test(settings.serverUrl)) return null;
  const proxy = new ProxyAgent();
  try {
    const answer = await axios.get<unknown>(
      `${repositoryUrl(settings, repository)}/info/refs?service=${service}`,
      {
        headers: settings.pushToken === '' ? {} : { authorization: authorizationHeader(settings) },
        httpAgent: proxy,
        httpsAgent: proxy,
        proxy: false,
        timeout: 15_000,
        maxRedirects: 0,
        responseType: 'text',
        validateStatus: () => true,
      },
    );
    return answer.status;
  } catch (error) {
    if (isAxiosError(error)) return null;
    throw error;
  } finally {
    proxy.destroy();
  }
}

/** Where git clones from; holds no credential. */
export function repositoryUrl(settings: GitSettings, repository: string): string {
  return `${settings.serverUrl}/${repository}.git`;
}
