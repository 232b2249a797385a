// A token from the edge's development route (`nearcast-edge serve --dev`). Your app asks its own server, which knows who is asking.
export async function fetchToken(edge, room, identity) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${edge}/v1/token`, { method: 'POST', headers, body: JSON.stringify({ room, identity }) });
  if (!response.ok) throw new Error(`${edge} gives no tokens: ${response.status}`);
  return (await response.json()).token;
}
