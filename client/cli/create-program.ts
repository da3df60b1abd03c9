import { Command } from 'commander';

import manifest from '../../package.json' with { type: 'json' };
import { addAdopt } from './commands/adopt.ts';
import { addApproveQuality } from './commands/approve-quality.ts';
import { addCodecServer } from './commands/codec-server.ts';
import { addCompletion } from './commands/completion.ts';
import { addDecisions } from './commands/decisions.ts';
import { addDiscuss } from './commands/discuss.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDown } from './commands/down.ts';
import { addEnvironment } from './commands/environment.ts';
import { addInit } from './commands/init.ts';
import { addJanitor } from './commands/janitor.ts';
import { addList } from './commands/list.ts';
import { addLogs } from './commands/logs.ts';
import { addNotes } from './commands/notes.ts';
import { addPayloadKeys } from './commands/payload-keys.ts';
import { addPlan } from './commands/plan.ts';
import { addSettle } from './commands/settle.ts';
import { addShow } from './commands/show.ts';
import { addStart } from './commands/start.ts';
import { addSync } from './commands/sync.ts';
import { addUp } from './commands/up.ts';
import { addWatch } from './commands/watch.ts';
import { addWebhook } from './commands/webhook.ts';
import { addWorker } from './commands/worker.ts';
import type { CliContext } from './context.ts';

/** The whole command line, whose commands act on the world that they are given. */
export function createProgram(context: CliContext): Command {
  const program = new Command('hephaestus')
    .description('From an idea to a reviewed pull request, a job, curves, a merge and a note.')
    .version(manifest.version, '-V, --version', 'print the version')
    .configureOutput({
      writeOut: (text) => void context.streams.stdout.write(text),
      writeErr: (text) => void context.streams.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .showHelpAfterError('(add --help for what it takes)');
  for (const add of [
    addUp,
    addDown,
    addInit,
    addDoctor,
    addPlan,
    addStart,
    addList,
    addShow,
    addWatch,
    addLogs,
    addDiscuss,
    addDecisions,
    addApproveQuality,
    addSettle,
    addNotes,
    addJanitor,
    addEnvironment,
    addAdopt,
    addSync,
    addWorker,
    addWebhook,
    addPayloadKeys,
    addCodecServer,
    addCompletion,
  ]) {
    add(program, context);
  }
  // Settings are inherited by commands only at the moment they are made, so that order must not matter here.
  for (const command of program.commands) {
    command.copyInheritedSettings(program);
    for (const inner of command.commands) inner.copyInheritedSettings(command);
  }
  return program;
}
