import { expect, it } from 'vitest';

import { featureFindings } from '../../../../client/doctor/check-github.ts';
import type { GithubAccess } from '../../../../infra/github/access-calls.ts';
import { judgeFeatures } from '../../../../infra/github/features.ts';

function findingsFor(token: GithubAccess['token']) {
  return featureFindings(
    judgeFeatures({ app: null, token, repository: null, repositoryName: null, uploads: true }),
  );
}

it('calls a token bad for what no experiment can do without, with the scope that it lacks', () => {
  const bad = findingsFor({ kind: 'classic', login: 'ann', scopes: ['repo:status'], expires: null }).filter(
    ({ status }) => status === 'bad',
  );
  expect(bad).toContainEqual(
    expect.objectContaining({
      what: expect.stringContaining('it cannot open pull requests') as string,
      todo: 'the token needs the scope repo, and has repo:status',
    }),
  );
});

it('takes what has a way round for no trouble, and says which', () => {
  const findings = findingsFor({
    kind: 'classic',
    login: 'ann',
    scopes: ['repo', 'workflow'],
    expires: null,
  });
  expect(findings.filter(({ status }) => status !== 'good')).toEqual([]);
  expect(findings.map(({ what }) => what).join('\n')).toContain('a commit status says the same in one line');
});

it('warns once of a token of which GitHub tells nothing', () => {
  const warnings = findingsFor({ kind: 'fine-grained', login: 'ann', expires: null }).filter(
    ({ status }) => status === 'warning',
  );
  expect(warnings).toHaveLength(1);
  expect(warnings[0]?.todo).toContain('pull_requests: write');
});
