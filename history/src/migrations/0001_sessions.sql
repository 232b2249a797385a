-- One row for each process that wrote here. Times are milliseconds since 1970 (UTC), as everywhere in this schema.
CREATE TABLE nodes (
    node        TEXT   NOT NULL,
    incarnation BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    PRIMARY KEY (node, incarnation)
);

-- One row for each stay of a participant in a room.
CREATE TABLE sessions (
    node          TEXT   NOT NULL,
    incarnation   BIGINT NOT NULL,
    id            TEXT   NOT NULL,
    room          TEXT   NOT NULL,
    identity      TEXT   NOT NULL,
    role          TEXT,
    client        TEXT,
    kind          TEXT   NOT NULL,
    joined_at     BIGINT NOT NULL,
    left_at       BIGINT,
    status        TEXT   NOT NULL,
    reason        TEXT,
    path          TEXT,
    quality_mean  DOUBLE PRECISION,
    quality_worst BIGINT,
    quality_level TEXT,
    PRIMARY KEY (node, incarnation, id)
);
CREATE INDEX sessions_room ON sessions (room, joined_at, id);
CREATE INDEX sessions_room_node ON sessions (room, node);
CREATE INDEX sessions_identity ON sessions (identity, joined_at, id);
CREATE INDEX sessions_status ON sessions (status, node, incarnation);
CREATE INDEX sessions_left_at ON sessions (left_at);

-- One row for each life of a room on a node: from the first who came to the last who left.
CREATE TABLE rooms (
    node             TEXT   NOT NULL,
    incarnation      BIGINT NOT NULL,
    room             TEXT   NOT NULL,
    first_joined_at  BIGINT NOT NULL,
    last_left_at     BIGINT,
    peak_participants BIGINT NOT NULL,
    stays            BIGINT NOT NULL,
    PRIMARY KEY (room, node, incarnation, first_joined_at)
);
CREATE INDEX rooms_last_left_at ON rooms (last_left_at);
CREATE INDEX rooms_node ON rooms (node, incarnation);
