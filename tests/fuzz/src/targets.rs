//! What the targets do.

pub(crate) mod codecs;
pub(crate) mod framing;
pub(crate) mod rtcp;
pub(crate) mod rtp;
pub(crate) mod sdp;
pub(crate) mod signalling;
pub(crate) mod srtp;
pub(crate) mod turn;

/// The library's panics are caught where it is called (`sfu-core/src/dtls/foreign.rs`) and end one association: they are no finding, but
/// libFuzzer's hook would end the run at each.
pub(crate) fn dtls_foreign(bytes: &[u8]) {
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let ours = panic.location().is_some_and(|location| location.file().contains("sfu-core") || location.file().contains("fuzz"));
            if ours {
                before(panic);
            }
        }));
    });
    sfu_core::fuzzing::handshake(bytes, true);
}
