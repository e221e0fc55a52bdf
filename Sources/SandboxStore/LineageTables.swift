/// The graph beside the events: what a question over many sessions would otherwise have to gather from all of them.
///
/// It is made of the events of a session, once that has ended and nobody waits (`LineageIngest`), and can be made again at
/// any time. Edges lie by process, so that those of a session are written in a row; the small index of what was written
/// keeps the one that was made by one from those who read, who may be millions.
enum LineageTables {
    static func prepare(_ database: Database) throws(StoreError) {
        try database.execute(tables)
    }

    static func exist(_ database: Database) throws(StoreError) -> Bool {
        try database.number("SELECT count(*) FROM sqlite_master WHERE name = 'lineage_session'") == 1
    }

    private static let tables = """
        CREATE TABLE IF NOT EXISTS lineage_object (
            id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name INTEGER NOT NULL REFERENCES text, names INTEGER NOT NULL,
            device INTEGER, inode INTEGER, born INTEGER, ended INTEGER);
        CREATE INDEX IF NOT EXISTS lineage_inode ON lineage_object (inode) WHERE inode IS NOT NULL AND ended IS NULL;
        -- The hash is of the kind and the bytes. An object keeps the names that it has lost (`lives` is then 0).
        CREATE TABLE IF NOT EXISTS lineage_name (
            hash INTEGER NOT NULL, object INTEGER NOT NULL, text INTEGER NOT NULL REFERENCES text, lives INTEGER NOT NULL,
            PRIMARY KEY (hash, object)) WITHOUT ROWID;
        -- span: from the first time to the last; both it and a count of one take no room.
        CREATE TABLE IF NOT EXISTS lineage_edge (
            process INTEGER NOT NULL REFERENCES process, object INTEGER NOT NULL, relations INTEGER NOT NULL,
            first INTEGER NOT NULL, span INTEGER NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (process, object, relations)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS lineage_used ON lineage_edge (object);
        CREATE INDEX IF NOT EXISTS lineage_made ON lineage_edge (object) WHERE relations & 780;
        CREATE INDEX IF NOT EXISTS lineage_held ON lineage_edge (process) WHERE relations & 2048;
        CREATE TABLE IF NOT EXISTS lineage_session (session INTEGER PRIMARY KEY);
        """
}
