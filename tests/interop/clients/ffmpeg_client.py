"""Publishes to a room with FFmpeg's WHIP muxer, which PyAV brings along: H.264 and Opus.

    ffmpeg_client.py publish ENDPOINT TOKEN

Reads commands from standard input, a line each: `delete` writes the trailer, with which the muxer ends the session. Ends when its input ends.
The muxer speaks HTTP itself, so unlike the other clients this one doesn't know the session's URL.

It is given a certificate: the one that FFmpeg makes itself when it was built with GnuTLS, as here, has a key on P-224, which the edge's
cryptography doesn't know (with OpenSSL it is P-256, which RFC 8827 §6.5 wants).
"""

import datetime
import fractions
import pathlib
import sys
import tempfile
import threading
import time

import av
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from whip import say

WIDTH, HEIGHT, RATE = 320, 180, 30
SAMPLES, SAMPLE_RATE = 960, 48000


def main(role, endpoint, token):
    if role != 'publish':
        sys.exit('FFmpeg has no WHEP')
    with tempfile.TemporaryDirectory() as folder:
        options = {'authorization': token, 'handshake_timeout': '10000', **certificate(pathlib.Path(folder))}
        play(av.open(endpoint, 'w', format='whip', options=options))


def play(output):
    video = output.add_stream('libx264', rate=RATE, options={'profile': 'baseline', 'preset': 'ultrafast', 'tune': 'zerolatency', 'g': '60'})
    video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, 'yuv420p'
    audio = output.add_stream('libopus', rate=SAMPLE_RATE, layout='stereo')
    output.start_encoding()
    say('begun', url='')
    say('state', state='connected')

    ended = threading.Event()
    threading.Thread(target=listen, args=(ended,), daemon=True).start()
    began = time.monotonic()
    sent = {'video': 0, 'audio': 0}
    while not ended.is_set():
        # In real time, whichever is due next: a muxer like this one is fed by a camera.
        kind = min(sent, key=lambda kind: due(kind, sent[kind]))
        ended.wait(max(0.0, began + due(kind, sent[kind]) - time.monotonic()))
        for packet in (video.encode(picture(sent[kind])) if kind == 'video' else audio.encode(sound(sent[kind]))):
            output.mux(packet)
        sent[kind] += 1
    output.close()
    say('deleted', status=200)


def certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, 'ffmpeg')])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (folder / 'cert.pem').write_bytes(made.public_bytes(pem))
    (folder / 'key.pem').write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return {'cert_file': str(folder / 'cert.pem'), 'key_file': str(folder / 'key.pem')}


def due(kind, number):
    return number / RATE if kind == 'video' else number * SAMPLES / SAMPLE_RATE


def picture(number):
    frame = av.VideoFrame(WIDTH, HEIGHT, 'yuv420p')
    for plane in frame.planes:
        plane.update(bytes([(number * 3 + plane.line_size) % 256]) * plane.buffer_size)
    frame.pts, frame.time_base = number, fractions.Fraction(1, RATE)
    return frame


def sound(number):
    frame = av.AudioFrame('s16', 'stereo', SAMPLES)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.pts, frame.sample_rate, frame.time_base = number * SAMPLES, SAMPLE_RATE, fractions.Fraction(1, SAMPLE_RATE)
    return frame


def listen(ended):
    for line in sys.stdin:
        if line.strip() == 'delete':
            break
    ended.set()


main(*sys.argv[1:])
