// STUN and TURN servers: the app's own, and the edge's, of which those that failed are left out. Which failed is remembered by the core.

/** Without what browsers add to the address of a server where it is left out (RFC 7065 §3.1). */
const plain = (url: string): string => url.replace(/:(3478|5349)\b|\?transport=udp/g, '').replace(/^(turns.*)\?.*/, '$1');

/** @internal */
export class IceServers {
  #configuration: RTCConfiguration;
  #own: RTCIceServer[];
  /** The edge's, one for each address. */
  #theirs: (RTCIceServer & { urls: string })[] = [];

  /** `configuration` is what transports are opened with: it is kept up to date. */
  constructor(configuration: RTCConfiguration) {
    this.#configuration = configuration;
    this.#own = configuration.iceServers ?? [];
  }

  /** The edge names its own, each as user name, password and addresses. In use from the next `leaveOut` on. */
  name(servers: [string | undefined, string | undefined, ...string[]][]): void {
    this.#theirs = servers.flatMap(([username, credential, ...addresses]) =>
      addresses.map((urls) => ({ urls, ...(username && credential && { username, credential }) })),
    );
  }

  /** Of the edge's addresses those whose bit is set are not used for now. */
  leaveOut(addresses: number, transport: RTCPeerConnection | undefined): void {
    this.#configuration.iceServers = [...this.#own, ...this.#theirs.filter((_, address) => !((addresses >> address) & 1))];
    try {
      transport?.setConfiguration(this.#configuration);
    } catch {
      // A browser that can't take them now, or not one of them: what it had goes on.
    }
  }

  /** Says which of the edge's addresses answers the transport, and which doesn't, as far as the browser tells. */
  watch(transport: RTCPeerConnection, say: (address: number, works: boolean) => void): void {
    const tried = (url: string | null | undefined, works: boolean): void => {
      const address = url ? this.#theirs.findIndex(({ urls }) => plain(urls) === plain(url)) : -1;
      if (address >= 0) say(address, works);
    };
    transport.onicecandidateerror = ({ url }) => tried(url, false);
    // Chromium has it in the candidate, others in the event.
    transport.onicecandidate = (event) => tried((event.candidate as { url?: string } | null)?.url ?? (event as { url?: string | null }).url, true);
  }
}
