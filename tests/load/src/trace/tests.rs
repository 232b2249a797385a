use super::*;

const VP8: Selection = Selection { file: "chromium-vp8-simulcast-720p.csv", codec: Codec::Vp8, video: &["f"], audio: true };

#[test]
fn every_recording_is_readable_and_as_its_readme_says() {
    let others = [("chromium-vp9-720p.csv", 3613, 934), ("chromium-av1-360p.csv", 1876, 932), ("chromium-h264-360p.csv", 1798, 935)];
    let all = others.iter().map(|(file, video, audio)| (Selection { file, video: &["-"], ..VP8 }, *video, *audio));
    for (selection, video, audio) in all.chain([(VP8, 3687, 936)]) {
        let trace = Trace::load(&selection).unwrap();
        let count = |kind| trace.packets.iter().filter(|packet| packet.kind == kind).count();
        assert_eq!((count(Kind::Video), count(Kind::Audio)), (video, audio), "{}", selection.file);
        assert!(trace.packets.is_sorted_by_key(|packet| packet.at));
        assert!((18.0..19.0).contains(&trace.length().as_secs_f32()));
    }
}

#[test]
fn layers_and_audio_can_be_left_out() {
    let quarter = Trace::load(&Selection { video: &["q"], audio: false, ..VP8 }).unwrap();
    assert_eq!(quarter.packets.len(), 571);
    let audio = Trace::load(&Selection { video: &[], ..VP8 }).unwrap();
    assert!(audio.packets.iter().all(|packet| packet.kind == Kind::Audio && packet.payload <= 130));
    assert!(Trace::load(&Selection { video: &["z"], audio: false, ..VP8 }).unwrap_err().to_string().contains("nothing of"));
}

#[test]
fn layers_are_told_apart() {
    let trace = Trace::load(&Selection { video: &["q", "h", "f"], ..VP8 }).unwrap();
    let count = |layer| trace.packets.iter().filter(|packet| packet.kind == Kind::Video && packet.layer == layer).count();
    assert_eq!((count(0), count(2)), (571, 3687));
    assert_eq!(trace.with_layer(2).packets.len(), Trace::load(&VP8).unwrap().packets.len());
}

#[test]
fn a_row_that_is_none_is_refused() {
    assert!(Row::parse("9433,video,f,262749606,96,24645,326586391,0,1135,24,0").is_some());
    for line in ["", "x,video,f,1,96,1,1,0,1135,24,0", "1,text,f,1,96,1,1,0,1135,24,0", "1,video,f,1,96,1,1,0,20,24,0"] {
        assert!(Row::parse(line).is_none(), "{line}");
    }
}
