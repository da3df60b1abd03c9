import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

import { unlessMissing } from '../../unless-missing.ts';

/** One version of an artifact; one `artifact.json` each, beside it `manifests/` and `files/`. */
export const Artifact = z.object({
  id: z.string(),
  entity: z.string(),
  project: z.string(),
  /** The run that logged it. */
  runId: z.string(),
  type: z.string(),
  collection: z.string(),
  version: z.int(),
  digest: z.string(),
  /** Ids that the client chose: of this version and of its collection. */
  clientId: z.string().nullable(),
  sequenceClientId: z.string().nullable(),
  aliases: z.array(z.string()),
  /** Name of the manifest, once it was announced. */
  manifest: z.string().nullable(),
  state: z.enum(['PENDING', 'COMMITTED']),
});
export type Artifact = z.infer<typeof Artifact>;

export interface ArtifactStore {
  find(id: string): Artifact | undefined;
  /** Oldest first. */
  list(fits: (artifact: Artifact) => boolean): readonly Artifact[];
  create(artifact: Omit<Artifact, 'id' | 'version' | 'manifest' | 'state'>): Promise<Artifact>;
  update(artifact: Artifact, change: Partial<Pick<Artifact, 'manifest' | 'state'>>): Promise<Artifact>;
  write(id: string, part: ArtifactPart, name: string, content: Buffer): Promise<void>;
  read(id: string, part: ArtifactPart, name: string): Promise<Buffer | undefined>;
  /** Whether it was uploaded. */
  has(id: string, part: ArtifactPart, name: string): Promise<boolean>;
}

export type ArtifactPart = 'manifests' | 'files';

/** Opens the folder `directory/artifacts`: one folder each version. */
export async function openArtifactStore(directory: string): Promise<ArtifactStore> {
  const root = join(directory, 'artifacts');
  await mkdir(root, { recursive: true });
  const artifacts = new Map<string, Artifact>();
  for (const name of (await readdir(root)).toSorted()) {
    const text = await unlessMissing(readFile(join(root, name, 'artifact.json'), 'utf8'));
    if (text === undefined) continue;
    const artifact = Artifact.parse(JSON.parse(text));
    artifacts.set(artifact.id, artifact);
  }

  const list: ArtifactStore['list'] = (fits) => [...artifacts.values()].filter(fits);
  const pathOf = (id: string, part: ArtifactPart, name: string): string =>
    join(root, id, part, encodeURIComponent(name).replaceAll('.', '%2E'));
  async function save(artifact: Artifact): Promise<Artifact> {
    artifacts.set(artifact.id, artifact);
    const folder = join(root, artifact.id);
    await mkdir(folder, { recursive: true });
    const text = `${JSON.stringify(artifact, null, 2)}\n`;
    await writeFileAtomic(join(folder, 'artifact.json'), text, { fsync: false });
    return artifact;
  }
  return {
    find: (id) => artifacts.get(id),
    list,
    create(artifact) {
      const version = list((each) => inSameCollection(each, artifact)).length;
      const id = String(artifacts.size + 1).padStart(8, '0');
      return save({ ...artifact, id, version, manifest: null, state: 'PENDING' });
    },
    update: (artifact, change) => save({ ...artifact, ...change }),
    async write(id, part, name, content) {
      const path = pathOf(id, part, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFileAtomic(path, content, { fsync: false });
    },
    read: (id, part, name) => unlessMissing(readFile(pathOf(id, part, name))),
    has: async (id, part, name) => (await unlessMissing(stat(pathOf(id, part, name)))) !== undefined,
  };
}

type Place = Pick<Artifact, 'entity' | 'project' | 'collection'>;

export function inSameCollection(one: Place, other: Place): boolean {
  return one.entity === other.entity && one.project === other.project && one.collection === other.collection;
}
