/**
 * The figures of plans, changes and notes: `npm run bench:agents`. Our cost and that of the bare programs are measured in
 * turn in one run, so that a slow machine slows both; ends with exit code 1 where a figure is missed.
 */
import { tellFigures } from '../figure.ts';
import { measureLanding } from './measure-landing.ts';
import { measureOverhead } from './measure-overhead.ts';
import { measureVault } from './measure-vault.ts';

const figures = [...(await measureVault()), ...(await measureLanding()), ...(await measureOverhead())];
if (!tellFigures(figures)) process.exitCode = 1;
