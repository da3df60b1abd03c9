import proto from '@temporalio/proto';

import type { TemporalSettings } from '../../infra/config/config.ts';
import type { Zone } from '../../infra/config/keys.ts';
import { queues, searchAttributes } from '../../workflows/contract.ts';
import { ClientError } from '../client-error.ts';
import { rpcCode, rpcCodes } from '../rpc-error.ts';
import { openTemporalLink, type TemporalLink } from '../temporal-link.ts';
import { good, type Check, type Finding } from './finding.ts';

const { TaskQueueType } = proto.temporal.api.enums.v1;
const system = 'temporal' as const;
const callMs = 4000;
/** Work that waits for longer than this although somebody polls is worth a word, seconds. */
const longBacklog = 60;
const leastRetentionDays = 7;

type Queue = keyof typeof queues;
const zoneOfQueue: Readonly<Record<Queue, Zone>> = {
  experiments: 'control',
  planning: 'local',
  github: 'control',
  qizhi: 'control',
  networked: 'networked',
  wandb: 'networked',
  notifications: 'control',
};

/** Reach, version, namespace, search attributes, who polls which queue and how long work waits there. */
export function checkTemporal(settings: TemporalSettings): Check {
  return {
    system,
    look: async () => {
      const link = openTemporalLink(settings);
      try {
        return await look(link);
      } catch (error) {
        if (rpcCode(error) === rpcCodes.notFound) return [noNamespace(settings)];
        if (!(error instanceof ClientError)) throw error;
        const todo =
          'start it: `hephaestus up` on one machine, or your Temporal server; or correct TEMPORAL_ADDRESS';
        return [{ system, status: 'unreachable', what: error.message, why: 'nothing runs without it', todo }];
      } finally {
        await link.close();
      }
    },
  };
}

function noNamespace({ address, namespace }: TemporalSettings): Finding {
  return {
    system,
    status: 'bad',
    what: `Temporal at ${address} has no namespace "${namespace}"`,
    why: 'nothing runs without it',
    todo: `correct TEMPORAL_NAMESPACE, or make it: temporal operator namespace create -n ${namespace} --retention 90d`,
  };
}

async function look(link: TemporalLink): Promise<Finding[]> {
  const { address, namespace } = link.settings;
  const service = link.client.workflowService;
  // One after the other: a call that is still being tried again when the connection is closed would end this process.
  const info = await link.within(callMs, () => service.getSystemInfo({}));
  const described = await link.within(callMs, () => service.describeNamespace({ namespace }));
  const days = Number(described.config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
  const rest = [...(await attributeFindings(link))];
  for (const queue of Object.keys(queues)) rest.push(await queueFinding(link, queue as Queue));
  return [
    good(system, `server ${info.serverVersion ?? 'of no version'} at ${address}, namespace ${namespace}`),
    ...(days < leastRetentionDays
      ? [
          {
            system,
            status: 'warning' as const,
            what: `ended experiments are kept for ${days.toFixed(1)} days`,
            why: '`show` and `list` know nothing of them afterwards; the pull request and the note stay',
            todo: `temporal operator namespace update -n ${namespace} --retention 90d`,
          },
        ]
      : []),
    ...rest,
  ];
}

async function attributeFindings(link: TemporalLink): Promise<Finding[]> {
  const { namespace } = link.settings;
  const { customAttributes } = await link.within(callMs, () =>
    link.client.connection.operatorService.listSearchAttributes({ namespace }),
  );
  const missing = Object.values(searchAttributes)
    .map(({ name }) => name)
    .filter((name) => !Object.hasOwn(customAttributes ?? {}, name));
  if (missing.length === 0) return [good(system, 'all search attributes are there')];
  return [
    {
      system,
      status: 'bad',
      what: `search attributes are missing: ${missing.join(', ')}`,
      why: 'no experiment can begin without them',
      todo: 'start `hephaestus worker --zone control` once: it makes them',
    },
  ];
}

async function queueFinding(link: TemporalLink, queue: Queue): Promise<Finding> {
  const taskQueueType =
    queue === 'experiments' ? TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW : TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY;
  const { pollers, stats } = await link.within(callMs, () =>
    link.client.workflowService.describeTaskQueue({
      namespace: link.settings.namespace,
      taskQueue: { name: queues[queue] },
      taskQueueType,
      reportStats: true,
    }),
  );
  const waiting = Number(stats?.approximateBacklogCount ?? 0);
  const age = Number(stats?.approximateBacklogAge?.seconds ?? 0);
  const zone = zoneOfQueue[queue];
  const backlog = waiting === 0 ? '' : `; ${waiting} tasks wait, the oldest for ${age} s`;
  const todo = `start \`hephaestus worker --zone ${zone}\`, or \`hephaestus up\` for all`;
  // Temporal remembers a poller for five minutes; one that is alive comes back at least once a minute.
  const alive = (pollers ?? []).filter(
    ({ lastAccessTime }) => Date.now() / 1000 - Number(lastAccessTime?.seconds ?? 0) < 90,
  );
  if (alive.length > 0) {
    if (age < longBacklog) return good(system, `queue ${queue}: ${alive.length} polling${backlog}`);
    const more = `look at the log of its worker; add another one for zone ${zone} if it is only busy`;
    return {
      system,
      status: 'warning',
      what: `queue ${queue}: ${alive.length} polling${backlog}`,
      why: 'work is slower than it comes',
      todo: more,
    };
  }
  const status = waiting > 0 ? 'bad' : 'warning';
  return {
    system,
    status,
    what: `queue ${queue}: nobody polls it${backlog}`,
    why: `what belongs to zone ${zone} waits`,
    todo,
  };
}
