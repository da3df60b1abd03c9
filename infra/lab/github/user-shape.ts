import type { Lab } from './lab.ts';
import type { LabUser } from './state.ts';

/** GitHub's JSON of a user, a bot or an organization. */
export function userShape(lab: Lab, user: LabUser): object {
  const name = encodeURIComponent(user.login);
  const url = `${lab.url}/users/${name}`;
  return {
    login: user.login,
    id: user.id,
    node_id: nodeId('U', user.id),
    avatar_url: `${lab.url}/avatars/${user.id}`,
    gravatar_id: '',
    url,
    html_url: `${lab.url}/${name}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: user.type,
    site_admin: false,
  };
}

/** What a user is told of itself, and everybody of a user that is asked for by name. */
export function ownUserShape(lab: Lab, user: LabUser): object {
  const nothing = ['name', 'company', 'blog', 'location', 'email', 'hireable', 'bio'];
  return {
    ...userShape(lab, user),
    ...Object.fromEntries(nothing.map((field) => [field, null])),
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
  };
}

export function nodeId(kind: string, id: number): string {
  return `${kind}_${Buffer.from(String(id)).toString('base64url')}`;
}
