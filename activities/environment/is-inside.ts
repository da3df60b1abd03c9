import { sep } from 'node:path';

/** Whether a normalised absolute path is the folder or below it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
