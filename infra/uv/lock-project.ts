import { Failure } from '../failure.ts';
import { runUv, type UvSettings } from './run-uv.ts';

export interface LockOptions extends UvSettings {
  /** Version or absolute path of the interpreter that uv resolves with; uv's own choice when not given. */
  readonly python?: string;
  readonly signal?: AbortSignal;
}

/**
 * Writes `uv.lock` beside the `pyproject.toml` of a folder, as `uv lock` does; an existing lock is kept where it still
 * fits. Throws `EnvironmentBuildFailed` with uv's words when there is no solution or the index cannot be reached.
 */
export async function lockProject(folder: string, options: LockOptions): Promise<void> {
  const python = options.python === undefined ? [] : ['--python', options.python];
  const { exitCode, tail } = await runUv(options, {
    args: ['lock', ...python],
    cwd: folder,
    settings: { UV_PYTHON_DOWNLOADS: 'never' },
    ...(options.signal !== undefined && { signal: options.signal }),
  });
  if (exitCode !== 0) {
    throw new Failure(
      'EnvironmentBuildFailed',
      `uv lock failed in ${folder} (exit code ${exitCode}):\n${tail}`,
    );
  }
}
