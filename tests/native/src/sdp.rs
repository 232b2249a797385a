//! The little that has to be read from an answer beside what the `webrtc` crate does with it.

use std::collections::HashMap;
use std::net::SocketAddr;

/// Which section an SSRC of the edge belongs to. The repair stream of a section maps to the same one.
pub(crate) fn sections_by_ssrc(answer: &str) -> HashMap<u32, String> {
    let mut found = HashMap::new();
    for section in answer.split("\nm=").skip(1) {
        let lines = || section.lines().map(str::trim_end);
        let Some(mid) = lines().find_map(|line| line.strip_prefix("a=mid:")) else { continue };
        for line in lines() {
            let ssrc = line.strip_prefix("a=ssrc:").and_then(|rest| rest.split(' ').next()).and_then(|text| text.parse().ok());
            if let Some(ssrc) = ssrc {
                found.insert(ssrc, mid.to_owned());
            }
        }
    }
    found
}

/// The answer with `address` as the only candidate: the way to put a link of one's own between client and edge.
pub(crate) fn redirect(answer: &str, address: SocketAddr) -> String {
    let mut written = false;
    let mut lines = Vec::new();
    for line in answer.lines() {
        if !line.starts_with("a=candidate:") {
            lines.push(line.to_owned());
        } else if !written {
            // RFC 8839 §5.1; the priority is that of a host candidate and decides nothing when there is only one.
            lines.push(format!("a=candidate:1 1 udp 2130706431 {} {} typ host", address.ip(), address.port()));
            written = true;
        }
    }
    lines.push(String::new());
    lines.join("\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "v=0\r\nm=audio 9 X 111\r\na=mid:2\r\na=ssrc:7 cname:a\r\n\
        m=video 9 X 96\r\na=mid:3\r\na=ssrc-group:FID 8 9\r\na=ssrc:8 cname:b\r\na=ssrc:9 cname:b\r\n\
        a=candidate:1 1 udp 1 192.0.2.1 1000 typ host\r\na=candidate:2 1 udp 1 192.0.2.2 1000 typ host\r\n";

    #[test]
    fn an_ssrc_and_its_repair_stream_name_their_section() {
        let sections = sections_by_ssrc(ANSWER);
        let of = |ssrc: u32| sections.get(&ssrc).map(String::as_str);
        assert_eq!((of(7), of(8), of(9), of(1)), (Some("2"), Some("3"), Some("3"), None));
    }

    #[test]
    fn a_redirected_answer_has_one_candidate() {
        let redirected = redirect(ANSWER, ([127, 0, 0, 1], 4000).into());
        let candidates: Vec<&str> = redirected.lines().filter(|line| line.starts_with("a=candidate:")).collect();
        assert_eq!(candidates, ["a=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host"]);
        assert_eq!(redirected.lines().count() + 1, ANSWER.lines().count(), "everything else stays");
        assert!(redirected.ends_with("\r\n"));
    }
}
