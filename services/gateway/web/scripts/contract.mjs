/**
 * Writes src/lib/contract.gen.ts: the gateway's two documents as TypeScript types. Every build writes it
 * again.
 */

import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const here = (path) => new URL(`../${path}`, import.meta.url);
const read = async (name) => JSON.parse(await readFile(here(`contract/${name}.json`), 'utf8'));

const [rest, socket] = await Promise.all([read('openapi'), read('asyncapi')]);

// Frames become schemas too (`event.message.new`), so that one generator handles both documents.
const frames = Object.entries(socket.components.messages).map(([name, message]) => [name, message.payload]);
const schemas = { ...socket.components.schemas, ...rest.components.schemas, ...Object.fromEntries(frames) };
const types = await openapiTS(
  { ...rest, components: { ...rest.components, schemas } },
  { defaultNonNullable: false },
);

const head = '// Made by scripts/contract.mjs from contract/*.json. Changes here are lost.\n\n';
await writeFile(here('src/lib/contract.gen.ts'), head + astToString(types));
