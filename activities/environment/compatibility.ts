import { environmentFinding, type EnvironmentFinding } from '../../domain/environment-finding.ts';

import { compareVersions } from './check-binaries.ts';
import type { LockContent, LockedPackage } from './read-lock.ts';
import type { Recipe } from './recipe.ts';

/**
 * Oldest driver for Linux on which programs for a major version of CUDA run: "CUDA Toolkit and Minimum Required Driver
 * Version for CUDA Minor Version Compatibility" in NVIDIA's release notes of the toolkit.
 */
const oldestDriver: Readonly<Record<string, string>> = { 11: '450.80.02', 12: '525.60.13', 13: '580.65.06' };

/** What can be known before anything is downloaded: Python, platform, wheels, CUDA. */
export function checkCompatibility(
  recipe: Pick<Recipe, 'python' | 'interpreter' | 'cudaDriver'>,
  lock: LockContent,
): readonly EnvironmentFinding[] {
  return [
    ...checkPython(recipe, lock),
    ...lock.packages.flatMap((one) => [...checkWheel(one), ...checkCuda(one, recipe.cudaDriver)]),
  ];
}

function* checkPython(
  recipe: Pick<Recipe, 'python' | 'interpreter'>,
  lock: LockContent,
): Generator<EnvironmentFinding> {
  if (lock.python_fits) return;
  const python = recipe.interpreter?.version ?? recipe.python;
  const sentence = `The lock requires Python ${lock.requires_python ?? ''}; the task note has ${python}.`;
  yield environmentFinding('python-unsupported', 'uv.lock', sentence);
}

function* checkWheel({ name, version, ...found }: LockedPackage): Generator<EnvironmentFinding> {
  if (found.local || found.wheel !== null) return;
  const spec = `${name}==${version ?? ''}`;
  if (found.has_wheels) {
    const sentence = `${spec} has wheels, but none for this Python and platform: the lock was made for others.`;
    yield environmentFinding('no-fitting-wheel', name, sentence);
    return;
  }
  const sentence = `${spec} has only a source distribution: building it would run its code here and bind it to this machine's libraries.`;
  yield environmentFinding('source-only', name, sentence);
}

function* checkCuda({ name, version }: LockedPackage, driver: string | null): Generator<EnvironmentFinding> {
  const major = cudaMajor(name, version ?? '');
  const oldest = major === undefined ? undefined : oldestDriver[major];
  if (driver === null || oldest === undefined || compareVersions(driver, oldest) >= 0) return;
  const sentence = `${name}==${version ?? ''} is for CUDA ${major}, which needs driver ${oldest} or newer; the nodes have ${driver}.`;
  yield environmentFinding('cuda-driver-too-old', name, sentence);
}

/** `torch==2.5.1+cu121`, `nvidia-cublas-cu12` and, without a suffix, `nvidia-cuda-runtime==13.0.1`. */
function cudaMajor(name: string, version: string): string | undefined {
  const local = /\+cu(\d{2})\d*/.exec(version)?.[1];
  const suffix = /^nvidia-.*-cu(\d{2})$/.exec(name)?.[1];
  const own = name === 'nvidia-cuda-runtime' ? /^\d+/.exec(version)?.[0] : undefined;
  return local ?? suffix ?? own;
}
