/** Lets Node.js import the example's TypeScript; its packages are those of the web client, which `make test` installs. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const web = pathToFileURL(`${process.cwd()}/`).href;
const typescript = createRequire(web)('typescript');

export function resolve(name, context, next) {
  if (!context.parentURL?.endsWith('.ts')) return next(name, context);
  return name.startsWith('.') ? next(`${name}.ts`, context) : next(name, { ...context, parentURL: web });
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const options = { module: 'esnext', target: 'es2022' };
  const { outputText } = typescript.transpileModule(await readFile(new URL(url), 'utf8'), {
    compilerOptions: options,
  });
  return { format: 'module', source: outputText, shortCircuit: true };
}
