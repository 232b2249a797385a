//! The Redis server that edges share: memory for who is there and whose rooms are. docs/cluster.md lists the keys.
//!
//! Every call ends within [`PATIENCE`], also when the server takes connections and says nothing. While the server is away, calls on whose answer
//! somebody waits fail at once ([`Store::answers`]); the registration, every two seconds, finds out when it is back.
//!
//! What comes back is checked like anything from the network.

use super::record;
use cluster_core::forecast::STEP_MINUTES;
use cluster_core::forecast::series::KEPT;
use cluster_core::members::EXPIRES_AFTER;
use cluster_core::ownership::Record;
use cluster_core::{Node, NodeId, Region};
use core::time::Duration;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, Script};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How long one call may take. A healthy server in the same region needs a millisecond.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long connecting may take.
const CONNECT: Duration = Duration::from_millis(1000);

/// Calls that failed one after the other before the connection is made anew, though nobody has closed it: its other end may be gone without a word.
const GIVE_UP_AFTER: u32 = 5;

/// A record that nobody touches any more goes after this long. Owners touch theirs every [`TOUCH_EVERY`].
const KEEP_ROOMS: Duration = Duration::from_secs(3_600);

/// See [`KEEP_ROOMS`].
pub(super) const TOUCH_EVERY: Duration = Duration::from_secs(600);

/// Keys of one call: a server does nothing else meanwhile.
const KEYS_AT_ONCE: usize = 512;

/// All edges: a hash of their records, and a sorted set of when each registered by the server's clock.
const EDGES: &str = "nearcast:edges";
const SEEN: &str = "nearcast:edges:seen";

/// Writes this edge and reads the others, with how long ago each registered. An older process of the same name writes nothing.
const REGISTER: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local other = redis.call('HGET', KEYS[1], ARGV[1])
local superseded = other and (tonumber(string.match(other, '^%d+')) or 0) > tonumber(ARGV[2])
if not superseded then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
  redis.call('ZADD', KEYS[2], now, ARGV[1])
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[4])) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
end
local answer = { superseded and 1 or 0 }
local seen = redis.call('ZRANGE', KEYS[2], 0, 1023, 'WITHSCORES')
for at = 1, #seen, 2 do
  local record = redis.call('HGET', KEYS[1], seen[at])
  if record then
    table.insert(answer, string.match(record, '^%d+ (.*)$') or '')
    table.insert(answer, tostring(math.floor(now - seen[at + 1])))
  end
end
return answer
";

/// Takes this edge out, unless another process bears its name now.
const LEAVE: &str = r"
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and string.match(known, '^%d+') == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
end
return 1
";

/// Writes an owner if the last epoch there is older. Two that claim the same epoch: the first one has it. Answers what stands there then.
const CLAIM: &str = r"
local known = redis.call('GET', KEYS[1])
local epoch = known and tonumber(string.match(known, '^%d+')) or 0
if epoch < tonumber(ARGV[1]) then
  known = ARGV[1] .. ' ' .. ARGV[2]
  redis.call('SET', KEYS[1], known, 'PX', ARGV[3])
end
return known
";

/// Deletes a record that is still the one named.
const END: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
";

/// Who holds parts of rooms: a sorted set for each, of when each edge said so. Writes this edge, answers the others.
const HOLD: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer = {}
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, now, ARGV[1])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - ARGV[2])
  redis.call('PEXPIRE', key, ARGV[2])
  table.insert(answer, table.concat(redis.call('ZRANGE', key, 0, 1023), ' '))
end
return answer
";

/// Replaces a forecast that is still what was read, unless it is about another time than the server's: one edge whose clock is wrong would
/// teach all others. Of a key that holds something else than text MGET says that there is none, and SET replaces it.
const REMEMBER: &str = r"
local quarter = math.floor(redis.call('TIME')[1] / ARGV[5])
if math.abs(quarter - ARGV[3]) > 1 then return 2 end
if (redis.call('MGET', KEYS[1])[1] or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
return 1
";

/// What became of a forecast that was to be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Remembered {
    /// It stands there.
    Written,
    /// Another edge was faster.
    Changed,
    /// By the server's clock it is another time.
    WrongTime,
}

/// Why the store gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    /// Nothing came in time.
    #[error("no answer within {} ms", PATIENCE.as_millis())]
    Silent,
    /// It didn't answer the last time, and nobody is to wait for it.
    #[error("it did not answer lately")]
    Away,
    /// It said something that no edge has written.
    #[error("it holds something that no edge has written")]
    Nonsense,
    /// The server, or the way to it.
    #[error("{0}")]
    Redis(#[from] RedisError),
}

/// What the others say of themselves.
pub(super) struct Registered {
    /// Another process bears this edge's name, and is younger.
    pub(super) superseded: bool,
    /// Everybody, this edge included, with how long ago they registered.
    pub(super) nodes: Vec<(Node, Duration)>,
}

/// See the [module](self).
pub(super) struct Store {
    client: Client,
    manager: Mutex<ConnectionManager>,
    answers: AtomicBool,
    failed_in_a_row: AtomicU32,
    pub(super) calls: AtomicU64,
    pub(super) failures: AtomicU64,
}

impl Store {
    /// For the server at `url`, to which nobody connects yet.
    pub(super) fn new(url: &str) -> Result<Self, RedisError> {
        let client = Client::open(url)?;
        let manager = Mutex::new(manager(&client)?);
        let zero = AtomicU64::default;
        Ok(Self { client, manager, answers: AtomicBool::new(false), failed_in_a_row: AtomicU32::new(0), calls: zero(), failures: zero() })
    }

    /// The last call was answered.
    pub(super) fn answers(&self) -> bool {
        self.answers.load(Ordering::Relaxed)
    }

    /// Registers this edge; asked also while the server is away.
    pub(super) async fn register(&self, node: &Node) -> Result<Registered, StoreError> {
        let script = Script::new(REGISTER);
        let mut call = script.key(EDGES);
        call.key(SEEN).arg(node.id.as_str()).arg(node.incarnation).arg(record::write(node)).arg(milliseconds(EXPIRES_AFTER));
        let answer: Vec<String> = self.ask(async |connection| call.invoke_async(connection).await).await?;
        let (superseded, rest) = answer.split_first().ok_or(StoreError::Nonsense)?;
        let read = |pair: &[String]| match pair {
            [record, age] => Some((record::read(record)?, Duration::from_millis(age.parse().ok()?))),
            _ => None,
        };
        Ok(Registered { superseded: superseded == "1", nodes: rest.chunks(2).filter_map(read).collect() })
    }

    /// Takes this edge out.
    pub(super) async fn leave(&self, node: &Node) -> Result<(), StoreError> {
        let script = Script::new(LEAVE);
        let mut call = script.key(EDGES);
        call.key(SEEN).arg(node.id.as_str()).arg(node.incarnation);
        self.ask_if_there(async |connection| call.invoke_async::<()>(connection).await).await
    }

    /// Claims a room, or writes its owner again into a server that has lost its memory; answers whose it is then.
    pub(super) async fn claim(&self, room: &str, record: &Record) -> Result<Record, StoreError> {
        let script = Script::new(CLAIM);
        let mut call = script.key(room_key(room));
        call.arg(record.epoch).arg(record.owner.as_str()).arg(milliseconds(KEEP_ROOMS));
        let answer: String = self.ask_if_there(async |connection| call.invoke_async(connection).await).await?;
        read_record(&answer).ok_or(StoreError::Nonsense)
    }

    /// Whose rooms are; none of one that isn't known there. In the order asked for.
    pub(super) async fn owners(&self, rooms: &[String]) -> Result<Vec<Option<Record>>, StoreError> {
        let mut owners = Vec::new();
        for some in rooms.chunks(KEYS_AT_ONCE) {
            let mut call = redis::cmd("MGET");
            for room in some {
                call.arg(room_key(room));
            }
            let answer: Vec<Option<String>> = self.ask_if_there(async |connection| call.query_async(connection).await).await?;
            owners.extend(answer.iter().map(|record| record.as_deref().and_then(read_record)));
        }
        Ok(owners)
    }

    /// Keeps the records of rooms for another while.
    pub(super) async fn touch(&self, rooms: &[String]) -> Result<(), StoreError> {
        for some in rooms.chunks(KEYS_AT_ONCE) {
            let mut pipe = redis::pipe();
            for room in some {
                pipe.cmd("PEXPIRE").arg(room_key(room)).arg(milliseconds(KEEP_ROOMS)).ignore();
            }
            self.ask_if_there(async |connection| pipe.query_async::<()>(connection).await).await?;
        }
        Ok(())
    }

    /// Takes a room out that is still this record's.
    pub(super) async fn end(&self, room: &str, record: &Record) -> Result<(), StoreError> {
        let script = Script::new(END);
        let mut call = script.key(room_key(room));
        call.arg(format!("{} {}", record.epoch, record.owner));
        self.ask_if_there(async |connection| call.invoke_async::<()>(connection).await).await
    }

    /// Says that this edge holds parts of rooms; answers who else does, in the order asked for.
    pub(super) async fn hold(&self, me: &NodeId, rooms: &[String]) -> Result<Vec<Vec<NodeId>>, StoreError> {
        let mut holders = Vec::new();
        for some in rooms.chunks(KEYS_AT_ONCE) {
            let script = Script::new(HOLD);
            let mut call = script.prepare_invoke();
            for room in some {
                call.key(format!("nearcast:parts:{room}"));
            }
            call.arg(me.as_str()).arg(milliseconds(EXPIRES_AFTER));
            let answer: Vec<String> = self.ask_if_there(async |connection| call.invoke_async(connection).await).await?;
            let edges = |names: &String| names.split(' ').filter_map(|name| NodeId::parse(name).ok()).filter(|id| id != me).collect();
            holders.extend(answer.iter().map(edges));
        }
        Ok(holders)
    }

    /// What edges have learned of regions' demand, in the order asked for; as it stands there.
    pub(super) async fn forecasts(&self, regions: &[Region]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut call = redis::cmd("MGET");
        for region in regions {
            call.arg(forecast_key(region));
        }
        self.ask_if_there(async |connection| call.query_async(connection).await).await
    }

    /// Writes what has been learned of a region over what was `read` before. `quarter`: the quarter of an hour since 1970 that comes next.
    pub(super) async fn remember(
        &self,
        region: &Region,
        read: Option<&[u8]>,
        learned: &[u8],
        quarter: u64,
    ) -> Result<Remembered, StoreError> {
        let script = Script::new(REMEMBER);
        let mut call = script.key(forecast_key(region));
        call.arg(read.unwrap_or_default()).arg(learned).arg(quarter).arg(milliseconds(KEPT)).arg(STEP_MINUTES * 60);
        match self.ask_if_there(async |connection| call.invoke_async::<u8>(connection).await).await? {
            0 => Ok(Remembered::Changed),
            1 => Ok(Remembered::Written),
            _ => Ok(Remembered::WrongTime),
        }
    }

    /// Asks only a server that answered the last time.
    async fn ask_if_there<T>(&self, call: impl AsyncFnOnce(&mut ConnectionManager) -> Result<T, RedisError>) -> Result<T, StoreError> {
        if self.answers() { self.ask(call).await } else { Err(StoreError::Away) }
    }

    async fn ask<T>(&self, call: impl AsyncFnOnce(&mut ConnectionManager) -> Result<T, RedisError>) -> Result<T, StoreError> {
        let mut connection = self.manager.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.calls.fetch_add(1, Ordering::Relaxed);
        let answer = match tokio::time::timeout(PATIENCE, call(&mut connection)).await {
            Ok(answer) => answer.map_err(StoreError::from),
            Err(_) => Err(StoreError::Silent),
        };
        self.answers.store(answer.is_ok(), Ordering::Relaxed);
        if answer.is_ok() {
            self.failed_in_a_row.store(0, Ordering::Relaxed);
            return answer;
        }
        self.failures.fetch_add(1, Ordering::Relaxed);
        if self.failed_in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= GIVE_UP_AFTER
            && let Ok(fresh) = manager(&self.client)
        {
            self.failed_in_a_row.store(0, Ordering::Relaxed);
            *self.manager.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        answer
    }
}

fn manager(client: &Client) -> Result<ConnectionManager, RedisError> {
    let patience = ConnectionManagerConfig::new()
        .set_response_timeout(Some(PATIENCE))
        .set_connection_timeout(Some(CONNECT))
        .set_number_of_retries(1)
        .set_max_delay(CONNECT);
    client.get_connection_manager_lazy(patience)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn room_key(room: &str) -> String {
    format!("nearcast:room:{room}")
}

fn forecast_key(region: &Region) -> String {
    format!("nearcast:forecast:{region}")
}

fn read_record(text: &str) -> Option<Record> {
    let (epoch, owner) = text.split_once(' ')?;
    Some(Record { epoch: epoch.parse().ok().filter(|epoch| *epoch > 0)?, owner: NodeId::parse(owner).ok()? })
}
