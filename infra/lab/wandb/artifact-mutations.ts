import { GraphQLError } from 'graphql';
import { z } from 'zod';

import { type Artifact, type ArtifactPart, inSameCollection } from './artifact-store.ts';
import type { GraphqlContext } from './graphql-context.ts';
import { runOrRefuse } from './run-or-refuse.ts';

const Maybe = z.string().nullish();
const CreateArtifactInput = z.object({
  entityName: z.string(),
  projectName: z.string(),
  runName: Maybe,
  artifactTypeName: z.string(),
  artifactCollectionName: Maybe,
  artifactCollectionNames: z.array(z.string()).nullish(),
  clientID: Maybe,
  sequenceClientID: Maybe,
  digest: z.string(),
  aliases: z.array(z.object({ alias: z.string() })).nullish(),
  enableDigestDeduplication: z.boolean().nullish(),
});
const CreateManifestInput = z.object({ artifactID: z.string(), name: z.string() });
const UpdateManifestInput = z.object({ artifactManifestID: z.string() });
const CreateFilesInput = z.object({
  artifactFiles: z.array(z.object({ artifactID: z.string(), name: z.string() })),
});
const ArtifactInput = z.object({ artifactID: z.string() });
const LinkInput = z.object({ artifactID: Maybe, clientID: Maybe });

/** What stores an artifact, in the order of the client: create, manifest, files, manifest again, commit. */
export function createArtifactMutations(context: GraphqlContext) {
  const { artifacts } = context;
  const upload = (id: string, part: ArtifactPart, name: string) => ({
    id: `${id}/${part}/${name}`,
    name,
    storagePath: `${id}/${part}/${name}`,
    uploadUrl: artifactFileUrl(context.baseUrl(), id, part, name),
    uploadHeaders: [],
    uploadMultipartUrls: null,
  });
  const manifestOf = (id: string, name: string) => ({
    artifactManifest: { id: `${id}:${name}`, file: upload(id, 'manifests', name) },
  });
  return {
    async createArtifact({ input }: { input: unknown }) {
      const wanted = CreateArtifactInput.parse(input);
      const artifact = await findOrCreate(context, wanted);
      return { artifact: describeArtifact(context, artifact) };
    },
    async createArtifactManifest({ input }: { input: unknown }) {
      const { artifactID, name } = CreateManifestInput.parse(input);
      await artifacts.update(known(context, artifactID), { manifest: name });
      return manifestOf(artifactID, name);
    },
    updateArtifactManifest({ input }: { input: unknown }) {
      const [id = '', ...name] = UpdateManifestInput.parse(input).artifactManifestID.split(':');
      return manifestOf(known(context, id).id, name.join(':'));
    },
    createArtifactFiles({ input }: { input: unknown }) {
      const { artifactFiles } = CreateFilesInput.parse(input);
      const edges = artifactFiles.map(({ artifactID, name }) => ({
        node: { ...upload(artifactID, 'files', name), artifact: { id: known(context, artifactID).id } },
      }));
      return { files: { edges } };
    },
    async commitArtifact({ input }: { input: unknown }) {
      const artifact = known(context, ArtifactInput.parse(input).artifactID);
      const { manifest } = artifact;
      if (manifest === null || !(await artifacts.has(artifact.id, 'manifests', manifest))) {
        throw new GraphQLError(`artifact ${artifact.id} has no manifest yet: upload it, then commit`);
      }
      const committed = await artifacts.update(artifact, { state: 'COMMITTED' });
      return { artifact: describeArtifact(context, committed) };
    },
    useArtifact({ input }: { input: unknown }) {
      return { artifact: describeArtifact(context, known(context, ArtifactInput.parse(input).artifactID)) };
    },
    linkArtifact({ input }: { input: unknown }) {
      const { artifactID, clientID } = LinkInput.parse(input);
      const id = artifactID ?? serverIdOf(context, clientID ?? '');
      return { versionIndex: known(context, id ?? '').version };
    },
  };
}

/** An artifact as the GraphQL type `Artifact`. */
export function describeArtifact({ artifacts }: GraphqlContext, artifact: Artifact): object {
  const latest = artifacts
    .list((each) => each.state === 'COMMITTED' && inSameCollection(each, artifact))
    .at(-1);
  return {
    id: artifact.id,
    state: artifact.state,
    digest: artifact.digest,
    versionIndex: artifact.version,
    aliases: artifact.aliases.map((alias) => ({ alias })),
    artifactType: { name: artifact.type },
    artifactSequence: {
      id: artifact.collection,
      name: artifact.collection,
      latestArtifact: latest === undefined ? null : { id: latest.id },
    },
  };
}

/** The server's id of what a client named by an id of its own. */
export function serverIdOf({ artifacts }: GraphqlContext, clientId: string): string | undefined {
  return artifacts.list((each) => each.clientId === clientId || each.sequenceClientId === clientId).at(-1)
    ?.id;
}

/** Where a part of an artifact is written (PUT) and read (GET). */
function artifactFileUrl(baseUrl: string, id: string, part: ArtifactPart, name: string): string {
  return `${baseUrl}/artifacts/${id}/${part}/${encodeURIComponent(name)}`;
}

async function findOrCreate(context: GraphqlContext, wanted: z.infer<typeof CreateArtifactInput>) {
  const { artifacts, store } = context;
  // A client that was given no entity sends an empty one here, also after it was told which it is.
  const entity = wanted.entityName || context.entity;
  const key = { entity, project: wanted.projectName, runId: wanted.runName ?? '' };
  if (key.runId !== '') runOrRefuse(store, key);
  const collection = wanted.artifactCollectionName ?? wanted.artifactCollectionNames?.[0] ?? 'unnamed';
  const place = { ...key, collection };
  const same = artifacts
    .list((each) => inSameCollection(each, place) && each.digest === wanted.digest)
    .at(-1);
  // The same content is the same version, also when a client sends it a second time.
  if (same !== undefined && (same.state === 'PENDING' || wanted.enableDigestDeduplication !== false)) {
    return same;
  }
  return artifacts.create({
    ...place,
    type: wanted.artifactTypeName,
    digest: wanted.digest,
    clientId: wanted.clientID ?? null,
    sequenceClientId: wanted.sequenceClientID ?? null,
    aliases: (wanted.aliases ?? []).map(({ alias }) => alias),
  });
}

function known({ artifacts }: GraphqlContext, id: string): Artifact {
  const found = artifacts.find(id);
  if (found === undefined) throw new GraphQLError(`there is no artifact ${id}: create it first`);
  return found;
}
