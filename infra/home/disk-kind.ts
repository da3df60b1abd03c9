import { statfs } from 'node:fs/promises';

export interface Disk {
  /**
   * `network`: other machines write there as well, and its locks cannot be relied on. `unknown`: a file system in user
   * space, which may be either.
   */
  readonly kind: 'local' | 'network' | 'unknown';
  /** Its name, '' where it is an ordinary one. */
  readonly name: string;
  readonly freeBytes: number;
}

/** `f_type` of statfs(2), from the kernel's `magic.h` and the file systems' own sources. */
const networkKinds: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xfe534d42: 'SMB',
  0xff534d42: 'CIFS',
  0x0bd00bd0: 'Lustre',
  0x47504653: 'GPFS',
  0x00c36400: 'CephFS',
  0x19830326: 'BeeGFS',
  0x7461636f: 'OCFS2',
  0x01161970: 'GFS2',
  0x5346414f: 'AFS',
  0x6b414653: 'AFS',
  0x73757245: 'Coda',
  0xaad7aaea: 'PanFS',
};
const userSpace = 0x65735546;

/** What kind of disk a folder stands on, and how much is free on it for this user. */
export async function diskOf(folder: string): Promise<Disk> {
  const { type, bavail, bsize } = await statfs(folder);
  return { ...kindOf(type), freeBytes: bavail * bsize };
}

/** `type` as `statfs` tells it, which may have been read as a signed number. Numbers mean this on Linux alone. */
export function kindOf(type: number, platform: NodeJS.Platform = process.platform): Omit<Disk, 'freeBytes'> {
  if (platform !== 'linux') return { kind: 'local', name: '' };
  const magic = type >>> 0;
  const name = networkKinds[magic];
  if (name !== undefined) return { kind: 'network', name };
  return magic === userSpace ? { kind: 'unknown', name: 'FUSE' } : { kind: 'local', name: '' };
}
