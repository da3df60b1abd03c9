import { execa } from 'execa';
import { z } from 'zod';

import { Failure } from '../../infra/failure.ts';

/** A Python of this machine or of the image, as it describes itself. */
const Description = z.object({
  executable: z.string().min(1),
  /** Three parts, for example 3.11.7. */
  version: z.string(),
  /** The installation's folder. */
  prefix: z.string().min(1),
  platform: z.string(),
});

export type Interpreter = z.infer<typeof Description>;

const describe = [
  'import json, os, platform, sys, sysconfig',
  'executable = os.path.join(sys.base_exec_prefix, "bin", "python%d.%d" % sys.version_info[:2])',
  'executable = executable if os.path.exists(executable) else os.path.realpath(sys.executable)',
  'print(json.dumps({"executable": executable, "version": platform.python_version(),',
  '  "prefix": sys.base_prefix, "platform": sysconfig.get_platform()}))',
].join('\n');

/**
 * Asks the interpreter at an absolute path who it is. Throws `EnvironmentBuildFailed` when it is not there, does not
 * run, or is another version than the task note wants.
 */
export async function inspectInterpreter(
  path: string,
  wanted: string,
  environment: Readonly<Record<string, string>>,
): Promise<Interpreter> {
  const result = await execa(path, ['-I', '-c', describe], {
    env: environment,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 30_000,
  });
  if (result.failed) {
    const words = result.stderr === '' ? result.shortMessage : result.stderr;
    throw new Failure(
      'EnvironmentBuildFailed',
      `The interpreter ${path} does not run here: ${words}\nThe image's interpreter must stand at the same path on the machine that freezes; or ask for "managed".`,
    );
  }
  const interpreter = Description.parse(JSON.parse(result.stdout));
  if (interpreter.version !== wanted && !interpreter.version.startsWith(`${wanted}.`)) {
    throw new Failure(
      'EnvironmentBuildFailed',
      `The interpreter ${path} is Python ${interpreter.version}; the task note wants ${wanted}. Change "python" or "interpreter".`,
    );
  }
  return interpreter;
}
