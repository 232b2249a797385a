//! Keys into a shard's tables. Generational: a key of something gone finds nothing, never something else.

slotmap::new_key_type! {
    pub(crate) struct RoomKey;
    pub(crate) struct ParticipantKey;
    pub(crate) struct PublicationKey;
}
