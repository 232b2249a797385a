// How far an edge is: by the connectivity checks of a peer connection to where its media goes, which gets no further than that.
//
// They are the STUN requests of a call, over the ways that its media would take, and the browser itself times them: one round trip, whatever the page
// is busy with. The edge answers them to anybody and remembers nothing.

/** Where an edge's media goes: addresses with ports. */
export interface MediaAddresses {
  readonly udp: readonly string[];
  readonly tcp: readonly string[];
}

/** What edges know measuring checks by. */
export interface Measuring {
  readonly ufrag: string;
  readonly pwd: string;
}

/**
 * @param withinMs counts from when the connection is ready: what that takes says nothing of the edge.
 * @returns the round trip in milliseconds. Rejects when it is too late, and where there are no peer connections.
 */
export async function distance(to: MediaAddresses, by: Measuring, withinMs: number): Promise<number> {
  const connection = new RTCPeerConnection();
  try {
    connection.createDataChannel('');
    await connection.setLocalDescription();
    await connection.setRemoteDescription({ type: 'answer', sdp: answer(to, by) });
    await new Promise<void>((resolve) => {
      setTimeout(resolve, withinMs);
      connection.oniceconnectionstatechange = () => connection.iceConnectionState !== 'checking' && resolve();
    });
    return roundTrip(await connection.getStats());
  } finally {
    connection.close();
  }
}

/** An edge that waits for a handshake which nobody begins. */
function answer({ udp, tcp }: MediaAddresses, { ufrag, pwd }: Measuring): string {
  const candidates = [
    ...udp.map((address, rank) => candidate(address, 'udp', rank, 2130706431, '')),
    ...tcp.map((address, rank) => candidate(address, 'tcp', rank, 1518280447, ' tcptype passive')),
  ];
  const lines = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=ice-lite', 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'c=IN IP4 0.0.0.0', 'a=mid:0'];
  const transport = [`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, `a=fingerprint:sha-256 ${Array(32).fill('00').join(':')}`, 'a=setup:active', 'a=sctp-port:5000'];
  return [...lines, ...transport, ...candidates, 'a=end-of-candidates', ''].join('\r\n');
}

function candidate(address: string, protocol: string, rank: number, priority: number, more: string): string {
  const [, host, port] = /^\[?([\w.:]+)]?:(\d+)$/.exec(address) ?? [];
  return `a=candidate:${protocol}${rank} 1 ${protocol} ${priority - rank * 256} ${host} ${port} typ host${more}`;
}

/** The shortest of the ways that answered. */
function roundTrip(stats: RTCStatsReport): number {
  let shortest = Infinity;
  stats.forEach((report: Record<string, unknown>) => {
    const [total, answers] = [Number(report['totalRoundTripTime']), Number(report['responsesReceived'])];
    if (report['type'] === 'candidate-pair' && answers > 0 && total >= 0) shortest = Math.min(shortest, (total / answers) * 1000);
  });
  if (shortest === Infinity) throw new Error('No check was answered, or this browser does not tell how long it took.');
  return shortest;
}
