/** What any program needs to run and to reach the network from here: nothing in it is a credential of this project. */
const common = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'TERM',
  'NO_COLOR',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_RUNTIME_DIR',
  'LD_LIBRARY_PATH',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'NODE_USE_SYSTEM_CA',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
]);

/** Where packages come from: a private index may need its password, which only an installer has business with. */
const installers = /^(?:PIP_|UV_|npm_config_|NPM_CONFIG_)/;

/** npm sets these for its own scripts; a nested npm would take the outer project's folders for its own. */
const outerNpm = /^npm_config_(?:local_prefix|global_prefix|prefix|workspace|userconfig_dir)$/i;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The part of an environment that a child process may see: search path, home, locale, certificates, proxies. Everything
 * else, credentials above all, has to be given by name by whoever starts the child.
 */
export function childEnvironment(environment: Environment): Record<string, string> {
  return pick(environment, (name) => common.has(name) || name.startsWith('LC_'));
}

/** `childEnvironment`, and the settings of pip, uv and npm: for programs that install packages, and for no others. */
export function toolEnvironment(environment: Environment): Record<string, string> {
  return pick(
    environment,
    (name) => common.has(name) || name.startsWith('LC_') || (installers.test(name) && !outerNpm.test(name)),
  );
}

function pick(environment: Environment, allowed: (name: string) => boolean): Record<string, string> {
  const entries = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && allowed(entry[0]),
  );
  return Object.fromEntries(entries);
}
