import webpack from 'webpack';
import { finish } from './finish.mjs';

const compiler = webpack({ mode: 'production', context: import.meta.dirname, entry: './main.js', output: { path: `${import.meta.dirname}/out`, filename: 'main.js' } });
compiler.run((error, stats) => finish(error, stats));
