import { environmentFinding, type EnvironmentFinding } from '../../domain/environment-finding.ts';
import { Failure } from '../../infra/failure.ts';

import { both } from './both.ts';
import { rehearse, type Rehearsal, type RehearsalOptions } from './rehearse.ts';
import { scan, type Scan, type ScanOptions } from './scan.ts';

export interface Examination {
  readonly scan: Scan;
  /** Undefined when Python did not even start. */
  readonly rehearsal: Rehearsal | undefined;
  /** All that was found, refused and told. */
  readonly findings: readonly EnvironmentFinding[];
}

/** Everything that is known of an environment without a GPU: what its files say, and what happens when it is run. */
export async function examine(options: ScanOptions & RehearsalOptions): Promise<Examination> {
  // Side by side: one mostly waits for the disk and the other computes, and neither needs the other's answer.
  const [scanned, rehearsed] = await both(scan(options), tryRehearsal(options));
  if (rehearsed instanceof Failure) {
    const finding = environmentFinding('does-not-start', 'venv/bin/python', `${rehearsed.message}\n`);
    return { scan: scanned, rehearsal: undefined, findings: [...scanned.findings, finding] };
  }
  const findings = [...scanned.findings, ...findingsOf(rehearsed)];
  return { scan: scanned, rehearsal: rehearsed, findings };
}

async function tryRehearsal(options: RehearsalOptions): Promise<Rehearsal | Failure> {
  try {
    return await rehearse(options);
  } catch (error) {
    if (error instanceof Failure && error.type === 'EnvironmentNotPortable') return error;
    throw error;
  }
}

function* findingsOf({ failures, outside }: Rehearsal): Generator<EnvironmentFinding> {
  for (const { name, error } of failures) {
    yield environmentFinding('import-fails', name, `import ${name} fails: ${error}.`);
  }
  for (const { name, file } of outside) {
    yield environmentFinding(
      'loaded-from-outside',
      name,
      `${name} was loaded from ${file}, outside the environment.`,
    );
  }
}
