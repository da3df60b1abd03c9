import { z } from 'zod';

import type { WandbSettings } from '../../infra/settings.ts';
import { createWandbGraphql } from '../../infra/wandb/wandb-graphql.ts';
import { good, type Check, type Finding } from './finding.ts';

const system = 'wandb' as const;

const query = `query Viewer { viewer { username entity teams { edges { node { name } } } } }`;
const ViewerData = z.object({
  viewer: z
    .object({
      username: z.string().nullish(),
      entity: z.string().nullish(),
      teams: z.object({ edges: z.array(z.object({ node: z.object({ name: z.string() }) })) }).nullish(),
    })
    .nullable(),
});

/** Whom the key belongs to, and whether runs may be written where they are to go. */
export function checkWandb(settings: WandbSettings): Check {
  return {
    system,
    look: async (signal) => {
      const graphql = createWandbGraphql(settings);
      const { viewer } = await graphql({ query, variables: {}, data: ViewerData, signal });
      if (viewer === null) return [nobody(settings.baseUrl)];
      const teams = (viewer.teams?.edges ?? []).map(({ node }) => node.name);
      const mine = [viewer.username, viewer.entity, ...teams].filter((name) => typeof name === 'string');
      const known = good(
        system,
        `${settings.baseUrl} knows the key as ${viewer.username ?? viewer.entity ?? 'somebody'}`,
      );
      const entity = settings.entity ?? viewer.entity ?? null;
      return [known, entityFinding(entity, settings.entity !== undefined, mine)];
    },
  };
}

function nobody(baseUrl: string): Finding {
  return {
    system,
    status: 'bad',
    what: `${baseUrl} does not know the key`,
    why: 'no curve comes to W&B without it',
    todo: 'copy the key from the page /authorize of that server into WANDB_API_KEY',
  };
}

function entityFinding(entity: string | null, configured: boolean, mine: readonly string[]): Finding {
  if (entity === null) {
    return {
      system,
      status: 'warning',
      what: 'the key has no default entity, and WANDB_ENTITY is not set',
      why: 'runs whose task note names no entity have nowhere to go',
      todo: 'set WANDB_ENTITY to your user or team name',
    };
  }
  if (mine.includes(entity)) return good(system, `runs may be written to ${entity}`);
  return {
    system,
    status: 'bad',
    what: `${entity} is neither the account itself nor one of its teams (${mine.join(', ')})`,
    why: 'runs cannot be written there',
    todo: configured ? 'correct WANDB_ENTITY, or be invited to that team' : 'set WANDB_ENTITY to one of them',
  };
}
