// The reference from the doc comments: `npm run docs` writes it to target/sdk-docs, `npm run docs -- --check` only looks whether everything that an
// app can see has a comment. typedoc is one of the packaging tools, with the TypeScript that it needs: it knows none newer than 6.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { npm, tools } from '../test/packaging/tools.mjs';

const { Application, ConsoleLogger, LogLevel } = await import(pathToFileURL(join(await tools(), 'node_modules/typedoc/dist/index.js')).href);

const app = await Application.bootstrapWithPlugins({ options: join(npm, 'typedoc.json') });
let complaints = 0;
app.logger = new (class extends ConsoleLogger {
  log(message, level) {
    // What an event carries is said by the comment of the event.
    if (/\.__type\./.test(message)) return;
    if (level >= LogLevel.Warn) complaints += 1;
    super.log(message, level);
  }
})();
const project = await app.convert();
if (project) {
  app.validate(project);
  if (!process.argv.includes('--check')) await app.generateOutputs(project);
}
if (!project || complaints > 0) process.exit(1);
console.log(`${project.children.length} entries, every one of their exports documented`);
