/// The tables of `trail.db`.
///
/// Paths, programs and hosts are rows of `text`, named by number. There is no index on their bytes: keeping one
/// in order costs ten times all the rest (FACTS.md section 4), and a question that names a path reads `text`
/// from end to end once. So the same bytes may have several rows.
///
/// `event.id` is the session's number << 40 | seq: rows of a session lie together and in order without an index.
enum Schema {
    static let version: Int64 = 6

    static func prepare(_ database: Database) throws(StoreError) {
        // WAL survives the death of any process; synchronous=NORMAL may lose the last commits to a power failure.
        try database.execute("PRAGMA synchronous=NORMAL")
        // Whoever opens it when nobody else has it open reads the log from its beginning: a short session should not read megabytes.
        try database.execute("PRAGMA wal_autocheckpoint=200")
        if try database.number("PRAGMA user_version") == version { return }
        try database.execute("PRAGMA journal_mode=WAL")
        try database.execute("BEGIN IMMEDIATE")
        do throws(StoreError) {
            let found = try database.number("PRAGMA user_version") ?? 0
            guard found <= version else {
                throw .refused(
                    object: database.path, reason: "was written by a newer sandbox (schema \(found))",
                    help: "use that one, or name another state directory with --state")
            }
            if found == 0 { try database.execute(tables) }
            if found < 2 { try database.execute(identities) }
            if found < 3 { try database.execute(judgements) }
            if found < 4 { try database.execute(carried) }
            if found < 5 { try database.execute(traffic) }
            if found < 6 { try database.execute(refusedGains) }
            try database.execute("PRAGMA user_version=\(version); COMMIT")
        } catch {
            try? database.execute("ROLLBACK")
            throw error
        }
    }

    /// Since version 2: groups and roles of a token, names that each end with a NUL; as which sub-agent a program ran.
    private static let identities = """
        ALTER TABLE session ADD COLUMN groups BLOB;
        ALTER TABLE session ADD COLUMN roles BLOB;
        ALTER TABLE image ADD COLUMN subagent INTEGER REFERENCES identity;
        """

    private static let tables = """
        CREATE TABLE identity (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE text (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
        CREATE TABLE session (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, title TEXT,
            identity INTEGER NOT NULL REFERENCES identity, on_behalf_of INTEGER REFERENCES identity, purpose TEXT,
            profile TEXT NOT NULL, mode TEXT NOT NULL, workspace TEXT NOT NULL, command BLOB NOT NULL,
            host TEXT NOT NULL, user INTEGER NOT NULL, supervisor INTEGER NOT NULL, started INTEGER NOT NULL,
            -- `lost`: the supervisor was killed; `ended` is then the time of the last record.
            ended INTEGER, status INTEGER, lost INTEGER NOT NULL DEFAULT 0,
            -- Everything up to this seq is in the tables: the point where a recovery goes on.
            drained INTEGER NOT NULL DEFAULT 0, torn INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX session_started ON session (started);
        CREATE TABLE rule (
            session INTEGER NOT NULL, rule INTEGER NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL,
            PRIMARY KEY (session, rule)) WITHOUT ROWID;
        -- What ran in a process from one exec to the next; arguments each ended by a NUL.
        CREATE TABLE image (
            id INTEGER PRIMARY KEY, session INTEGER NOT NULL, process INTEGER NOT NULL, seq INTEGER NOT NULL,
            program INTEGER NOT NULL REFERENCES text, args BLOB, args_length INTEGER);
        -- id: session << 32 | serial
        CREATE TABLE process (
            id INTEGER PRIMARY KEY, parent INTEGER, pid INTEGER NOT NULL, start_ticks INTEGER,
            started INTEGER NOT NULL, ended INTEGER, status INTEGER, image INTEGER REFERENCES image);
        CREATE TABLE event (
            id INTEGER PRIMARY KEY, process INTEGER NOT NULL, pid INTEGER NOT NULL, image INTEGER,
            operation INTEGER NOT NULL, access INTEGER NOT NULL, decision INTEGER NOT NULL,
            flags INTEGER NOT NULL, rule INTEGER, resource_type INTEGER NOT NULL, resource INTEGER REFERENCES text,
            second INTEGER REFERENCES text, args BLOB, device INTEGER, inode INTEGER, subject INTEGER,
            detail INTEGER, result INTEGER, first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL);
        CREATE INDEX event_not_allowed ON event (decision) WHERE decision > 0;
        CREATE TABLE note (
            session INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, text BLOB NOT NULL,
            PRIMARY KEY (session, seq)) WITHOUT ROWID;
        -- One row a committed batch; the chain's hash and a signature have their place here.
        CREATE TABLE batch (
            session INTEGER NOT NULL, last_seq INTEGER NOT NULL, time INTEGER NOT NULL, hash BLOB, signature BLOB,
            PRIMARY KEY (session, last_seq)) WITHOUT ROWID;
        """

    /// Since version 3.
    private static let judgements = """
        -- What events name as their subject: intents as two words of bits, rules by number, a rewritten command line with each
        -- argument ended by a NUL, and what a candidate profile would have decided.
        CREATE TABLE judgement (
            session INTEGER NOT NULL, seq INTEGER NOT NULL, intents_low INTEGER NOT NULL, intents_high INTEGER NOT NULL,
            rules TEXT NOT NULL, note TEXT, rewritten BLOB, approval TEXT, shadow INTEGER, shadow_rules TEXT,
            PRIMARY KEY (session, seq)) WITHOUT ROWID;
        -- Each step of each question, as a JSON object.
        CREATE TABLE approval (
            session INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, id TEXT NOT NULL, what TEXT NOT NULL,
            PRIMARY KEY (session, seq)) WITHOUT ROWID;
        CREATE INDEX approval_id ON approval (id);
        """

    /// Since version 4.
    private static let carried = """
        -- Names of data classes, separated by commas.
        ALTER TABLE judgement ADD COLUMN carries TEXT;
        -- That a process has come to carry a class of data, and how that came there: one line a step.
        CREATE TABLE carried (
            session INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, process INTEGER NOT NULL, class TEXT NOT NULL,
            why TEXT NOT NULL, PRIMARY KEY (session, seq)) WITHOUT ROWID;
        """

    /// Since version 5: what a TCP connection has carried, in bytes, and which classes of data the process carried.
    private static let traffic = """
        CREATE TABLE traffic (
            session INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, process INTEGER NOT NULL, image INTEGER,
            resource INTEGER NOT NULL REFERENCES text, sent INTEGER NOT NULL, received INTEGER NOT NULL, carries TEXT,
            PRIMARY KEY (session, seq)) WITHOUT ROWID;
        """

    /// Since version 6: it did not come to carry it, because this rule refused the call.
    private static let refusedGains = "ALTER TABLE carried ADD COLUMN refused INTEGER"
}
