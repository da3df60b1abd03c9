/** What of the worker's environment an agent may see; everything else, each credential included, stays out. */
const allowed = new Set([
  'PATH',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'USER',
  'LOGNAME',
  'SHELL',
  // Models are often behind a proxy or a company's own certificate authority.
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
]);

export function childEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const child: Record<string, string> = {};
  for (const [key, value] of Object.entries(environment)) {
    if (value !== undefined && allowed.has(key)) child[key] = value;
  }
  return child;
}

/** Proxy addresses may carry a password. */
export function proxySecrets(environment: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(environment).flatMap(([key, value]) => {
    if (value === undefined || !/^https?_proxy$/i.test(key)) return [];
    const password = URL.parse(value)?.password ?? '';
    return password === '' ? [] : [password, decodeURIComponent(password)];
  });
}
