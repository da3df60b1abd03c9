/** The file that `npm run build` puts the workflows into, in the root of the built code. */
export const workflowBundleName = 'workflow-bundle.cjs';
