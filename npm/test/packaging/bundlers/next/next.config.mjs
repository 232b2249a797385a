import { join } from 'node:path';

// The tools lie above the app, as in a monorepo.
export default { output: 'export', turbopack: { root: join(import.meta.dirname, '../../..') } };
