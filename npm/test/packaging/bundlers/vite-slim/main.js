// The core as a file of its own, served and compiled while it arrives.
import core from 'nearcast/core.wasm?url';
import { connect, init } from 'nearcast/slim';

const edge = new URLSearchParams(location.search).get('edge');
await init(core);
window.verdict = { sdk: await connect(edge, 'token').catch((error) => error.code), core };
