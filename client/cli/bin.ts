#!/usr/bin/env node
/**
 * What an installed `hephaestus` starts. It looks at the version of Node before anything else is loaded, which an older one
 * may not even be able to read.
 */
const oldest = [22, 18] as const;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  process.stderr.write(
    `This is Node ${process.versions.node} (${process.execPath}): hephaestus needs ${oldest.join('.')} or newer. ` +
      'Install a newer one (https://nodejs.org/en/download) and see that it comes first on the PATH.\n',
  );
  process.exitCode = 2;
} else {
  await import('./index.ts');
}
