import { scriptIdea } from '../models/script-idea.ts';
import type { ModelsScript } from '../models/script.ts';
import { demoIdea } from './idea.ts';
import type { LabPython } from './lab-python.ts';

/** What the two models answer to the demo's idea; the plan asks for the interpreter that the lab's "image" has. */
export function scriptDemo({ path, version }: LabPython): ModelsScript {
  const { note } = demoIdea;
  const environment = { ...note.environment, python: version, interpreter: path };
  return scriptIdea({ ...demoIdea, note: { ...note, environment } });
}
