import { activityInfo } from '@temporalio/activity';

import { branchName } from '../../domain/ids.ts';
import { whileBeating } from '../../infra/agents/while-beating.ts';
import { withMirror } from '../../infra/git/mirror.ts';
import { pushToServer } from '../../infra/git/push-branch.ts';
import { guardActivities } from '../boundary.ts';
import { adoptChange } from './adopt-change.ts';
import { type CodingDeps, mirrorOptions } from './coding-deps.ts';
import { implementChange } from './implement-change.ts';
import type { CodingActivities } from './interface.ts';
import { prepareSource } from './prepare-source.ts';

/** The activities of the queue `networked` that work with code. */
export function createCodingActivities(deps: CodingDeps): CodingActivities {
  return guardActivities<CodingActivities>({
    prepareSource: (input) => whileBeating(({ signal }) => prepareSource(deps, input, workflowRun(), signal)),
    implementChange: (input) => whileBeating((watch) => implementChange(deps, input, watch)),
    adoptChange: (input) => whileBeating(({ signal }) => adoptChange(deps, input, signal)),
    pushBranch: (input) =>
      whileBeating(({ signal }) => {
        const options = mirrorOptions(deps, input.repository, signal);
        const push = { branch: branchName(input.experimentId), headSha: input.headSha };
        return withMirror(options, (mirror) => pushToServer(mirror, push, options));
      }),
  });
}

/** One life of an experiment is one run of its workflow. */
function workflowRun(): string {
  return activityInfo().workflowExecution?.runId ?? '';
}
