//! What the corpora begin with: honest input of every kind, so that changes of it reach far into what reads it.

use nearcast_protocol::client::Source;
use nearcast_protocol::wire::{Cbor, Json};
use nearcast_protocol::{ClientEnvelope, ClientMessage, DataFrame, ErrorCode, Join, MediaOffer, PublishIntent, ServerMessage};
use sfu_core::rtcp::{CompoundWriter, ReportBlock, SenderInfo, TwccRecorder};
use std::path::Path;
use std::time::{Duration, Instant};

/// The seeds of a target; the same in every run.
#[must_use]
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "stun" => stun(),
        "dtls" | "dtls_foreign" => dtls(),
        "srtp" => srtp(),
        "rtp" => rtp(),
        "codecs" => codecs(),
        "rtcp" => compounds(),
        "estimate" => estimates(),
        "relay" => relay(),
        "sdp" => sdp(),
        "signalling" => signalling(),
        "datachannel" => channels(),
        "egress" => egress(),
        "framing" => framing(),
        "turn" => turn(),
        _ => Vec::new(),
    }
}

/// Control of three kinds (one of them unknown) for one shard, media with and without layers, and datagrams that carry them.
fn relay() -> Vec<Vec<u8>> {
    let gone = [&[3, 1, 0, 0x82, 1, 0x81, 0x64], &b"room"[..]].concat();
    let demand = [3, 1, 0, 0x82, 12, 0x82, 0x1b, 0, 0, 0, 1, 0, 0, 0, 9, 0xa2, 0, 5, 1, 0x84, 1, 0, 4, 0].to_vec();
    let unknown = vec![3, 1, 0, 0x82, 0x18, 99, 0x81, 0x63, b'n', b'e', b'w'];
    let head = [1, 0x89, 0x80, 0x80, 0x80, 0x10, 2, 0x85, 0x80, 0x80, 0x80, 0x10, 0, 1, 0x5f, 0x90];
    let sound = [&[3, 2, 0, 1, 1, 0, 0x5d], &head[1..], &[0, 0, 111, 0x83], &[0xaa; 40]].concat();
    let layers = [&[3, 1, 0, 1, 1, 0x3f], &head[1..], &[0x15, 0, 98, 0x12], &[0xff; 10], &[0, 3, 1, 2, 3], &[0xbb; 60]].concat();
    let datagram = |kind: u8, number: u8, body: &[u8]| [&[kind, 0, 0, 0, 0, 0, number], body].concat();
    let datagrams = steps(&[
        (1, &datagram(1, 1, &sound)),
        (4, &datagram(2, 3, &layers[..20])),
        (8, &datagram(3, 4, &layers[20..])),
        (3, &datagram(4, 1, &[0, 0, 0, 7])),
        (250, &datagram(5, 9, &[])),
    ]);
    vec![gone, demand, unknown, sound, layers, datagrams]
}

/// With its length in front, as [`sfu_core::fuzzing::Plan::chunk`] reads it.
fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut out = (bytes.len() as u16).to_be_bytes().to_vec();
    out.extend_from_slice(bytes);
    out
}

/// Steps of one byte and a chunk each.
fn steps(parts: &[(u8, &[u8])]) -> Vec<u8> {
    parts.iter().flat_map(|(step, bytes)| std::iter::once(*step).chain(chunk(bytes))).collect()
}

/// Whole frames, cut ones, empty ones, and one that is too long.
fn framing() -> Vec<Vec<u8>> {
    let frames = [chunk(b"check"), chunk(&[]), chunk(&[0x80; 1_200]), chunk(&[22; 60])].concat();
    let cut: Vec<(u8, &[u8])> = frames.chunks(7).map(|part| (0, part)).collect();
    vec![
        steps(&[(0, &frames), (3, &frames)]),
        steps(&cut),
        steps(&[(1, &frames[..9]), (0, &[0x08, 0x01, 7])]),
        steps(&[(0, &chunk(&[7; 2_048]))]),
    ]
}

/// An allocation, permissions, channels, data both ways, refreshes and the end of its time. Steps: said, came, signed request (its method five times
/// higher), allocation, time.
fn turn() -> Vec<Vec<u8>> {
    let peer = [0, 1, 0x17 ^ 0x21, 0x70 ^ 0x12, 192 ^ 0x21, 0x12, 2 ^ 0xa4, 3 ^ 0x42];
    let signed = |method: u8, attributes: &[(u16, &[u8])]| {
        let mut out = vec![method * 5 + 2, attributes.len() as u8];
        attributes.iter().for_each(|(kind, value)| out.extend([&kind.to_be_bytes()[..], &chunk(value)].concat()));
        out
    };
    let permission = signed(8, &[(0x0012, &peer)]);
    let channel = signed(9, &[(0x000c, &[0x40, 0, 0, 0]), (0x0012, &peer)]);
    let refresh = |seconds: u32| signed(4, &[(0x000d, &seconds.to_be_bytes())]);
    let channel_data = steps(&[(0, &[&[0x40, 0, 0, 4][..], b"data"].concat())]);
    let came = steps(&[(1, b"from a peer")]);
    let (allocated, time) = (vec![3], |ticks: u16| [&[4][..], &ticks.to_be_bytes()].concat());
    // RFC 8656 §11.1: a send indication, unsigned.
    let indication = [
        &[0, 0x16, 0, 20, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0x12, 0, 8][..],
        &peer,
        &[0, 0x13, 0, 4, 1, 2, 3, 4],
    ]
    .concat();
    let connect = signed(10, &[(0x0012, &peer)]);
    let both = signed(3, &[(0x0019, &[17, 0, 0, 0]), (0x0018, &[0x80]), (0x8000, &[2, 0, 0, 0])]);
    vec![
        [allocated.clone(), permission.clone(), steps(&[(0, &indication)]), came.clone(), refresh(0), came.clone()].concat(),
        [allocated.clone(), channel, channel_data.clone(), came, time(40_000), time(65_535), channel_data].concat(),
        [allocated, permission, connect, refresh(600), time(65_535), refresh(600)].concat(),
        [both, refresh(60)].concat(),
        steps(&[(0, &stun().remove(1)), (0, &[0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])]),
    ]
}

/// RFC 5769 §2.1, and shorter ones.
fn stun() -> Vec<Vec<u8>> {
    let attribute = |kind: u16, value: &[u8]| {
        let mut out = kind.to_be_bytes().to_vec();
        out.extend(chunk(value));
        out.resize(out.len().next_multiple_of(4), 0);
        out
    };
    let message = |kind: u16, attributes: &[Vec<u8>]| {
        let body = attributes.concat();
        let mut out = kind.to_be_bytes().to_vec();
        out.extend((body.len() as u16).to_be_bytes());
        out.extend([0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        out.extend(body);
        out
    };
    let username = attribute(0x0006, b"00edge:browser");
    let check = [
        username.clone(),
        attribute(0xc057, &[0, 1, 0, 10]),
        attribute(0x802a, &[0; 8]),
        attribute(0x0025, &[]),
        attribute(0x0024, &[0x6e, 0, 1, 0xff]),
        attribute(0x0008, &[7; 20]),
        attribute(0x8028, &[7; 4]),
    ];
    vec![message(1, &[]), message(1, &check), message(0x0101, &[attribute(0x0020, &[0, 1, 0, 1, 1, 2, 3, 4])]), message(1, &[username])]
}

/// Records of a ClientHello as browsers send it (RFC 5246 §7.4.1.2, RFC 5764 §4.1): whole, in two parts, an empty part; and what comes later
/// in a handshake, before its time.
#[must_use]
pub fn client_hellos() -> Vec<Vec<u8>> {
    let extensions: Vec<u8> = [
        &[0, 10, 0, 4, 0, 2, 0, 23][..],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 8, 0, 6, 4, 3, 8, 4, 4, 1],
        &[0, 14, 0, 9, 0, 6, 0, 8, 0, 7, 0, 1, 0],
        &[0, 23, 0, 0, 0xff, 1, 0, 1, 0],
    ]
    .concat();
    let mut hello = vec![0xfe, 0xfd];
    hello.extend([7; 32]);
    hello.extend([0, 0]); // session, cookie
    hello.extend([0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0]);
    hello.extend(chunk(&extensions));
    let handshake = |kind: u8, sequence: u16, body: &[u8], from: usize, to: usize| {
        let three = |number: usize| (number as u32).to_be_bytes()[1..].to_vec();
        let mut out = vec![kind];
        out.extend(three(body.len()));
        out.extend(sequence.to_be_bytes());
        out.extend(three(from));
        out.extend(three(to - from));
        out.extend(&body[from..to]);
        out
    };
    let record = |kind: u8, number: u8, body: &[u8]| {
        let mut out = vec![kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, number];
        out.extend(chunk(body));
        out
    };
    let whole = record(22, 0, &handshake(1, 0, &hello, 0, hello.len()));
    let half = hello.len() / 2;
    let first = record(22, 0, &handshake(1, 0, &hello, 0, half));
    let second = record(22, 1, &handshake(1, 0, &hello, half, hello.len()));
    let empty = record(22, 2, &handshake(1, 0, &hello, 0, 0));
    let certificate = record(22, 3, &handshake(11, 1, &[0, 0, 3, 0, 0, 0], 0, 6));
    let later = [&certificate[..], &record(20, 4, &[1]), &record(22, 5, &[9; 40])].concat();
    vec![whole, first, second, empty, later, record(21, 0, &[2, 40]), record(23, 0, b"data")]
}

fn dtls() -> Vec<Vec<u8>> {
    let [whole, first, second, empty, later, alert, data] = <[Vec<u8>; 7]>::try_from(client_hellos()).expect("as many as there are");
    vec![
        steps(&[(0, &whole)]),
        steps(&[(0, &first), (1, &second)]),
        steps(&[(0, &second), (0, &first), (100, &empty)]),
        steps(&[(0, &whole), (250, &later)]),
        steps(&[(0, &alert), (0, &data)]),
    ]
}

fn srtp() -> Vec<Vec<u8>> {
    let authentic = |index: u32, shift: u8| [&[2][..], &chunk(b"payload"), &index.to_be_bytes(), &[shift]].concat();
    let report = steps(&[(3, b"report")]);
    (0..3)
        .map(|profile| {
            let mut plan = vec![profile];
            for index in [1, 2, 5, 3, 2, 65_535, 65_536, 131_072] {
                plan.extend(authentic(index, 0));
            }
            plan.extend(authentic(u32::MAX, 16));
            plan.extend(&report);
            plan.extend(steps(&[(
                0,
                &[0x80, 96, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
            )]));
            plan.extend(steps(&[(1, &[0x81, 201, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0x80, 0, 0, 1])]));
            plan
        })
        .collect()
}

fn rtp() -> Vec<Vec<u8>> {
    let ids: Vec<u8> = (1..=11).collect();
    let with_ids = |packet: &[u8]| [&ids[..], packet].concat();
    let fixed = [0x80, 0x60, 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 2];
    let extended = |profile: [u8; 2], block: &[u8]| {
        let mut packet = fixed.to_vec();
        packet[0] = 0x90;
        packet.extend(profile);
        packet.extend((block.len() as u16 / 4).to_be_bytes());
        packet.extend(block);
        packet.extend(b"payload");
        packet
    };
    let padded = [&[0xa0][..], &fixed[1..], b"media", &[0, 0, 3]].concat();
    let sources = [&[0x82][..], &fixed[1..], &[0, 0, 0, 8, 0, 0, 0, 9], b"media"].concat();
    vec![
        with_ids(&[&fixed[..], b"payload"].concat()),
        with_ids(&extended([0xbe, 0xde], &[0x10, b'0', 0x20, b'f', 0x41, 0x12, 0x34, 0x50, 0x8a, 0, 0, 0])),
        with_ids(&extended([0x10, 0], &[1, 1, b'0', 9, 4, 0x80, 0, 1, 2, 4, 2, 0x12, 0x34, 0, 0, 0])),
        with_ids(&padded),
        with_ids(&sources),
    ]
}

fn codecs() -> Vec<Vec<u8>> {
    let vp8: &[u8] = &[0x90, 0xe0, 0x92, 0x34, 7, 0x20, 0, 0, 0, 0x9d, 1, 0x2a, 64, 0, 48, 0];
    let vp9: &[u8] = &[0xaa, 0x92, 0x34, 0x01, 0x05, 0x18, 1, 64, 0, 48, 1, 0x04, 1, 0x10];
    let flexible: &[u8] = &[0xfc, 0x92, 0x34, 0x05, 3, 9];
    let h264: &[u8] = &[0x78, 0, 6, 0x67, 0x42, 0xc0, 0x1f, 0xda, 2, 0, 2, 0x68, 0xce, 0, 2, 0x65, 0x88];
    let fragment: &[u8] = &[0x7c, 0x85, 0x88, 1];
    let av1: &[u8] = &[0x28, 2, 0x12, 0, 3, 0x0a, 0x0b, 0, 0x32, 9, 9];
    let red: &[u8] = &[0xef, 0, 0x10, 4, 0x6f, 1, 2, 3, 4, 5, 6];
    let allocation: &[u8] = &[0x01, 0x05, 0x64, 0xc8, 1, 0x01, 0x3f, 0, 0xef, 30];
    let structure: &[u8] = &[0x80, 0, 1, 0x80, 0, 0x22, 0x80, 0xd5, 0x14, 0x51, 0x0b, 0x60, 0x3f, 0, 0xef];
    let plain: &[u8] = &[0xc1, 0, 2];
    vec![
        steps(&[(0, vp8), (0, &[0x10, 1, 2])]),
        steps(&[(1, vp9), (1, flexible)]),
        steps(&[(2, h264), (2, fragment), (2, &h264[3..])]),
        steps(&[(3, av1), (4, red)]),
        steps(&[(5, allocation)]),
        steps(&[(6, structure), (6, plain), (6, &[0x42, 0, 3, 0x18, 0x51])]),
    ]
}

fn compound(write: impl FnOnce(&mut CompoundWriter<'_>)) -> Vec<u8> {
    let mut buffer = vec![0; 1_200];
    let mut writer = CompoundWriter::new(&mut buffer);
    write(&mut writer);
    writer.written().to_vec()
}

fn feedback(numbers: &[(u16, u64)]) -> Vec<u8> {
    let start = Instant::now();
    let mut recorder = TwccRecorder::new();
    for (number, at) in numbers {
        recorder.on_packet(*number, start + Duration::from_micros(*at));
    }
    compound(|writer| {
        recorder.build_feedback(1, 2, writer).expect("room");
    })
}

fn compounds() -> Vec<Vec<u8>> {
    let block = ReportBlock { ssrc: 7, fraction_lost: 9, ..ReportBlock::default() };
    let packed = |range: std::ops::Range<u16>| range.map(|number| (number, u64::from(number) * 900)).collect::<Vec<_>>();
    vec![
        compound(|writer| {
            writer.sender_report(1, &SenderInfo { ntp: 1 << 40, rtp_timestamp: 9, packets: 3, octets: 4 }, &[block]).expect("room");
            writer.sdes_cname(1, b"name").expect("room");
        }),
        compound(|writer| {
            writer.receiver_report(1, &[block, block]).expect("room");
            writer.nack(1, 2, &[3, 4, 5, 400, 65_535]).expect("room");
            writer.pli(1, 2).expect("room");
            writer.fir(1, &[(2, 3)]).expect("room");
            writer.remb(1, 3_000_000, &[2, 3]).expect("room");
            writer.bye(&[1, 2]).expect("room");
        }),
        feedback(&packed(10..40)),
        feedback(&[(65_530, 10), (65_535, 90_000), (3, 91_000), (900, 91_200)]),
        // A run of as many as a chunk can say, and no deltas.
        vec![0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0xff, 0xff, 0, 0, 9, 0, 0x1f, 0xff, 0x1f, 0xff],
        vec![0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, b'R', b'E', b'M', b'B', 1, 0xff, 0xff, 0xff, 0, 0, 0, 2],
    ]
}

fn estimates() -> Vec<Vec<u8>> {
    let all = compounds();
    let parts: Vec<(u8, &[u8])> = (1_u8..).map(|step| step.wrapping_mul(37)).zip(all.iter().map(Vec::as_slice)).collect();
    let numbered: Vec<Vec<u8>> = (0..8_u16)
        .map(|round| feedback(&(0..15).map(|packet| (round * 15 + packet, u64::from(round * 15 + packet) * 2_000)).collect::<Vec<_>>()))
        .collect();
    let steady: Vec<(u8, &[u8])> = numbered.iter().map(|bytes| (31, bytes.as_slice())).collect();
    vec![steps(&parts), steps(&steady)]
}

/// Offers of browsers and others, from the fixtures of the parser's own tests, without what they repeat.
fn sdp() -> Vec<Vec<u8>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sfu-core/src/sdp/fixtures");
    let names = ["chromium-data-only", "chromium-screen", "firefox-simulcast", "gstreamer-sendrecv", "aiortc-publish-slots"];
    let read = |name: &str| std::fs::read(fixtures.join(format!("{name}.offer.sdp"))).expect("a fixture");
    let mut seeds: Vec<Vec<u8>> = names.into_iter().map(read).collect();
    seeds.push(b"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=end-of-candidates\r\n".to_vec());
    seeds
}

fn signalling() -> Vec<Vec<u8>> {
    let intent =
        |mid: &str| PublishIntent { mid: mid.into(), source: Source::Camera, name: "n".into(), muted: true, publication: Some("p".into()) };
    let offer = || MediaOffer { sdp: "v=0".into(), publish: vec![intent("0"), intent("1")] };
    let join = Join { token: "a.b.c".into(), auto_subscribe: true, offer: Some(offer()), client: Some("seed".into()), ..Join::default() };
    let messages = vec![
        ClientMessage::Join(join),
        ClientMessage::Offer(offer()),
        ClientMessage::Subscribe { publication: "p".into() },
        ClientMessage::Leave,
    ];
    let mut seeds = Vec::new();
    for message in messages {
        let envelope = ClientEnvelope { id: 7, message };
        seeds.push(envelope.to_cbor());
        seeds.push(envelope.to_json().into_bytes());
    }
    let failed = ServerMessage::failed(7, ErrorCode::Overloaded, "later");
    seeds.extend([failed.to_cbor(), failed.to_json().into_bytes()]);
    // Depth: 600 arrays in one another, and objects; an unknown field holds them.
    seeds.push(format!("{{\"id\":1,\"type\":\"leave\",\"x\":{}{}}}", "[".repeat(600), "]".repeat(600)).into_bytes());
    seeds.push([&[0xa1, 0x18, 99][..], &[0x81; 600], &[0]].concat());
    seeds.push([&[0xa1, 0x18, 99][..], &[0x9f; 600]].concat());
    seeds
}

fn channels() -> Vec<Vec<u8>> {
    let packet = |tag: u32, chunks: &[u8]| {
        let mut out = vec![0x13, 0x88, 0x13, 0x88];
        out.extend(tag.to_be_bytes());
        out.extend([0; 4]);
        out.extend(chunks);
        out
    };
    // RFC 9260 §3.3.2: INIT with a tag, a window, streams and a first TSN; forward TSN supported.
    let init = packet(0, &[1, 0, 0, 24, 0, 0, 0, 1, 0, 2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0xc0, 0, 0, 4]);
    let data = packet(1, &[0, 3, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 53, 0xa0, 0, 0, 0]);
    let abort = packet(1, &[6, 0, 0, 4]);
    let frame = DataFrame { topic: Some("t".into()), payload: vec![1, 2, 3], text: true, ..DataFrame::default() }.to_cbor();
    let beat = DataFrame { beat: Some(7), ..DataFrame::default() }.to_cbor();
    vec![steps(&[(0, &init), (2, &init), (4, &data), (0, &abort)]), steps(&[(0, &data)]), frame, beat]
}

fn egress() -> Vec<Vec<u8>> {
    let packet = |place: u8, flags: u8, layer: u8| [place << 3, flags, 10, layer];
    let mut seeds = Vec::new();
    for kind in 0..5 {
        for shape in [0x10, 0x32, 0xf1] {
            let mut plan = vec![kind, shape];
            for picture in 0..12_u8 {
                let key = if picture % 6 == 0 { 2 } else { 0 };
                for place in 0..3 {
                    plan.extend(packet(place, 0x10 | key, 0));
                    plan.extend(packet(place, key, 0x80));
                    plan.extend(packet(place, 1 | key, 0xc0));
                }
                if picture == 4 {
                    plan.extend([5, 0x10, 5, 0x24]);
                }
                plan.extend([6, 0, 2]);
            }
            seeds.push(plan);
        }
    }
    seeds
}
