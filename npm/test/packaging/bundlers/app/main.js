// The same for every bundler: asks an edge where nothing listens, with the SDK and with the hooks. The answer takes the wasm core, unpacked and running.
import { connect, NearcastError } from 'nearcast';
import { RoomProvider, useConnection } from 'nearcast/react';
import { createElement, StrictMode, useEffect } from 'react';
import { createRoot } from 'react-dom/client';

const edge = new URLSearchParams(location.search).get('edge');
const sdk = connect(edge, 'token').catch((error) => `${error instanceof NearcastError} ${error.code}`);

function Shown() {
  const { state, error } = useConnection();
  useEffect(() => {
    if (error) sdk.then((code) => (window.verdict = { sdk: code, hooks: `${state} ${error.code}` }));
  }, [state, error]);
  return state;
}

createRoot(document.getElementById('root')).render(createElement(StrictMode, null, createElement(RoomProvider, { url: edge, token: 'token' }, createElement(Shown))));
