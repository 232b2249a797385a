//! Which layers a sender has on, and what they cost: the video layers allocation extension.
//! Source: libwebrtc, `docs/native-code/rtp-hdrext/video-layers-allocation00`.

use super::Resolution;
use super::reader::Reader;

#[cfg(test)]
mod tests;

/// RTP streams (encodings) an allocation can speak of.
pub const MAX_STREAMS: usize = 4;

/// Spatial layers of a stream, and temporal layers of such, that it can speak of.
pub const MAX_LAYERS: usize = 4;

/// Everything a sender has on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct VideoLayersAllocation {
    /// Number of the stream that the packet is of.
    pub stream: u8,
    /// Streams there are, on or off.
    pub streams: u8,
    layers: [[Option<AllocatedLayer>; MAX_LAYERS]; MAX_STREAMS],
}

/// A spatial layer that is on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AllocatedLayer {
    /// Kbit/s at which each temporal layer is to be had, everything it needs included.
    bitrates: [u32; MAX_LAYERS],
    temporal_layers: u8,
    /// Size of the picture and most frames per second, where the sender says so: on key frames and changes.
    pub picture: Option<(Resolution, u8)>,
}

impl AllocatedLayer {
    /// Kbit/s at which each temporal layer is to be had, lowest first.
    #[must_use]
    pub fn bitrates(&self) -> &[u32] {
        self.bitrates.get(..usize::from(self.temporal_layers)).unwrap_or_default()
    }
}

impl VideoLayersAllocation {
    /// Reads the extension's data; `None` if it is cut short.
    #[must_use]
    pub fn parse(data: &[u8]) -> Option<Self> {
        // Nothing is on.
        if data == [0] {
            return Some(Self::default());
        }
        let mut reader = Reader::new(data);
        let head = reader.u8()?;
        let streams = ((head >> 4) & 0x03).saturating_add(1);
        let mut allocation = Self { stream: head >> 6, streams, ..Self::default() };
        let masks = read_masks(&mut reader, head & 0x0f, streams)?;
        let on = |stream: usize, layer: usize| masks.get(stream).is_some_and(|mask| mask.wrapping_shr(layer as u32) & 1 == 1);

        let count = masks.iter().map(|mask| mask.count_ones()).sum::<u32>() as usize;
        for (place, temporal_layers) in allocation.places(on).zip(two_bits(&mut reader, count)?) {
            *place = Some(AllocatedLayer { temporal_layers: temporal_layers.saturating_add(1), ..AllocatedLayer::default() });
        }
        for layer in allocation.layers.iter_mut().flatten().flatten() {
            for bitrate in layer.bitrates.iter_mut().take(usize::from(layer.temporal_layers)) {
                *bitrate = leb128(&mut reader)?;
            }
        }
        if reader.rest().is_empty() {
            return Some(allocation);
        }
        for layer in allocation.layers.iter_mut().flatten().flatten() {
            let (width, height) = (reader.u16()?.saturating_add(1), reader.u16()?.saturating_add(1));
            layer.picture = Some((Resolution { width, height }, reader.u8()?));
        }
        Some(allocation)
    }

    /// A spatial layer of a stream; `None`: off.
    #[must_use]
    pub fn layer(&self, stream: u8, spatial: u8) -> Option<&AllocatedLayer> {
        self.layers.get(usize::from(stream))?.get(usize::from(spatial))?.as_ref()
    }

    /// The places of the layers that are on, in the order in which everything is sent.
    fn places(&mut self, on: impl Fn(usize, usize) -> bool) -> impl Iterator<Item = &mut Option<AllocatedLayer>> {
        let layers = self.layers.iter_mut().enumerate();
        let places = layers.flat_map(|(stream, layers)| layers.iter_mut().enumerate().map(move |(layer, place)| (stream, layer, place)));
        places.filter(move |(stream, layer, _)| on(*stream, *layer)).map(|(_, _, place)| place)
    }
}

/// Which spatial layers of each stream are on: one mask for all, or (zero) one each, two to a byte.
fn read_masks(reader: &mut Reader<'_>, shared: u8, streams: u8) -> Option<[u8; MAX_STREAMS]> {
    let mut masks = [0; MAX_STREAMS];
    let mut byte = 0;
    for (stream, mask) in masks.iter_mut().take(usize::from(streams)).enumerate() {
        if shared != 0 {
            *mask = shared;
            continue;
        }
        if stream % 2 == 0 {
            byte = reader.u8()?;
        }
        *mask = if stream % 2 == 0 { byte >> 4 } else { byte & 0x0f };
    }
    Some(masks)
}

/// Two bits for each of `count` layers, four to a byte.
fn two_bits(reader: &mut Reader<'_>, count: usize) -> Option<impl Iterator<Item = u8> + use<>> {
    let mut bytes = [0_u8; MAX_STREAMS * MAX_LAYERS / 4];
    for byte in bytes.iter_mut().take(count.div_ceil(4)) {
        *byte = reader.u8()?;
    }
    Some(bytes.into_iter().flat_map(|byte| [6, 4, 2, 0].map(|shift: u32| byte.wrapping_shr(shift) & 0x03)).take(count))
}

/// A number in base 128, least significant digit first.
fn leb128(reader: &mut Reader<'_>) -> Option<u32> {
    let mut value = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let byte = reader.u8()?;
        value |= u32::from(byte & 0x7f).wrapping_shl(shift);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
