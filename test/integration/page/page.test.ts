import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { fastify } from 'fastify';
import { pino } from 'pino';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';

import { openExperiments, type Experiments } from '../../../client/experiments.ts';
import { registerPage } from '../../../client/page/register-page.ts';
import { processEnvironment } from '../../../infra/env.ts';
import { failureOf, patiently, reaches } from '../../support/follow-experiment.ts';
import { labDay, labDayWorld, startPlanned } from '../../support/lab-day.ts';
import {
  startTemporalEnvironment,
  statusOf,
  type TemporalEnvironment,
} from '../../support/temporal-environment.ts';

const browserPath = '/usr/bin/chromium';
/** Pictures of every page are left there for whoever wants to look. */
const pictures = processEnvironment()['PAGE_PICTURES'];

const sizes = [
  { name: 'telephone', width: 390, height: 844 },
  { name: 'desk', width: 1280, height: 900 },
] as const;

describe.skipIf(!existsSync(browserPath))(`the page in a browser (needs ${browserPath})`, () => {
  let temporal: TemporalEnvironment;
  let experiments: Experiments;
  let url: string;
  let browser: Browser;
  const server = fastify();
  beforeAll(async () => {
    temporal = await startTemporalEnvironment(inject('tools').temporal);
    temporal.world.current = labDayWorld();
    const { address, namespace, uiUrl } = temporal.server;
    experiments = openExperiments({ address, namespace, uiUrl, connectionOptions: { address } });
    await registerPage(server, {
      experiments,
      settings: { token: null, url: null },
      temporal: { uiUrl, namespace },
      log: pino({ level: 'silent' }),
    });
    url = await server.listen({ host: '127.0.0.1', port: 0 });
    browser = await chromium.launch({
      executablePath: browserPath,
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    });
    const failed = await startPlanned(temporal.client, labDay.failed);
    await failureOf(failed);
    const [deciding, stalled, training] = await Promise.all(
      [labDay.deciding, labDay.stalled, labDay.training].map((each) => startPlanned(temporal.client, each)),
    );
    if (deciding === undefined || stalled === undefined || training === undefined)
      throw new Error('not started');
    await reaches(deciding, 'deciding');
    await vi.waitFor(async () => expect((await statusOf(stalled)).stalled).toBe(true), patiently);
    await vi.waitFor(async () => expect((await statusOf(training)).live?.rows).toBe(30), patiently);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
    await experiments.close();
    await temporal.close();
  });

  /** A page that notes whatever the browser complains of: a script that was refused, a picture that is missing. */
  async function open(
    path: string,
    look: {
      readonly width: number;
      readonly height: number;
      readonly scheme: 'light' | 'dark';
      readonly scripts?: boolean;
    },
  ): Promise<{ readonly page: Page; readonly complaints: string[] }> {
    const context = await browser.newContext({
      viewport: look,
      colorScheme: look.scheme,
      javaScriptEnabled: look.scripts !== false,
      deviceScaleFactor: 2,
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${url}${path}`);
    await page.waitForLoadState('networkidle');
    return { page, complaints };
  }

  const looks = sizes.flatMap((size) => (['light', 'dark'] as const).map((scheme) => ({ ...size, scheme })));

  it.each(looks)('lists what waits for a person first, on a $name, $scheme', async (look) => {
    const { page, complaints } = await open('/', look);
    await shoot(page, `lab-${look.name}-${look.scheme}`);
    expect(await page.locator('h2').allTextContents()).toEqual(['Waits for you 2', 'Under way 1', 'Ended 1']);
    const waiting = page.locator('section').first();
    expect(await waiting.innerText()).toContain('waits for you');
    expect(await waiting.innerText()).toMatch(/Better: 0\.2350 against 0\.2550/);
    expect(await page.locator('.card', { hasText: labDay.training.title }).innerText()).toContain(
      'the cluster',
    );
    expect(await page.locator('.card', { hasText: labDay.failed.title }).innerText()).toMatch(
      /EnvironmentNotPortable.*libcudnn/s,
    );
    await expectSound(page, look.width);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it.each(looks)('tells of one experiment, on a $name, $scheme', async (look) => {
    const { page, complaints } = await open(`/experiments/${labDay.deciding.id}`, look);
    await shoot(page, `experiment-${look.name}-${look.scheme}`);
    const words = await page.locator('main').innerText();
    for (const part of [labDay.deciding.title, 'waits for you', 'first-baseline', 'of 8 GPU hours'])
      expect(words).toContain(part);
    expect(words).toMatch(/hephaestus merge warmup-cosine --head [0-9a-f]{12}/);
    const picture = await page.locator('img.large').evaluate((img) => (img as unknown as Shown).currentSrc);
    expect(picture).toContain(`curves-${look.scheme}.svg`);
    await expectSound(page, look.width);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it.each([labDay.stalled, labDay.training, labDay.failed])('tells of $id as well', async ({ id, title }) => {
    for (const { width, height } of sizes) {
      const { page, complaints } = await open(`/experiments/${id}`, { width, height, scheme: 'light' });
      await shoot(page, `${id}-${width}`);
      expect(await page.locator('h1').innerText()).toBe(title);
      await expectSound(page, width);
      expect(complaints).toEqual([]);
      await page.context().close();
    }
  });

  it('says the same without scripts', async () => {
    const { page } = await open('/', { ...sizes[0], scheme: 'light', scripts: false });
    expect(await page.locator('.card').count()).toBe(4);
    await page.getByRole('link', { name: labDay.deciding.title }).click();
    expect(await page.locator('h1').innerText()).toBe(labDay.deciding.title);
    await page.context().close();
  });

  it('renews itself while somebody looks', async () => {
    const { page } = await open(`/experiments/${labDay.stalled.id}`, { ...sizes[1], scheme: 'light' });
    expect(await page.locator('.state').innerText()).toContain('waits for you');
    await experiments.decide(labDay.stalled.id, { kind: 'reject', by: 'pi' });
    await vi.waitFor(
      async () => expect(await page.locator('.state').innerText()).toContain('rejected'),
      patiently,
    );
    await page.context().close();
  });

  it('answers with the same tag while nothing has changed', async () => {
    const first = await fetch(`${url}/experiments/${labDay.failed.id}`);
    const again = await fetch(`${url}/experiments/${labDay.failed.id}`, {
      headers: { 'if-none-match': first.headers.get('etag') ?? '' },
    });
    expect([first.status, again.status]).toEqual([200, 304]);
  });

  it('has no experiment that does not exist', async () => {
    const response = await fetch(`${url}/experiments/never-was`);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('There is no experiment');
  });
});

/** What of a picture in the browser is looked at; the types of the DOM are not those of Node. */
interface Shown {
  readonly currentSrc: string;
  readonly complete: boolean;
  readonly naturalWidth: number;
}

async function shoot(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return;
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

/** Every picture has come, and nothing stands out to the right. */
async function expectSound(page: Page, width: number): Promise<void> {
  await page.evaluate('window.scrollTo(0, document.body.scrollHeight)');
  await page.waitForLoadState('networkidle');
  const images = await page
    .locator('img')
    .evaluateAll((all) =>
      (all as unknown as Shown[]).map(({ complete, naturalWidth }) => complete && naturalWidth > 0),
    );
  expect(images).toEqual(images.map(() => true));
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
}
