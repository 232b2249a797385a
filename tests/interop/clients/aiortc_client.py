"""Publishes to a room or plays it with aiortc, over WHIP or WHEP.

    aiortc_client.py publish|play ENDPOINT TOKEN [--passive]

Reads commands from standard input, a line each: `delete` ends the session, `close` ends the transport without a word by HTTP,
`restart` restarts ICE. With --passive the offer wants the edge to be the DTLS client, as ffmpeg's does. Ends when its input ends.
"""

import asyncio
import sys

import aioice
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack
from whip import Session, say


class Path:
    """The ICE transport's way to the network, so that it can be exchanged under a DTLS transport that goes on: aiortc itself has no
    ICE restart."""

    def __init__(self, transport):
        self._transport = transport
        self._connection = transport._connection
        self._arrived = asyncio.Queue()
        self._pump = None
        transport._recv = self._arrived.get
        transport._send = self._send
        transport.on('statechange', self._changed)

    async def _send(self, data):
        await self._connection.send(data)

    def _changed(self):
        if self._transport.state == 'completed' and self._pump is None:
            self._start()

    def _start(self):
        self._pump = asyncio.ensure_future(self._carry(self._connection))

    async def _carry(self, connection):
        try:
            while True:
                await self._arrived.put(await connection.recv())
        except ConnectionError:
            pass

    async def restart(self, session):
        """New credentials on both sides, checks with them, then the old path closes."""
        connection = aioice.Connection(ice_controlling=True)
        await connection.gather_candidates()
        answer = await asyncio.to_thread(session.restart, connection.local_username, connection.local_password, '0')
        for line in answer.splitlines():
            name, _, value = line.removeprefix('a=').partition(':')
            if name == 'ice-ufrag':
                connection.remote_username = value
            elif name == 'ice-pwd':
                connection.remote_password = value
            elif name == 'candidate':
                await connection.add_remote_candidate(aioice.Candidate.from_sdp(value))
        connection.remote_is_lite = True
        await connection.add_remote_candidate(None)
        await connection.connect()
        old, self._connection = self._connection, connection
        self._start()
        await old.close()
        self._transport._connection = connection
        say('restarted', etag=session.tag)


async def count(track, frames):
    try:
        while True:
            await track.recv()
            frames[track.kind] += 1
    except MediaStreamError:
        say('ended', kind=track.kind)


async def report(frames):
    while True:
        say('frames', **frames)
        await asyncio.sleep(0.1)


async def main(role, endpoint, token, *flags):
    peer = RTCPeerConnection()
    frames = {'audio': 0, 'video': 0}
    tasks = []
    if role == 'publish':
        peer.addTransceiver(AudioStreamTrack(), 'sendonly')
        peer.addTransceiver(VideoStreamTrack(), 'sendonly')
    else:
        peer.addTransceiver('audio', 'recvonly')
        peer.addTransceiver('video', 'recvonly')
        tasks.append(asyncio.ensure_future(report(frames)))
    peer.on('connectionstatechange', lambda: say('state', state=peer.connectionState))
    peer.on('track', lambda track: tasks.append(asyncio.ensure_future(count(track, frames))))

    await peer.setLocalDescription(await peer.createOffer())
    offer = peer.localDescription.sdp
    if '--passive' in flags:
        offer = offer.replace('a=setup:actpass', 'a=setup:passive')
    session = Session(endpoint, token)
    answer = await asyncio.to_thread(session.begin, offer)
    path = Path(peer.getTransceivers()[0].sender.transport.transport)
    await peer.setRemoteDescription(RTCSessionDescription(answer, 'answer'))

    while line := await asyncio.to_thread(sys.stdin.readline):
        match line.strip():
            case 'delete':
                await asyncio.to_thread(session.delete)
            case 'close':
                await peer.close()
                say('closed')
            case 'restart':
                await path.restart(session)
            case 'trickle':
                await asyncio.to_thread(session.trickle, 'm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=end-of-candidates\r\n')


asyncio.run(main(*sys.argv[1:]))
