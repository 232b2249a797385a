//! Bytes that several messages share, as CBOR byte strings.

use minicbor::{Decoder, Encoder};
use std::sync::Arc;

type Written<W> = Result<(), minicbor::encode::Error<<W as minicbor::encode::Write>::Error>>;

pub(crate) fn encode<C, W: minicbor::encode::Write>(bytes: &Arc<[u8]>, encoder: &mut Encoder<W>, _: &mut C) -> Written<W> {
    encoder.bytes(bytes)?.ok()
}

pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Arc<[u8]>, minicbor::decode::Error> {
    decoder.bytes().map(Arc::from)
}
