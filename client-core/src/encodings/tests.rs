//! Sizes, bitrates and modes as docs/sdk.md promises them.

use super::*;

/// Without anything short.
fn encodings<'video>(video: &'video Video, demand: &[EncodingDemand], most: usize) -> Vec<Encoding<'video>> {
    super::encodings(video, demand, most, &Caps::default())
}

fn camera(codec: VideoCodec, width: u32, height: u32) -> Video {
    Video { source: Source::Camera, codec, width, height, max_bitrate: None, max_framerate: None, simulcast: true, scalability_mode: None }
}

/// `rid/scale@kbit/s mode`, with a minus where it is off.
fn shown(encodings: &[Encoding<'_>]) -> Vec<String> {
    let one = |it: &Encoding<'_>| {
        let off = if it.active { "" } else { "-" };
        format!("{off}{}/{}@{} {}", it.rid, it.scale_down_by, it.max_bitrate / 1000, it.scalability_mode)
    };
    encodings.iter().map(one).collect()
}

fn demand(rid: &str, active: bool, spatial_layers: u8) -> EncodingDemand {
    EncodingDemand { rid: rid.into(), active, spatial_layers }
}

#[test]
fn a_large_camera_is_sent_in_three_sizes_a_small_one_in_one() {
    let vp8 = |width, height| shown(&encodings(&camera(VideoCodec::Vp8, width, height), &[], 3));
    assert_eq!(vp8(1280, 720), ["q/4@160 L1T3", "h/2@450 L1T3", "f/1@1700 L1T3"]);
    assert_eq!(vp8(720, 1280), vp8(1280, 720), "a phone held upright");
    assert_eq!(vp8(0, 0), vp8(1280, 720), "unknown");
    assert_eq!(vp8(640, 360), ["q/2@160 L1T3", "h/1@450 L1T3"]);
    assert_eq!(vp8(320, 180), ["/1@160 L1T3"]);
    assert_eq!(shown(&encodings(&camera(VideoCodec::H264, 640, 360), &[], 3)), ["q/2@160 ", "h/1@450 "]);
}

#[test]
fn scalable_codecs_have_their_sizes_in_one_encoding() {
    let scalable = |codec, width| shown(&encodings(&camera(codec, width, width * 9 / 16), &[], 3));
    assert_eq!(scalable(VideoCodec::Vp9, 1280), ["/1@1445 L3T3_KEY"]);
    assert_eq!(scalable(VideoCodec::Av1, 640), ["/1@315 L2T3_KEY"]);
    assert_eq!(scalable(VideoCodec::Vp9, 320), ["/1@136 L1T3"]);
}

#[test]
fn a_screen_is_sent_whole_and_halved() {
    let screen = |codec, width| Video { source: Source::Screen, ..camera(codec, width, width * 9 / 16) };
    assert_eq!(shown(&encodings(&screen(VideoCodec::Vp8, 1920), &[], 3)), ["q/2@625 L1T3", "h/1@2500 L1T3"]);
    assert_eq!(shown(&encodings(&screen(VideoCodec::Vp8, 800), &[], 3)), ["/1@2500 L1T3"]);
    assert_eq!(shown(&encodings(&screen(VideoCodec::Vp9, 1920), &[], 3)), ["/1@2125 L1T3"]);
    let thin = Video { max_bitrate: Some(400_000), ..screen(VideoCodec::Vp8, 1920) };
    assert_eq!(shown(&encodings(&thin, &[], 3)), ["q/2@100 L1T3", "h/1@400 L1T3"]);
}

#[test]
fn what_the_app_wishes_comes_before_what_we_would_do() {
    let wished = |codec, change: fn(&mut Video)| {
        let mut video = camera(codec, 1280, 720);
        change(&mut video);
        shown(&encodings(&video, &[], 3))
    };
    assert_eq!(wished(VideoCodec::Vp8, |it| it.simulcast = false), ["/1@1700 L1T3"]);
    assert_eq!(wished(VideoCodec::Vp9, |it| it.simulcast = false), ["/1@1445 L1T3"]);
    assert_eq!(wished(VideoCodec::Vp8, |it| it.max_bitrate = Some(850_000)), ["q/4@80 L1T3", "h/2@225 L1T3", "f/1@850 L1T3"]);
    assert_eq!(wished(VideoCodec::Av1, |it| it.scalability_mode = Some("L2T2".into())), ["/1@1190 L2T2"]);
    let layers_apart = wished(VideoCodec::Av1, |it| it.scalability_mode = Some("L1T2".into()));
    assert_eq!(layers_apart, ["q/4@112 L1T2", "h/2@315 L1T2", "f/1@1190 L1T2"], "simulcast, as one size is what each encoding is to have");
}

#[test]
fn extensions_that_describe_layers_are_told_from_others() {
    for (uri, by_senders, by_receivers) in [
        ("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", true, false),
        ("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", true, false),
        ("https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension", true, true),
        ("http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00", true, false),
        ("urn:ietf:params:rtp-hdrext:toffset", false, false),
    ] {
        assert_eq!((describes_layers(uri, true), describes_layers(uri, false)), (by_senders, by_receivers), "{uri}");
    }
}

#[test]
fn an_edge_that_accepts_one_encoding_gets_the_whole_picture() {
    assert_eq!(shown(&encodings(&camera(VideoCodec::Vp8, 1280, 720), &[], 1)), ["/1@1700 L1T3"]);
}

#[test]
fn encodings_that_nobody_wants_are_off_and_nothing_else_changes() {
    let video = camera(VideoCodec::Vp8, 1280, 720);
    let demand = [demand("q", true, 0), demand("h", false, 0), demand("f", false, 0)];
    assert_eq!(shown(&encodings(&video, &demand, 3)), ["q/4@160 L1T3", "-h/2@450 L1T3", "-f/1@1700 L1T3"]);
    assert!(encodings(&video, &demand[..1], 3).iter().all(|one| one.active), "of which the edge says nothing");
}

#[test]
fn spatial_layers_that_nobody_wants_are_cut_off() {
    let layers =
        |width, layers| shown(&encodings(&camera(VideoCodec::Vp9, width, width * 9 / 16), &[demand("", true, layers)], 1)).remove(0);
    assert_eq!(layers(1280, 1), "/4@136 L1T3");
    assert_eq!(layers(1280, 2), "/2@382 L2T3_KEY");
    for all in [0, 3, 4, 255] {
        assert_eq!(layers(1280, all), "/1@1445 L3T3_KEY");
    }
    assert_eq!(layers(640, 1), "/2@136 L1T3");
    assert_eq!(layers(320, 1), "/1@136 L1T3");
    let own = Video { scalability_mode: Some("L3T3".into()), ..camera(VideoCodec::Vp9, 1280, 720) };
    assert_eq!(shown(&encodings(&own, &[demand("", true, 1)], 1)), ["/1@1445 L3T3"], "the app's choice stays");
}

/// In all three sizes, or one with three layers, as capped.
fn capped(video: &Video, caps: Caps) -> Vec<String> {
    shown(&super::encodings(video, &[], 3, &caps))
}

fn cpu(limits: CpuLimits) -> Caps {
    Caps { cpu: limits, ..Caps::default() }
}

#[test]
fn a_processor_that_is_short_caps_the_frame_rate_and_the_app_may_cap_it_lower() {
    let rate = |source, app, fps| {
        let video = Video { source, max_framerate: app, ..camera(VideoCodec::Vp8, 1280, 720) };
        super::encodings(&video, &[], 3, &cpu(CpuLimits { max_fps: fps, ..CpuLimits::default() })).remove(0).max_framerate
    };
    assert_eq!(rate(Source::Camera, None, None), None);
    assert_eq!(rate(Source::Camera, Some(24.0), None), Some(24.0));
    assert_eq!(rate(Source::Camera, Some(24.0), Some(15)), Some(15.0));
    assert_eq!(rate(Source::Camera, Some(10.0), Some(15)), Some(10.0));
    assert_eq!(rate(Source::Screen, Some(15.0), Some(20)), Some(10.0), "a screen shows half as many");
}

#[test]
fn without_its_top_layer_a_camera_is_half_as_large_in_every_way_of_sending_it() {
    let short = cpu(CpuLimits { no_top_layer: true, ..CpuLimits::default() });
    assert_eq!(capped(&camera(VideoCodec::Vp8, 1280, 720), short), ["q/4@160 L1T3", "h/2@450 L1T3", "-f/1@1700 L1T3"]);
    assert_eq!(capped(&camera(VideoCodec::Vp8, 320, 180), short), ["/2@90 L1T3"], "the only one is halved");
    assert_eq!(capped(&camera(VideoCodec::Vp9, 1280, 720), short), ["/2@382 L2T3_KEY"]);
    assert_eq!(capped(&camera(VideoCodec::Vp9, 320, 180), short), ["/2@76 L1T3"]);
    let own = Video { scalability_mode: Some("L3T3".into()), ..camera(VideoCodec::Vp9, 1280, 720) };
    assert_eq!(capped(&own, short), ["/2@382 L3T3"]);
    let screen = Video { source: Source::Screen, ..camera(VideoCodec::Vp8, 1920, 1080) };
    assert_eq!(capped(&screen, short), capped(&screen, Caps::default()), "letters stay sharp");
}

#[test]
fn those_who_watch_and_the_processor_are_heard_together() {
    let short = cpu(CpuLimits { no_top_layer: true, ..CpuLimits::default() });
    let vp8 = camera(VideoCodec::Vp8, 1280, 720);
    let wanted = [demand("q", false, 0), demand("h", true, 0), demand("f", true, 0)];
    assert_eq!(shown(&super::encodings(&vp8, &wanted, 3, &short)), ["-q/4@160 L1T3", "h/2@450 L1T3", "-f/1@1700 L1T3"]);
    let vp9 = |layers| shown(&super::encodings(&camera(VideoCodec::Vp9, 1280, 720), &[demand("", true, layers)], 1, &short)).remove(0);
    assert_eq!([vp9(1), vp9(2), vp9(3)], ["/4@136 L1T3", "/2@382 L2T3_KEY", "/2@382 L2T3_KEY"]);
}

#[test]
fn in_a_direct_call_one_encoding_has_the_size_that_the_path_holds() {
    let direct = |height, bitrate| Caps { direct: Some(PeerRung { height, bitrate }), ..Caps::default() };
    let off = ["-q/3@500 L1T3", "-h/3@500 L1T3", "f/3@500 L1T3"];
    assert_eq!(capped(&camera(VideoCodec::Vp8, 1280, 720), direct(240, 500_000)), off);
    assert_eq!(capped(&camera(VideoCodec::Vp8, 720, 1280), direct(240, 500_000)), off, "a phone held upright");
    assert_eq!(capped(&camera(VideoCodec::Vp9, 1280, 720), direct(480, 1_000_000)), ["/1.5@1000 L1T3"]);
    assert_eq!(capped(&camera(VideoCodec::Av1, 640, 360), direct(2160, 8_000_000)), ["/1@315 L1T3"], "never larger than it is");
}

#[test]
fn voices_only_means_no_encoding_at_all() {
    let paused = Caps { paused: true, ..Caps::default() };
    for codec in [VideoCodec::Vp8, VideoCodec::Vp9] {
        let video = camera(codec, 1280, 720);
        assert!(super::encodings(&video, &[], 3, &paused).iter().all(|one| !one.active));
        let direct = Caps { direct: Some(PeerRung { height: 240, bitrate: 500_000 }), ..paused };
        assert!(super::encodings(&video, &[], 3, &direct).iter().all(|one| !one.active));
    }
}

#[test]
fn a_busy_processor_gets_vp8_for_a_costly_codec_and_only_for_that() {
    let caps = Caps { cpu: CpuLimits { cheap_codec: true, ..CpuLimits::default() }, ..Caps::default() };
    for (codec, cheap) in [(VideoCodec::Vp8, false), (VideoCodec::H264, false), (VideoCodec::Vp9, true), (VideoCodec::Av1, true)] {
        let video = camera(codec, 1280, 720);
        let sent = super::encodings(&video, &[], usize::MAX, &caps);
        assert!(sent.iter().all(|encoding| encoding.cheap == cheap), "{codec:?}");
        assert_eq!(sent.len(), encodings(&video, &[], usize::MAX).len(), "a section keeps the encodings it was born with");
        // A mode with spatial layers is none of VP8.
        assert!(!cheap || sent.iter().all(|encoding| encoding.scalability_mode == "L1T3"));
    }
}
