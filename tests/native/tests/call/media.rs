//! What the clients publish, and what is made of the recordings: ffmpeg encodes and decodes, colours and tones are read here.

use nearcast_native::{Clip, Publish, SlotFigures};
use nearcast_protocol::client::Source;
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

const WIDTH: usize = 320;
const HEIGHT: usize = 180;
/// The upper half is one colour, the lower half moves, so that the encoder has work and frames differ.
const COLOURED: usize = HEIGHT / 2;
/// Of 255, in each of red, green and blue: VP8 and the way through YUV cost a few.
const COLOUR_TOLERANCE: f64 = 20.0;
const SAMPLE_RATE: f64 = 48_000.0;
/// Somebody else's tone, or any other frequency, must be this far below: a tenth in amplitude.
const MARGIN_DB: f64 = 20.0;
/// Half a second of 48 kHz: frequencies 2 Hz apart are told apart.
const WINDOW: usize = 24_000;

/// Who somebody is to see and hear.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) rgb: [u8; 3],
    pub(crate) hz: u32,
}

pub(crate) const RED: Look = Look { rgb: [215, 35, 35], hz: 660 };
pub(crate) const BLUE: Look = Look { rgb: [45, 65, 220], hz: 880 };

/// A picture and a tone, encoded.
pub(crate) struct Clips {
    video: Arc<Clip>,
    audio: Arc<Clip>,
}

impl Clips {
    /// Twelve seconds: longer than a test needs, played over again if not. A key frame every two seconds, so that one that comes
    /// sooner was asked for.
    pub(crate) fn make(folder: &Path, look: Look) -> Self {
        let [red, green, blue] = look.rgb;
        let (video, audio) = (folder.join(format!("{}.ivf", look.hz)), folder.join(format!("{}.ogg", look.hz)));
        let picture = format!(
            "color=0x{red:02x}{green:02x}{blue:02x}:s={WIDTH}x{HEIGHT}:r=30[a];testsrc2=s={WIDTH}x{COLOURED}:r=30[b];[a][b]overlay=0:{COLOURED}"
        );
        let vp8 = "-t 12 -pix_fmt yuv420p -c:v libvpx -deadline realtime -cpu-used 8 -b:v 600k -g 60 -f ivf";
        ffmpeg(["-f", "lavfi", "-i", &picture].into_iter().chain(vp8.split(' ')), &video);
        let tone = format!("sine=f={}:r=48000", look.hz);
        let opus = "-t 12 -c:a libopus -b:a 32k -frame_duration 20 -page_duration 20000 -f ogg";
        ffmpeg(["-f", "lavfi", "-i", &tone].into_iter().chain(opus.split(' ')), &audio);
        Self { video: Arc::new(Clip::vp8(&video).unwrap()), audio: Arc::new(Clip::opus(&audio).unwrap()) }
    }

    pub(crate) fn publish(&self) -> Vec<Publish> {
        let of = |source, clip: &Arc<Clip>| Publish { source, clip: Arc::clone(clip) };
        vec![of(Source::Microphone, &self.audio), of(Source::Camera, &self.video)]
    }
}

fn ffmpeg<'a>(arguments: impl Iterator<Item = &'a str>, output: &Path) -> Output {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-xerror", "-y"]).args(arguments).arg(output).stdin(Stdio::null());
    let done = command.output().unwrap_or_else(|error| panic!("ffmpeg doesn't run: {error}. Remedy: apt-get install ffmpeg"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    done
}

fn recording(slot: &SlotFigures) -> PathBuf {
    slot.file.clone().unwrap_or_else(|| panic!("nothing was recorded: {slot:?}"))
}

/// Decodes a recording and asserts that every frame decodes without complaint and shows the colour. How many there are.
pub(crate) fn shows(slot: &SlotFigures, look: Look) -> usize {
    let (file, raw) = (recording(slot), recording(slot).with_extension("rgb"));
    let size = format!("{WIDTH}x{HEIGHT}");
    ffmpeg(["-i", file.to_str().unwrap(), "-s", &size, "-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24"].into_iter(), &raw);
    let bytes = std::fs::read(&raw).unwrap();
    let frames: Vec<&[u8]> = bytes.chunks_exact(WIDTH * HEIGHT * 3).collect();
    for (number, frame) in frames.iter().enumerate() {
        // Away from the lower half, whose colours bleed a few lines up.
        let pixels: Vec<&[u8]> = frame.chunks_exact(3).take(WIDTH * (COLOURED - 16)).collect();
        for (channel, wanted) in look.rgb.iter().enumerate() {
            let mean = pixels.iter().map(|pixel| f64::from(pixel[channel])).sum::<f64>() / pixels.len() as f64;
            let off = (mean - f64::from(*wanted)).abs();
            assert!(off <= COLOUR_TOLERANCE, "frame {number} of {}: channel {channel} is {mean:.0}, not {wanted}", file.display());
        }
    }
    std::fs::remove_file(raw).unwrap();
    frames.len()
}

/// Decodes a recording and asserts that the tone is the loudest frequency by far, and `other` isn't there. The margin in dB.
pub(crate) fn sounds(slot: &SlotFigures, look: Look, other: Look) -> f64 {
    let (file, raw) = (recording(slot), recording(slot).with_extension("pcm"));
    ffmpeg(["-i", file.to_str().unwrap(), "-f", "f32le", "-ac", "1", "-ar", "48000"].into_iter(), &raw);
    let bytes = std::fs::read(&raw).unwrap();
    let samples: Vec<f64> = bytes.chunks_exact(4).map(|sample| f64::from(f32::from_le_bytes(sample.try_into().unwrap()))).collect();
    std::fs::remove_file(raw).unwrap();
    assert!(samples.len() >= 2 * WINDOW, "only {} samples in {}", samples.len(), file.display());
    let window = &samples[samples.len() / 2 - WINDOW / 2..][..WINDOW];

    let own = level(window, f64::from(look.hz));
    assert!(own > -40.0, "the tone of {} Hz is at {own:.0} dB", look.hz);
    let apart = |hz: &f64| (hz - f64::from(look.hz)).abs() > 30.0;
    let loudest_other = (10..200).map(|step| f64::from(step) * 20.0).filter(apart).chain([f64::from(other.hz)]);
    let margin = own - loudest_other.map(|hz| level(window, hz)).fold(f64::NEG_INFINITY, f64::max);
    assert!(margin >= MARGIN_DB, "another frequency is only {margin:.0} dB below {} Hz in {}", look.hz, file.display());
    margin
}

/// Power at one frequency in dB of full scale, through a Hann window (Goertzel's algorithm).
fn level(samples: &[f64], hz: f64) -> f64 {
    let turn = 2.0 * (TAU * hz / SAMPLE_RATE).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for (number, sample) in samples.iter().enumerate() {
        let window = 0.5 - 0.5 * (TAU * number as f64 / samples.len() as f64).cos();
        (last, before) = (sample * window + turn * last - before, last);
    }
    let power = last * last + before * before - turn * last * before;
    // A full-scale sine comes to (length / 4)² through this window.
    10.0 * (power / (samples.len() as f64 / 4.0).powi(2)).max(1e-12).log10()
}

#[test]
fn a_tone_is_told_from_another() {
    let tone: Vec<f64> = (0..WINDOW).map(|number| 0.25 * (TAU * 660.0 * number as f64 / SAMPLE_RATE).sin()).collect();
    assert!((level(&tone, 660.0) - -12.0).abs() < 0.5, "{} dB", level(&tone, 660.0));
    assert!(level(&tone, 880.0) < -60.0, "{} dB", level(&tone, 880.0));
}
