//! What somebody without the keys can do: nothing, and it leaves no trace.

use proptest::prelude::*;

use super::*;

#[test]
fn every_tampered_byte_is_noticed() {
    for profile in SrtpProfile::ALL {
        let (mut sender, mut receiver) = pair(profile);
        let packet = sealed(&sender, SSRC, 100);
        // Not the first byte (it may change the parse) and not the source or number (they choose another state).
        for place in 12..packet.len() {
            let mut forged = packet.clone();
            forged[place] ^= 0x10;
            if RtpHeader::parse(&forged).is_ok() {
                assert_eq!(open(&mut receiver, &forged), Err(SrtpError::Authentication), "{profile:?} byte {place}");
            }
        }
        let header_bytes = [1, 2, 3, 4, 7, 8, 11];
        for place in header_bytes {
            let mut forged = packet.clone();
            forged[place] ^= 0x10;
            assert_eq!(open(&mut receiver, &forged), Err(SrtpError::Authentication), "{profile:?} header byte {place}");
        }
        let packet = sealed_report(&mut sender, SSRC);
        for place in 0..packet.len() {
            let mut forged = packet.clone();
            forged[place] ^= 0x10;
            assert_eq!(open_report(&mut receiver, &forged), Err(SrtpError::Authentication), "{profile:?} report byte {place}");
        }
        pass(&sender, &mut receiver, 100);
        assert_eq!(open_report(&mut receiver, &packet), Ok(report(SSRC)));
    }
}

#[test]
fn another_key_opens_nothing() {
    for profile in SrtpProfile::ALL {
        let (mut sender, _) = pair(profile);
        let mut stranger = SrtpReceiver::new(&master(profile, 8)).unwrap();
        assert_eq!(open(&mut stranger, &sealed(&sender, SSRC, 1)), Err(SrtpError::Authentication));
        assert_eq!(open_report(&mut stranger, &sealed_report(&mut sender, SSRC)), Err(SrtpError::Authentication));
    }
}

#[test]
fn state_changes_only_after_authentication() {
    for profile in SrtpProfile::ALL {
        let (mut sender, mut receiver) = pair(profile);
        let stranger = SrtpSender::new(&master(profile, 8)).unwrap();
        // An unknown source does not enter the table, a jump of the number does not move the window.
        assert_eq!(open(&mut receiver, &sealed(&stranger, 99, 5)), Err(SrtpError::Authentication));
        assert_eq!(receiver.sources(), (0, 0));
        pass(&sender, &mut receiver, 60_000);
        for index in [70_000, 90_000, 60_001] {
            assert_eq!(open(&mut receiver, &sealed(&stranger, SSRC, index)), Err(SrtpError::Authentication));
        }
        pass(&sender, &mut receiver, 60_001);
        pass(&sender, &mut receiver, 59_990);

        let mut forged = sealed_report(&mut sender, SSRC);
        forged[5] ^= 1;
        assert_eq!(open_report(&mut receiver, &forged), Err(SrtpError::Authentication));
        assert_eq!(receiver.sources(), (1, 0));
    }
}

#[test]
fn packets_without_room_for_a_tag_are_refused() {
    for profile in SrtpProfile::ALL {
        let (mut sender, mut receiver) = pair(profile);
        let packet = sealed(&sender, SSRC, 1);
        let header_len = plain(SSRC, 1).1;
        for len in header_len..header_len + profile.rtp_overhead() {
            assert_eq!(open(&mut receiver, &packet[..len]), Err(SrtpError::Truncated));
        }
        let packet = sealed_report(&mut sender, SSRC);
        for len in 0..8 + profile.rtcp_overhead() {
            let result = open_report(&mut receiver, &packet[..len]);
            assert!(matches!(result, Err(SrtpError::Truncated)), "{profile:?} {len} bytes: {result:?}");
        }
    }
}

#[test]
fn an_empty_payload_is_sealed_too() {
    for profile in SrtpProfile::ALL {
        let (sender, mut receiver) = pair(profile);
        let mut packet = vec![0; 12 + profile.rtp_overhead()];
        EgressHeader { marker: false, payload_type: 96, seq: 1, timestamp: 0, ssrc: SSRC }.write(&[], &mut packet).unwrap();
        let plain = packet[..12].to_vec();
        assert_eq!(sender.protect_rtp(&mut packet, 12, 12, 1), Ok(12 + profile.rtp_overhead()));
        assert_eq!(open(&mut receiver, &packet), Ok((plain, 1)));
    }
}

proptest! {
    #[test]
    fn no_panic_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..120), which in 0usize..3) {
        let (_, mut receiver) = pair(SrtpProfile::ALL[which]);
        let mut packet = bytes.clone();
        prop_assert!(receiver.unprotect_rtcp(&mut packet).is_err());
        let mut packet = bytes;
        if let Some(first) = packet.first_mut() {
            *first = 0x80 | (*first & 0x3f);
        }
        if let Ok(header) = RtpHeader::parse(&packet) {
            prop_assert!(receiver.unprotect_rtp(&mut packet, &header).is_err());
            let half = packet.len() / 2;
            prop_assert!(receiver.unprotect_rtp(&mut packet[..half], &header).is_err());
        }
        prop_assert_eq!(receiver.sources(), (0, 0));
    }
}
