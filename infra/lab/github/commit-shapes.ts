import { git } from './git.ts';
import type { Lab } from './lab.ts';
import type { LabRepository } from './state.ts';
import { nodeId } from './user-shape.ts';

interface Person {
  readonly name: string;
  readonly email: string;
  readonly date: string;
}

interface CommitFacts {
  readonly author: Person;
  readonly committer: Person;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
}

const format = ['%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%P', '%T', '%B'].join('%x00');
const unsigned = { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null };

async function readCommit(lab: Lab, repository: LabRepository, sha: string): Promise<CommitFacts> {
  const text = await git(lab.folder(repository), ['show', '-s', `--format=${format}`, sha]);
  const [an = '', ae = '', ad = '', cn = '', ce = '', cd = '', parents = '', tree = '', ...message] =
    text.split('\0');
  return {
    author: { name: an, email: ae, date: ad },
    committer: { name: cn, email: ce, date: cd },
    tree,
    parents: parents.split(' ').filter((parent) => parent !== ''),
    message: message.join('\0').trim(),
  };
}

/** A commit as the Git Data API shows it. */
export async function gitCommitShape(lab: Lab, repository: LabRepository, sha: string): Promise<object> {
  const { author, committer, tree, parents, message } = await readCommit(lab, repository, sha);
  const { api, html } = placesOf(lab, repository);
  return {
    sha,
    node_id: nodeId('C', Number.parseInt(sha.slice(0, 8), 16)),
    url: `${api}/git/commits/${sha}`,
    html_url: `${html}/commit/${sha}`,
    author,
    committer,
    message,
    tree: { sha: tree, url: `${api}/git/trees/${tree}` },
    parents: parents.map((parent) => ({
      sha: parent,
      url: `${api}/git/commits/${parent}`,
      html_url: `${html}/commit/${parent}`,
    })),
    verification: unsigned,
  };
}

/** A commit as lists and branches show it. */
export async function commitShape(lab: Lab, repository: LabRepository, sha: string): Promise<object> {
  const { author, committer, tree, parents, message } = await readCommit(lab, repository, sha);
  const { api, html } = placesOf(lab, repository);
  return {
    sha,
    node_id: nodeId('C', Number.parseInt(sha.slice(0, 8), 16)),
    url: `${api}/commits/${sha}`,
    html_url: `${html}/commit/${sha}`,
    comments_url: `${api}/commits/${sha}/comments`,
    commit: {
      url: `${api}/git/commits/${sha}`,
      author,
      committer,
      message,
      tree: { sha: tree, url: `${api}/git/trees/${tree}` },
      comment_count: 0,
      verification: unsigned,
    },
    author: null,
    committer: null,
    parents: parents.map((parent) => ({
      sha: parent,
      url: `${api}/commits/${parent}`,
      html_url: `${html}/commit/${parent}`,
    })),
  };
}

function placesOf(lab: Lab, { owner, name }: LabRepository): { readonly api: string; readonly html: string } {
  return { api: `${lab.url}/repos/${owner}/${name}`, html: `${lab.url}/${owner}/${name}` };
}
