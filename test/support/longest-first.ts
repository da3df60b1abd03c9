import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Takes as long as a third of all the others: begun last, as its few lines would have it, it would run on alone. */
const longest = 'test/integration/github/chaos.test.ts';

/** Files by Vitest's own order, but for the one that takes longest: that begins first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- of a sequencer, not of an array
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => Number(isLongest(b)) - Number(isLongest(a)));
  }
}

function isLongest({ moduleId }: TestSpecification): boolean {
  return moduleId.endsWith(longest);
}
