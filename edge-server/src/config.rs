//! What can be set, in one place: the table below is the configuration struct, the command-line flags, the environment
//! variables, the keys of the TOML file, and docs/configuration.md.
//!
//! Precedence: flags, then `NEARCAST_*` environment variables, then the TOML file, then the default. A list given by one source
//! replaces the list of the next; it isn't merged.
//!
//! Every value passes through the same parser wherever it comes from, and every parser is the validator ([`values`], [`keys`]):
//! once [`Config::load`] has returned, no code asks whether something is set or in range. Faults are collected, so one start shows
//! all of them, each with where it stands (`edge.toml:12`, `NEARCAST_SHARDS`, `--shards`), the value, what is allowed, the remedy.
//!
//! Not here: what the settings do (the modules that take them), how flags are read ([`crate::cli`]).

pub mod cluster;
pub mod history;
pub mod keys;
pub mod network;
pub mod policies;
pub mod reference;
pub mod servers;
pub mod sources;
pub mod values;

use cluster::{EdgeId, Hours, InRegion, RedisUrl};
use history::{HistoryAt, HistoryReplica};
use keys::Keys;
use network::{File, Host, Optional, RelayPeers, RelaySecret, TcpListen};
use policies::Policies;
use servers::{ClientUrl, Edges, MOST_SERVERS, StunServers, TurnSecret, TurnServers};
use sources::{Fault, Faults, Sources};
use values::{Announce, Bounded, Listen, LogFilter, LogFormat, Mode, Period, Setting, Shards, Switch};

/// One setting, for help texts and documentation.
#[derive(Clone, Copy, Debug)]
pub struct SettingDoc {
    /// Key in the TOML file; `NEARCAST_` and the same in capitals is the environment variable.
    pub key: &'static str,
    /// The default, as text. Empty: none.
    pub default: &'static str,
    /// What is allowed, in words.
    pub range: &'static str,
    /// What it is for, a line each.
    pub doc: &'static [&'static str],
}

impl SettingDoc {
    /// Name of the environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        variable(self.key)
    }

    /// Name of the flag.
    #[must_use]
    pub fn flag(&self) -> String {
        flag(self.key)
    }
}

fn variable(key: &str) -> String {
    format!("NEARCAST_{}", key.to_ascii_uppercase())
}

fn flag(key: &str) -> String {
    // Lists that read better in the singular when they are repeated: `--key a:… --key b:…`.
    match key {
        "keys" => "--key".to_owned(),
        "policies" => "--policy".to_owned(),
        _ => format!("--{}", key.replace('_', "-")),
    }
}

macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])*
        #[arg($($arg:tt)*)]
        $key:ident: $type:ty, flag: $raw:ty, default: $default:literal, range: $range:literal;
    )*) => {
        /// The whole configuration, valid. Fields are documented in docs/configuration.md, which is made from these comments.
        #[derive(Clone, Debug)]
        pub struct Config {
            $($(#[doc = $doc])* pub $key: $type,)*
        }

        /// The same settings as flags, still text.
        #[derive(Clone, Debug, Default, clap::Args)]
        #[command(next_help_heading = "Settings (each also as an environment variable and in the file)")]
        pub struct Flags {
            /// TOML file with any of these settings. [env: NEARCAST_CONFIG]
            #[arg(long, value_name = "FILE")]
            pub config: Option<std::path::PathBuf>,
            $($(#[doc = $doc])* #[arg($($arg)*)] pub $key: $raw,)*
        }

        /// Every setting, in the order of the documentation.
        pub const SETTINGS: &[SettingDoc] = &[$(SettingDoc {
            key: stringify!($key),
            default: $default,
            range: $range,
            doc: &[$($doc),*],
        }),*];

        impl Config {
            fn pick(sources: &mut Sources<'_>) -> Option<Self> {
                // Each is read before any is missed, so that one start shows every fault.
                $(let $key = sources.setting::<$type>(stringify!($key), $default);)*
                Some(Self { $($key: $key?,)* })
            }

            /// Key and value of every setting as TOML text, secrets left out.
            #[must_use]
            pub fn effective(&self) -> Vec<(SettingDoc, String)> {
                let values = [$(self.$key.toml()),*];
                SETTINGS.iter().copied().zip(values).collect()
            }
        }

        impl Flags {
            fn text(&self, key: &str) -> Option<String> {
                match key {
                    $(stringify!($key) => sources::FlagText::text(&self.$key),)*
                    _ => None,
                }
            }
        }
    };
}

settings! {
    /// Where HTTP and WebSockets are served: signalling, the demo page, health, statistics.
    ///
    /// `[::]` takes IPv6 and IPv4 alike; on a host without IPv6 the default falls back to `0.0.0.0`. Give `tls_certificate`, or put TLS in
    /// front (a browser gives no camera to a page that is neither https nor localhost).
    #[arg(long, value_name = "IP:PORT")]
    http: Listen, flag: Option<String>, default: "[::]:8080", range: "IP:PORT; port 0 takes a free one";

    /// The UDP port for all media of all participants.
    ///
    /// Open it in the firewall for UDP. `[::]` takes IPv6 and IPv4 alike. 7700 is unassigned by IANA and outside the ephemeral range.
    #[arg(long, value_name = "IP:PORT")]
    udp: Listen, flag: Option<String>, default: "[::]:7700", range: "IP:PORT; port 0 takes a free one";

    /// Where media is taken over TCP (ICE-TCP, RFC 6544), for networks that let no UDP through: `same` is the address and port of `udp`.
    ///
    /// Open it in the firewall for TCP. Browsers try UDP first and use TCP only where that fails. With `tls_certificate` the `http` port
    /// takes such connections too.
    #[arg(long, value_name = "IP:PORT")]
    tcp: TcpListen, flag: Option<String>, default: "same", range: "same, off, or IP:PORT";

    /// The certificate for HTTPS and WSS at `http`: a PEM file, the server's own certificate first, then those between it and the root.
    ///
    /// With it `http` speaks TLS, and takes media over TCP on the same port: `http = "[::]:443"` is all that most firewalls let through.
    /// The file is read again when it changes, or on SIGHUP. Nothing given: plain HTTP, for a proxy in front that speaks TLS.
    #[arg(long, value_name = "FILE")]
    tls_certificate: File, flag: Option<String>, default: "", range: "a PEM file; needs tls_key";

    /// The key of `tls_certificate`: a PEM file (PKCS #8, PKCS #1 or SEC 1), readable by the edge and nobody else.
    #[arg(long, value_name = "FILE")]
    tls_key: File, flag: Option<String>, default: "", range: "a PEM file; needs tls_certificate";

    /// How media over UDP is marked for routers that give some traffic precedence: a differentiated services code point (RFC 2474), for all but sound.
    ///
    /// 34 is AF41, what RFC 8837 recommends for interactive video; 0 marks nothing.
    #[arg(long, value_name = "CODE POINT")]
    dscp: Bounded<0, 63>, flag: Option<String>, default: "34", range: "0 to 63";

    /// The same for sound. 46 is EF, what RFC 8837 recommends for it.
    ///
    /// On systems other than Linux sound is marked as `dscp` says.
    #[arg(long, value_name = "CODE POINT")]
    dscp_audio: Bounded<0, 63>, flag: Option<String>, default: "46", range: "0 to 63";

    /// Addresses at which browsers reach the media ports, when that is not what the host's interfaces show (NAT, cloud, containers).
    ///
    /// `stun:HOST:PORT` asks that STUN server at the start from where it sees this host, and announces that: for hosts that don't know the address
    /// which NAT gives them.
    ///
    /// Repeat the flag, or separate by commas. Nothing given: the bound address if `udp` names one, else the addresses of all interfaces
    /// that are up, without loopback (with it in `dev`) and link-local ones.
    #[arg(long, value_name = "IP|stun:HOST:PORT", value_delimiter = ',')]
    announce: Announce, flag: Vec<String>, default: "", range: "up to 16 IP addresses, no ports, not 0.0.0.0 or [::]; or stun:HOST:PORT";

    /// Media threads. A room lives on one of them until it outgrows it (`room_spread`); more threads serve more and larger rooms.
    #[arg(long, value_name = "N")]
    shards: Shards, flag: Option<String>, default: "auto", range: "1 to 255, or `auto` for one per core";

    /// Participants of one room that a media thread takes before another gets some of them.
    ///
    /// What crosses between threads costs a copy of each packet for each thread, so small rooms stay on one.
    #[arg(long, value_name = "N")]
    room_spread: Bounded<1, 1_000_000>, flag: Option<String>, default: "100", range: "1 to 1000000";

    /// Development: a well-known key, and tokens for everybody at `POST /v1/token`. Whoever reaches the port may enter any room.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    dev: Switch, flag: Option<String>, default: "false", range: "true or false";

    /// Keys that tokens may be signed with: an id, and a secret of at least 32 bytes. Required unless `dev`.
    ///
    /// Several at once allow rotation: add the new key, sign with it, remove the old one when its last token has expired. Flags are
    /// visible to every user of the machine: prefer the file or the environment. In the file a table: `[keys]`, then `id = "secret"`.
    #[arg(long = "key", value_name = "ID:SECRET")]
    keys: Keys, flag: Vec<String>, default: "", range: "up to 16; id of 1 to 64 letters, digits, `.`, `_`, `-`; secret of 32 to 512 bytes without commas";

    /// What is logged, to standard error: a level, or levels per module as in `info,nearcast_edge=debug`.
    #[arg(long, value_name = "FILTER")]
    log: LogFilter, flag: Option<String>, default: "info", range: "off, error, warn, info, debug, trace, or module=level pairs";

    /// How it is logged: for people, or one JSON object a line.
    #[arg(long, value_name = "FORMAT")]
    log_format: LogFormat, flag: Option<String>, default: "human", range: "human or json";

    /// WebSockets open at once. Further ones are refused with `overloaded` (HTTP status 503).
    #[arg(long, value_name = "N")]
    max_connections: Bounded<1, 1_000_000>, flag: Option<String>, default: "10000", range: "1 to 1000000";

    /// WebSockets open at once from one public IP address. Further ones are refused with `limit-reached` (HTTP status 429). 0: any number.
    ///
    /// Addresses that aren't public (loopback, 10.0.0.0/8, fc00::/7 and such) aren't counted: a proxy in front speaks from one.
    #[arg(long, value_name = "N")]
    max_connections_per_address: Bounded<0, 1_000_000>, flag: Option<String>, default: "1000", range: "0 to 1000000";

    /// Participants that this edge takes; further ones are refused with `overloaded`, which clients may retry elsewhere. 0: any number.
    #[arg(long, value_name = "N")]
    edge_participants: Bounded<0, 1_000_000>, flag: Option<String>, default: "0", range: "0 to 1000000";

    /// Mbit/s that this edge may send; while it sends as much, nobody new is taken (`overloaded`). 0: as much as there is.
    #[arg(long, value_name = "MBIT")]
    max_egress: Bounded<0, 1_000_000>, flag: Option<String>, default: "0", range: "0 to 1000000";

    /// Percent of the processors that the edge may use and still take new participants; the average of about three seconds. 0: never mind.
    ///
    /// Whoever is in a call stays, and may come back to it. Not applied in `dev`.
    #[arg(long, value_name = "PERCENT")]
    admission_cpu: Bounded<0, 100>, flag: Option<String>, default: "85", range: "0 to 100";

    /// How long a new WebSocket may take to join before it is closed.
    #[arg(long, value_name = "TIME")]
    join_timeout: Period<100, 300_000>, flag: Option<String>, default: "10s", range: "100ms to 5m";

    /// How often a WebSocket is pinged from which nothing came for half of this time, so that idle NAT bindings and proxies keep it.
    #[arg(long, value_name = "TIME")]
    ping_interval: Period<100, 300_000>, flag: Option<String>, default: "10s", range: "100ms to 5m, less than idle_timeout";

    /// How long a WebSocket from which nothing came, not even a pong, is kept. The session then waits `resume_window` for another.
    #[arg(long, value_name = "TIME")]
    idle_timeout: Period<200, 900_000>, flag: Option<String>, default: "30s", range: "200ms to 15m, more than ping_interval";

    /// How long a session whose WebSocket is gone waits to be resumed.
    #[arg(long, value_name = "TIME")]
    resume_window: Period<0, 600_000>, flag: Option<String>, default: "30s", range: "0s to 10m";

    /// Audio tracks of a room that are passed on at a time: the loudest, with whoever spoke in the last seconds. 0: all of them.
    ///
    /// Rooms with no more microphones than that don't notice. A voice that becomes one of the loudest is heard at once.
    #[arg(long, value_name = "N")]
    audio_top_k: Bounded<0, 1_000>, flag: Option<String>, default: "10", range: "0 to 1000";

    /// How media goes in rooms whose first token says nothing of it (`mode`): through the edge, or directly between participants.
    ///
    /// `auto`: directly while there are two, who then see each other's addresses; `p2p`: directly while there are no more than four.
    #[arg(long, value_name = "MODE")]
    room_mode: Mode, flag: Option<String>, default: "sfu", range: "auto, sfu or p2p";

    /// Who gets what from whom, by role: named policies, of which a room's first token names one (`policy`). See docs/policies.md.
    ///
    /// `arena=judge player: audio video; audience: video` lets the audience see and not hear. Separate policies by commas or repeat the flag; in the
    /// file a table: `[policies]`, then `arena = "judge player: audio video; audience: video"`.
    #[arg(long = "policy", value_name = "NAME=CLAUSES", value_delimiter = ',')]
    policies: Policies, flag: Vec<String>, default: "", range: "up to 64; name of letters, digits, `.`, `_`, `-`; clauses `ROLES: audio video [from ROLES]`, separated by `;`";

    /// Signalling messages a second that one WebSocket may send for long; more are refused with `limit-reached`.
    #[arg(long, value_name = "N")]
    message_rate: Bounded<1, 100_000>, flag: Option<String>, default: "100", range: "1 to 100000";

    /// Signalling messages that one WebSocket may send at once after a pause.
    #[arg(long, value_name = "N")]
    message_burst: Bounded<1, 100_000>, flag: Option<String>, default: "200", range: "1 to 100000";

    /// Messages that wait for one WebSocket at most; who reads so slowly that there are more is closed (and may resume).
    #[arg(long, value_name = "N")]
    outgoing_queue: Bounded<16, 65_536>, flag: Option<String>, default: "1024", range: "16 to 65536";

    /// Other edges that take participants when this one is gone, best first: addresses as the SDK's `connect` takes them.
    ///
    /// Clients are told when they join, and try them when this edge doesn't answer any more. All edges of the list need the same `keys`.
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    edges: Edges, flag: Vec<String>, default: "", range: "up to 8 addresses that begin with https:// or wss:// (http:// and ws:// for tests)";

    /// Where other edges link to this one (QUIC, UDP), so that a room may have participants on several: `0.0.0.0:7500` is the usual port.
    ///
    /// Needs `relay_secret`. Which edges there are is known from the cluster, or from `relay_peers`. See docs/cluster.md.
    #[arg(long, value_name = "IP:PORT")]
    relay: Optional, flag: Option<String>, default: "off", range: "off, or IP:PORT";

    /// Where other edges are told to reach `relay`, when that is another address than it is bound to: behind a port mapping (Docker, 1:1 NAT).
    ///
    /// Nothing given: its own address, or with 0.0.0.0 the first of `announce`, and its port.
    #[arg(long, value_name = "IP:PORT")]
    relay_announce: Optional, flag: Option<String>, default: "off", range: "off, or IP:PORT";

    /// Other edges to link to, by the address of their `relay`. Names are looked up each time; one end of each pair is enough.
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',')]
    relay_peers: RelayPeers, flag: Vec<String>, default: "", range: "up to 64 of HOST:PORT";

    /// Edges that one edge sends a publication to before others pass it on to more; into another region one copy goes in any case. 0: it is sent to every
    /// edge that wants it, and this edge plans no other ways.
    #[arg(long, value_name = "N")]
    relay_fan_out: Bounded<0, 64>, flag: Option<String>, default: "8", range: "0 to 64";

    /// The secret that edges know each other by: whoever has it may link, and see and send all media. The same for all edges of a cluster.
    #[arg(long, value_name = "SECRET")]
    relay_secret: RelaySecret, flag: Option<String>, default: "", range: "32 to 512 bytes (openssl rand -base64 36); with dev one that everybody knows";

    /// The Redis server that edges of one cluster share: with it this edge joins them. Nothing given: this edge is alone.
    ///
    /// It is memory for where rooms are, and no part of a call: while it is away, calls and joins go on. Clusters that share a server take
    /// different databases (`redis://redis.example.org:6379/1`). It is to be reached by edges alone. Needs `client_url`, and the same `keys` on all edges.
    #[arg(long, value_name = "URL")]
    redis: RedisUrl, flag: Option<String>, default: "", range: "redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE] or unix:///PATH";

    /// The name of this edge in its cluster, the same after a restart. Nothing given: one is made up at each start.
    #[arg(long, value_name = "NAME")]
    edge_id: EdgeId, flag: Option<String>, default: "", range: "1 to 128 letters, digits, `.`, `-`, `_`, `:`; another one on each edge";

    /// Where this edge stands: edges that are near each other name the same region. New rooms begin in the region of who asks for them.
    #[arg(long, value_name = "NAME")]
    region: InRegion, flag: Option<String>, default: "default", range: "1 to 128 letters, digits, `.`, `-`, `_`, `:`";

    /// The address of this edge for clients that another edge sends here, as the SDK's `connect` takes it: `https://edge1.example.org`.
    ///
    /// It names this edge alone, not a load balancer. Needed with `redis`; in `dev` it is made from the address of `http`.
    #[arg(long, value_name = "URL")]
    client_url: ClientUrl, flag: Option<String>, default: "", range: "an address that begins with https:// or wss:// (http:// and ws:// for tests)";

    /// Hours in which `GET /v1/scaling` never advises to stop an edge: days of the week and hours of the day, in UTC.
    #[arg(long, value_name = "HOURS")]
    business_hours: Hours, flag: Option<String>, default: "mon-fri 9-18", range: "off, or DAY-DAY HOUR-HOUR such as `mon-fri 9-18`";

    /// Where is kept who was in which room, from when to when, how it went and why it ended: a file (SQLite), or a PostgreSQL server.
    ///
    /// Names of people are personal data, so nothing is kept unless this says where. Calls don't need it: while it is away they go on, and what happens
    /// meanwhile is written later, up to 10,000 rows. See docs/history.md.
    #[arg(long, value_name = "FILE|URL")]
    history: HistoryAt, flag: Option<String>, default: "off", range: "off, a path, sqlite://PATH, or postgres://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE";

    /// A replica of the PostgreSQL server of `history`, from which `/v1/history` is answered. Nothing given: the server itself.
    #[arg(long, value_name = "URL")]
    history_replica: HistoryReplica, flag: Option<String>, default: "", range: "postgres://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE; needs history";

    /// How long rows of `history` are kept after the stay or the room ended; then they are deleted.
    #[arg(long, value_name = "TIME")]
    history_keep: Period<3_600_000, 315_360_000_000>, flag: Option<String>, default: "30days", range: "1h to 3650days";

    /// STUN servers that clients are told of: for direct connections between participants. To reach the edge nobody needs one.
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    stun_servers: StunServers, flag: Vec<String>, default: "", range: "up to 8 addresses such as stun:stun.example.org:3478";

    /// TURN servers that clients are told of: for networks that let no UDP through, and for direct connections.
    ///
    /// Addresses of one host count as one server: `turn:turn.example.org:3478,turns:turn.example.org:443?transport=tcp`. Needs `turn_secret`.
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    turn_servers: TurnServers, flag: Vec<String>, default: "", range: "up to 24 addresses that begin with turn: or turns:, perhaps with ?transport=udp or ?transport=tcp";

    /// A TURN server inside this edge (RFC 8656), by UDP and TCP: `[::]:3478` is the usual port. Clients are told of it.
    ///
    /// With `tls_certificate` it speaks TLS too, there and at `http`, where it looks like HTTPS to a firewall. It relays to this edge's media port,
    /// between its clients, and to public addresses, never to private ones. Few need it: media over TCP (`tcp`) goes without.
    #[arg(long, value_name = "IP:PORT")]
    turn: Optional, flag: Option<String>, default: "off", range: "off, or IP:PORT";

    /// The name by which clients reach `turn`: that of the certificate, for TURN over TLS. Nothing given: the first announced address, without TLS.
    #[arg(long, value_name = "HOST")]
    turn_host: Host, flag: Option<String>, default: "", range: "a host name or address, no port";

    /// The secret that the TURN servers share with this edge: coturn's `static-auth-secret`, with `use-auth-secret`.
    ///
    /// Clients never see it: they get a user name that says until when, and its HMAC-SHA1 as password (draft-uberti-behave-turn-rest-00).
    ///
    /// For `turn` alone none is needed: it makes its own at each start.
    #[arg(long, value_name = "SECRET")]
    turn_secret: TurnSecret, flag: Option<String>, default: "", range: "up to 512 bytes";

    /// How long TURN credentials hold. Fresh ones are sent after half of it; a connection that stands outlives its credentials.
    #[arg(long, value_name = "TIME")]
    turn_lifetime: Period<2_000, 604_800_000>, flag: Option<String>, default: "1h", range: "2s to 7days";

    /// Kernel buffers of each UDP socket, each way, in bytes. The kernel may grant less; the start says how much and what to do.
    #[arg(long, value_name = "BYTES")]
    socket_buffer: Bounded<65_536, 1_073_741_824>, flag: Option<String>, default: "4194304", range: "65536 to 1073741824";
}

impl Config {
    /// Reads flags, environment and file.
    ///
    /// `environment`: all variables; those that don't begin with `NEARCAST_` are passed over.
    ///
    /// # Errors
    /// All faults found, each with its remedy.
    pub fn load(flags: &Flags, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, Faults> {
        let mut sources = Sources::open(flags, environment);
        let picked = Self::pick(&mut sources);
        let faults = sources.close();
        match picked {
            Some(config) if faults.is_empty() => config.agree(),
            _ => Err(Faults(faults)),
        }
    }

    /// Checks what no single setting can know.
    fn agree(self) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        if !self.dev.0 && self.keys.is_empty() {
            faults.push(Fault::between(
                "keys: none given, so no token could ever be accepted; give one with NEARCAST_KEYS=ID:SECRET \
                 (a secret: openssl rand -base64 36), or start with --dev to try things out",
            ));
        }
        if self.dev.0 && self.keys.iter().any(|key| key.id == keys::DEVELOPMENT_KEY_ID) {
            faults.push(Fault::between("keys: the id \"dev\" is taken by the development key while dev is on; give the key another id"));
        }
        if self.idle_timeout.0 <= self.ping_interval.0 {
            faults.push(Fault::between(&format!(
                "idle_timeout = {} is not more than ping_interval = {}: every quiet connection would be closed; raise idle_timeout",
                self.idle_timeout.text(),
                self.ping_interval.text()
            )));
        }
        if self.tls_certificate.0.is_some() != self.tls_key.0.is_some() {
            faults.push(Fault::between("tls_certificate and tls_key belong together; give both, or none for plain HTTP behind a proxy"));
        }
        if self.history_replica.address().is_some() && !matches!(self.history.address(), Some(nearcast_history::Address::Postgres(_))) {
            faults.push(Fault::between(
                "history_replica needs history at a PostgreSQL server, whose replica it is; give that, such as history = \"postgres://edge@db/calls\"",
            ));
        }
        if self.redis.0.is_some() && self.client_url.0.is_none() && !self.dev.0 {
            faults.push(Fault::between(
                "redis needs client_url: other edges send clients here by it; give the address of this edge alone, such as https://edge1.example.org",
            ));
        }
        if self.turn_servers.0.is_empty() != self.turn_secret.0.is_empty() && self.turn.0.is_none() {
            faults.push(Fault::between(
                "turn_servers and turn_secret belong together: credentials are made for the servers with the secret; give both or none",
            ));
        }
        if !self.turn_servers.0.is_empty() && self.turn_secret.0.is_empty() && self.turn.0.is_some() {
            faults.push(Fault::between("turn_servers needs turn_secret, also beside turn: give the secret that those servers know"));
        }
        if self.relay.0.is_some() && self.relay_secret.is_empty() && !self.dev.0 {
            faults.push(Fault::between(
                "relay needs relay_secret, by which edges know each other: give all of them the same (openssl rand -base64 36)",
            ));
        }
        if self.relay.0.is_none() && self.relay_announce.0.is_some() {
            faults.push(Fault::between(
                "relay_announce needs relay, the port that it stands for: give one, such as relay = \"0.0.0.0:7500\"",
            ));
        }
        if self.relay.0.is_none() && !self.relay_peers.0.is_empty() {
            faults.push(Fault::between(
                "relay_peers needs relay, the port that links are made on: give one, such as relay = \"0.0.0.0:7500\"",
            ));
        }
        let ice_servers = self.stun_servers.0.len() + self.turn_servers.by_server().len();
        if ice_servers > MOST_SERVERS {
            faults.push(Fault::between(&format!(
                "stun_servers and turn_servers name {ice_servers} servers, more than {MOST_SERVERS}: every client tries them all; keep the nearest"
            )));
        }
        if faults.is_empty() { Ok(self) } else { Err(Faults(faults)) }
    }

    /// What applies when nothing is set, with the development key; the starting point of tests.
    ///
    /// # Errors
    /// Never in practice: a test holds that every default is valid.
    pub fn development() -> Result<Self, Faults> {
        Self::load(&Flags { dev: Some("true".to_owned()), ..Flags::default() }, [])
    }
}

#[cfg(test)]
mod tests;
