//! Numbers and sizes as the registries and RFCs give them.

use super::SrtpProfile;
use crate::srtp::{MAX_RTCP_OVERHEAD, MAX_RTP_OVERHEAD};

#[test]
fn dtls_ids_lead_back() {
    for profile in SrtpProfile::ALL {
        assert_eq!(SrtpProfile::from_dtls_id(profile.dtls_id()), Some(profile));
    }
    assert_eq!(SrtpProfile::from_dtls_id(0x0002), None); // AES128_CM_SHA1_32
}

#[test]
fn sizes_follow_the_rfcs() {
    let sizes = SrtpProfile::ALL.map(|p| (p.exporter_len(), p.rtp_overhead(), p.rtcp_overhead()));
    assert_eq!(sizes, [(56, 16, 20), (88, 16, 20), (60, 10, 14)]);
    assert_eq!(SrtpProfile::ALL.map(SrtpProfile::rtp_overhead).into_iter().max(), Some(MAX_RTP_OVERHEAD));
    assert_eq!(SrtpProfile::ALL.map(SrtpProfile::rtcp_overhead).into_iter().max(), Some(MAX_RTCP_OVERHEAD));
}
