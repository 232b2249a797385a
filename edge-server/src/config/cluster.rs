//! This edge among others. Nothing here is resolved or contacted.

use super::values::Setting;
use cluster_core::scaling::BusinessHours;
use cluster_core::{NodeId, Region};

/// The address of a Redis server; none: this edge is alone. It may have a password: never printed.
#[derive(Clone, Default, PartialEq)]
pub struct RedisUrl(pub Option<String>);

impl core::fmt::Debug for RedisUrl {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(&self.text())
    }
}

impl Setting for RedisUrl {
    const PUBLIC: bool = false;

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        // Not what the library says of it: that repeats the address, and with it the password.
        match redis::parse_redis_url(text) {
            Some(_) if redis::Client::open(text).is_ok() => Ok(Self(Some(text.to_owned()))),
            _ => {
                Err("is no address of a Redis server; write redis://HOST:PORT, redis://:PASSWORD@HOST:PORT/DATABASE or unix:///PATH"
                    .to_owned())
            }
        }
    }

    fn text(&self) -> String {
        if self.0.is_some() { "(secret)".to_owned() } else { String::new() }
    }
}

/// Which edge this is; none: a name is made up at each start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EdgeId(pub Option<NodeId>);

impl Setting for EdgeId {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            Ok(Self(None))
        } else {
            NodeId::parse(text).map(|id| Self(Some(id))).map_err(|error| format!("is none: {error}"))
        }
    }

    fn text(&self) -> String {
        self.0.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

/// Where this edge stands.
#[derive(Clone, Debug, PartialEq)]
pub struct InRegion(pub Region);

impl Setting for InRegion {
    fn parse(text: &str) -> Result<Self, String> {
        Region::parse(text).map(Self).map_err(|error| format!("is none: {error}"))
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// Hours in which nothing is to shrink; none: any hour will do.
#[derive(Clone, Debug, PartialEq)]
pub struct Hours(pub Option<BusinessHours>);

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Setting for Hours {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let day = |name: &str| DAYS.iter().position(|day| *day == name).and_then(|day| u8::try_from(day).ok());
        let hours = || {
            let (days, hours) = text.split_once(' ')?;
            let ((first, last), (from, until)) = (days.split_once('-')?, hours.trim().split_once('-')?);
            Some(BusinessHours { from: from.parse().ok()?, until: until.parse().ok()?, days: day(first)?..=day(last)? })
        };
        match hours() {
            Some(hours) if hours.from < hours.until && hours.until <= 24 && !hours.days.is_empty() => Ok(Self(Some(hours))),
            _ => Err("is neither off nor DAY-DAY HOUR-HOUR such as `mon-fri 9-18`, from an earlier to a later one, in UTC".to_owned()),
        }
    }

    fn text(&self) -> String {
        let name = |day: u8| DAYS.get(usize::from(day)).copied().unwrap_or_default();
        self.0.as_ref().map_or_else(
            || "off".to_owned(),
            |hours| format!("{}-{} {}-{}", name(*hours.days.start()), name(*hours.days.end()), hours.from, hours.until),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url = RedisUrl::parse("redis://:hunter2@redis.example:6379/1").unwrap();
        assert_eq!((url.text().as_str(), format!("{url:?}").as_str()), ("(secret)", "(secret)"));
        for bad in ["redis.example:6379", "http://redis.example", "rediss://:hunter2@redis.example"] {
            let fault = RedisUrl::parse(bad).unwrap_err();
            assert!(fault.contains("write redis://HOST:PORT") && !fault.contains("hunter2"), "{bad}: {fault}");
        }
    }

    #[test]
    fn hours_are_read_as_they_are_written() {
        for text in ["off", "mon-fri 9-18", "sun-sun 0-24"] {
            assert_eq!(Hours::parse(text).unwrap().text(), text);
        }
        for bad in ["", "9-18", "mon-fri", "fri-mon 9-18", "mon-fri 18-9", "mon-fri 9-25", "mo-fr 9-18"] {
            assert!(Hours::parse(bad).is_err(), "{bad}");
        }
    }
}
