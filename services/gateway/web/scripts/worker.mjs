/**
 * Builds the service worker after the client, as a file of its own: it has to stay at one address. It is told which
 * assets the page names, and a hash of the page, so that it changes with every version of the client.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const outDir = fileURLToPath(new URL('../../src/gateway/client', import.meta.url));
const page = await readFile(`${outDir}/index.html`, 'utf8');
const assets = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
const version = createHash('sha256').update(page).digest('hex').slice(0, 12);

await build({
  root,
  configFile: false,
  logLevel: 'warn',
  define: { __SHELL__: JSON.stringify({ version, assets }) },
  build: {
    outDir,
    emptyOutDir: false,
    copyPublicDir: false,
    target: 'es2022',
    rolldownOptions: {
      input: `${root}src/client/worker/serviceWorker.ts`,
      output: { format: 'iife', entryFileNames: 'service-worker.js' },
    },
  },
});
