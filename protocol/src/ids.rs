//! Names of things on the wire. All are opaque text: compare them, don't take them apart.

use alloc::{borrow::ToOwned, string::String};
use minicbor::{Decode, Encode};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Decode, Encode, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] pub String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

id! {
    /// One stay of one participant in one room; survives reconnection, never reused. Public: everybody in the room sees it.
    ParticipantId
}
id! {
    /// One published source (camera, microphone, screen…), whatever layers it is sent in.
    PublicationId
}
id! {
    /// The secret half of a stay: whoever holds it and a valid token may resume the session. At least 128 random bits; never shown to others.
    SessionId
}
id! {
    /// The `a=mid` of one media section of the PeerConnection (RFC 5888): at most 16 characters.
    Mid
}
