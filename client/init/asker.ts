import { checkbox, input, password } from '@inquirer/prompts';

import { InterruptedError } from '../cli/cli-errors.ts';

export interface Question {
  readonly message: string;
  /** What an empty answer means; of a secret it is never shown. */
  readonly fallback: string;
  /** What is wrong with an answer, as a sentence; null when it can be taken. */
  readonly wrong: (answer: string) => string | null;
}

/** Asks a person; every method throws `InterruptedError` at Ctrl-C. */
export interface Asker {
  text(question: Question): Promise<string>;
  /** Shows nothing of what is typed. */
  secret(question: Question): Promise<string>;
  choose<T extends string>(
    message: string,
    choices: readonly { readonly value: T; readonly name: string }[],
  ): Promise<T[]>;
}

/** Asks at the terminal of this process. */
export function terminalAsker(signal: AbortSignal): Asker {
  const context = { signal };
  return {
    text: ({ message, fallback, wrong }) =>
      orInterrupted(
        input({ message, default: fallback, validate: (answer) => wrong(answer) ?? true }, context),
      ),
    async secret({ message, fallback, wrong }) {
      const hint = fallback === '' ? '' : ' (empty: keep the present one)';
      const validate = (answer: string): string | true => wrong(answer === '' ? fallback : answer) ?? true;
      const answer = await orInterrupted(
        password({ message: `${message}${hint}`, mask: false, validate }, context),
      );
      return answer === '' ? fallback : answer;
    },
    choose: (message, choices) =>
      orInterrupted(
        checkbox(
          { message, choices: choices.map((choice) => ({ ...choice, checked: true })), required: true },
          context,
        ),
      ),
  };
}

async function orInterrupted<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof Error && (error.name === 'ExitPromptError' || error.name === 'AbortPromptError'))
      throw new InterruptedError('Interrupted; nothing was written.');
    throw error;
  }
}
