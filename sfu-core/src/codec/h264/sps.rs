//! The size in a sequence parameter set. Source: ITU-T H.264 §7.3.2.1.1, §7.4.2.1.1.

use crate::codec::Resolution;
use crate::codec::bits::BitReader;

#[cfg(test)]
mod tests;

/// Bytes of a parameter set that are looked at: the size stands before anything that can be longer.
const LOOKED_AT: usize = 64;

/// Profiles whose sets say more of the samples.
const HIGH_PROFILES: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// Size of the visible picture; `body` is the unit without its header. `None` for sets with scaling matrices or other chroma than
/// 4:2:0, which WebRTC doesn't use.
pub(super) fn size(body: &[u8]) -> Option<Resolution> {
    let mut bytes = [0; LOOKED_AT];
    let length = unescape(body, &mut bytes);
    let mut reader = BitReader::new(bytes.get(..length)?);
    let profile = reader.bits(8)?;
    reader.bits(16)?;
    reader.exp_golomb()?;
    if HIGH_PROFILES.contains(&profile) {
        let (chroma, _, _) = (reader.exp_golomb()?, reader.exp_golomb()?, reader.exp_golomb()?);
        let (_, has_scaling) = (reader.flag()?, reader.flag()?);
        if chroma != 1 || has_scaling {
            return None;
        }
    }
    reader.exp_golomb()?;
    match reader.exp_golomb()? {
        0 => drop(reader.exp_golomb()?),
        1 => {
            reader.flag()?;
            // Signed numbers take the same bits.
            let (_, _) = (reader.exp_golomb()?, reader.exp_golomb()?);
            for _ in 0..reader.exp_golomb()?.min(255) {
                reader.exp_golomb()?;
            }
        }
        _ => {}
    }
    reader.exp_golomb()?;
    reader.flag()?;
    let (columns, rows) = (reader.exp_golomb()?.checked_add(1)?, reader.exp_golomb()?.checked_add(1)?);
    let whole_frames = reader.flag()?;
    if !whole_frames {
        reader.flag()?;
    }
    reader.flag()?;
    let mut crop = [0; 4];
    if reader.flag()? {
        for side in &mut crop {
            *side = reader.exp_golomb()?;
        }
    }
    let [left, right, top, bottom] = crop;
    // Field pairs count rows by two, and so does cropping.
    let fields = if whole_frames { 1 } else { 2 };
    let width = columns.checked_mul(16)?.checked_sub(left.checked_add(right)?.checked_mul(2)?)?;
    let height = rows.checked_mul(16)?.checked_sub(top.checked_add(bottom)?.checked_mul(2)?)?.checked_mul(fields)?;
    Some(Resolution { width: u16::try_from(width).ok()?, height: u16::try_from(height).ok()? })
}

/// Takes out the bytes that keep start codes from appearing inside a unit (§7.4.1.1); returns how many are left.
fn unescape(body: &[u8], out: &mut [u8]) -> usize {
    let (mut zeros, mut length) = (0_u8, 0_usize);
    for byte in body {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros.saturating_add(1) } else { 0 };
        let Some(place) = out.get_mut(length) else { break };
        *place = *byte;
        length = length.saturating_add(1);
    }
    length
}
