// webpack and rspack write scripts only: the page goes beside them. A warning is a failure here: an app's author would look for its reason.
import { copyFile } from 'node:fs/promises';

export async function finish(error, stats) {
  const { errors = [], warnings = [] } = stats?.toJson({ all: false, errors: true, warnings: true }) ?? {};
  // Both find React and the SDK together large (244 kB raw), which is not about how the package is made.
  const told = [...errors, ...warnings].map(({ message }) => message).filter((message) => !/size limit|limit the size/.test(message));
  if (error || told.length > 0) throw new Error(`${error ?? ''}${told.join('\n')}`);
  await copyFile(`${import.meta.dirname}/index.html`, `${import.meta.dirname}/out/index.html`);
}
