import { good, type Check, type Finding } from './finding.ts';

const system = 'clock' as const;
/** HTTP dates have whole seconds, and the answer was on its way. */
const tolerableMs = 30_000;
const badMs = 300_000;

/** This machine's clock against the clocks of the servers that it talks to (header `Date`, no credential is sent). */
export function checkClock(urls: readonly string[]): Check {
  return {
    system,
    look: async (signal) => {
      const offs = (await Promise.all(urls.map((url) => offOf(url, signal)))).filter((off) => off !== null);
      const [first] = offs.toSorted((a, b) => Math.abs(a) - Math.abs(b));
      if (first === undefined) return [unknown()];
      return [judge(first)];
    },
  };
}

/** ms that this clock is ahead; null when the server cannot be asked, which its own check tells. */
async function offOf(url: string, signal: AbortSignal): Promise<number | null> {
  const before = Date.now();
  try {
    const answer = await fetch(url, { method: 'HEAD', redirect: 'manual', signal });
    const date = Date.parse(answer.headers.get('date') ?? '');
    return Number.isNaN(date) ? null : (before + Date.now()) / 2 - date;
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}

function judge(offMs: number): Finding {
  const seconds = Math.round(offMs / 1000);
  const off = Math.abs(offMs);
  if (off <= tolerableMs) return good(system, 'this machine and the servers agree on the time');
  return {
    system,
    status: off > badMs ? 'bad' : 'warning',
    what: `this machine is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the servers`,
    why: 'tokens and certificates are refused, and times in notes and comments are wrong',
    todo: 'let it follow a time server: sudo timedatectl set-ntp true',
  };
}

function unknown(): Finding {
  return { system, status: 'skipped', what: 'no server could be asked for the time', why: '', todo: '' };
}
