//! CBOR forms of what control messages carry and the derive can't write: what belongs to the token of the one who joined and is of no use to
//! other parts stays at home; rungs are a list without names.

use crate::forwarding_policy::ForwardingPolicy;
use crate::layer::{MAX_ENCODINGS, MAX_SPATIAL, MAX_TEMPORAL, Rung, Rungs, Target};
use crate::packet::PacketInfo;
use crate::participant::Admission;
use crate::room_mode::{ModePolicy, Terms};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use nearcast_protocol::Permissions;
use std::sync::Arc;

/// Numbers of one rung: encoding, target, bitrate, width, height, frames per second, whether it is live.
const RUNG_FIELDS: u64 = 8;

impl<C> Encode<C> for Rungs {
    fn encode<W: encode::Write>(&self, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        encoder.array(self.len() as u64)?;
        for rung in self.iter() {
            encoder.array(RUNG_FIELDS)?.u8(rung.encoding)?.u8(rung.target.spatial)?.u8(rung.target.temporal)?.u64(rung.bitrate)?;
            encoder.u16(rung.width)?.u16(rung.height)?.u8(rung.fps)?.bool(rung.live)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Rungs {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let count = counted(decoder)?;
        let mut rungs = Self::default();
        for _ in 0..count {
            let fields = counted(decoder)?;
            if fields < RUNG_FIELDS {
                return Err(decode::Error::message("a rung with too few fields"));
            }
            let encoding = decoder.u8()?;
            let target = Target { spatial: decoder.u8()?, temporal: decoder.u8()? };
            let rung = Rung {
                encoding,
                target,
                bitrate: decoder.u64()?,
                width: decoder.u16()?,
                height: decoder.u16()?,
                fps: decoder.u8()?,
                live: decoder.bool()?,
            };
            for _ in RUNG_FIELDS..fields {
                decoder.skip()?;
            }
            // One that can't be: left out, as one of a newer version might be.
            if usize::from(encoding) < MAX_ENCODINGS && target.spatial < MAX_SPATIAL && target.temporal < MAX_TEMPORAL {
                rungs.push(rung);
            }
        }
        Ok(rungs)
    }
}

impl<C> Encode<C> for Terms {
    fn encode<W: encode::Write>(&self, encoder: &mut Encoder<W>, context: &mut C) -> Result<(), encode::Error<W::Error>> {
        encoder.array(5)?.u64(self.founded)?.encode_with(self.policy, context)?;
        encoder.encode_with(self.most.map(|most| most as u64), context)?;
        let forwarding = self.forwarding.as_deref();
        encoder.encode_with(forwarding.map(ForwardingPolicy::name), context)?;
        encoder.encode_with(forwarding.map(ToString::to_string), context)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Terms {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        let fields = counted(decoder)?;
        if fields < 5 {
            return Err(decode::Error::message("terms with too few fields"));
        }
        let founded = decoder.u64()?;
        // A policy of a newer version: the one that always works.
        let policy = match decoder.decode_with(context) {
            Err(error) if error.is_unknown_variant() => ModePolicy::Sfu,
            decoded => decoded?,
        };
        let most: Option<u64> = decoder.decode_with(context)?;
        let name: Option<&str> = decoder.decode_with(context)?;
        let text: Option<&str> = decoder.decode_with(context)?;
        let forwarding = match name.zip(text) {
            Some((name, text)) => {
                let parsed = ForwardingPolicy::parse(name, text).map_err(|_| decode::Error::message("no forwarding policy"))?;
                Some(Arc::new(parsed))
            }
            None => None,
        };
        for _ in 5..fields {
            decoder.skip()?;
        }
        let most = most.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        Ok(Self { founded, policy, most, forwarding })
    }
}

/// Of an admission what others may know: who it is and what it may do. The room's name stands in the message around it.
impl<C> Encode<C> for Admission {
    fn encode<W: encode::Write>(&self, encoder: &mut Encoder<W>, context: &mut C) -> Result<(), encode::Error<W::Error>> {
        encoder.array(5)?.str(&self.room)?.str(&self.identity)?.str(&self.name)?;
        encoder.encode_with(self.role.as_deref(), context)?.encode_with(self.permissions, context)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Admission {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        let fields = counted(decoder)?;
        if fields < 5 {
            return Err(decode::Error::message("an admission with too few fields"));
        }
        let room = decoder.str()?.to_owned();
        let identity = decoder.str()?.to_owned();
        let name = decoder.str()?.to_owned();
        let role: Option<String> = decoder.decode_with(context)?;
        let permissions: Permissions = decoder.decode_with(context)?;
        for _ in 5..fields {
            decoder.skip()?;
        }
        Ok(Self { room, identity, name, role, permissions, mode: ModePolicy::default(), max_participants: None, forwarding: None })
    }
}

/// Media has a form of its own; in CBOR it never goes out, and never comes in.
impl<C> Encode<C> for PacketInfo {
    fn encode<W: encode::Write>(&self, _: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        Err(encode::Error::message("media isn't control"))
    }
}

impl<'b, C> Decode<'b, C> for PacketInfo {
    fn decode(_: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Err(decode::Error::message("media isn't control"))
    }
}

fn counted(decoder: &mut Decoder<'_>) -> Result<u64, decode::Error> {
    decoder.array()?.ok_or_else(|| decode::Error::message("a list without its length"))
}
